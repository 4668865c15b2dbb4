"""What torch throws, in our words: whether memory ran out, or the card is lost to this process."""

from __future__ import annotations

import gc
import re
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager

from narration.exceptions import EngineError

#: Memory ran out but the context lives: what was asked for can be asked for again, in less.
OUT_OF_MEMORY = re.compile(
    r"out of memory|can't allocate memory|not enough memory|\w+_STATUS_ALLOC_FAILED", re.IGNORECASE
)
#: The card or its driver cannot run this torch at all: a new process would fare no better.
UNFIT = re.compile(
    r"no kernel image is available|driver version is insufficient|invalid device function|"
    r"unsupported toolchain|not compatible with the current PyTorch",
    re.IGNORECASE,
)
#: The context is poisoned: every later call fails too, until the process ends.
DEVICE_LOST = re.compile(
    r"CUDA error|CUDA driver error|device-side assert|illegal memory access|"
    r"unspecified launch failure|uncorrectable ECC|fallen off the bus|"
    r"(CUDNN|CUBLAS|CUFFT|CUSOLVER|CUSPARSE)_STATUS_(EXECUTION_FAILED|INTERNAL_ERROR|NOT_INITIALIZED)|"
    r"CUFFT_EXEC_FAILED|CUFFT_INTERNAL_ERROR",
    re.IGNORECASE,
)
SIZE = re.compile(r"tried to allocate ([\d.]+) (bytes|[KMGT]iB)", re.IGNORECASE)
UNITS = {"bytes": 1, "kib": 2**10, "mib": 2**20, "gib": 2**30, "tib": 2**40}

HINT = "Give the card to this engine alone, shorten the sentence, or take the profile 'gpu-bf16'."


@contextmanager
def translate_faults() -> Iterator[None]:
    """Turn torch's errors inside into ``EngineError``; whatever else is thrown passes.

    Codes: out_of_memory and device_lost (may be tried again), device_unfit. What a call that ran
    out of memory held is given back first, so that less can be tried.
    """
    try:
        yield
    except (RuntimeError, MemoryError) as error:
        fault = build_fault(error)
        if fault is None:
            raise
        if fault.code == "out_of_memory":
            # The frames that failed hold their tensors as long as the traceback lives.
            traceback.clear_frames(error.__traceback__)
            free_memory()
        raise fault from None


def build_fault(error: BaseException) -> EngineError | None:
    """Our error for one of torch's; None when it is neither of memory nor of the device."""
    text = str(error)
    kind = type(error).__name__
    line = text.partition("\n")[0]
    if isinstance(error, MemoryError) or kind == "OutOfMemoryError" or OUT_OF_MEMORY.search(text):
        asked = read_size(text)
        wanted = f": {asked:,} bytes could not be had" if asked else ""
        return EngineError(
            f"Out of memory{wanted}. {HINT}", code="out_of_memory", is_permanent=False
        )
    if UNFIT.search(text):
        return EngineError(
            f"This torch cannot use this card ({line}). Install the build for its driver, or "
            "set the engine's option 'device' to 'cpu'.",
            code="device_unfit",
        )
    if kind == "AcceleratorError" or DEVICE_LOST.search(text):
        return EngineError(
            f"The card is lost to this process ({line}).", code="device_lost", is_permanent=False
        )
    return None


def read_size(text: str) -> int:
    """The bytes an error of torch's allocators says it wanted, 0 when it says nothing."""
    found = SIZE.search(text)
    return round(float(found[1]) * UNITS[found[2].lower()]) if found else 0


def free_memory() -> None:
    """Give back what nothing uses any more: Python's cycles first, then torch's cache."""
    gc.collect()
    torch = sys.modules.get("torch")
    if torch is not None and torch.cuda.is_initialized():
        torch.cuda.empty_cache()
