"""Plan: the segments a text would be spoken as now. No engine is asked, nothing is written."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace

from narration import digests
from narration.engines.hygiene import clean_text, is_speakable
from narration.models import Override, OverrideKind, Voice
from narration.pipeline.casting import Casting, CastVoice
from narration.text import build_spoken, cut_clauses, cut_sentences, sentence_anchor
from narration.values import Passage, Role, SpokenForm, Utterance, WordSpan


@dataclass(frozen=True, slots=True)
class PlannedSegment:
    """One segment with the exact utterance that sounds it."""

    passage: int
    role: Role
    language: str
    anchor: str
    anchor_offset: int
    display_text: str
    spoken: SpokenForm
    text_key: str
    occurrence: int
    cast: CastVoice
    utterance: Utterance
    digest: str
    pause_ms: int = 0

    @property
    def voice(self) -> Voice:
        """Who speaks it."""
        return self.cast.voice


@dataclass(frozen=True, slots=True)
class Plan:
    """All segments in order. ``digest`` identifies what a track of it would be."""

    segments: tuple[PlannedSegment, ...]
    digest: str
    casting: Casting

    def get_utterances(self) -> dict[str, PlannedSegment]:
        """The distinct utterances by digest, in order of their first appearance."""
        distinct: dict[str, PlannedSegment] = {}
        for segment in self.segments:
            distinct.setdefault(segment.digest, segment)
        return distinct


@dataclass(frozen=True, slots=True)
class _Sentence:
    """A sentence before it is given to a voice."""

    passage: int
    role: Role
    language: str
    anchor: str
    anchor_offset: int
    display_text: str
    spoken: SpokenForm


_Overrides = Mapping[tuple[str, int, str], Override]


def build_plan(
    passages: Sequence[Passage],
    *,
    language: str,
    casting: Casting,
    overrides: Iterable[Override] = (),
) -> Plan:
    """Cut passages into segments and give each its utterance and digest.

    Linear in the text. Sentences in which nothing can be spoken are left out.
    """
    table = {(row.text_key, row.occurrence, row.kind): row for row in overrides}
    seen: Counter[str] = Counter()
    segments: list[PlannedSegment] = []
    for sentence in _iter_sentences(passages, language):
        cast = casting.get(sentence.role)
        for part in _cut_to_limit(sentence, cast.facts.max_characters):
            segment = _plan_segment(part, cast, seen, table)
            if segment is not None:
                segments.append(segment)
    return Plan(tuple(segments), _digest(segments, casting), casting)


def _iter_sentences(passages: Sequence[Passage], language: str) -> Iterator[_Sentence]:
    for index, passage in enumerate(passages):
        spoken_language = passage.language or language
        for number, (start, end) in enumerate(cut_sentences(passage.text, spoken_language), 1):
            display, spoken = build_spoken(passage.runs, start, end, spoken_language)
            anchor = sentence_anchor(passage.anchor, number) if passage.anchor else ""
            yield _Sentence(index, passage.role, language, anchor, 0, display, spoken)


def _cut_to_limit(sentence: _Sentence, maximum: int) -> Iterator[_Sentence]:
    """The sentence, or its clauses where the engine cannot take it whole."""
    if len(sentence.spoken.text) <= maximum:
        yield sentence
        return
    spoken = sentence.spoken
    parts = [
        (
            start,
            [word for word in spoken.words if start <= word.spoken_start < end],
            spoken.text[start:end],
        )
        for start, end in cut_clauses(spoken.text, maximum)
    ]
    begins = [words[0].start if words else None for _start, words, _text in parts]
    begins[0] = 0
    for index, (start, words, text) in enumerate(parts):
        begin = begins[index] or 0
        following = [at for at in begins[index + 1 :] if at is not None]
        end = max(following[0] if following else len(sentence.display_text), begin)
        yield replace(
            sentence,
            anchor_offset=begin,
            display_text=sentence.display_text[begin:end],
            spoken=SpokenForm(text, tuple(_shift(word, start, begin) for word in words)),
        )


def _shift(word: WordSpan, spoken_by: int, display_by: int) -> WordSpan:
    return WordSpan(
        word.spoken_start - spoken_by,
        word.spoken_end - spoken_by,
        max(word.start - display_by, 0),
        max(word.end - display_by, 0),
    )


def _plan_segment(
    sentence: _Sentence, cast: CastVoice, seen: Counter[str], table: _Overrides
) -> PlannedSegment | None:
    key = digests.build_text_key(sentence.display_text, sentence.language)
    occurrence = seen[key]
    seen[key] += 1
    spoken = _override_spoken(sentence, _find(table, key, occurrence, OverrideKind.SPOKEN))
    is_silenced = _find(table, key, occurrence, OverrideKind.SILENCE) is not None
    if is_silenced or not is_speakable(clean_text(spoken.text).text):
        return None
    take = _get_number(_find(table, key, occurrence, OverrideKind.TAKE))
    utterance = cast.build_utterance(spoken.text, sentence.language, take)
    return PlannedSegment(
        passage=sentence.passage,
        role=sentence.role,
        language=sentence.language,
        anchor=sentence.anchor,
        anchor_offset=sentence.anchor_offset,
        display_text=sentence.display_text,
        spoken=spoken,
        text_key=key,
        occurrence=occurrence,
        cast=cast,
        utterance=utterance,
        digest=digests.build_utterance_digest(utterance, cast.facts),
        pause_ms=_get_number(_find(table, key, occurrence, OverrideKind.PAUSE)),
    )


def _find(table: _Overrides, key: str, occurrence: int, kind: OverrideKind) -> Override | None:
    """An author's word on just this occurrence goes before one on all of them."""
    return table.get((key, occurrence, kind)) or table.get((key, -1, kind))


def _get_number(override: Override | None) -> int:
    return int(override.value) if override is not None and override.value.isdecimal() else 0


def _override_spoken(sentence: _Sentence, override: Override | None) -> SpokenForm:
    """What the author says it says; every word then stands for the whole sentence."""
    if override is None:
        return sentence.spoken
    words: list[WordSpan] = []
    at = 0
    for word in override.value.split():
        start = override.value.index(word, at)
        at = start + len(word)
        words.append(WordSpan(start, at, 0, len(sentence.display_text)))
    return SpokenForm(override.value, tuple(words))


def _digest(segments: Sequence[PlannedSegment], casting: Casting) -> str:
    rows = [
        (s.digest, s.text_key, s.role, s.passage, s.anchor, s.anchor_offset, s.pause_ms)
        for s in segments
    ]
    return digests.build_plan_digest(rows, asdict(casting.gaps))
