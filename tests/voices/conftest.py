from __future__ import annotations

import pytest

from narration.models import SpeechPolicy
from narration.queue import bell
from tests.voices.scenes import make_voice


@pytest.fixture(autouse=True)
def rings(monkeypatch):
    """What the bell was told; no queue here."""
    rung = []
    monkeypatch.setattr(bell, "ring", rung.append)
    return rung


@pytest.fixture(autouse=True)
def models_dir(settings, tmp_path, no_engines):
    """Where this test's engines find latents."""
    folder = tmp_path / "models"
    settings.NARRATION = {**settings.NARRATION, "MODELS_DIR": str(folder)}
    return folder


@pytest.fixture
def cast():
    """Let a voice speak the body of everything in English."""

    def cast(voice, scope_key=""):
        casting = {"en": {"body": voice.name}}
        policy, _ = SpeechPolicy.objects.update_or_create(
            scope_key=scope_key, defaults={"casting": casting}
        )
        return policy

    return cast


@pytest.fixture
def voice(cast):
    """A cloned one that speaks everything in English."""
    voice = make_voice()
    cast(voice)
    return voice
