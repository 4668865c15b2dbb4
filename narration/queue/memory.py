"""How many processes something started, and what they hold in memory (Linux)."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Family:
    """A process with all that it started. ``rss`` in bytes; shared pages count in each."""

    processes: int
    rss: int


def measure_family(ancestor: int) -> Family:
    """The live processes that descend from ``ancestor``, itself included; one pass over /proc.

    By parents, not by session: an engine has a session of its own.
    """
    parents, pages = _read_all()
    members = {ancestor} & parents.keys()
    fresh = members
    while fresh:
        fresh = {pid for pid, parent in parents.items() if parent in fresh} - members
        members = members | fresh
    size = os.sysconf("SC_PAGE_SIZE")
    return Family(len(members), sum(pages[pid] for pid in members) * size)


def measure_pss(pids: Iterable[int]) -> int:
    """Bytes these processes hold, a page that several share counted once in all; 0 for who is gone.

    Slower than ``measure_family``, and only for processes of the same user.
    """
    return sum(map(_read_pss, pids))


def _read_pss(pid: int) -> int:
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0
    # In KiB.
    return 1024 * sum(int(line.split()[1]) for line in lines if line.startswith("Pss:"))


def _read_all() -> tuple[dict[int, int], dict[int, int]]:
    """Parents and resident pages by pid."""
    parents: dict[int, int] = {}
    pages: dict[int, int] = {}
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            # After the name, which may hold spaces: state, parent … and, 22nd, resident pages.
            fields = (entry / "stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if fields[0] != "Z":
            parents[int(entry.name)] = int(fields[1])
            pages[int(entry.name)] = int(fields[21])
    return parents, pages
