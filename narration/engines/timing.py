"""From an engine's scattered marks to one timing for every word."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable
from itertools import pairwise

from narration.engines.hygiene import find_words
from narration.values import WordTiming


def time_words(
    text: str, marks: Iterable[tuple[int, int]], duration_ms: int
) -> tuple[WordTiming, ...]:
    """Timing of every whitespace-separated word of ``text``, ordered, inside ``0..duration_ms``.

    ``marks`` are ``(offset in text, ms)`` as the engine speaks: several may fall into one word
    (a long number) and some words may have none. A word begins at its first mark; words without
    one share the time since the last, by their length. A word ends where the next begins.
    """
    words = find_words(text)
    if not words:
        return ()
    starts = _fill_gaps(words, _find_starts(words, marks, duration_ms), duration_ms)
    ends = [*starts[1:], duration_ms]
    return tuple(
        WordTiming(start, end, begins, ends_at)
        for (start, end), begins, ends_at in zip(words, starts, ends, strict=True)
    )


def _find_starts(
    words: list[tuple[int, int]], marks: Iterable[tuple[int, int]], duration_ms: int
) -> dict[int, int]:
    """First mark of each word, by word index; marks that run backwards are ignored."""
    word_offsets = [start for start, _ in words]
    found: dict[int, int] = {}
    last_word, last_ms = -1, 0
    for offset, ms in marks:
        index = max(bisect_right(word_offsets, offset) - 1, 0)
        if index > last_word and last_ms <= ms <= duration_ms:
            found[index] = last_ms = ms
            last_word = index
    return found


def _fill_gaps(words: list[tuple[int, int]], found: dict[int, int], duration_ms: int) -> list[int]:
    """A start for every word: known ones as they are, the rest by their share of characters."""
    anchors = sorted({0: 0, **found, len(words): duration_ms}.items())
    starts: list[int] = []
    for (first, begins), (last, ends) in pairwise(anchors):
        lengths = [end - start for start, end in words[first:last]]
        total = sum(lengths)
        starts += [
            begins + (ends - begins) * sum(lengths[:i]) // total for i in range(last - first)
        ]
    return starts
