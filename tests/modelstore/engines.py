"""An engine with a model, without torch: its published files are small and so is its converter."""

from __future__ import annotations

import json
import time
from pathlib import Path

from narration.engines.dummy import LANGUAGES, DummyEngine
from narration.engines.models import ModelFile, ModelSpec, read_card
from narration.exceptions import EngineError
from narration.values import EngineVoice, Terms

TERMS = Terms(
    licence="TEST-1.0",
    url="https://example.org/test-1.0",
    summary="For tests only. What it says may not be sold.",
    needs_acceptance=True,
    is_non_commercial=True,
    must_tell_listeners=True,
)
CONTENT = {"weights.pth": b"weights" * 1000, "sub/config.json": b'{"pitch": 3}'}


def build_spec(base="", *, pins=None, sizes=False, terms=TERMS):
    """The published files, at ``base`` if they are served; pinned where ``pins`` says so."""
    return ModelSpec(
        "small",
        "Small model",
        terms,
        tuple(
            ModelFile(
                name,
                f"{base}/{name}" if base else "",
                (pins or {}).get(name, ""),
                len(data) if sizes else 0,
            )
            for name, data in CONTENT.items()
        ),
    )


class SmallEngine(DummyEngine):
    """A tone that needs a model, under terms to be accepted."""

    name = "small"
    model = build_spec()

    @classmethod
    def describe_model(cls, options):
        return read_card(options, cls.model).fingerprint

    @classmethod
    def convert_model(cls, source: Path, target: Path):
        weights = (source / "weights.pth").read_bytes()
        config = json.loads((source / "sub" / "config.json").read_text())
        (target / "weights.safetensors").write_bytes(weights[::-1])
        (target / "weights.safetensors").chmod(0o600)  # as the library of that format does
        (target / "more").mkdir()
        (target / "more" / "config.json").write_text(json.dumps(config))
        return (EngineVoice("low", LANGUAGES, "Low tone"),), config

    def load(self):
        folder = Path(self.options["models_dir"]) / self.model.name
        if not (folder / "weights.safetensors").is_file():
            raise EngineError("No weights here.", code="model_missing")
        read_card(self.options, self.model)


class BrokenConverter(SmallEngine):
    """Half converts, then fails."""

    @classmethod
    def convert_model(cls, source, target):
        (target / "weights.safetensors").write_bytes(b"half")
        raise EngineError("The weights are of another shape.", code="not_converted")


class KilledConverter(SmallEngine):
    """Dies without a word."""

    @classmethod
    def convert_model(cls, source, target):
        import os
        import signal

        os.kill(os.getpid(), signal.SIGKILL)


class SlowConverter(SmallEngine):
    """Tells that it is at work, and is never done."""

    @classmethod
    def convert_model(cls, source, target):
        (target / "weights.safetensors").write_bytes(b"half")
        time.sleep(3600)
