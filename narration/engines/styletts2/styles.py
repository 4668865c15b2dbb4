"""Style vectors: of people who lent their voice, and of nobody.

A style is 256 numbers: the first half is how a voice sounds, the second how it moves. The model
has no voices of its own, and every sentence needs a style to start from.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt
import torch

from narration.engines.styletts2.chance import OwnChance
from narration.engines.styletts2.package import SAMPLE_RATE, STYLE_SIZE, Package
from narration.engines.styletts2.script import number_symbols
from narration.exceptions import EngineError
from narration.values import Waveform

Style = npt.NDArray[np.float32]

#: What a sampled voice says to be found: "The north wind and the sun were disputing."
SENTENCE = "ðə nˈɔːɹθ wˈɪnd ænd ðə sˈʌn wɜː dɪspjˈuːɾɪŋ ."
SAMPLING_STEPS = 10
#: From no style at all the first sample strays; sampled again from itself, it settles.
SAMPLING_ROUNDS = 3

#: As ``styletts2.tts`` computes mel spectrograms. It leaves torchaudio's rate of 16 000 Hz in
#: place, at which its filters were when the encoders learned.
MEL = {"n_mels": 80, "n_fft": 2048, "win_length": 1200, "hop_length": 300}
MEL_MEAN, MEL_STD = -4.0, 4.0
SILENCE_DB = 30
TRIM_WINDOW, TRIM_HOP = 2048, 512
#: The encoders halve time four times and then look at five frames: a second, a little over.
MIN_SAMPLES = 5 * 16 * 300
#: Longer recordings are seen in pieces, so that memory does not grow with them.
MAX_SAMPLES = 30 * SAMPLE_RATE


def sample_style(package: Package, seed: int) -> Style:
    """A style of nobody's: what the style diffusion makes of chance alone.

    It starts from an empty style, and is given what it made as its reference until it settles.
    """
    generator = torch.Generator().manual_seed(seed)
    tokens = torch.tensor([number_symbols(SENTENCE)], device=package.device)
    style = torch.zeros(1, 2 * STYLE_SIZE, device=package.device)
    with torch.inference_mode():
        embedding = package.modules["bert"](tokens, attention_mask=torch.ones_like(tokens))
        for _ in range(SAMPLING_ROUNDS):
            style = run_sampler(package, embedding, style, generator, steps=SAMPLING_STEPS)
    return to_style(style)


def run_sampler(
    package: Package,
    embedding: torch.Tensor,
    style: torch.Tensor,
    generator: torch.Generator,
    *,
    steps: int,
    scale: float = 1.0,
) -> torch.Tensor:
    """A style ``(1, 256)`` for a text's PL-BERT ``embedding``, near the style of a voice."""
    noise = torch.randn((1, 1, 2 * STYLE_SIZE), generator=generator).to(package.device)
    with OwnChance(generator):
        sampled = package.sampler(
            noise=noise,
            embedding=embedding,
            embedding_scale=scale,
            features=style,
            num_steps=steps,
        )
    return sampled.squeeze(1)


def imitate(package: Package, recordings: Sequence[Waveform]) -> Style:
    """The style of recordings of one voice: the mean of theirs, longer ones counting more.

    ``EngineError`` (``recording_too_short``) when none has a second of speech.
    """
    pieces = [piece for recording in recordings for piece in _iter_pieces(recording)]
    if not pieces:
        raise EngineError(
            f"A recording needs at least {MIN_SAMPLES / SAMPLE_RATE:g} seconds of speech.",
            code="recording_too_short",
        )
    styles = [encode_style(package, piece) for piece in pieces]
    return np.average(styles, axis=0, weights=[len(piece) for piece in pieces]).astype(np.float32)


def encode_style(package: Package, samples: npt.NDArray[np.float32]) -> Style:
    """Both encoders' view of samples at 24 kHz: ``compute_style`` of the package."""
    mel = build_mel(samples).to(package.device)[None, None]
    with torch.inference_mode():
        sound = package.modules["style_encoder"](mel)
        movement = package.modules["predictor_encoder"](mel)
    return to_style(torch.cat([sound, movement], dim=1))


def build_mel(samples: npt.NDArray[np.float32]) -> torch.Tensor:
    """The normalised log mel spectrogram, float32 of shape (80, frames of 300 samples)."""
    from torchaudio.transforms import MelSpectrogram

    mel = MelSpectrogram(**MEL)(torch.from_numpy(samples).float())
    return (torch.log(1e-5 + mel) - MEL_MEAN) / MEL_STD


def to_style(tensor: torch.Tensor) -> Style:
    """As it is kept: 256 numbers."""
    style: Style = tensor.detach().float().cpu().numpy().reshape(-1)
    if style.shape != (2 * STYLE_SIZE,) or not np.isfinite(style).all():
        raise EngineError("The style is not 256 finite numbers.", code="bad_style")
    return style


def _iter_pieces(recording: Waveform) -> Iterator[npt.NDArray[np.float32]]:
    """The speech of a recording at 24 kHz, silence at its ends cut off, in pieces long enough."""
    import soxr

    samples = np.asarray(recording.samples, dtype=np.float32)
    if recording.sample_rate != SAMPLE_RATE:
        samples = soxr.resample(samples, recording.sample_rate, SAMPLE_RATE, quality="HQ")
    speech = trim_silence(samples)
    for start in range(0, len(speech), MAX_SAMPLES):
        piece = speech[start : start + MAX_SAMPLES]
        if len(piece) >= MIN_SAMPLES:
            yield np.ascontiguousarray(piece, dtype=np.float32)


def trim_silence(samples: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """Without the ends more than 30 dB below the loudest moment: ``librosa.effects.trim``.

    librosa itself would compile for a quarter of a minute before the first recording.
    """
    padded = np.pad(samples.astype(np.float64) ** 2, TRIM_WINDOW // 2)
    sums = np.concatenate([[0.0], np.cumsum(padded)])
    starts = np.arange(0, len(samples) + 1, TRIM_HOP)
    power = (sums[starts + TRIM_WINDOW] - sums[starts]) / TRIM_WINDOW
    loud = np.flatnonzero(power > power.max() * 10 ** (-SILENCE_DB / 10))
    if not len(loud):
        return samples[:0]
    return samples[loud[0] * TRIM_HOP : (loud[-1] + 1) * TRIM_HOP]
