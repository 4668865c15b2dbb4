"""XTTS v2 in memory: text, voices, tokens, sound. One utterance at a time."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.nn.utils.parametrize import is_parametrized, remove_parametrizations

from narration.engines.latents import Arrays
from narration.engines.neural.tensors import fill_module, read_tensors
from narration.engines.xtts import text as texts
from narration.engines.xtts.checkpoint import LATENTS, SPEAKERS, WEIGHTS, build_model
from narration.engines.xtts.conditioning import compute_latents
from narration.engines.xtts.decoding import Decoder
from narration.engines.xtts.loops import find_loop
from narration.engines.xtts.sampling import Sampling
from narration.exceptions import EngineError
from narration.values import Waveform

DTYPES = {"fp32": torch.float32, "gpu-bf16": torch.bfloat16}


@dataclass(frozen=True, slots=True)
class Voice:
    """``prompt`` (1, n, channels) precedes the text, ``embedding`` (1, size, 1) is heard."""

    prompt: Tensor
    embedding: Tensor


@dataclass(frozen=True, slots=True)
class Speech:
    """Mono samples at 24 kHz, and what the quality gate asks about how they came to be."""

    samples: npt.NDArray[np.float32]
    evidence: Mapping[str, Any]


class LoadedXtts:
    """The library's model on a device, with our decoding loop and the published speakers."""

    def __init__(
        self, model: Any, speakers: Mapping[str, Tensor], device: torch.device, dtype: Any
    ):
        self.device = device
        self.model = model
        # The vocoder's weights would be recomputed from direction and length at every call.
        _fold_weight_norm(model.hifigan_decoder.waveform_decoder)
        model.to(device)
        model.gpt.eval()
        model.hifigan_decoder.eval()
        self.decoder = Decoder(model.gpt, dtype)
        self._voices = _build_voices(speakers, device)
        # One place is the model's own stop token's; the library asserts the same.
        self._token_limit = int(model.args.gpt_max_text_tokens) - 1

    @classmethod
    def read(cls, folder: Path, device: torch.device, profile: str) -> Self:
        """From the converted files; ``EngineError`` when they do not fit."""
        if device.type == "cuda":
            _make_repeatable()
        model = build_model(folder)
        fill_module(model, read_tensors(folder / WEIGHTS), WEIGHTS)
        return cls(model, read_tensors(folder / SPEAKERS), device, DTYPES[profile])

    def encode(self, text: str, code: str) -> list[int]:
        """Tokens of a text; ``UnsupportedUtterance`` when it has too many."""
        return texts.encode(self.model.tokenizer, text, code, self._token_limit)

    def get_voice(self, name: str) -> Voice | None:
        """One of the model's own voices."""
        return self._voices.get(name)

    def build_voice(self, arrays: Arrays) -> Voice:
        """A cloned voice from its latents; ``EngineError`` when they are of another model."""
        try:
            prompt, embedding = (torch.from_numpy(arrays[key]).to(self.device) for key in LATENTS)
        except KeyError as error:
            raise EngineError(f"These latents lack {error}.", code="latents_damaged") from error
        args = self.model.args
        if prompt.ndim != 3 or prompt.shape[2] != args.gpt_n_model_channels:
            raise EngineError("These latents are of another model.", code="latents_damaged")
        return Voice(prompt, embedding)

    def speak(
        self,
        tokens: list[int],
        voice: Voice,
        settings: Mapping[str, float],
        generator: torch.Generator,
    ) -> Speech:
        """Say tokens in a voice, by the chance of a generator on the CPU."""
        sampling = Sampling(
            temperature=settings["temperature"],
            top_k=round(settings["top_k"]),
            top_p=settings["top_p"],
            repetition_penalty=settings["repetition_penalty"],
        )
        uniforms = torch.rand(self.decoder.limit, generator=generator, dtype=torch.float64)
        with torch.inference_mode():
            decoded = self.decoder.decode(tokens, voice.prompt, sampling, uniforms.to(self.device))
        evidence = {
            "hit_limit": not decoded.has_ended,
            "tokens": len(decoded.codes),
            "loop": find_loop(decoded.codes),
        }
        return Speech(self.vocode(decoded.latents, voice, settings["speed"]), evidence)

    def vocode(self, latents: Tensor, voice: Voice, speed: float = 1.0) -> npt.NDArray[np.float32]:
        """Samples of latents (1, n, channels), stretched as the library stretches them."""
        stretch = 1.0 / speed
        with torch.inference_mode():
            if stretch != 1.0 and math.floor(latents.shape[1] * stretch) > 0:
                latents = torch.nn.functional.interpolate(
                    latents.transpose(1, 2), scale_factor=stretch, mode="linear"
                ).transpose(1, 2)
            sound = self.model.hifigan_decoder(latents, g=voice.embedding)
        samples: npt.NDArray[np.float32] = sound.flatten().float().cpu().numpy()
        return samples

    def clone(self, recordings: Iterable[Waveform]) -> Arrays:
        """The latents of a voice, ``EngineError`` when there is too little of it to hear."""
        with torch.inference_mode():
            return compute_latents(self.model, recordings)


def _fold_weight_norm(module: torch.nn.Module) -> None:
    """The library's ``remove_weight_norm`` stops at layers that never had one."""
    for layer in module.modules():
        if is_parametrized(layer, "weight"):
            remove_parametrizations(layer, "weight")


def _build_voices(speakers: Mapping[str, Tensor], device: torch.device) -> dict[str, Voice]:
    """Keys are ``<name>.<latents>``; a name may have dots of its own."""
    names = {key.rpartition(".")[0] for key in speakers}
    return {
        name: Voice(*(speakers[f"{name}.{key}"].to(device) for key in LATENTS)) for name in names
    }


def _make_repeatable() -> None:
    """Of this process, for cards: kernels that add in one order, and true float32 in fp32."""
    torch.backends.cudnn.deterministic = True
    torch.backends.cudnn.benchmark = False
    torch.backends.cudnn.allow_tf32 = False
    torch.backends.cuda.matmul.allow_tf32 = False
