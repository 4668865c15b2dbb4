"""CPU seconds by part, by wrapping the pipeline's functions from outside."""

import os
import threading
import time
from collections import defaultdict
from contextlib import contextmanager
from pathlib import Path

from narration.pipeline import gating, narrate, stitch, synthesize
from narration.speaking import get_engine_process

PARTS = {
    "plan": [(narrate, "refresh_plan")],
    "gate": [(gating, "judge_result")],
    "store": [(synthesize, "store_rendition")],
    "stitch": [(stitch, "stitch")],
    "loudness": [(stitch, "level")],
    "mp3": [(stitch, "encode_mp3")],
    "opus": [(stitch, "encode_opus")],
    "captions": [(stitch, "build_webvtt")],
    "pictures": [(stitch, "build_peaks"), (stitch, "draw_waveform")],
}
TICKS = os.sysconf("SC_CLK_TCK")


def read_engine_cpu() -> float:
    """CPU seconds of the engine process and of the children it has waited for."""
    pid = get_engine_process("espeak").pid
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return sum(int(field) for field in fields[11:15]) / TICKS


@contextmanager
def timed_parts():
    """A dictionary that fills with CPU seconds by part."""
    spent: dict[str, float] = defaultdict(float)
    lock = threading.Lock()
    originals = []
    for part, places in PARTS.items():
        for module, name in places:
            function = getattr(module, name)
            originals.append((module, name, function))
            setattr(module, name, _wrap(function, part, spent, lock))
    try:
        yield spent
    finally:
        for module, name, function in originals:
            setattr(module, name, function)


def _wrap(function, part, spent, lock):
    def timed(*args, **kwargs):
        began = time.thread_time()
        try:
            return function(*args, **kwargs)
        finally:
            with lock:
                spent[part] += time.thread_time() - began

    return timed
