"""Plan: the segments a text would be spoken as now. No engine is asked, nothing is written."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace

from narration import digests
from narration.engines.hygiene import clean_text, is_speakable
from narration.models import Override, OverrideKind, Voice
from narration.pipeline.casting import Casting, CastVoice
from narration.text import (
    cut_clauses,
    cut_parts,
    cut_runs,
    get_leading_pause,
    say_runs,
    sentence_anchor,
)
from narration.text.policy import apply_rules, find_traits
from narration.values import Passage, Role, Run, SpokenForm, Utterance, WordSpan

#: Between the parts of a sentence that changes its language: as good as no gap.
JOINT_MS = 60


@dataclass(frozen=True, slots=True)
class PlannedSegment:
    """One segment with the exact utterance that sounds it; no ``runs`` where an author fixed it."""

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
    runs: tuple[Run, ...] | None = None

    @property
    def voice(self) -> Voice:
        """Who speaks it."""
        return self.cast.voice


@dataclass(frozen=True, slots=True)
class Plan:
    """All segments in order. ``digest`` identifies what a track of it would be.

    ``traits`` are the speech rules the text has something for, ``unvoiced`` the languages of
    phrases that no voice speaks.
    """

    segments: tuple[PlannedSegment, ...]
    digest: str
    casting: Casting
    traits: tuple[str, ...] = ()
    unvoiced: tuple[str, ...] = ()

    def get_utterances(self) -> dict[str, PlannedSegment]:
        """The distinct utterances by digest, in order of their first appearance."""
        distinct: dict[str, PlannedSegment] = {}
        for segment in self.segments:
            distinct.setdefault(segment.digest, segment)
        return distinct


@dataclass(frozen=True, slots=True)
class _Sentence:
    """A sentence with the voice that says it; ``lead_ms`` is silence wanted before it."""

    passage: int
    role: Role
    language: str
    anchor: str
    anchor_offset: int
    runs: tuple[Run, ...]
    spoken: SpokenForm
    cast: CastVoice
    pause_ms: int
    lead_ms: int

    @property
    def display_text(self) -> str:
        """What the learner reads."""
        return "".join(run.text for run in self.runs)


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
    for sentence in _iter_sentences(passages, language, casting):
        if sentence.lead_ms and segments:
            segments[-1] = replace(segments[-1], pause_ms=sentence.lead_ms)
        maximum = sentence.cast.facts.get_max_characters(sentence.language)
        for part in _cut_to_limit(sentence, maximum):
            segment = _plan_segment(part, seen, table)
            if segment is not None:
                segments.append(segment)
    return Plan(
        tuple(segments),
        _digest(segments, casting),
        casting,
        tuple(sorted(find_traits(passages))),
        tuple(at for at in find_languages(passages, language) if not casting.speaks(at)),
    )


def find_languages(passages: Iterable[Passage], language: str) -> list[str]:
    """Other languages that passages and phrases of a text are marked with."""
    marked = {passage.language for passage in passages}
    marked |= {run.language for passage in passages for run in passage.runs}
    return sorted(marked - {"", language})


def _iter_sentences(
    passages: Sequence[Passage], language: str, casting: Casting
) -> Iterator[_Sentence]:
    """All sentences in the order they are said: footnotes behind what they explain."""
    spoken = apply_rules(passages, casting.rules, language)
    notes: dict[str, list[tuple[int, Passage]]] = {}
    order: list[tuple[int, Passage]] = []
    for index, passage in enumerate(spoken):
        is_moved = casting.rules.footnotes == "after" and passage.after
        (notes.setdefault(passage.after, []) if is_moved else order).append((index, passage))
    for index, passage in order:
        for sentence in _cut_passage(index, passage, language, casting):
            yield sentence
            for at, note in notes.pop(sentence.anchor, ()):
                yield from _cut_passage(at, note, language, casting)
    for at, note in (pair for left in notes.values() for pair in left):
        yield from _cut_passage(at, note, language, casting)


def _cut_passage(
    index: int, passage: Passage, language: str, casting: Casting
) -> Iterator[_Sentence]:
    written_in = passage.language or language
    lead_ms = get_leading_pause(passage.runs)
    for number, cut in enumerate(cut_runs(passage.runs, written_in), 1):
        wanted = cut.language or written_in
        foreign = wanted if wanted != language and casting.speaks(wanted) else ""
        cast = casting.get(passage.role, foreign)
        runs = cut_parts(passage.runs, cut.start, cut.end)
        yield _Sentence(
            passage=index,
            role=passage.role,
            language=foreign or language,
            anchor=sentence_anchor(passage.anchor, number) if passage.anchor else "",
            anchor_offset=0,
            runs=runs,
            spoken=say_runs(runs, wanted, casting.get_lexicon(cast)),
            cast=cast,
            pause_ms=cut.pause_ms or (0 if cut.ends_sentence else JOINT_MS),
            lead_ms=lead_ms if number == 1 else 0,
        )


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
            runs=cut_parts(sentence.runs, begin, end),
            spoken=SpokenForm(text, tuple(_shift(word, start, begin) for word in words)),
            pause_ms=sentence.pause_ms if index == len(parts) - 1 else 0,
        )


def _shift(word: WordSpan, spoken_by: int, display_by: int) -> WordSpan:
    return WordSpan(
        word.spoken_start - spoken_by,
        word.spoken_end - spoken_by,
        max(word.start - display_by, 0),
        max(word.end - display_by, 0),
    )


def _plan_segment(
    sentence: _Sentence, seen: Counter[str], table: _Overrides
) -> PlannedSegment | None:
    key = digests.build_text_key(sentence.display_text, sentence.language)
    occurrence = seen[key]
    seen[key] += 1
    given = _find(table, key, occurrence, OverrideKind.SPOKEN)
    spoken = _override_spoken(sentence, given)
    is_silenced = _find(table, key, occurrence, OverrideKind.SILENCE) is not None
    if is_silenced or not is_speakable(clean_text(spoken.text).text):
        return None
    take = _get_number(_find(table, key, occurrence, OverrideKind.TAKE))
    utterance = sentence.cast.build_utterance(spoken.text, sentence.language, take)
    pause_ms = _get_number(_find(table, key, occurrence, OverrideKind.PAUSE))
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
        cast=sentence.cast,
        utterance=utterance,
        digest=sentence.cast.build_digest(utterance),
        pause_ms=pause_ms or sentence.pause_ms,
        runs=None if given else sentence.runs,
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
