"""Cards alone: what a machine needs that plans lessons and leaves speaking to another."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from django.utils.translation import gettext as _

from narration.engines.models import ModelCard, decode_card, encode_card, read_card
from narration.exceptions import ModelError
from narration.modelstore import place
from narration.modelstore.configured import ConfiguredModel
from narration.modelstore.install import write_card


def export_card(model: ConfiguredModel) -> str:
    """The card as text, to be put on another machine; ``EngineError`` when there is none."""
    card = read_card({"models_dir": str(model.models_dir)}, model.spec)
    return json.dumps(encode_card(card), indent=1, ensure_ascii=False) + "\n"


def import_card(model: ConfiguredModel, text: str) -> ModelCard:
    """Put a card in its place; ``ModelError`` when it is another's, or weights are here."""
    card = _decode(model, text)
    with place.hold(model.models_dir, model.name):
        if _has_weights(model.folder):
            raise ModelError(
                _("%(title)s is here with its weights, and has its own card.")
                % {"title": model.spec.title},
                code="model_present",
            )
        if model.folder.is_symlink():  # what it leads to is somebody else's
            model.folder.unlink()
        model.folder.mkdir(exist_ok=True)
        write_card(model.folder, card)
    return card


def _decode(model: ConfiguredModel, text: str) -> ModelCard:
    try:
        data: Any = json.loads(text)
        card = decode_card(data)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        words = _("This is no card of a model: %(error)s") % {"error": error}
        raise ModelError(words, code="bad_card") from error
    if card.model != model.name:
        raise ModelError(
            _("This is the card of '%(found)s', not of '%(wanted)s'.")
            % {"found": card.model, "wanted": model.name},
            code="bad_card",
        )
    return card


def _has_weights(folder: Path) -> bool:
    return folder.is_dir() and any(path.suffix != ".json" for path in folder.iterdir())
