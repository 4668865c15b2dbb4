"""The ``styletts2`` package's own modules with the published weights in them.

Only here are the package's classes built. What we step around, each with a test in
``tests/neural/test_styletts2_package.py`` that fails when the package needs it no more:

- ``styletts2.tts`` downloads, prints and reseeds when imported, and fetches the pitch extractor
  even where it is given: we import the modules it builds on and not it (``build_modules``);
- its loaders take pickles that ``torch.load`` refuses by now, or would execute, and overlook
  weights that are missing: ``convert`` reads them unexecuted, ``fill`` demands every one;
- it builds discriminators, aligner and pitch extractor, which only training uses: they go;
- PL-BERT's checkpoint has a buffer that transformers no longer has: it is left out.
"""

from __future__ import annotations

import json
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import Any

import torch

from narration.engines.neural.quiet import import_quietly
from narration.engines.neural.tensors import (
    Tensors,
    compare_shapes,
    fill_module,
    read_tensors,
    write_tensors,
)
from narration.engines.neural.unpickle import read_checkpoint
from narration.engines.styletts2.decoder import ease
from narration.exceptions import EngineError

CHECKPOINT = "epochs_2nd_00020.pth"
WEIGHTS = "weights.safetensors"
CONFIG = "config.json"

#: The modules that speak and imitate; the others are for training.
MODULES = (
    "bert", "bert_encoder", "predictor", "decoder", "text_encoder", "predictor_encoder",
    "style_encoder", "diffusion",
)  # fmt: skip
#: A buffer of transformers 4, made anew by transformers 5.
FORGOTTEN = "embeddings.position_ids"

