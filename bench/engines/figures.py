"""One engine on one device: load both sides, compare them, tell what was seen."""

from __future__ import annotations

import argparse
import time
from statistics import median
from typing import Any

import numpy as np
import torch

from bench import report
from bench.engines import styletts2, xtts
from bench.engines.clock import Memory
from bench.engines.compare import LIBRARY, OURS, SAMPLE_RATE, Comparison, compare
from bench.engines.lesson import Sentence
from bench.engines.models import get_models
from narration.engines.neural.faults import free_memory
from narration.values import Waveform

CLOCKS = {"wall": "wall", "cpu": "CPU"}
#: Seconds of a recording whose voice is imitated, as long as XTTS listens.
RECORDING_S = 30


def measure(name: str, device: str, lesson: list[Sentence], options: argparse.Namespace) -> None:
    """Measure ``name`` on ``device`` and add its figures to the report."""
    models = get_models(name, options.size, options.cache)
    where = torch.device(device)
    title = f"{name}, {options.size}, {device}, {options.profile}"
    memory = Memory(where)
    room: Any = xtts if name == "xtts" else styletts2
    began = time.perf_counter()
    room.import_libraries(models)
    report.tell(f"{title}: import of the libraries", time.perf_counter() - began, "s")
    held = memory.read()
    ours = room.Ours(models, where, options.profile)
    held_by_ours = memory.read() - held
    library = room.Library(models, where if name == "xtts" else ours)
    held_by_library = memory.read() - held - held_by_ours
    for side, holder, held_by in (
        (OURS, ours, held_by_ours),
        (LIBRARY, library, held_by_library),
    ):
        report.tell(f"{title}: load, {side}", holder.clock.take()["load"].wall, "s")
        report.tell(f"{title}: memory of the model, {side}", held_by / 2**30, "GiB")
    try:
        _tell_sense(title, room, ours, library, lesson, options.profile)
        found = compare(ours, library, lesson, options.rounds)
        tell(title, found)
        _tell_memory(title, {OURS: ours, LIBRARY: library}, lesson, memory)
        _tell_voice(title, ours)
    finally:
        ours.clock.close()
        library.clock.close()
        ours.engine.close()
        del ours, library
        free_memory()


def tell(title: str, found: Comparison) -> None:
    """Ratios, counts, and seconds per second of audio by part."""
    counted = found.rounds[0].counted[OURS]
    report.tell(f"{title}: sentences, each side", counted.sentences, "")
    report.tell(f"{title}: tokens or symbols, each side", counted.units, "")
    report.tell(f"{title}: audio, each side", counted.samples / SAMPLE_RATE, "s")
    for clock, name in CLOCKS.items():
        ratios = found.list_ratios(clock)
        for which, ratio in (("median", median(ratios)), ("worst", min(ratios))):
            report.tell(f"{title}: {name} ratio, {which}", ratio, "×", len(ratios))
    for side in (OURS, LIBRARY):
        for part in found.list_parts(side):
            for clock, name in CLOCKS.items():
                rate = found.get_rate(side, part, clock)
                report.tell(f"{title}: {side}, {part}, {name}", rate, "s/s of audio")


def _tell_memory(title: str, sides: dict[str, Any], lesson: list[Sentence], memory: Memory) -> None:
    """What the longest sentence takes beyond the loaded models; apart, as it costs time to look."""
    if not memory.can_reset:
        report.skip(f"{title}: memory of speaking", "its peak cannot be reset on this machine")
        return
    longest = max(lesson, key=lambda sentence: len(sentence.text))
    for name, side in sides.items():
        side.prepare(longest)
        held = memory.begin()
        side.speak(longest)
        report.tell(
            f"{title}: memory of speaking, {name}", (memory.read_peak() - held) / 2**30, "GiB"
        )
        side.clock.take()


def _tell_sense(
    title: str, room: Any, ours: Any, library: Any, lesson: list[Sentence], profile: str
) -> None:
    """In half precision nothing is equal, and the bench says that it did not look."""
    if profile != "fp32":
        report.skip(f"{title}: same sound as the library", "only fp32 can be the same")
        return
    report.tell(
        f"{title}: sentences shown to be the same", room.check_sense(ours, library, lesson), ""
    )


def _tell_voice(title: str, ours: Any) -> None:
    """How long a voice's latents take, which are kept afterwards."""
    noise = np.random.default_rng(1).standard_normal(RECORDING_S * SAMPLE_RATE)
    recording = Waveform((0.1 * noise).astype(np.float32), SAMPLE_RATE)
    with ours.clock.timed("latents"):
        ours.engine.clone([recording])
    spent = ours.clock.take()["latents"]
    for clock, name in CLOCKS.items():
        what = f"{title}: latents of a voice, {RECORDING_S} s heard, {name}"
        report.tell(what, getattr(spent, clock), "s")
