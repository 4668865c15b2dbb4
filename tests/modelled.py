"""A site whose engine needs a model under terms: for tests of whatever must respect them."""

from __future__ import annotations

import sys

import pytest
from django.conf import settings as django_settings

from narration import api, modelstore
from tests.modelstore.conftest import write_published


@pytest.fixture
def small(settings, tmp_path):
    """The configured model of the engine "little", which speaks English; it is not here yet."""
    engines = django_settings.NARRATION["ENGINES"]
    settings.NARRATION = {
        **django_settings.NARRATION,
        "ENGINES": {
            **engines,
            "little": {
                "BACKEND": "tests.modelstore.engines.SmallEngine",
                "OPTIONS": {"ms_per_character": 8},
                "PYTHON": sys.executable,
            },
        },
        "DEFAULT_VOICES": {"en": "little:low", "pt-BR": "dummy:low"},
        "MODELS_DIR": tmp_path / "models",
    }
    return modelstore.get_model("small")


@pytest.fixture
def published(tmp_path):
    """A folder with the published files."""
    return write_published(tmp_path / "published")


@pytest.fixture
def here(small, published):
    """The model, imported; its terms are not accepted."""
    modelstore.import_from(small, published)
    return small


@pytest.fixture
def accepted(here, db):
    """The model, imported and accepted."""
    api.accept_licence("small", name="Ada")
    return here
