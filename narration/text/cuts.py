"""Where a passage is cut into segments: at sentences, pauses and changes of language."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass

from narration.text.sentences import cut_sentences
from narration.values import Run

_CLOSING = re.compile(r"[^\w\s]+(?=\s|$)")


@dataclass(frozen=True, slots=True)
class Cut:
    """One segment's place ``start:end`` in the display text of its passage.

    ``language`` is that of a phrase that is said in another language than its passage, else "".
    ``pause_ms`` is what an author wants behind it, None where nothing is said about it;
    ``ends_sentence`` is False inside a sentence, where a listener should hear no gap.
    """

    start: int
    end: int
    language: str = ""
    pause_ms: int | None = None
    ends_sentence: bool = True


def cut_runs(runs: Sequence[Run], language: str) -> tuple[Cut, ...]:
    """Give the segments of a passage in order; the page and the plan both cut here.

    Every non-space character lies in exactly one cut. A pause before the first word belongs to
    nobody here: see ``get_leading_pause``. Linear in the text.
    """
    text = "".join(run.text for run in runs)
    starts, languages, pauses = _survey(runs, language)
    wanted = _find_wanted(text, starts, languages, pauses)
    cuts: list[Cut] = []
    for start, end in cut_sentences(text, language):
        inner = wanted[bisect_right(wanted, start) : bisect_left(wanted, end)]
        pieces = _split(text, start, end, inner)
        for left, right in pieces:
            at = max(bisect_right(starts, _first_word(text, left, right)) - 1, 0)
            foreign = languages[at] if languages and languages[at] != language else ""
            cuts.append(Cut(left, right, foreign, None, right == end))
    return _give_pauses(cuts, pauses)


def get_leading_pause(runs: Sequence[Run]) -> int:
    """Milliseconds of silence an author wants before the first word of a passage."""
    total = 0
    for run in runs:
        if run.text.strip():
            break
        total += run.pause_ms
    return total


def _survey(
    runs: Sequence[Run], language: str
) -> tuple[list[int], list[str], list[tuple[int, int]]]:
    """Where each run with text begins, its language, and where which pauses stand."""
    starts: list[int] = []
    languages: list[str] = []
    pauses: list[tuple[int, int]] = []
    place = 0
    for run in runs:
        if run.pause_ms:
            pauses.append((place, run.pause_ms))
        if run.text:
            starts.append(place)
            languages.append(run.language or language)
        place += len(run.text)
    return starts, languages, pauses


def _find_wanted(
    text: str, starts: Sequence[int], languages: Sequence[str], pauses: Sequence[tuple[int, int]]
) -> list[int]:
    """Places of cuts inside sentences; marks that close a phrase stay with it."""
    changes = [
        _after_marks(text, starts[at])
        for at in range(1, len(starts))
        if languages[at] != languages[at - 1]
    ]
    return sorted({*changes, *(_after_marks(text, place) for place, _ms in pauses)})


def _after_marks(text: str, place: int) -> int:
    match = _CLOSING.match(text, place)
    return match.end() if match else place


def _split(text: str, start: int, end: int, inner: Sequence[int]) -> list[tuple[int, int]]:
    """Cut ``start:end`` at ``inner``; what holds no word joins the piece after it."""
    pieces: list[tuple[int, int]] = []
    left = start
    for right in [*inner, end]:
        piece = text[left:right]
        if not any(char.isalnum() for char in piece) and right != end:
            continue
        if not piece.strip():
            continue
        if right == end and pieces and not any(char.isalnum() for char in piece):
            pieces[-1] = (pieces[-1][0], end)
            continue
        body = piece.strip()
        begin = left + len(piece) - len(piece.lstrip())
        pieces.append((begin, begin + len(body)))
        left = right
    return pieces


def _first_word(text: str, left: int, right: int) -> int:
    """Marks before a phrase do not tell its language."""
    return next((at for at in range(left, right) if text[at].isalnum()), left)


def _give_pauses(cuts: list[Cut], pauses: Sequence[tuple[int, int]]) -> tuple[Cut, ...]:
    begins = [cut.start for cut in cuts]
    sums: dict[int, int] = {}
    for place, ms in pauses:
        # A pause belongs to the segment that begins before it.
        at = bisect_left(begins, place) - 1
        if at >= 0:
            sums[at] = sums.get(at, 0) + ms
    return tuple(
        Cut(cut.start, cut.end, cut.language, sums.get(at), cut.ends_sentence)
        for at, cut in enumerate(cuts)
    )
