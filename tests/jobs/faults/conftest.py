"""The stage of a fault test, empty again afterwards."""

import pytest

from tests.jobs.faults.scene import Scene


@pytest.fixture
def scene(settings, tmp_path, owner):
    scene = Scene(settings, tmp_path, owner)
    yield scene
    scene.clear()
