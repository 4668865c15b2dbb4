"""``manage.py explain LESSON SENTENCE``: why a sentence is said the way it is."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from courses.management.commands.demo import build_console
from courses.targets import get_texts
from narration import api as narration
from narration.exceptions import NarrationError

_LONGEST_NUMBER = 9


class Command(BaseCommand):
    """Source, rule or entry, spoken form, digest, take, rendition."""

    help = "Tell why a sentence of a lesson is said the way it is."

    def add_arguments(self, parser: CommandParser) -> None:
        """Which sentence: its number, or some of its words."""
        parser.add_argument("lesson", metavar="COURSE/LESSON")
        parser.add_argument("sentence", help="Its number, from 1, or some words of it.")
        parser.add_argument("--language", default="", help="The course's own by default.")

    def handle(self, *args: Any, **options: Any) -> None:
        """Plan if need be, find the sentence, tell."""
        text = get_texts(options["lesson"], options["language"])[0]
        lesson, language = text.lesson, text.language
        try:
            narration.estimate_narration(lesson, language=language)
            number = find_number(lesson, language, options["sentence"])
            found = narration.explain_sentence(lesson, language=language, number=number)
        except NarrationError as error:
            raise CommandError(f"{text}: {error}") from error
        tell(build_console(), found)


def find_number(lesson: Any, language: str, wanted: str) -> int:
    """The number of the sentence that is meant; ``CommandError`` when none is."""
    if wanted.isdecimal() and len(wanted) < _LONGEST_NUMBER:
        return int(wanted)
    for segment in narration.list_segments(lesson, language=language, user=None):
        if wanted.casefold() in segment.display_text.casefold():
            return segment.position + 1
    raise CommandError(f"No sentence holds “{wanted}”.")


def tell(console: Console, found: narration.Explanation) -> None:
    """Two tables: the facts, and the words piece by piece."""
    facts = Table(
        show_header=False, title=f"Sentence {found.segment.position + 1}", title_justify="left"
    )
    for name, value in list_facts(found):
        facts.add_row(name, escape(value))
    console.print(facts)
    words = Table(title="Word by word", title_justify="left")
    for name in ("Written", "Spoken", "Because"):
        words.add_column(name, overflow="fold")
    for reason in found.reasons:
        because = f"{reason.rule}: {reason.entry}" if reason.entry else reason.rule
        cells = (reason.written, reason.spoken, because or "as written")
        words.add_row(*map(escape, cells))
    console.print(words)


def list_facts(found: narration.Explanation) -> list[tuple[str, str]]:
    """What decides the sound, in the order it is decided."""
    segment, rendition = found.segment, found.rendition
    overrides = [f"{each.kind} {each.value}".strip() for each in found.overrides]
    made = (
        f"{rendition.duration_ms} ms, {rendition.verdict}, made {rendition.made_at:%Y-%m-%d %H:%M}"
        if rendition
        else "not made yet"
    )
    return [
        ("Written", segment.display_text),
        ("Spoken", found.spoken_text),
        ("Where", f"{segment.role} {segment.anchor}, version {found.source_version} of the text"),
        ("Overrides", ", ".join(overrides) or "none"),
        ("Voice", f"{segment.voice} ({segment.voice.engine}), language {segment.language}"),
        ("Take", str(segment.take + 1)),
        ("Text key", segment.text_key),
        ("Digest", segment.utterance_digest),
        ("Rendition", made),
    ]
