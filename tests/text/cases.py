"""Reads the tables of cases beside this file: written text and every reading we accept."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

FOLDER = Path(__file__).parent / "cases"
#: A letter alone is read by its name, whoever reads it.
_NAMES = (
    "a á|b bê|c cê|d dê|e é|f efe éfe|g gê|h agá|j jota|k cá|l ele éle|m eme éme|n ene|o ó|p pê"
    "|q quê|r erre érre|s esse ésse|t tê|v vê|w dáblio|x xis|y ípsilon|z zê"
)
_LETTERS = {name: names.split()[0] for names in _NAMES.split("|") for name in names.split()[1:]}


@dataclass(frozen=True)
class Case:
    """One written text; ``readings`` as the table has them."""

    topic: str
    written: str
    readings: tuple[str, ...]

    def accepts(self, spoken: str) -> bool:
        """Whether a careful narrator might say it so."""
        return bool(self.pattern.fullmatch(bare(spoken)))

    @cached_property
    def pattern(self) -> re.Pattern[str]:
        return re.compile("|".join(_build_pattern(reading) for reading in self.readings))


def bare(text: str) -> str:
    """Words only: no case, no punctuation, hyphens as spaces; a leading space to each word."""
    words = re.sub(r"[^\w\s]", " ", text.lower().replace("'", "").replace("’", "")).split()
    return "".join(f" {_LETTERS.get(word, word)}" for word in words)


def load_cases(name: str) -> list[Case]:
    """The cases of one table."""
    return list(_iter_cases((FOLDER / f"{name}.txt").read_text()))


def load_sentences(name: str) -> list[tuple[str, list[str]]]:
    """Texts whose sentences are separated by " | " in the table."""
    lines = (FOLDER / f"{name}.txt").read_text().splitlines()
    rows = [line.split(" | ") for line in lines if line and not line.startswith("#")]
    return [(" ".join(row), row) for row in rows]


def _iter_cases(text: str) -> Iterator[Case]:
    topic = ""
    for line in text.splitlines():
        if line.startswith("## "):
            topic = line[3:]
        elif line and not line.startswith("# "):
            written, _, readings = line.partition(" => ")
            yield Case(topic, written, tuple(part.strip() for part in readings.split(" || ")))


def _build_pattern(reading: str) -> str:
    """A pattern over bare words: "(x)" may be left out, "[x|y]" is either; they nest."""
    pattern, plain = "", ""
    for char in reading:
        if char in "()[]|":
            pattern += bare(plain) + {"(": "(?:", ")": ")?", "[": "(?:", "]": ")", "|": "|"}[char]
            plain = ""
        else:
            plain += char
    return pattern + bare(plain)
