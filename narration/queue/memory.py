"""How many processes something started, and what they hold in memory (Linux)."""

from __future__ import annotations

import os
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
