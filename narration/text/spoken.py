"""The spoken form of a part of a passage, each kind of writing read in its own way."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from narration.text.lexicon import NO_LEXICON, Lexicon
from narration.text.mathematics import read_mathematics
from narration.text.normalization import read_code, read_prose
from narration.text.normalization.fragments import Fragment, assemble
from narration.values import Run, RunKind, SpokenForm

_PROSE = {RunKind.PROSE, RunKind.LINK}
# A run, where it begins in the sentence, and how much of it belongs to the sentence.
_Part = tuple[Run, int, str]


def build_spoken(
    runs: Sequence[Run], start: int, end: int, language: str, lexicon: Lexicon = NO_LEXICON
) -> tuple[str, SpokenForm]:
    """Give the display text ``start:end`` of a passage's runs and how it is said.

    Spans are offsets into that display text. A run with ``spoken`` is said that way, whole, in
    the sentence where it begins; an empty run with ``spoken`` is said where it stands.
    """
    parts = cut_parts(runs, start, end)
    return "".join(part.text for part in parts), say_runs(parts, language, lexicon)


def cut_parts(runs: Sequence[Run], start: int, end: int) -> tuple[Run, ...]:
    """Give what of the runs of a passage belongs to its segment ``start:end``."""
    return tuple(
        run if text == run.text else replace(run, text=text)
        for run, _offset, text in _cut_parts(runs, start, end)
    )


def say_runs(runs: Sequence[Run], language: str, lexicon: Lexicon = NO_LEXICON) -> SpokenForm:
    """Give the spoken form of one segment's runs; spans are offsets into their joined text."""
    return assemble(read_runs(runs, language, lexicon))


def read_runs(runs: Sequence[Run], language: str, lexicon: Lexicon = NO_LEXICON) -> list[Fragment]:
    """Give the fragments of one segment in order, each with the rule that made it."""
    fragments: list[Fragment] = []
    for group in _group(list(_place(runs)), language):
        fragments += _read_group(group, language, lexicon)
    return fragments


def _place(runs: Sequence[Run]) -> Iterator[_Part]:
    place = 0
    for run in runs:
        yield run, place, run.text
        place += len(run.text)


def _cut_parts(runs: Sequence[Run], start: int, end: int) -> Iterator[_Part]:
    position = 0
    joined = "".join(run.text for run in runs)
    for run in runs:
        left, right = position, position + len(run.text)
        position = right
        if run.text:
            piece = run.text[max(0, start - left) : max(0, end - left)]
            if piece:
                yield (
                    run if left >= start else _without_spoken(run),
                    max(left, start) - start,
                    piece,
                )
        elif start <= left < end or (start <= left and _is_behind(run, joined, left, end)):
            yield run, left - start, ""


def _is_behind(run: Run, joined: str, place: int, end: int) -> bool:
    """Whether an empty run between two sentences belongs to the one that ends at ``end``."""
    if place == end == len(joined):
        return True
    is_between = bool(run.spoken) and joined[place : place + 1].isspace()
    return is_between and not joined[end:place].strip()


def _without_spoken(run: Run) -> Run:
    """The rest of a run whose spoken form was said in an earlier sentence says nothing."""
    return run if run.spoken is None else replace(run, spoken="")


def _group(parts: Sequence[_Part], language: str) -> Iterator[list[_Part]]:
    """Join neighbouring prose, since numbers and dates may cross emphasis and links."""
    group: list[_Part] = []
    for part in parts:
        if group and not (_is_plain(group[-1], language) and _is_plain(part, language)):
            yield group
            group = []
        group.append(part)
    if group:
        yield group


def _is_plain(part: _Part, language: str) -> bool:
    run = part[0]
    return run.kind in _PROSE and run.spoken is None and run.language in {"", language}


def _read_group(group: Sequence[_Part], language: str, lexicon: Lexicon) -> list[Fragment]:
    run, offset, text = group[0]
    spoken_in = run.language or language
    first = lexicon.get_rules(spoken_in)
    if run.spoken is not None:
        return [
            replace(part, start=offset, end=offset + len(text), rule="author")
            for part in read_prose(run.spoken, spoken_in, first)
        ]
    if run.kind is RunKind.MATH:
        said = read_mathematics(text, spoken_in)
        return [Fragment(said, offset, offset + len(text), rule="formula")]
    read = read_code if run.kind is RunKind.CODE else read_prose
    joined = "".join(part[2] for part in group)
    return [part.moved(offset) for part in read(joined, spoken_in, first)]
