"""Real clusters for tests: a supervisor in a process of its own, on this test's database."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path

import pytest
from django.db import connection

ROOT = Path(__file__).parent.parent


def wait_for(condition, *, seconds=60, what="the condition"):
    """Poll; never only sleep."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if value := condition():
            return value
        time.sleep(0.05)
    pytest.fail(f"{what} did not come true in {seconds} s")


@contextmanager
def supervised(environment):
    """A running supervisor with its cluster; killed in the end whatever happens."""
    command = [sys.executable, "manage.py", "narration_worker"]
    process = subprocess.Popen(command, cwd=ROOT, env=environment, start_new_session=True)
    try:
        yield process
    finally:
        if process.poll() is None:
            process.terminate()
        assert process.wait(60) == 0


def build_environment(settings, *, settings_module="config.settings.plugin", **dummy):
    """What another process needs to meet this test's database and files."""
    database = connection.settings_dict
    if connection.vendor == "sqlite":
        url = f"sqlite:///{database['NAME']}"
    else:
        host = f"{database['HOST']}:{database['PORT']}"
        url = f"postgres://{database['USER']}:{database['PASSWORD']}@{host}/{database['NAME']}"
    return {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": settings_module,
        "TEST_DATABASE_URL": url,
        "TEST_STORAGE": str(settings.STORAGES["narration"]["OPTIONS"]["location"]),
        "TEST_DUMMY_OPTIONS": json.dumps(dummy),
    }
