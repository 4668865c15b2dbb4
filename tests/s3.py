"""An S3 server on loopback, in a process of its own, for tests of storage that is no folder."""

from __future__ import annotations

import importlib.util
import os
import socket
import subprocess
import sys
import time
from contextlib import contextmanager, suppress

import pytest

BUCKET = "narration"


def skip_without_moto():
    """Skip by name; where everything must run, fail."""
    missing = [name for name in ("moto", "storages", "boto3") if not importlib.util.find_spec(name)]
    if missing and not os.environ.get("NARRATION_REQUIRE_ALL"):
        pytest.skip(f"{', '.join(missing)} missing: S3-compatible storage")
    assert not missing


@contextmanager
def served():
    """The address of a running server."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        _wait_for(port, process)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.kill()
        process.wait(10)


def build_options(url, **changes):
    """OPTIONS of ``STORAGES["narration"]``, as in the how-to, and a key that opens nothing."""
    return {
        "bucket_name": BUCKET,
        "location": "sound",
        "endpoint_url": url,
        "file_overwrite": True,
        "default_acl": "private",
        "querystring_auth": False,
        "max_memory_size": 2_000_000,
        "access_key": "testing",
        "secret_key": "testing",
        "region_name": "us-east-1",
        **changes,
    }


def _wait_for(port, process):
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        assert process.poll() is None, "the server ended"
        with suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        time.sleep(0.05)
    pytest.fail("the server did not answer in 60 s")
