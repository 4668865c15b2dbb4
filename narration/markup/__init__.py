"""Markdown → sanitised HTML with an anchor on every spoken sentence, and the passages to speak."""

from narration.markup.document import Document, render

__all__ = ["Document", "render"]
