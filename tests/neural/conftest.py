"""These tests need the engines' own packages: ``make test-engines`` installs them.

Elsewhere each module is skipped by name; where everything must run, that is a failure.
"""

from __future__ import annotations

import importlib.util
import os

import pytest

NEEDED = ("torch", "TTS", "styletts2")
MISSING = [name for name in NEEDED if importlib.util.find_spec(name) is None]


class MissingModule(pytest.Module):
    """A test module that cannot be imported here."""

    def collect(self):
        reason = f"{', '.join(MISSING)} not installed (make engines): {self.path.name}"
        if os.environ.get("NARRATION_REQUIRE_ALL"):
            pytest.fail(reason, pytrace=False)
        pytest.skip(reason, allow_module_level=True)


def pytest_pycollect_makemodule(module_path, parent):
    return MissingModule.from_parent(parent, path=module_path) if MISSING else None


@pytest.fixture(scope="session")
def xtts_models(tmp_path_factory):
    """A folder of models with a small XTTS of random weights, published, then converted."""
    from narration.engines.xtts import XttsEngine
    from tests.neural.checkpoints_xtts import write_published
    from tests.neural.models import install

    return install(XttsEngine, write_published, tmp_path_factory.mktemp("xtts"))


@pytest.fixture(scope="session")
def styletts2_models(tmp_path_factory):
    """A folder of models with a small StyleTTS2 of random weights, published, then converted."""
    from narration.engines.styletts2 import StyleTTS2Engine
    from tests.neural.checkpoints_styletts2 import write_published
    from tests.neural.models import install

    return install(StyleTTS2Engine, write_published, tmp_path_factory.mktemp("styletts2"))


@pytest.fixture
def stage(settings, tmp_path, xtts_models, styletts2_models, django_user_model):
    """A site that both engines speak for, with nobody's terms accepted yet."""
    from tests.neural.stage import Stage

    author = django_user_model.objects.create_user("author", password="a-password-for-tests")
    models = {"xtts_v2": xtts_models, "styletts2_libritts": styletts2_models}
    stage = Stage(settings, tmp_path, models, author)
    yield stage
    stage.clear()
