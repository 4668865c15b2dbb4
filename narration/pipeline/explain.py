"""Why a sentence is said the way it is: where each spoken word comes from."""

from __future__ import annotations

from dataclasses import dataclass

from django.db.models import Model

from narration.models import LexiconEntry, Narration, Override, Rendition, Segment
from narration.pipeline.casting import Casting, CastVoice, load_casting
from narration.pipeline.written import unpack_runs
from narration.sources import get_source
from narration.speaking import describe_engine
from narration.text import Lexicon, read_runs
from narration.text.lexicon import LEXICON


@dataclass(frozen=True, slots=True)
class Reason:
    """A piece of the sentence: as written, as said, and the rule that says so.

    ``rule`` is "" for words read as they are written; ``entry`` is the lexicon row, if one spoke.
    """

    written: str
    spoken: str
    rule: str
    entry: LexiconEntry | None = None


@dataclass(frozen=True, slots=True)
class Explanation:
    """Everything that decides how one segment of the newest plan sounds."""

    segment: Segment
    source_version: int
    reasons: tuple[Reason, ...]
    overrides: tuple[Override, ...]
    rendition: Rendition | None
    casting: Casting

    @property
    def spoken_text(self) -> str:
        """The exact text the engine is given."""
        return self.segment.spoken_text


def explain_segment(narration: Narration, obj: Model, segment: Segment) -> Explanation:
    """From the stored plan, without an engine."""
    foreign = {segment.language} - {narration.language}
    casting = load_casting(
        get_source(obj).get_scope_chain(obj), narration.language, foreign=foreign
    )
    overrides = Override.objects.filter(
        narration=narration,
        text_key=segment.text_key,
        occurrence__in=(-1, segment.occurrence),
    )
    return Explanation(
        segment=segment,
        source_version=narration.source_version,
        reasons=tuple(_find_reasons(segment, casting)),
        overrides=tuple(overrides),
        rendition=Rendition.objects.filter(digest=segment.utterance_digest).first(),
        casting=casting,
    )


def _find_reasons(segment: Segment, casting: Casting) -> list[Reason]:
    if segment.runs is None:
        return [Reason(segment.display_text, segment.spoken_text, "override")]
    cast = CastVoice(segment.voice, describe_engine(segment.voice.engine))
    lexicon = casting.get_lexicon(cast)
    rows = {str(entry.uid): entry for entry in casting.lexicon.entries}
    runs = unpack_runs(segment.runs, segment.display_text)
    fragments = read_runs(runs, segment.language, lexicon)
    reasons: list[Reason] = []
    for part in fragments:
        if part.is_mark or not part.text:
            continue
        written = segment.display_text[part.start : part.end]
        entry = (
            _find_entry(lexicon, written, segment.language, rows) if part.rule == LEXICON else None
        )
        # What a rule leaves as it is needs no reason.
        rule = "" if part.text == written and not entry else part.rule
        reasons.append(Reason(written, part.text, rule, entry))
    return _join_plain(reasons)


def _join_plain(reasons: list[Reason]) -> list[Reason]:
    """Neighbouring words that are read as they are written are one piece."""
    joined: list[Reason] = []
    for reason in reasons:
        if joined and not reason.rule and not joined[-1].rule:
            last = joined.pop()
            written = f"{last.written} {reason.written}"
            reason = Reason(written, f"{last.spoken} {reason.spoken}", "")  # noqa: PLW2901
        joined.append(reason)
    return joined


def _find_entry(
    lexicon: Lexicon, written: str, language: str, rows: dict[str, LexiconEntry]
) -> LexiconEntry | None:
    found = next(lexicon.find(written, language), None)
    return rows.get(found[2].key) if found else None
