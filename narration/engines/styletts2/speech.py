"""One utterance through the model: symbols, style, durations, pitch, samples.

The steps are those of ``styletts2.tts.StyleTTS2.inference``, by the package's own modules, save for

- chance, which is the utterance's own;
- the alignment, which one ``repeat_interleave`` builds, without a wait for every symbol;
- speed, which the package does not know: durations are divided by it before they are rounded.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from narration.engines.hygiene import find_words
from narration.engines.styletts2.chance import OwnChance
from narration.engines.styletts2.package import SAMPLE_RATE, STYLE_SIZE, Package
from narration.engines.styletts2.script import Script, number_symbols, write_script
from narration.engines.styletts2.styles import Style, run_sampler, sample_style
from narration.exceptions import EngineError, UnsupportedUtterance
from narration.values import EngineResult, Waveform, WordTiming

#: The end of the decoder's output is a click, which the package cuts off too.
CLICK_SAMPLES = 50
SAMPLED_VOICES = {f"sampled-{number}": number for number in (1, 2, 3)}

Settings = Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Reading:
    """What is predicted of a script before a sample is made. ``s`` frames is ``frames.sum()``.

    ``text`` (1, 512, s) what is said in each frame, ``pitch`` and ``energy`` (1, 2 s), ``timbre``
    (1, 128), ``frames`` how many each symbol lasts, the padding in front included, on the CPU.
    ``is_clipped``: a symbol wanted to last longer than the model can say.
    """

    text: torch.Tensor
    pitch: torch.Tensor
    energy: torch.Tensor
    timbre: torch.Tensor
    frames: torch.Tensor
    is_clipped: bool


class Speaker:
    """A loaded model that speaks; ``profile`` as the engine declares them."""

    def __init__(self, package: Package, profile: str):
        self.package = package
        self.device = package.device
        self._is_half = profile == "gpu-bf16"
        # gruut opens its dictionaries at the first word: better now than in somebody's sentence.
        write_script("Ready.")
        with self._compute():
            self.styles: dict[str, Style] = {
                name: sample_style(package, seed) for name, seed in SAMPLED_VOICES.items()
            }

    def speak(
        self, text: str, style: Style, settings: Settings, generator: torch.Generator
    ) -> EngineResult:
        """Speak ``text`` in ``style``; ``UnsupportedUtterance`` when it cannot be read whole."""
        script = write_script(text)
        tokens = number_symbols(script.symbols)
        if len(tokens) > self.package.max_symbols:
            raise UnsupportedUtterance(
                f"styletts2 reads at most {self.package.max_symbols} symbols at once, and this "
                f"text has {len(tokens)}: shorten it, or cut it in two.",
                code="text_too_long",
            )
        if style.shape != (2 * STYLE_SIZE,):
            raise EngineError("This voice's latents are not a style.", code="latents_damaged")
        with torch.inference_mode(), self._compute():
            reading = self.predict(tokens, style, settings, generator)
            samples = self.decode(reading, generator)
        return EngineResult(
            Waveform(samples, SAMPLE_RATE),
            self._time_words(text, script, reading.frames, len(samples)),
            evidence={"hit_limit": reading.is_clipped},
        )

    def predict(
        self, tokens: list[int], style: Style, settings: Settings, generator: torch.Generator
    ) -> Reading:
        """How a script is to sound: style, durations, pitch and energy, in full precision."""
        modules = self.package.modules
        predictor = modules["predictor"]
        symbols = torch.tensor([tokens], device=self.device)
        lengths = torch.tensor([len(tokens)], device=self.device)
        mask = torch.zeros_like(symbols, dtype=torch.bool)

        said = modules["text_encoder"](symbols, lengths, mask)
        embedding = modules["bert"](symbols, attention_mask=(~mask).int())
        context = modules["bert_encoder"](embedding).transpose(-1, -2)
        timbre, prosody = self._mix_style(embedding, style, settings, generator)

        hidden = predictor.text_encoder(context, prosody, lengths, mask)
        wanted = torch.sigmoid(predictor.duration_proj(predictor.lstm(hidden)[0])).sum(dim=-1)
        frames = torch.round(wanted[0] / settings["speed"]).clamp(min=1).long()
        # The one wait for the device before samples are made: how long the speech will be.
        counted = frames.cpu()
        is_clipped = bool(wanted.max() > self.package.max_frames - 0.5)

        aligned = _stretch(hidden.transpose(-1, -2), frames, int(counted.sum()))
        pitch, energy = predictor.F0Ntrain(aligned, prosody)
        text = _stretch(said, frames, int(counted.sum()))
        return Reading(text, pitch, energy, timbre, counted, is_clipped)

    def decode(self, reading: Reading, generator: torch.Generator) -> npt.NDArray[np.float32]:
        """The samples: nearly all of the time is spent here."""
        with OwnChance(generator), self._halve():
            out = self.package.modules["decoder"](
                reading.text, reading.pitch, reading.energy, reading.timbre
            )
        samples: npt.NDArray[np.float32] = out.reshape(-1)[:-CLICK_SAMPLES].float().cpu().numpy()
        return samples

    def _mix_style(
        self,
        embedding: torch.Tensor,
        style: Style,
        settings: Settings,
        generator: torch.Generator,
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Timbre and prosody, each (1, 128): the voice's and what suits the text, mixed."""
        own = torch.from_numpy(style).to(self.device)[None]
        sampled = run_sampler(
            self.package,
            embedding,
            own,
            generator,
            steps=round(settings["diffusion_steps"]),
            scale=settings["embedding_scale"],
        )
        alpha, beta = settings["alpha"], settings["beta"]
        return (
            alpha * sampled[:, :STYLE_SIZE] + (1 - alpha) * own[:, :STYLE_SIZE],
            beta * sampled[:, STYLE_SIZE:] + (1 - beta) * own[:, STYLE_SIZE:],
        )

    def _time_words(
        self, text: str, script: Script, frames: torch.Tensor, count: int
    ) -> tuple[WordTiming, ...]:
        """When each word sounds, to the frame: the model's own durations."""
        ends = np.concatenate([[0], np.cumsum(frames.numpy())])
        # Everything is heard a frame late (see _stretch), and the last frame not at all.
        ms_per_frame = self.package.samples_per_frame * 1000 / SAMPLE_RATE
        last_ms = round(count * 1000 / SAMPLE_RATE)

        def locate(symbol: int) -> int:
            # Symbol i of the script is token i + 1: the padding comes first.
            return min(round(int(ends[symbol + 1] + 1) * ms_per_frame), last_ms)

        return tuple(
            WordTiming(start, end, locate(first), locate(last))
            for (start, end), (first, last) in zip(find_words(text), script.words, strict=True)
        )

    @contextmanager
    def _compute(self) -> Iterator[None]:
        """Convolutions that add in the same order every time; whole float32 where promised."""
        with torch.backends.cudnn.flags(
            enabled=True, benchmark=False, deterministic=True, allow_tf32=self._is_half
        ):
            yield

    def _halve(self) -> Any:
        """bfloat16 for the decoder alone: in it, pitch would be a whole hertz wide of the mark."""
        return torch.autocast(self.device.type, torch.bfloat16, enabled=self._is_half)


def _stretch(symbols: torch.Tensor, frames: torch.Tensor, total: int) -> torch.Tensor:
    """``(1, c, n)`` per symbol → ``(1, c, total)`` per frame, a frame late as hifigan was trained.

    The first frame is heard twice and the last is not.
    """
    stretched = torch.repeat_interleave(symbols, frames, dim=-1, output_size=total)
    return torch.cat([stretched[..., :1], stretched[..., :-1]], dim=-1)
