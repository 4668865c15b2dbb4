"""Evidence of a stuck decoder: the same few tokens over and over."""

from __future__ import annotations

from collections.abc import Sequence

#: A cycle longer than this (about a second and a half of sound) is a phrase, not a loop.
LONGEST_CYCLE = 32


def find_loop(codes: Sequence[int]) -> int:
    """How many tokens the longest repetition lasts; 0 when nothing follows upon itself.

    A run counts ("a a a": 3), and so does a cycle said at least twice ("a b a b a": 5).
    """
    return max((_measure_cycle(codes, period) for period in range(1, LONGEST_CYCLE + 1)), default=0)


def _measure_cycle(codes: Sequence[int], period: int) -> int:
    longest = same = 0
    for i in range(period, len(codes)):
        same = same + 1 if codes[i] == codes[i - period] else 0
        longest = max(longest, same)
    return longest + period if longest >= period else 0
