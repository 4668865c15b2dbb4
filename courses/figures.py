"""Pictures beside a lesson's text.

A lesson that was read from a file may show the pictures in the folder ``figures`` of that file's
collection; ``![…](figures/wave.svg)`` is relative to the lesson's page, so nothing is rewritten.
"""

from __future__ import annotations

from pathlib import Path

from courses.models import Lesson

DEMO = Path(__file__).resolve().parent / "demo"
CONTENT_TYPES = {
    ".svg": "image/svg+xml",
    ".png": "image/png",
    ".jpg": "image/jpeg",
    ".webp": "image/webp",
}


class FigureConverter:
    """A plain file name of a picture: no path, nothing hidden."""

    regex = r"[a-z0-9][a-z0-9_-]*\.(?:svg|png|jpg|webp)"

    def to_python(self, value: str) -> str:
        """The name as it is."""
        return value

    def to_url(self, value: str) -> str:
        """The name as it is."""
        return value


def find_figure(lesson: Lesson, name: str) -> Path | None:
    """The file of a lesson's picture; None where the lesson has no such picture."""
    if not lesson.source_path.startswith("demo/"):
        return None
    path = DEMO / "figures" / name
    return path if path.is_file() else None
