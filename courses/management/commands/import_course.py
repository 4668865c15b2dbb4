"""``manage.py import_course FOLDER``: a course from Markdown, made or brought up to date."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from django.contrib.auth import get_user_model
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.urls import reverse
from rich.console import Console
from rich.table import Table
from rich.text import Text

from courses.management.commands.demo import build_console
from courses.models import Course, Visibility
from courses.models.base import build_slug
from courses.transfer.applying import ImportResult, import_course
from courses.transfer.files import find_language, read_files
from courses.transfer.planning import Action, ImportPlan, describe_order, plan_import
from courses.transfer.reading import FoundCourse, read_course
from courses.transfer.wording import list_conflicts
from narration.exceptions import NarrationError

#: Pictures that are named; the rest are counted.
SHOWN = 20


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
        parser.add_argument(
            "--local-wording",
            action="store_true",
            help="Say a new course as this site says things, not as the site it comes from.",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Read, plan, do, tell; conflicts end with an error after everything else was done."""
        console = build_console()
        language = find_language(options["language"])
        if options["language"] and not language:
            raise CommandError(f"This site has no language “{options['language']}”.")
        try:
            found = read_course(read_files(options["folder"]), language=language)
            plan, notes = self.run(console, found, options)
        except NarrationError as error:
            raise CommandError(str(error)) from error
        tell_rest(console, found, plan, notes)
        conflicts = plan.count(Action.CONFLICT)
        if conflicts:
            raise CommandError(
                f"{conflicts} texts were edited here and in the files; they are as they were. "
                "Export the course to merge them, or run again with --force."
            )

    def run(
        self, console: Console, found: FoundCourse, options: dict[str, Any]
    ) -> tuple[ImportPlan, Sequence[str]]:
        """Do it, or with --dry-run only tell."""
        slug = options["slug"] or build_slug(options["folder"].resolve().stem, _never, "course")
        course = Course.objects.filter(slug=slug).first()
        if options["dry_run"]:
            plan = plan_import(course, found, force=options["force"])
            notes = list_conflicts(course, found, plan, force=options["force"])
            console.print(build_table(plan, slug))
            console.print("Nothing was stored: this is what an import would do.")
            return plan, notes
        result = import_course(
            found,
            course=course,
            slug=slug,
            title=options["title"],
            language=find_language(options["language"]),
            user=_find_user(options["owner"]),
            force=options["force"],
            archive=options["archive"],
            local_wording=options["local_wording"],
        )
        console.print(build_table(result.plan, slug))
        tell_done(console, result)
        return result.plan, result.notes


def tell_done(console: Console, result: ImportResult) -> None:
    """What is stored now, who reads it, and where."""
    course = result.course
    count = result.plan.count(Action.NEW, Action.CHANGED)
    console.print(Text(f"Stored: {count} texts in “{course.title}”."))
    visibility = str(Visibility(course.visibility).label)
    teach, learn = (
        reverse(name, args=[course.slug]) for name in ("courses:author-course", "courses:course")
    )
    console.print(Text(f"Who may read it: {visibility}. Write and publish: {teach} Read: {learn}"))
    if not course.memberships.exists():
        console.print(
            "Nobody owns it yet: add a member in the admin, or give --owner the next time."
        )


def tell_rest(console: Console, found: FoundCourse, plan: ImportPlan, notes: Sequence[str]) -> None:
    """What was left out, what stays as it was decided here, which pictures are missing."""
    if plan.is_reordered:
        console.print(Text(f"Note: {describe_order()}"))
    for note in notes:
        console.print(Text(f"Note: {note}"))
    for path, reason in found.skipped:
        console.print(Text(f"Skipped: {path} ({reason})"))
    if found.pictures:
        console.print(f"{found.pictures} pictures are not imported: texts only.")
    missing = found.missing_pictures
    if missing:
        console.print(f"{len(missing)} pictures that texts show are not carried over:")
    for picture, path in missing[:SHOWN]:
        console.print(Text(f"  {picture} ({path})"))
    if len(missing) > SHOWN:
        console.print("  …")


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
        cells = (step.title, step.language, str(step.action.label), step.path + moved)
        table.add_row(*map(Text, cells))
    return table
