from __future__ import annotations

import os
import socket

import pytest

from narration.diagnosis import PARTS
from narration.models import CLUSTER_LANE, Worker


@pytest.fixture(autouse=True)
def looked_at_afresh():
    """Answers are kept for some seconds; no test hears another's."""
    for part in PARTS.values():
        part.forget()


@pytest.fixture
def cluster():
    """A live cluster that serves the lane of every engine of the tests."""
    Worker.objects.register(socket.gethostname(), CLUSTER_LANE, os.getpid(), {"lanes": ["cpu"]})
    return Worker.objects.get()


@pytest.fixture
def unwritable(settings, tmp_path):
    """A storage whose folder lies below a file: refused to everybody, root included."""
    (tmp_path / "file").write_text("no folder")
    settings.STORAGES = {
        **settings.STORAGES,
        "narration": {
            "BACKEND": "narration.storage.AtomicFileStorage",
            "OPTIONS": {"location": tmp_path / "file" / "narration"},
        },
    }
