"""What is compared: somebody who speaks a sentence, and how much that was."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

from bench.engines.clock import Clock
from bench.engines.lesson import Sentence


@dataclass(frozen=True, slots=True)
class Said:
    """``units``: tokens or symbols; how many samples are in ``sound``, mono at 24 kHz."""

    units: int
    sound: npt.NDArray[np.float32]


class Side(Protocol):
    """Our engine or the library, loaded, its parts timed by ``clock``."""

    clock: Clock

    def prepare(self, sentence: Sentence) -> None:
        """What belongs to the comparison and not to the work: not timed."""

    def speak(self, sentence: Sentence) -> Said:
        """Text to samples in memory, by the ways of this side."""


class DifferentWork(AssertionError):
    """The two sides did not do the same: a ratio of their times would mean nothing."""


def check_same_work(sentence: Sentence, ours: Said, theirs: Said) -> None:
    """``DifferentWork`` unless tokens and samples are as many on both sides."""
    for what, one, other in (
        ("units", ours.units, theirs.units),
        ("samples", len(ours.sound), len(theirs.sound)),
    ):
        if one != other or one <= 0:
            raise DifferentWork(f"{one} {what} here, {other} in the library: {sentence.text!r}")
    for name, said in (("ours", ours), ("the library's", theirs)):
        if not np.isfinite(said.sound).all() or not said.sound.any():
            raise DifferentWork(f"{name} is not sound: {sentence.text!r}")
