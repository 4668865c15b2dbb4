"""Sentence by sentence, in turn: ours, the library, ours, the library."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from statistics import median

from bench.engines.clock import Spent
from bench.engines.lesson import Sentence
from bench.engines.sides import DifferentWork, Said, Side, check_same_work

SAMPLE_RATE = 24_000
WHOLE = "whole"
OURS, LIBRARY = "ours", "library"


@dataclass(slots=True)
class Counted:
    """What a side said in a round: the same on both sides, or there is no comparison."""

    sentences: int = 0
    units: int = 0
    samples: int = 0

    def add(self, said: Said) -> None:
        self.sentences += 1
        self.units += said.units
        self.samples += len(said.sound)


@dataclass(slots=True)
class Round:
    """Of each side: seconds by part and as a whole, and what was said."""

    spent: dict[str, dict[str, Spent]] = field(default_factory=lambda: defaultdict(dict))
    counted: dict[str, Counted] = field(
        default_factory=lambda: {OURS: Counted(), LIBRARY: Counted()}
    )

    def add(self, side: str, parts: Mapping[str, Spent]) -> None:
        for part, spent in parts.items():
            self.spent[side][part] = self.spent[side].get(part, Spent()) + spent

    def get_ratio(self, clock: str) -> float:
        """How many times longer the library took (``wall``), or computed (``cpu``)."""
        ours, library = (getattr(self.spent[side][WHOLE], clock) for side in (OURS, LIBRARY))
        return float(library / ours)


@dataclass(slots=True)
class Comparison:
    """All rounds."""

    rounds: list[Round] = field(default_factory=list)

    def list_ratios(self, clock: str) -> list[float]:
        return [found.get_ratio(clock) for found in self.rounds]

    def get_rate(self, side: str, part: str, clock: str) -> float:
        """Seconds of work per second of audio, the median of the rounds."""
        return median(
            getattr(found.spent[side].get(part, Spent()), clock)
            * SAMPLE_RATE
            / found.counted[side].samples
            for found in self.rounds
        )

    def list_parts(self, side: str) -> list[str]:
        """In the order of their work, the whole last."""
        parts = [part for part in self.rounds[0].spent[side] if part != WHOLE]
        return [*parts, WHOLE]


def compare(ours: Side, library: Side, lesson: list[Sentence], rounds: int) -> Comparison:
    """Have both speak the lesson ``rounds`` times; ``DifferentWork`` when they do not do the same.

    The shortest sentence is spoken once before, unmeasured: first calls allocate and choose.
    """
    sides = {OURS: ours, LIBRARY: library}
    shortest = min(lesson, key=lambda sentence: sentence.tokens)
    for side in sides.values():
        side.prepare(shortest)
        side.speak(shortest)
        side.clock.take()
    comparison = Comparison()
    for _ in range(rounds):
        found = Round()
        for sentence in lesson:
            said = {name: _speak(side, name, sentence, found) for name, side in sides.items()}
            check_same_work(sentence, said[OURS], said[LIBRARY])
        check_same_counts(found, len(lesson))
        comparison.rounds.append(found)
    return comparison


def check_same_counts(found: Round, sentences: int) -> None:
    """``DifferentWork`` unless a round holds the lesson, the same on both sides."""
    ours, library = found.counted[OURS], found.counted[LIBRARY]
    if ours != library or ours.sentences != sentences:
        raise DifferentWork(f"{ours} here, {library} in the library, {sentences} were wanted.")


def _speak(side: Side, name: str, sentence: Sentence, found: Round) -> Said:
    side.prepare(sentence)
    with side.clock.timed(WHOLE):
        said = side.speak(sentence)
    found.counted[name].add(said)
    found.add(name, side.clock.take())
    return said
