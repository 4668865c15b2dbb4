"""Work in a forked child: the same state every time, and a crash that stays there."""

from __future__ import annotations

import os
import select
import signal
import time
from collections.abc import Callable

from narration.engines.guard import die_with_parent
from narration.exceptions import EngineCrashed


def run_forked(work: Callable[[], bytes], deadline_s: float) -> bytes:
    """What ``work`` returns in a forked child of this moment.

    ``EngineCrashed`` when the child dies (``engine_crashed``) or is silent after ``deadline_s``
    (``engine_hung``); this process goes on either way.
    """
    reader, writer = os.pipe()
    parent = os.getpid()
    child = os.fork()
    if child == 0:
        # Its own end for reading would keep the pipe open, and the child in it, for ever.
        os.close(reader)
        _be_child(work, writer, parent)
    os.close(writer)
    try:
        data = _read_until(reader, time.monotonic() + deadline_s)
    except BaseException:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        raise
    finally:
        os.close(reader)
    _, status = os.waitpid(child, 0)
    if status != 0:
        code = os.waitstatus_to_exitcode(status)
        raise EngineCrashed(f"espeak-ng died (status {code}) on this text.", is_permanent=True)
    return data


def _be_child(work: Callable[[], bytes], writer: int, parent: int) -> None:
    # Never return into the parent's loop, whatever happens; 70 is EX_SOFTWARE.
    status = 70
    try:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        die_with_parent()
        if os.getppid() != parent:
            return  # it died before it could be followed
        data = memoryview(work())
        while data:
            data = data[os.write(writer, data) :]
        status = 0
    finally:
        os._exit(status)


def _read_until(reader: int, deadline: float) -> bytes:
    chunks: list[bytes] = []
    while True:
        left = deadline - time.monotonic()
        if left <= 0 or not select.select([reader], [], [], left)[0]:
            raise EngineCrashed(
                "espeak-ng hung on this text.", code="engine_hung", is_permanent=True
            )
        chunk = os.read(reader, 1 << 20)
        if not chunk:
            return b"".join(chunks)
        chunks.append(chunk)
