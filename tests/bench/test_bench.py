"""The benchmark runs, and what it prints can be read by programs."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent


@pytest.mark.xdist_group("bench")
def test_every_line_is_json_and_the_promise_holds():
    command = [sys.executable, "-W", "ignore", "-m", "bench", "--quick"]
    done = subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr
    figures = [json.loads(line) for line in done.stdout.splitlines()]
    values = {(figure["name"], figure.get("n")): figure.get("value") for figure in figures}
    assert values["unchanged: syntheses", 20] == 0
    assert values["one edit: syntheses", 20] == 1
    assert values["growth", 0] > 0
    for page in ("lesson page", "author's course page", "admin list"):
        assert values[f"queries: {page}", 3] == values[f"queries: {page}", 6]
