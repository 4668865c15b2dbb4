"""Where a neural engine computes: chosen by option, never replaced in silence."""

from __future__ import annotations

import os
import re
import resource
import warnings
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from narration.engines import guard
from narration.exceptions import EngineError

if TYPE_CHECKING:
    import torch

DEVICE = re.compile(r"cpu|cuda(?::\d+)?")


def read_device(options: Mapping[str, Any]) -> str:
    """The option ``device`` ("cuda" unless given); ``EngineError`` (``bad_option``) for nonsense.

    Needs no library, so that ``Engine.describe`` may refuse a misspelt one.
    """
    name = str(options.get("device") or "cuda")
    if not DEVICE.fullmatch(name):
        raise EngineError(
            f"'{name}' is no device: write 'cuda', 'cuda:1' or 'cpu'.", code="bad_option"
        )
    return name


def choose_device(options: Mapping[str, Any]) -> torch.device:
    """The device of the options ``device`` and ``allow_cpu``.

    ``EngineError`` (``no_gpu``) where the card asked for is not there. The processor stands in
    for a missing card only where ``allow_cpu`` says so, and for a wrong number never.
    """
    import torch

    name = read_device(options)
    if name == "cpu":
        return torch.device("cpu")
    count, reason = _count_cards()
    if not count and options.get("allow_cpu"):
        return torch.device("cpu")
    index = int(name.partition(":")[2] or 0)
    if index >= count:
        raise EngineError(
            f"'{name}' is not on this machine, which has {count} usable GPUs{reason}. Run this "
            "engine where one is, or set its option 'device' to 'cpu' (slow), or 'allow_cpu'.",
            code="no_gpu",
        )
    return torch.device("cuda", index)


def _count_cards() -> tuple[int, str]:
    """How many cards torch can use, and what it says when it can use none."""
    import torch

    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        count = torch.cuda.device_count() if torch.cuda.is_available() else 0
    hints = [str(warning.message).splitlines()[0] for warning in said]
    if not count and torch.version.cuda is None:
        hints.append("this torch is built without CUDA")
    return count, f" ({'; '.join(hints)})" if hints else ""


def describe_device(device: torch.device) -> str:
    """For people and for ``EngineResult.device``: the card's name, or "cpu"."""
    import torch

    return str(torch.cuda.get_device_name(device)) if device.type == "cuda" else "cpu"


def measure(device: torch.device) -> dict[str, Any]:
    """What ``Engine.measure`` answers: bytes this process holds, held at most, and there are.

    On a card that is what torch's allocator has reserved: what other processes cannot have.
    """
    import torch

    if device.type != "cuda":
        return {
            "device": "cpu",
            "memory": guard.get_rss(),
            # Linux counts it in KiB.
            "memory_peak": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
            "memory_total": os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"),
        }
    return {
        "device": describe_device(device),
        "memory": torch.cuda.memory_reserved(device),
        "memory_peak": torch.cuda.max_memory_reserved(device),
        "memory_total": torch.cuda.get_device_properties(device).total_memory,
    }
