"""How tables of words are written down."""

from __future__ import annotations


def words(text: str) -> tuple[str, ...]:
    """Split a table written as one string: it reads better than a list of quoted words."""
    return tuple(text.split())
