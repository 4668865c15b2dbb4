"""``manage.py import_course FOLDER``: a course from Markdown, made or brought up to date."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.contrib.auth import get_user_model
from django.core.management.base import BaseCommand, CommandError, CommandParser
from rich.console import Console
from rich.table import Table

from courses.management.commands.demo import build_console
from courses.models import Course
from courses.models.base import build_slug
from courses.transfer.applying import import_course
from courses.transfer.files import read_files
from courses.transfer.planning import Action, ImportPlan, plan_import
from courses.transfer.reading import FoundCourse, find_language, read_course
from narration.exceptions import NarrationError


class Command(BaseCommand):
    """Run it again and it updates in place."""

    help = "Import a course from a folder or zip of Markdown; again, to bring it up to date."

    def add_arguments(self, parser: CommandParser) -> None:
        """Where from, and what to call it."""
        parser.add_argument("folder", type=Path, metavar="FOLDER|ZIP")
        parser.add_argument("--slug", default="", help="The course's address; the folder's name.")
        parser.add_argument("--title", default="", help="The title of a new course.")
        parser.add_argument("--language", default="", help="Of files that name none.")
        parser.add_argument("--owner", default="", help="User name of a new course's owner.")
        parser.add_argument("--dry-run", action="store_true", help="Tell what would happen.")
        parser.add_argument("--force", action="store_true", help="Overwrite what was edited here.")
        parser.add_argument(
            "--archive", action="store_true", help="Archive lessons that are not there any more."
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Read, plan, do, tell; conflicts end with an error after everything else was done."""
        console = build_console()
        language = find_language(options["language"])
        if options["language"] and not language:
            raise CommandError(f"This site has no language “{options['language']}”.")
        try:
            found = read_course(read_files(options["folder"]), language=language)
            plan = self.run(console, found, options)
        except NarrationError as error:
            raise CommandError(str(error)) from error
        conflicts = plan.count(Action.CONFLICT)
        if conflicts:
            raise CommandError(
                f"{conflicts} texts were edited here and in the files; they are as they were. "
                "Export the course to merge them, or run again with --force."
            )

    def run(self, console: Console, found: FoundCourse, options: dict[str, Any]) -> ImportPlan:
        """Do it, or with --dry-run only tell."""
        slug = options["slug"] or build_slug(options["folder"].resolve().stem, _never, "course")
        course = Course.objects.filter(slug=slug).first()
        if options["dry_run"]:
            plan = plan_import(course, found, force=options["force"])
        else:
            result = import_course(
                found,
                course=course,
                slug=slug,
                title=options["title"],
                language=find_language(options["language"]),
                user=_find_user(options["owner"]),
                force=options["force"],
                archive=options["archive"],
            )
            plan = result.plan
            for note in result.notes:
                console.print(f"Note: {note}")
        console.print(build_table(plan, slug))
        for path, reason in found.skipped:
            console.print(f"Skipped: {path} ({reason})")
        if found.pictures:
            console.print(f"{found.pictures} pictures are not imported: texts only.")
        return plan


def _never(_slug: str) -> bool:
    return False


def _find_user(name: str) -> Any:
    if not name:
        return None
    user = get_user_model().objects.filter(**{get_user_model().USERNAME_FIELD: name}).first()
    if user is None:
        raise CommandError(f"There is no user “{name}”.")
    return user


def build_table(plan: ImportPlan, slug: str) -> Table:
    """A row per text."""
    table = Table(title=f"Course {slug}", title_justify="left")
    for name in ("Lesson", "Language", "What", "File"):
        table.add_column(name, overflow="fold")
    for step in plan.steps:
        moved = f" (was {step.moved_from})" if step.moved_from else ""
        table.add_row(step.title, step.language, str(step.action.label), step.path + moved)
    return table
