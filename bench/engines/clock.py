"""Seconds and memory of a side and of its parts, the same way on a processor and on a card."""

from __future__ import annotations

import ctypes
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest import mock

import torch

STATUS = Path("/proc/self/status")
CLEAR = Path("/proc/self/clear_refs")
#: What resets the highest memory held so far (proc(5)).
RESET_PEAK = "5"


@dataclass(slots=True)
class Spent:
    """Seconds on the clock, and of all cores."""

    wall: float = 0.0
    cpu: float = 0.0

    def __add__(self, other: Spent) -> Spent:
        return Spent(self.wall + other.wall, self.cpu + other.cpu)


class Clock:
    """Times calls; what a card is still working on counts too."""

    def __init__(self, device: torch.device):
        self.device = device
        self.parts: dict[str, Spent] = defaultdict(Spent)
        self._patches = ExitStack()

    def read(self) -> Spent:
        if self.device.type == "cuda":
            torch.cuda.synchronize(self.device)
        return Spent(time.perf_counter(), time.process_time())

    @contextmanager
    def timed(self, part: str) -> Iterator[None]:
        began = self.read()
        try:
            yield
        finally:
            ended = self.read()
            self.parts[part] += Spent(ended.wall - began.wall, ended.cpu - began.cpu)

    def wrap(
        self, owner: Any, name: str, part: str, hear: Callable[[Any, Any], None] | None = None
    ) -> None:
        """Time ``owner.name`` as ``part``; ``hear`` gets its arguments and its answer."""
        function = getattr(owner, name)

        def call(*args: Any, **kwargs: Any) -> Any:
            with self.timed(part):
                answer = function(*args, **kwargs)
            if hear is not None:
                hear(args, answer)
            return answer

        self._patches.enter_context(mock.patch.object(owner, name, call))

    def close(self) -> None:
        """Take all wrapping off."""
        self._patches.close()

    def take(self) -> dict[str, Spent]:
        """The parts since the last time this was asked."""
        parts, self.parts = dict(self.parts), defaultdict(Spent)
        return parts


class Memory:
    """Bytes held: of the process, or of a card by torch's own account."""

    def __init__(self, device: torch.device):
        self._device = device
        self.can_reset = device.type == "cuda" or _reset_peak()

    def read(self) -> int:
        """What is held now, less what was freed and only not given back."""
        if self._device.type == "cuda":
            return int(torch.cuda.memory_allocated(self._device))
        ctypes.CDLL(None).malloc_trim(0)
        return _read_status("VmRSS")

    def begin(self) -> int:
        """What is held now; from here on the peak counts."""
        held = self.read()
        if self._device.type == "cuda":
            torch.cuda.reset_peak_memory_stats(self._device)
        else:
            _reset_peak()
        return held

    def read_peak(self) -> int:
        if self._device.type == "cuda":
            return int(torch.cuda.max_memory_allocated(self._device))
        return _read_status("VmHWM")


def _reset_peak() -> bool:
    try:
        CLEAR.write_text(RESET_PEAK)
    except OSError:
        return False
    return True


def _read_status(key: str) -> int:
    line = next(line for line in STATUS.read_text().splitlines() if line.startswith(key))
    return int(line.split()[1]) * 1024
