from __future__ import annotations

import sys
import zipfile

import pytest

from narration.modelstore import list_models
from narration.values import EngineConfig
from tests.modelstore.engines import CONTENT, SmallEngine, build_spec


@pytest.fixture
def models_dir(tmp_path):
    return tmp_path / "models"


@pytest.fixture
def make_model(models_dir, monkeypatch):
    """A configured model; keyword arguments go to its specification."""

    def make(backend="SmallEngine", **spec):
        monkeypatch.setattr(SmallEngine, "model", build_spec(**spec))
        config = EngineConfig(
            alias="little",
            backend=f"tests.modelstore.engines.{backend}",
            python=sys.executable,
            models_dir=str(models_dir),
        )
        (model,) = list_models([config])
        return model

    return make


@pytest.fixture
def model(make_model):
    return make_model()


@pytest.fixture
def published(tmp_path):
    """A folder with the published files."""
    return write_published(tmp_path / "published")


def write_published(folder, content=CONTENT):
    for name, data in content.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    return folder


def write_zip(path, entries):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in entries.items():
            archive.writestr(name, data)
    return path
