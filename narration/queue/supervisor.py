"""The supervisor: keeps one django-q2 cluster whole.

A cluster that loses one of its processes may go on half alive: a dead worker that held the queue's
lock wedges it, a dead sentinel leaves orphans that go on taking tasks. So any half-death becomes a
whole death: everything in the cluster's session is killed and it is started again, with backoff.
"""

from __future__ import annotations

import contextlib
import ctypes
import logging
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

logger = logging.getLogger(__name__)

#: A cluster that lived this long is healthy again: its next death is answered at once.
HEALTHY_SECONDS = 60.0
MAX_BACKOFF_SECONDS = 30.0
#: How long a cluster may take to stop before it is killed. Jobs give up between two sentences.
GRACE_SECONDS = 30.0
#: … and its main process alone, when nobody is left that it could wait for.
ALONE_SECONDS = 1.0
TICK_SECONDS = 0.5
PR_SET_PDEATHSIG = 1


class Supervisor:
    """Runs ``command`` (a cluster) in a session of its own until ``stop`` is called.

    ``on_start(pid)`` and ``on_stopping(pid)`` tell when a cluster is born and is to end;
    ``on_tick`` is called twice a second, ``on_killing(pids)`` before processes are killed because
    another one died.
    """

    def __init__(
        self,
        command: list[str],
        *,
        on_start: Callable[[int], None] = lambda _pid: None,
        on_stopping: Callable[[int], None] = lambda _pid: None,
        on_tick: Callable[[], None] = lambda: None,
        on_killing: Callable[[list[int]], None] = lambda _pids: None,
    ):
        self.command = command
        self._on_start, self._on_stopping, self._on_tick = on_start, on_stopping, on_tick
        self._on_killing = on_killing
        self._stopping = False
        self._failures = 0

    def stop(self) -> None:
        """Ask for the end; safe in a signal handler."""
        self._stopping = True

    def run(self) -> None:
        """Start, watch and restart until stopped; returns when no process is left."""
        while not self._stopping:
            began = time.monotonic()
            process = self._start()
            try:
                self._watch(process)
            finally:
                self._end(process)
            if not self._stopping:
                self._failures = (
                    0 if time.monotonic() - began > HEALTHY_SECONDS else self._failures + 1
                )
                self._wait_before_restart()

    def _start(self) -> subprocess.Popen[bytes]:
        process = subprocess.Popen(
            self.command,
            start_new_session=True,
            preexec_fn=_die_with_parent,  # noqa: PLW1509
        )
        logger.info("Cluster started (pid %d).", process.pid)
        self._on_start(process.pid)
        return process

    def _watch(self, process: subprocess.Popen[bytes]) -> None:
        known: set[int] = set()
        while not self._stopping and process.poll() is None:
            alive = set(iter_session(process.pid))
            if gone := known - alive:
                logger.error("Process %s of the cluster died; it is started again.", min(gone))
                return
            known = alive
            self._on_tick()
            time.sleep(TICK_SECONDS)
        if not self._stopping:
            logger.error("The cluster ended by itself (exit code %s).", process.returncode)

    def _end(self, process: subprocess.Popen[bytes]) -> None:
        """SIGTERM for the main process alone, then SIGKILL for what is left of its session."""
        if self._stopping and process.poll() is None:
            self._on_stopping(process.pid)
            process.terminate()
            if not _has_ended(process):
                logger.warning("The cluster did not stop in %g s and is killed.", GRACE_SECONDS)
        else:
            self._on_killing(iter_session(process.pid))
        kill_session(process.pid)
        process.wait()

    def _wait_before_restart(self) -> None:
        delay = min(MAX_BACKOFF_SECONDS, 0.5 * 2 ** min(self._failures, 10))
        until = time.monotonic() + delay
        while not self._stopping and time.monotonic() < until:
            time.sleep(0.1)


def _has_ended(process: subprocess.Popen[bytes]) -> bool:
    """Wait for the end of a cluster that was told to stop; whether it came within the grace.

    Where the whole group got SIGTERM, the main process outlives all others and waits for ever.
    """
    until = time.monotonic() + GRACE_SECONDS
    while process.poll() is None and iter_session(process.pid) != [process.pid]:
        if time.monotonic() > until:
            return False
        time.sleep(TICK_SECONDS / 5)
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(ALONE_SECONDS)
    return True


def iter_session(leader: int) -> list[int]:
    """Pids of the live processes whose session is ``leader``'s (Linux)."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            status = _read_stat(int(entry.name))
            if status is not None and status[0] == leader and status[1] != "Z":
                found.append(int(entry.name))
    return found


def is_alive(pid: int) -> bool:
    """Whether a process of this machine still runs; one that only waits to be buried does not."""
    status = _read_stat(pid)
    return status is not None and status[1] != "Z"


def kill_session(leader: int) -> None:
    """SIGKILL everything in a session, again until nothing is left."""
    for _round in range(50):
        pids = iter_session(leader)
        if not pids:
            return
        for pid in pids:
            _kill(pid)
        time.sleep(0.05)


def kill_orphans(leader: int) -> None:
    """SIGKILL what a cluster left whose supervisor is gone, and nothing else of that number."""
    for pid in iter_session(leader):
        with contextlib.suppress(OSError):
            if b"qcluster" in Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0"):
                _kill(pid)


def build_cluster_command() -> list[str]:
    """The command that starts the cluster of this project."""
    return [sys.executable, *_get_manage(), "qcluster"]


def _get_manage() -> list[str]:
    script = sys.argv[0]
    if script.endswith(".py") and Path(script).exists():
        return [script]
    return ["-m", "django"]


def _read_stat(pid: int) -> tuple[int, str] | None:
    """(session, state) of a process; None when it is gone."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return None
    state, _parent, _group, session = text.rpartition(")")[2].split()[:4]
    return int(session), state


def _kill(pid: int) -> None:
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return


def _die_with_parent() -> None:
    """In the new process: a supervisor that is killed takes its cluster along."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
