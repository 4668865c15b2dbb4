"""A lesson to speak: seeded sentences, as long as people write them."""

from __future__ import annotations

import math
import random
from dataclasses import dataclass

#: Characters: the median, how widely they vary (of the logarithm), and the longest an engine takes.
MEDIAN, SPREAD, SHORTEST, LONGEST = 75, 0.5, 20, 240
#: People say about fifteen characters a second, and XTTS makes 21.53 tokens of a second.
TOKENS_PER_CHARACTER = 21.53 / 15
WORDS = """
the light of every star takes time until it reaches us and what we see is long past when they
measure how fast bodies fall students learn that heavy and small things arrive together unless
air slows one down more than other seeds grow towards water because roots follow gravity
"""


@dataclass(frozen=True, slots=True)
class Sentence:
    """What to say, and how many audio tokens it has to have where the bench decides that."""

    text: str
    tokens: int


def build_lesson(count: int, *, seed: int = 1, median: int = MEDIAN) -> list[Sentence]:
    """``count`` different sentences of lognormal length, the same for the same arguments."""
    chance = random.Random(seed)
    lesson: dict[str, Sentence] = {}
    while len(lesson) < count:
        wanted = round(chance.lognormvariate(math.log(median), SPREAD))
        text = _write(chance, min(max(wanted, SHORTEST), LONGEST))
        lesson[text] = Sentence(text, round(len(text) * TOKENS_PER_CHARACTER))
    return list(lesson.values())


def _write(chance: random.Random, length: int) -> str:
    """Words up to ``length`` characters, the full stop included."""
    words = WORDS.split()
    text = chance.choice(words).capitalize()
    while len(word := chance.choice(words)) + len(text) + 2 <= length:
        text += f" {word}"
    return f"{text}."
