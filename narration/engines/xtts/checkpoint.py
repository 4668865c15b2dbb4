"""What is in XTTS v2's published files, and the library's classes built to hold it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from TTS.tts.configs.xtts_config import XttsConfig
from TTS.tts.layers.xtts.tokenizer import VoiceBpeTokenizer
from TTS.tts.models.xtts import Xtts

from narration.engines.xtts.published import SAMPLE_RATE, SETTINGS
from narration.exceptions import EngineError

CONFIG = "config.json"
VOCAB = "vocab.json"
WEIGHTS = "model.safetensors"
SPEAKERS = "speakers.safetensors"
LATENTS = ("gpt_cond_latent", "speaker_embedding")

#: What must be so for our code to be right about the model.
REQUIRED = {
    "gpt_use_perceiver_resampler": True,
    "gpt_batch_size": 1,
    "gpt_code_stride_len": 1024,
    "input_sample_rate": 22_050,
    "output_sample_rate": SAMPLE_RATE,
}
#: Configuration we read; a published file says much more, of training and of other machines.
KEYS = (
    "languages",
    *(key for key in SETTINGS if key != "speed"),
    "gpt_cond_len",
    "gpt_cond_chunk_len",
    "max_ref_len",
)
#: What fills tensors by chance, in ``torch.nn.init`` and of tensors themselves.
RANDOM = {
    *("normal_", "uniform_", "trunc_normal_", "orthogonal_"),
    *("kaiming_normal_", "kaiming_uniform_", "xavier_normal_", "xavier_uniform_"),
}
#: Copies of other weights, and what only training needs.
IGNORED = (
    "gpt.gpt_inference.",
    "gpt.gpt.wte.",
    "torch_mel_spectrogram_style_encoder.",
    "torch_mel_spectrogram_dvae.",
    "dvae.",
)


def read_config(folder: Path) -> dict[str, Any]:
    """The part of ``config.json`` that matters; ``EngineError`` when it is not XTTS v2's."""
    try:
        data = json.loads((folder / CONFIG).read_text())
        arguments = {
            key: value
            for key, value in data["model_args"].items()
            if key in XttsConfig().model_args and (key.startswith("gpt_") or key in _OTHERS)
        }
        config = {key: data[key] for key in KEYS if key in data}
    except FileNotFoundError as error:
        raise EngineError(f"{CONFIG} is not here.", code="model_missing") from error
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise EngineError(f"{CONFIG} cannot be read: {error}", code="model_damaged") from error
    for key, value in REQUIRED.items():
        if arguments.get(key) != value:
            raise EngineError(
                f"{CONFIG} is not XTTS v2's: {key} is {arguments.get(key)!r}, not {value!r}.",
                code="model_damaged",
            )
    return {**config, "model_args": {**arguments, "gpt_checkpoint": None}}


_OTHERS = {
    "input_sample_rate",
    "output_sample_rate",
    "output_hop_length",
    "decoder_input_dim",
    "d_vector_dim",
    "cond_d_vector_in_each_upsampling_layer",
}


def build_model(folder: Path) -> Xtts:
    """The library's model for ``config.json`` and ``vocab.json``, its weights not yet set."""
    config = XttsConfig()
    config.from_dict(read_config(folder))
    try:
        tokenizer = VoiceBpeTokenizer(vocab_file=folder / VOCAB)
    except Exception as error:
        raise EngineError(f"{VOCAB} cannot be read: {error}", code="model_damaged") from error
    with leave_uninitialised(), _quiet_transformers():
        # Once without the vocabulary, for the library; then with its size.
        config.model_args.gpt_number_text_tokens = 0
        model = Xtts(config)
        model.tokenizer = tokenizer
        model.init_models()
    return model


def pick_weights(state: Mapping[str, Any]) -> dict[str, torch.Tensor]:
    """The weights speech needs, of a published state.

    A trainer's prefix is taken off, and weight norm is called as torch calls it since 2.0.
    """
    picked = {_rename(key): value for key, value in state.items()}
    return {key: value for key, value in picked.items() if not key.startswith(IGNORED)}


def _rename(key: str) -> str:
    key = key.removeprefix("xtts.")
    for old, new in (("weight_g", "original0"), ("weight_v", "original1")):
        if key.endswith(f".{old}"):
            return key.removesuffix(old) + f"parametrizations.weight.{new}"
    return key


@contextmanager
def leave_uninitialised() -> Iterator[None]:
    """Modules whose weights are read next need no random ones: half of the loading time."""

    class LeaveBe(torch.overrides.TorchFunctionMode):  # type: ignore[misc]
        def __torch_function__(
            self, func: Any, types: Any, args: Any = (), kwargs: Any = None
        ) -> Any:
            if getattr(func, "__name__", "") in RANDOM:
                return args[0] if args else kwargs["tensor"]
            return func(*args, **(kwargs or {}))

    with LeaveBe():
        yield


@contextmanager
def _quiet_transformers() -> Iterator[None]:
    """The library's GPT-2 has another vocabulary than GPT-2, and transformers warns of it."""
    from transformers.utils import logging

    before = logging.get_verbosity()
    logging.set_verbosity_error()
    try:
        yield
    finally:
        logging.set_verbosity(before)
