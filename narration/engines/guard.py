"""How an engine's process looks after itself: it dies with its parent and first of all."""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import sys
from pathlib import Path
from typing import BinaryIO

PR_SET_PDEATHSIG = 1

# Above every ordinary process: when memory runs out the engine goes, and only a sentence with it.
OOM_SCORE = "800"


def claim_stdout() -> BinaryIO:
    """Keep fd 1 for frames alone: whatever else prints, in Python or in C, goes to stderr."""
    frames = os.dup(1)
    os.dup2(2, 1)
    sys.stdout = sys.stderr
    return os.fdopen(frames, "wb")


def die_with_parent() -> None:
    """Ask Linux to kill this process when the thread that started it ends; elsewhere a no-op."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def offer_to_oom_killer() -> None:
    """Raise our own OOM score; needs no privilege."""
    with contextlib.suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text(OOM_SCORE)


def get_rss() -> int:
    """Resident memory in bytes, 0 where it is not known."""
    with contextlib.suppress(OSError, ValueError, IndexError):
        pages = int(Path("/proc/self/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE")
    return 0
