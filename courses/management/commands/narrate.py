"""``manage.py narrate COURSE|LESSON``: ask for narrations, or only for what they would cost."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from courses import demo_run
from courses.demo_run import Run
from courses.management.commands.demo import build_console
from courses.models import LessonText
from courses.targets import HELP, get_texts
from courses.templatetags.courses_tags import sound_length
from narration import api as narration
from narration.exceptions import NarrationError


class Command(BaseCommand):
    """Queues a job per text; the worker makes the sound."""

    help = "Have a course or a lesson narrated in the background."

    def add_arguments(self, parser: CommandParser) -> None:
        """What, in which language, and how."""
        parser.add_argument("target", metavar="COURSE|COURSE/LESSON", help=HELP)
        parser.add_argument("--language", default="", help="Only texts in this language.")
        parser.add_argument("--dry-run", action="store_true", help="Tell the numbers and stop.")
        parser.add_argument("--wait", action="store_true", help="Wait for the end, with bars.")
        parser.add_argument(
            "--publish", action="store_true", help="Let learners read and hear it when it is made."
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Estimate or request; exit with an error when something was not narrated."""
        console = build_console()
        texts = get_texts(options["target"], options["language"])
        if options["dry_run"]:
            console.print(build_estimates(texts))
            return
        runs = [Run(text, request(text, publish=options["publish"])) for text in texts]
        if not options["wait"]:
            for run in runs:
                self.stdout.write(f"{run.text}: {run.job.state} ({run.job.uid})")
            return
        wait(runs, console)


def wait(runs: Sequence[Run], console: Console) -> None:
    """Bars until all have ended, then a table; ``CommandError`` when one is not whole."""
    demo_run.watch(runs, console)
    console.print(demo_run.build_table(runs))
    bad = [run for run in runs if not run.is_good]
    if bad:
        words = "\n".join(f"  {run.text}: {run.job.error or run.job.state}" for run in bad)
        raise CommandError(f"{len(bad)} of {len(runs)} texts were not narrated whole:\n{words}")


def request(text: LessonText, *, publish: bool) -> Any:
    """The job that serves this text; ``CommandError`` names the text it failed for."""
    try:
        return narration.request_narration(text.lesson, language=text.language, publish=publish)
    except NarrationError as error:
        raise CommandError(f"{text}: {error}") from error


def build_estimates(texts: Sequence[LessonText]) -> Table:
    """What a request would cost now: a row per text, and the sum."""
    table = Table(title="What would be made", title_justify="left")
    table.add_column("Lesson", overflow="ellipsis", no_wrap=True)
    table.add_column("Language", no_wrap=True)
    for name in ("Sentences", "Distinct", "Stored", "To make", "New speech"):
        table.add_column(name, justify="right", no_wrap=True)
    estimates = [estimate(text) for text in texts]
    for text, found in zip(texts, estimates, strict=True):
        table.add_row(escape(text.title), text.language, *build_cells([found]))
    table.add_section()
    table.add_row("All", "", *build_cells(estimates))
    return table


def estimate(text: LessonText) -> narration.Estimate:
    """Of one text, from its plan."""
    try:
        return narration.estimate_narration(text.lesson, language=text.language)
    except NarrationError as error:
        raise CommandError(f"{text}: {error}") from error


def build_cells(estimates: Sequence[narration.Estimate]) -> list[str]:
    """The numbers of these texts together."""
    names = ("segments", "utterances", "reused", "missing")
    counts = [str(sum(getattr(found, name) for found in estimates)) for name in names]
    return [*counts, sound_length(sum(found.speech_ms for found in estimates))]
