"""XTTS v2's published files made ours, once: no pickles, checked against the library's classes."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import torch

from narration.engines.neural.tensors import fill_module, write_tensors
from narration.engines.neural.unpickle import read_checkpoint
from narration.engines.xtts.checkpoint import (
    CONFIG,
    LATENTS,
    SPEAKERS,
    VOCAB,
    WEIGHTS,
    build_model,
    pick_weights,
    read_config,
)
from narration.engines.xtts.languages import list_tags
from narration.engines.xtts.published import SETTINGS
from narration.engines.xtts.text import list_speakable
from narration.exceptions import EngineError
from narration.values import EngineVoice


def convert(source: Path, target: Path) -> tuple[tuple[EngineVoice, ...], dict[str, Any]]:
    """Write our files into ``target``; the voices and facts for the model's card.

    ``EngineError`` (``model_missing``, ``model_damaged``) for files that are not XTTS v2's.
    """
    config = read_config(source)
    target.mkdir(parents=True, exist_ok=True)
    for name in (CONFIG, VOCAB):
        _copy(source / name, target / name)
    model = build_model(target)
    weights = pick_weights(_read(source / "model.pth", "model"))
    fill_module(model, weights, "model.pth")
    # In the shape of the library's own state: an older torch named some weights otherwise.
    write_tensors(target / WEIGHTS, dict(model.state_dict()))
    speakers = _read_speakers(source / "speakers_xtts.pth", model)
    write_tensors(target / SPEAKERS, speakers)
    codes = list_speakable(model.tokenizer, config["languages"])
    voices = tuple(EngineVoice(name, list_tags(codes), name) for name in speakers)
    return voices, {
        "languages": codes,
        "defaults": {key: config[key] for key in SETTINGS if key in config},
    }


def _copy(source: Path, target: Path) -> None:
    if not source.is_file():
        raise EngineError(f"{source.name} is not here.", code="model_missing")
    shutil.copyfile(source, target)


def _read(path: Path, *keys: str) -> Any:
    try:
        return read_checkpoint(path, *keys)
    except FileNotFoundError as error:
        raise EngineError(f"{path.name} is not here.", code="model_missing") from error


def _read_speakers(path: Path, model: Any) -> dict[str, dict[str, torch.Tensor]]:
    """``{name: {"gpt_cond_latent": (1, n, channels), "speaker_embedding": (1, size, 1)}}``."""
    speakers = _read(path)
    if not isinstance(speakers, dict) or not speakers:
        raise EngineError(f"{path.name} holds no speakers.", code="model_damaged")
    channels, size = model.args.gpt_n_model_channels, model.args.d_vector_dim
    kept = {}
    for name, latents in speakers.items():
        try:
            found = {key: latents[key].float() for key in LATENTS}
        except (KeyError, TypeError, AttributeError) as error:
            raise EngineError(
                f"{path.name}: '{name}' is no speaker.", code="model_damaged"
            ) from error
        if found[LATENTS[0]].shape[2:] != (channels,) or found[LATENTS[1]].shape != (1, size, 1):
            raise EngineError(f"{path.name}: '{name}' does not fit.", code="model_damaged")
        kept[str(name)] = found
    return kept
