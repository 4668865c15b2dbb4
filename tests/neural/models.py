"""A folder of models for tests: published files of random weights, converted, with their card."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from narration.engines.base import Engine
from narration.engines.models import CARD, CardFile, ModelCard, encode_card
from narration.values import EngineVoice


def install(
    engine_class: type[Engine], write_published: Callable[[Path], object], folder: Path
) -> Path:
    """Write published files, convert them as an operator would, and return the models' folder."""
    source, models_dir = folder / "published", folder / "models"
    target = models_dir / engine_class.model.name
    source.mkdir(parents=True)
    target.mkdir(parents=True)
    write_published(source)
    write_card(engine_class, target, run_conversion(engine_class, source, target))
    return models_dir


def run_conversion(engine_class: type[Engine], source: Path, target: Path) -> dict:
    backend = f"{engine_class.__module__}.{engine_class.__qualname__}"
    done = subprocess.run(
        [sys.executable, "-P", "-m", "narration.engines.neural.convert", backend, source, target],
        stdout=subprocess.PIPE,
        check=False,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
    )
    assert done.returncode == 0, done.stdout.decode()
    return json.loads(done.stdout)


def write_card(engine_class: type[Engine], target: Path, answer: dict) -> None:
    files = {}
    for path in sorted(target.iterdir()):
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        files[path.name] = CardFile(digest, path.stat().st_size)
    card = ModelCard(
        model=engine_class.model.name,
        fingerprint="random-weights",
        files=files,
        voices=tuple(EngineVoice(n, tuple(tags), label) for n, tags, label in answer["voices"]),
        facts=answer["facts"],
    )
    (target / CARD).write_text(json.dumps(encode_card(card)))
