"""Files of the hub come through its library where that is installed, else over plain HTTP."""

from __future__ import annotations

import hashlib
import logging
import os
import re
import sys
import types
from pathlib import Path

import pytest

from narration.engines.models import ModelFile
from narration.modelstore import download, hub
from tests.modelstore.engines import CONTENT
from tests.modelstore.server import serve

URL = "https://huggingface.co/coqui/XTTS-v2/resolve/main/sub/model.pth"


@pytest.fixture
def library(monkeypatch):
    """A library that notes what it is asked for; ``fails`` makes it raise."""
    found = types.ModuleType("huggingface_hub")
    found.asked, found.fails = [], False

    def hf_hub_download(*, repo_id, filename, revision, local_dir):
        found.asked.append((repo_id, filename, revision))
        if found.fails:
            raise RuntimeError("offline")
        path = Path(local_dir) / filename
        path.parent.mkdir(parents=True)
        path.write_bytes(b"from the hub")
        (Path(local_dir) / ".cache").mkdir()
        return str(path)

    found.hf_hub_download = hf_hub_download
    monkeypatch.setitem(sys.modules, "huggingface_hub", found)
    monkeypatch.setenv("HF_HOME", "")  # put back after the test, whatever is set in it
    monkeypatch.delenv("HF_HOME")
    return found


@pytest.fixture
def target(tmp_path):
    path = tmp_path / "models" / "downloads" / "small" / "model.pth"
    path.parent.mkdir(parents=True)
    return path


def test_the_hubs_files_come_through_its_library(library, target, tmp_path):
    assert hub.fetch(ModelFile("model.pth", URL), target, tmp_path / "models")
    assert library.asked == [("coqui/XTTS-v2", "sub/model.pth", "main")]
    assert [path.name for path in target.parent.iterdir()] == ["model.pth"]
    assert target.read_bytes() == b"from the hub"
    assert os.environ["HF_HOME"] == str(tmp_path / "models" / "cache" / "huggingface")


@pytest.mark.parametrize("url", ["https://example.org/a/b/resolve/main/c", "", f"{URL}?x=1"])
def test_other_files_do_not(library, target, tmp_path, url):
    assert not hub.fetch(ModelFile("model.pth", url), target, tmp_path)
    assert library.asked == []


def test_a_library_that_fails_leaves_it_to_plain_http(library, target, tmp_path):
    library.fails = True
    assert not hub.fetch(ModelFile("model.pth", URL), target, tmp_path)
    assert not target.exists()


def test_what_the_library_says_of_each_try_is_not_repeated(library, target, tmp_path, caplog):
    theirs = logging.getLogger("huggingface_hub.utils._http")

    def hf_hub_download(**_asked):
        theirs.warning("Retrying in 1s")
        raise RuntimeError("offline")

    library.hf_hub_download = hf_hub_download
    assert not hub.fetch(ModelFile("model.pth", URL), target, tmp_path)
    assert "Retrying" not in caplog.text
    assert "could not fetch model.pth" in caplog.text
    theirs.warning("of something else")  # not silenced for good
    assert "of something else" in caplog.text


def test_without_the_library_plain_http_does(monkeypatch, target, tmp_path):
    monkeypatch.setitem(sys.modules, "huggingface_hub", None)
    assert not hub.fetch(ModelFile("model.pth", URL), target, tmp_path)


def test_a_mirror_that_gives_another_file_is_not_believed(library, make_model, monkeypatch):
    pins = {name: hashlib.sha256(data).hexdigest() for name, data in CONTENT.items()}
    with serve({f"/{name}": data for name, data in CONTENT.items()}) as server:
        model = make_model(base=server.base, pins=pins)
        monkeypatch.setattr(hub, "_URL", re.compile(r"http://([^/]+)()/(.+)"))
        assert download(model).is_verified
    assert len(library.asked) == len(CONTENT)
