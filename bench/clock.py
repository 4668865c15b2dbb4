"""Wall and CPU seconds of this process, of the engine's, and of each part of the path.

Parts are timed by wrapping the product's functions from outside; the product knows nothing of it.
"""

from __future__ import annotations

import functools
import os
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from pkgutil import resolve_name
from typing import Any
from unittest.mock import patch

#: Function → part. The time of a wrapped function within another one is its own alone.
TARGETS = {
    "narration.pipeline.narrate.refresh_plan": "plan",
    "narration.pipeline.synthesize.find_whole": "lookup",
    "narration.pipeline.narrate.find_track": "lookup",
    "narration.speaking.client.EngineStream.submit": "synthesize",
    "narration.speaking.client.EngineStream.get_result": "synthesize",
    "narration.pipeline.synthesize.store_rendition": "store",
    "narration.storage.write": "store",
    "narration.runner.Lease.begin": "progress",
    "narration.runner.Lease.made": "progress",
    "narration.runner.Lease.check": "progress",
    "narration.pipeline.stitch.load_waveform": "load",
    "narration.pipeline.stitch.stitch": "stitch",
    "narration.pipeline.stitch.level": "loudness",
    "narration.pipeline.stitch.encode_mp3": "mp3",
    "narration.pipeline.stitch.encode_opus": "opus",
    "narration.pipeline.stitch.build_webvtt": "captions",
    "narration.pipeline.stitch.build_peaks": "peaks",
    "narration.pipeline.stitch.draw_waveform": "peaks",
    "narration.runner._publish": "publish",
}
SUBMIT = "narration.speaking.client.EngineStream.submit"


@dataclass
class Spent:
    """Seconds spent on some work: wall, CPU of this process, CPU of the engine process."""

    wall: float = 0.0
    own_cpu: float = 0.0
    engine_cpu: float = 0.0
    part_wall: dict[str, float] = field(default_factory=lambda: defaultdict(float))
    part_cpu: dict[str, float] = field(default_factory=lambda: defaultdict(float))
    calls: Counter[str] = field(default_factory=Counter)

    @property
    def cpu(self) -> float:
        """CPU seconds of both processes."""
        return self.own_cpu + self.engine_cpu


def get_process_cpu(pid: int) -> float:
    """CPU seconds a process has used so far, in steps of a hundredth (Linux)."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@contextmanager
def measure(engine_pid: int) -> Iterator[Spent]:
    """Time what is done inside, which must run in this thread; CPU of other threads is the client's.

    The thread that tends the engine is the only other one, so its CPU counts as ``synthesize``.
    """
    spent = Spent()
    inner: list[list[float]] = []
    with ExitStack() as stack:
        for target, part in TARGETS.items():
            stack.enter_context(patch(target, _wrap(spent, inner, target, part)))
        engine_cpu = get_process_cpu(engine_pid)
        wall, process, thread = time.perf_counter(), time.process_time(), time.thread_time()
        yield spent
        spent.wall = time.perf_counter() - wall
        spent.own_cpu = time.process_time() - process
        own_thread = time.thread_time() - thread
        spent.engine_cpu = get_process_cpu(engine_pid) - engine_cpu
    spent.part_wall["rest"] = spent.wall - sum(spent.part_wall.values())
    spent.part_cpu["rest"] = own_thread - sum(spent.part_cpu.values())
    spent.part_cpu["synthesize"] += spent.own_cpu - own_thread
    spent.part_cpu["engine"] = spent.engine_cpu


def _wrap(spent: Spent, inner: list[list[float]], target: str, part: str) -> Callable[..., Any]:
    """The function, timed: its own time without that of wrapped functions it calls."""
    function = resolve_name(target)

    @functools.wraps(function)
    def timed(*args: Any, **kwargs: Any) -> Any:
        spent.calls[target] += 1
        inner.append([0.0, 0.0])
        wall, cpu = time.perf_counter(), time.thread_time()
        try:
            return function(*args, **kwargs)
        finally:
            taken = (time.perf_counter() - wall, time.thread_time() - cpu)
            nested = inner.pop()
            spent.part_wall[part] += taken[0] - nested[0]
            spent.part_cpu[part] += taken[1] - nested[1]
            if inner:
                inner[-1][0] += taken[0]
                inner[-1][1] += taken[1]

    return timed
