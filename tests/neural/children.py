"""Scripts in an interpreter of their own: no network, no home to speak of, nothing on PATH."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]

#: Before a script: every attempt to reach anybody is written down and fails, and `tell` is what it
#: finally answers with, on a stream of its own.
PROLOGUE = """
import json, os, random, socket, sys
attempts = []
def refuse(*args, **kwargs):
    attempts.append(repr(args[:2]))
    raise OSError("no network in this test")
for name in ("connect", "connect_ex", "sendto"):
    setattr(socket.socket, name, refuse)
socket.getaddrinfo = socket.gethostbyname = socket.create_connection = refuse
def tell(**facts):
    with os.fdopen(int(sys.argv[1]), "w") as answer:
        json.dump({"attempts": attempts, **facts}, answer)
"""


def run_child(script: str, home: Path, *arguments: str | Path) -> dict[str, Any]:
    """What ``script`` told, and what it left: ``stdout``, ``written`` (paths below ``home``)."""
    home.mkdir(exist_ok=True)
    read_end, write_end = os.pipe()
    done = subprocess.run(
        [sys.executable, "-P", "-c", PROLOGUE + script, str(write_end), *map(str, arguments)],
        env={"HOME": str(home), "PATH": str(home), "PYTHONPATH": str(ROOT)},
        pass_fds=[write_end],
        capture_output=True,
        text=True,
        check=False,
        cwd=home,
    )
    os.close(write_end)
    with os.fdopen(read_end) as answer:
        told = answer.read()
    assert done.returncode == 0, done.stderr[-2000:]
    written = sorted(str(path.relative_to(home)) for path in home.rglob("*"))
    return {**json.loads(told), "stdout": done.stdout, "written": written}
