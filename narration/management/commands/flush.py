"""``manage.py flush``: Django's own, which empties every table; also of what is kept otherwise."""

from __future__ import annotations

from typing import Any

from django.core.management.commands import flush
from django.db import connections

from narration.models.triggers import install_triggers, remove_triggers


class Command(flush.Command):
    """SQLite deletes row by row, and triggers keep consents: they step aside meanwhile."""

    def handle(self, **options: Any) -> None:
        """As Django does it; other databases empty a table at once and ask no trigger."""
        using = options["database"]
        if connections[using].vendor != "sqlite":
            super().handle(**options)
            return
        remove_triggers(using=using, events=["DELETE"])
        try:
            super().handle(**options)
        finally:
            install_triggers(using=using)
