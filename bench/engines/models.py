"""Random models in the published formats, written and converted once and kept for the next run."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from narration.engines.base import Engine
from narration.engines.models import CARD, ModelCard, encode_card
from narration.engines.styletts2 import StyleTTS2Engine
from narration.engines.xtts import XttsEngine

CLASSES: dict[str, type[Engine]] = {"xtts": XttsEngine, "styletts2": StyleTTS2Engine}


@dataclass(frozen=True, slots=True)
class Models:
    """The published files, for the library, and the folder of converted ones, for the engine."""

    published: Path
    models_dir: Path


def get_models(name: str, size: str, cache: Path) -> Models:
    """From ``cache``, made there when they are not; minutes and 4 GB for the full size."""
    engine_class = CLASSES[name]
    folder = cache / size / name
    models = Models(folder / "published", folder / "models")
    target = models.models_dir / engine_class.model.name
    if not (target / CARD).exists():
        # Left over from a run that was stopped.
        shutil.rmtree(folder, ignore_errors=True)
        models.published.mkdir(parents=True)
        target.mkdir(parents=True)
        _get_writer(name)(models.published, size)
        voices, facts = engine_class.convert_model(models.published, target)
        card = ModelCard(engine_class.model.name, "random-weights", {}, voices, facts)
        (target / CARD).write_text(json.dumps(encode_card(card)))
    return models


def _get_writer(name: str) -> Callable[[Path, str], Path]:
    from tests.neural import checkpoints_styletts2, checkpoints_xtts

    if name == "styletts2":
        return checkpoints_styletts2.write_published
    # The bench says when a sentence ends, not the weights.
    return partial(checkpoints_xtts.write_published, stop_ramp=0.0)
