"""The forked child that speaks: it never outlives who forked it."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

# The parent is killed after the fork and before the child has asked to follow it.
DIES_EARLY = """
import os, signal, threading, time
from narration.engines.espeak import isolation

def follow_late():
    parent = os.getppid()
    os.kill(parent, signal.SIGKILL)
    while os.getppid() == parent:
        time.sleep(0.01)

isolation.die_with_parent = follow_late
isolation.run_forked(lambda: bytes(1 << 22), 10)
"""


def find_session(leader):
    """Live processes of a session."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                fields = (entry / "stat").read_text().rpartition(")")[2].split()
            except OSError:
                continue
            if int(fields[3]) == leader and fields[0] != "Z":
                found.append(int(entry.name))
    return found


@pytest.mark.skipif(sys.platform != "linux", reason="processes are looked for in /proc")
def test_a_child_whose_parent_died_first_ends_too():
    process = subprocess.Popen([sys.executable, "-c", DIES_EARLY], start_new_session=True)
    assert process.wait(60) == -9
    deadline = time.monotonic() + 20
    while (left := find_session(process.pid)) and time.monotonic() < deadline:
        time.sleep(0.05)
    for pid in left:
        os.kill(pid, 9)
    assert left == []
