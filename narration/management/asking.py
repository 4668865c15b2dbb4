"""One question at a terminal, for what cannot be undone."""

from __future__ import annotations

from django.core.management.base import CommandError


def confirm(question: str) -> bool:
    """Whether "yes" is the answer; ``CommandError`` where nobody can be asked."""
    try:
        return input(f"{question} Type yes: ").strip() == "yes"
    except EOFError as error:
        raise CommandError(
            "Nothing was done: there is no terminal to ask at. Pass --yes to confirm."
        ) from error