#: What the package has in its code, whatever a configuration says.
SAMPLE_RATE = 24_000
SYMBOLS = 178
STYLE_SIZE = 128
#: PL-BERT's half of the numbers we rely on, by name.
PLBERT_KEYS = (
    "vocab_size", "hidden_size", "num_attention_heads", "intermediate_size",
    "max_position_embeddings", "num_hidden_layers",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Package:
    """The loaded modules by their names, their configuration, and where they are."""

    modules: Mapping[str, Any]
    sampler: Any
    config: Mapping[str, Any]
    device: torch.device

    @property
    def max_symbols(self) -> int:
        """How many symbols PL-BERT reads, the padding in front included."""
        return int(self.config["plbert"]["max_position_embeddings"])

    @property
    def max_frames(self) -> int:
        """How many frames one symbol can last."""
        return int(self.config["model"]["max_dur"])

    @property
    def samples_per_frame(self) -> int:
        """Samples of a frame of predicted duration: the decoder doubles, then the generator."""
        return 2 * int(prod(self.config["model"]["decoder"]["upsample_rates"]))


def convert(source: Path, target: Path) -> dict[str, Any]:
    """Published files → ``weights.safetensors`` and ``config.json``; facts for the card.

    ``EngineError`` (``model_damaged``) when a file is not what was published under its name.
    """
    config = read_published_config(source)
    with import_quietly(target.absolute().parent):
        modules = build_modules(config)
    net = read_checkpoint(source / CHECKPOINT, "net")
    weights = {name: pick_weights(net, name) for name in MODULES}
    for name in MODULES:
        wanted = get_filled(modules, name).state_dict()
        compare_shapes(_get_shapes(weights[name]), _get_shapes(wanted), f"{CHECKPOINT}: {name}")
    write_tensors(target / WEIGHTS, weights)
    (target / CONFIG).write_text(json.dumps(config, indent=1, sort_keys=True))
    return {"decoder": config["model"]["decoder"]["type"], "sample_rate": SAMPLE_RATE}


def read_published_config(source: Path) -> dict[str, Any]:
    """What of both configurations building needs, checked; ``EngineError`` otherwise."""
    model = _read_yaml(source / "config.yml", "model_params")
    plbert = _read_yaml(source / "PLBERT" / "config.yml", "model_params")
    wanted = {
        "multispeaker": True,
        "n_token": SYMBOLS,
        "style_dim": STYLE_SIZE,
        "hidden_dim": 512,
        "n_mels": 80,
    }
    faults = [f"{key} is not {value}" for key, value in wanted.items() if model.get(key) != value]
    decoder = model.get("decoder") or {}
    if decoder.get("type") != "hifigan" or decoder.get("upsample_initial_channel") != 512:
        faults.append("the decoder is not a hifigan of 512 channels")
    faults += [f"PLBERT: no {key}" for key in PLBERT_KEYS if not isinstance(plbert.get(key), int)]
    if faults:
        raise EngineError(
            f"This is not a StyleTTS2 model we can load: {'; '.join(faults)}.", code="model_damaged"
        )
    return {"model": model, "plbert": {key: plbert[key] for key in PLBERT_KEYS}}


def _read_yaml(path: Path, section: str) -> dict[str, Any]:
    import yaml

    try:
        return dict(yaml.safe_load(path.read_text())[section])
    except FileNotFoundError as error:
        raise EngineError(f"{path.name} is not here: {path}", code="model_missing") from error
    except (OSError, ValueError, KeyError, TypeError, yaml.YAMLError) as error:
        raise EngineError(f"{path.name} cannot be read: {error}", code="model_damaged") from error


def pick_weights(net: Any, name: str) -> dict[str, Any]:
    """A module's weights as its class names them: as published, less "module." and duplicates."""
    if not isinstance(net, dict) or not isinstance(net.get(name), dict):
        raise EngineError(f"{CHECKPOINT} has no '{name}'.", code="model_damaged")
    weights = {str(key).removeprefix("module."): value for key, value in net[name].items()}
    weights.pop(FORGOTTEN, None)
    if name == "diffusion":
        # One network under two names, "unet" and "diffusion.net".
        prefix = "diffusion.net."
        return {k.removeprefix(prefix): v for k, v in weights.items() if k.startswith(prefix)}
    return weights


def _get_shapes(weights: Mapping[str, Any]) -> dict[str, tuple[int, ...]]:
    return {key: tuple(tensor.shape) for key, tensor in weights.items()}


def get_filled(modules: Mapping[str, Any], name: str) -> Any:
    """The part of a module that its weights are for."""
    return modules[name].diffusion.net if name == "diffusion" else modules[name]


def build_modules(config: Mapping[str, Any], device: str = "meta") -> dict[str, Any]:
    """The package's modules without weights, those that speak. Import it quietly around this."""
    from munch import munchify
    from styletts2 import models
    from styletts2.Utils.PLBERT.util import CustomAlbert
    from transformers import AlbertConfig

    # A one-layer LSTM with dropout, and weight_norm by its old name.
    with warnings.catch_warnings(), torch.device(device):
        warnings.simplefilter("ignore")
        bert = CustomAlbert(AlbertConfig(**config["plbert"]))
        built = models.build_model(munchify(config["model"]), None, None, bert)
    return {name: built[name].eval() for name in MODULES}


def load_package(folder: Path, device: torch.device) -> Package:
    """The converted model, ready on ``device``; ``EngineError`` when something does not fit."""
    try:
        config = json.loads((folder / CONFIG).read_text())
    except FileNotFoundError as error:
        raise EngineError(f"{CONFIG} is not here.", code="model_missing") from error
    except ValueError as error:
        raise EngineError(f"{CONFIG} cannot be read: {error}", code="model_damaged") from error
    weights = read_tensors(folder / WEIGHTS)
    with import_quietly(folder.absolute().parent):
        modules = build_modules(config, "cpu")
        sampler = build_sampler(modules["diffusion"])
    for name, module in modules.items():
        fill_module(get_filled(modules, name), take_weights(weights, name), f"{WEIGHTS}: {name}")
        fold_weight_norm(module)
        module.to(device).requires_grad_(requires_grad=False)
    ease(modules["decoder"])
    return Package(modules, sampler, config, device)


def take_weights(weights: Tensors, name: str) -> Tensors:
    """Those of one module, by the names it knows them under."""
    prefix = f"{name}."
    return {k.removeprefix(prefix): v for k, v in weights.items() if k.startswith(prefix)}


def build_sampler(diffusion: Any) -> Any:
    """As ``styletts2.tts.StyleTTS2`` builds it, its noise levels included."""
    from styletts2.Modules.diffusion.sampler import ADPM2Sampler, DiffusionSampler, KarrasSchedule

    return DiffusionSampler(
        diffusion.diffusion,
        sampler=ADPM2Sampler(),
        sigma_schedule=KarrasSchedule(sigma_min=0.0001, sigma_max=3.0, rho=9.0),
        clamp=False,
    )


def fold_weight_norm(module: Any) -> None:
    """Compute normalised weights once instead of at every call: bit by bit the same sound."""
    from torch.nn.utils.weight_norm import WeightNorm, remove_weight_norm

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for part in module.modules():
            for hook in list(part._forward_pre_hooks.values()):  # noqa: SLF001 - no other way in
                if isinstance(hook, WeightNorm):
                    remove_weight_norm(part, hook.name)
