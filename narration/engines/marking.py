"""Texts of engines for people: engines know no Django, and whoever shows a text translates it."""

from __future__ import annotations


def gettext_noop(text: str) -> str:
    """``text`` itself. Called as Django's own, so that ``makemessages`` collects what is marked."""
    return text
