"""Waveforms in and out of FFmpeg: bounded frames, so that no step copies a lesson at once."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

import av
import numpy as np
import numpy.typing as npt

from narration.values import Waveform

# Joined audio has one rate. 24 000 Hz is what the neural engines speak at, so theirs is never
# resampled; it holds all of espeak's 22 050; MP3 and Opus take it as it is; and a millisecond is
# exactly 24 samples, so that integer times never drift.
TRACK_SAMPLE_RATE = 24_000

FRAME_SAMPLES = 1 << 17
S16_SCALE = 32_768


def quantise(samples: npt.NDArray[np.float32]) -> npt.NDArray[np.int16]:
    """Nearest 16-bit value of each sample (1.0 = 32 768), full scale clipped."""
    scaled = np.rint(samples * np.float32(S16_SCALE))
    clipped: npt.NDArray[np.float32] = np.clip(scaled, -S16_SCALE, S16_SCALE - 1)
    return clipped.astype(np.int16)


def iter_frames(
    waveform: Waveform, *, as_s16: bool = False, scale: float = 1.0
) -> Iterator[av.AudioFrame]:
    """The waveform, ``scale`` times as loud, as mono frames of at most ``FRAME_SAMPLES``.

    They are float (``fltp``) or 16-bit (``s16``).
    """
    for start in range(0, len(waveform.samples), FRAME_SAMPLES):
        block = waveform.samples[start : start + FRAME_SAMPLES] * np.float32(scale)
        array = quantise(block) if as_s16 else np.ascontiguousarray(block, dtype=np.float32)
        frame = av.AudioFrame.from_ndarray(
            array[np.newaxis, :], format="s16" if as_s16 else "fltp", layout="mono"
        )
        frame.sample_rate = waveform.sample_rate
        frame.time_base = Fraction(1, waveform.sample_rate)
        frame.pts = start
        yield frame


def to_waveform(frames: Iterator[av.AudioFrame], sample_rate: int) -> Waveform:
    """Any frames as one mono waveform at ``sample_rate`` (libswresample mixes and resamples)."""
    resampler = av.AudioResampler(format="fltp", layout="mono", rate=sample_rate)
    blocks = [block.to_ndarray()[0] for frame in frames for block in resampler.resample(frame)]
    if blocks:
        blocks += [block.to_ndarray()[0] for block in resampler.resample(None)]
    samples = np.concatenate(blocks) if blocks else np.zeros(0, np.float32)
    return Waveform(samples, sample_rate)


def resample(waveform: Waveform, sample_rate: int = TRACK_SAMPLE_RATE) -> Waveform:
    """The same sound at another rate; the waveform itself where the rate is already right."""
    if waveform.sample_rate == sample_rate:
        return waveform
    return to_waveform(iter_frames(waveform), sample_rate)
