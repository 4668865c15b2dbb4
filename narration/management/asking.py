"""What commands ask at a terminal: whether, for what cannot be undone, and which of several."""

from __future__ import annotations

import uuid
from collections.abc import Iterable

from django.core.management.base import CommandError

from narration.models import Consent


def confirm(question: str) -> bool:
    """Whether "yes" is the answer; ``CommandError`` where nobody can be asked."""
    try:
        return input(f"{question} Type yes: ").strip() == "yes"
    except EOFError as error:
        raise CommandError(
            "Nothing was done: there is no terminal to ask at. Pass --yes to confirm."
        ) from error


def list_named(name: str, by_person: Iterable[Consent]) -> list[Consent]:
    """The consent whose uid this is, else those of the person."""
    try:
        return list(Consent.objects.filter(uid=uuid.UUID(name)))
    except ValueError:
        return list(by_person)


def build_choice(name: str, rows: Iterable[Consent]) -> CommandError:
    """Says how to name one of several."""
    uids = ", ".join(f"{row.uid} ({row.given_at:%Y-%m-%d})" for row in rows)
    return CommandError(f"{name} has given several; name one by its uid: {uids}.")
