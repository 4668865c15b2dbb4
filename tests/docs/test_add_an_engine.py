"""The engine of the how-to keeps the contract, and its settings are settings."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

from narration import conf

ROOT = Path(__file__).parent.parent.parent
PAGE = ROOT / "docs" / "how-to" / "add-an-engine.md"


def test_what_the_page_shows_works(tmp_path, settings):
    engine, test, site = re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL)
    (tmp_path / "morse.py").write_text(engine)
    (tmp_path / "test_morse.py").write_text(test)
    path = os.pathsep.join((str(tmp_path), str(ROOT)))
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:django", "test_morse.py"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-3000:]
    said: dict = {}
    exec(site, said)
    settings.NARRATION = said["NARRATION"]
    assert conf.get_engine("morse").backend == "morse.MorseEngine"
