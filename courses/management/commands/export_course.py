"""``manage.py export_course COURSE OUT.zip``: a course to take elsewhere, or to keep."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from courses.models import Course
from courses.transfer.exporting import export_course


class Command(BaseCommand):
    """Markdown, lexicon, policies, overrides; with --audio what is published."""

    help = "Export a course as a zip of Markdown that import_course reads."

    def add_arguments(self, parser: CommandParser) -> None:
        """Which course, and where to."""
        parser.add_argument("course", help="The course's address.")
        parser.add_argument("file", type=Path, metavar="OUT.zip")
        parser.add_argument("--audio", action="store_true", help="With published audio, captions.")

    def handle(self, *args: Any, **options: Any) -> None:
        """Write the file whole or not at all."""
        course = Course.objects.filter(slug=options["course"]).first()
        if course is None:
            raise CommandError(f"There is no course “{options['course']}”.")
        content = export_course(course, with_audio=options["audio"])
        target: Path = options["file"]
        partial = target.with_name(f".{target.name}.partial")
        try:
            partial.write_bytes(content)
            partial.replace(target)
        except OSError as error:
            raise CommandError(f"{target} cannot be written: {error.strerror}.") from error
        self.stdout.write(f"{target}: {len(content)} bytes")
