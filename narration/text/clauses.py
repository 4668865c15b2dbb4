"""Cuts a sentence that is too long for an engine where a reader would breathe."""

from __future__ import annotations

import re

Span = tuple[int, int]

# From the best place to breathe to the worst; each match ends where the next clause begins.
_PLACES = (
    re.compile(r"[;:][\"'”’»)\]]*\s+|\s[—–]\s|—"),
    re.compile(r",[\"'”’»)\]]*\s+"),
    re.compile(
        r"\s+(?=(?:and|or|but|because|which|that|so|if|when|while"
        r"|e|ou|mas|porque|que|pois|se|quando|enquanto)\s)",
        re.IGNORECASE,
    ),
    re.compile(r"\s+"),
)
# A clause shorter than this share of the limit is not worth a better place to cut.
_LEAST_SHARE = 0.4


def cut_clauses(text: str, max_characters: int) -> tuple[Span, ...]:
    """Give the (start, end) of trimmed pieces of ``text``, each at most ``max_characters`` long.

    Every non-space character lies in exactly one span; a word is cut only when it alone exceeds
    the limit. Raises ValueError for a limit below one. Linear time.
    """
    if max_characters < 1:
        raise ValueError(f"A clause needs at least one character, not {max_characters}.")
    spans: list[Span] = []
    end = len(text.rstrip())
    start = _skip_space(text, 0, end)
    while end - start > max_characters:
        cut = _find_cut(text, start, start + max_characters)
        spans.append((start, _before_space(text, cut)))
        start = _skip_space(text, cut, end)
    if start < end:
        spans.append((start, end))
    return tuple(spans)


def _find_cut(text: str, start: int, limit: int) -> int:
    """Find the last good place in the window; white space may stretch beyond ``limit``."""
    window = text[start : limit + 1]
    for place in _PLACES:
        cuts = [match.end() for match in place.finditer(window) if match.start() > 0]
        fitting = [cut for cut in cuts if len(window[:cut].rstrip()) <= limit - start]
        if fitting and (fitting[-1] >= _LEAST_SHARE * (limit - start) or place is _PLACES[-1]):
            return start + fitting[-1]
    return limit


def _skip_space(text: str, start: int, end: int) -> int:
    while start < end and text[start].isspace():
        start += 1
    return start


def _before_space(text: str, cut: int) -> int:
    while text[cut - 1].isspace():
        cut -= 1
    return cut
