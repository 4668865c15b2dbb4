"""Processes of other people: who they are, whose child, and whether a test left one behind."""

from __future__ import annotations

import os
import signal
from dataclasses import dataclass
from pathlib import Path

#: Carried in the environment of all that a test starts. Engines get a small environment of their
#: own, in which names of this kind are passed on.
MARK = "LC_NARRATION_TEST"


@dataclass(frozen=True)
class Cluster:
    """The processes of one supervised django-q2 cluster, by pid."""

    supervisor: int
    parent: int
    sentinel: int
    workers: tuple[int, ...]
    monitor: int
    pusher: int

    @property
    def pids(self) -> set[int]:
        """All but the supervisor."""
        return {self.parent, self.sentinel, *self.workers, self.monitor, self.pusher}

    @property
    def engines(self) -> list[int]:
        """Children of the workers: processes in which engines live."""
        return [pid for worker in self.workers for pid in list_children(worker)]


def find_cluster(supervisor: int, *, workers: int = 2) -> Cluster | None:
    """The whole cluster of a supervisor; None while a part of it is missing."""
    for parent in list_children(supervisor):
        for sentinel in list_children(parent):
            # In the order in which the sentinel starts them.
            children = list_children(sentinel)
            if len(children) == workers + 2:
                *pool, monitor, pusher = children
                return Cluster(supervisor, parent, sentinel, tuple(pool), monitor, pusher)
    return None


def list_children(pid: int) -> list[int]:
    """Live children of a process, oldest first."""
    born = {}
    for entry in _iter_pids():
        if (stat := _read_stat(entry)) and stat[1] == pid and stat[0] != "Z":
            born[entry] = (stat[2], entry)
    return sorted(born, key=lambda child: born[child])


def find_marked(mark: str) -> list[int]:
    """Live processes whose environment carries this mark, engines too."""
    wanted = f"{MARK}={mark}".encode()
    return [pid for pid in _iter_pids() if wanted in _read_environment(pid)]


def kill(*pids: int, number: int = signal.SIGKILL) -> None:
    """Send a signal; who is gone already is gone."""
    for pid in pids:
        try:
            os.kill(pid, number)
        except ProcessLookupError:
            continue


def _iter_pids() -> list[int]:
    return [int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit()]


def _read_stat(pid: int) -> tuple[str, int, int] | None:
    """(state, parent, start time) of a process; None when it is gone."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None
    return fields[0], int(fields[1]), int(fields[19])


def _read_environment(pid: int) -> list[bytes]:
    try:
        return Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
    except OSError:
        return []
