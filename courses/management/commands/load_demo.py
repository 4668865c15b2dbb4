"""``manage.py load_demo``: the demo courses and users."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from courses.samples import USERS, load_demo


def add_demo_arguments(parser: CommandParser) -> None:
    """The options of every command that loads the demo."""
    parser.add_argument(
        "--reset", action="store_true", help="Undo edits of the demo's texts and passwords."
    )
    parser.add_argument(
        "--force", action="store_true", help="Load it although DEBUG is off. Passwords are public!"
    )


def require_debug(*, force: bool) -> None:
    """The demo's passwords are printed in this repository: never let them into a real site."""
    if not (settings.DEBUG or force):
        raise CommandError(
            "The demo has users with known passwords, and DEBUG is off. Use --force if this site "
            "is nobody's but yours."
        )


class Command(BaseCommand):
    """Loads the demo; a second run changes only what changed in the files."""

    help = "Make the demo courses, and the users admin, author and learner."

    def add_arguments(self, parser: CommandParser) -> None:
        """``--reset`` and ``--force``."""
        add_demo_arguments(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        """Load and say who can sign in."""
        require_debug(force=options["force"])
        texts = load_demo(reset=options["reset"])
        self.stdout.write(f"{len(texts)} lessons are there.")
        for user in USERS:
            self.stdout.write(f"  {user.name:8} password: {user.password}")
