"""What can be measured of an utterance's sound, as plain numbers: the quality gate judges them.

Everything is linear in the length of the sound and looks at its first ``LONGEST_S`` only, which
no sentence reaches: how long it is in all is measured apart.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from narration.audio.trim import find_speech
from narration.values import Waveform

Floats = npt.NDArray[np.float32]

LONGEST_S = 90
#: Frames of a spectrum, their distance, and the bands repetitions are looked for in.
FRAME_S = 0.032
HOP_S = 0.016
BANDS = 18
LOWEST_HZ, HIGHEST_HZ = 60.0, 8000.0
#: Frames so far under the loud ones are no voice.
LOUD_DB = 30.0
#: How far under the loudest a pause lies.
PAUSE_DB = 40.0
#: Part of the peak that three samples in a row reach at a flat top; a round one of 150 Hz has two.
FLAT_TOP = 0.999
FULL_SCALE = 0.9995
#: The end in which a voice must have fallen silent.
END_MS = 5
#: Spectral flatness above which a frame is a hiss: 1 is white noise, a vowel is under 0.01.
HISS = 0.3
#: Change of the spectrum from frame to frame, of 1, under which a sound stands still.
STILL = 0.1
#: What is said again begins within so many seconds …
SHORTEST_PERIOD_S, LONGEST_PERIOD_S = 0.16, 3.0
#: … and is compared over this much at least.
COMPARED_S = 0.8
#: A stretch varies at least by this part of what all of the sound does, or it cannot repeat.
ALIVE = 0.3


@dataclass(frozen=True, slots=True)
class Measures:
    """Levels in dB of full scale unless said otherwise, times in seconds, shares of 1.

    ``tail_db`` is the level of the last milliseconds against the loud ones. ``flatness`` is the
    median over loud frames: near 0 for voices, near 0.5 for noise. ``repetition`` compares the
    sound with itself a while before: about 1 is unrelated, 0 the same again after ``period_s``.
    """

    duration_s: float
    speech_s: float
    level_db: float
    offset: float
    full_scale: float
    flat_tops: float
    pause_s: float
    tail_db: float
    flatness: float = 0.0
    hiss_s: float = 0.0
    still_s: float = 0.0
    repetition: float = 1.0
    period_s: float = 0.0


def measure(waveform: Waveform) -> Measures:
    """All of it; samples that are no numbers count as silence."""
    rate = waveform.sample_rate
    whole = np.nan_to_num(waveform.samples, posinf=0.0, neginf=0.0)
    samples = whole[: LONGEST_S * rate]
    start_ms, end_ms = find_speech(waveform)
    levels = _measure_levels(samples, rate // 100)
    plain = Measures(
        duration_s=len(waveform.samples) / rate,
        speech_s=(end_ms - start_ms) / 1000,
        level_db=float(levels.max(initial=-120.0)),
        offset=float(samples.mean()) if len(samples) else 0.0,
        full_scale=float((np.abs(samples) >= FULL_SCALE).mean()) if len(samples) else 0.0,
        flat_tops=_measure_flat_tops(samples),
        pause_s=_find_longest(_lies_inside(levels > levels.max(initial=-120.0) - PAUSE_DB)) / 100,
        tail_db=_measure_tail(whole, max(rate // 1000, 1)),
    )
    power = _build_spectrum(samples, rate)
    return plain if len(power) < 3 else _add_spectral(plain, power, rate)


def _measure_levels(samples: Floats, width: int) -> Floats:
    """RMS in dB of each whole frame of ``width`` samples, its mean taken away."""
    width = max(width, 1)
    count = len(samples) // width
    frames = samples[: count * width].reshape(count, width)
    power: Floats = frames.var(axis=1)
    return np.asarray(10 * np.log10(power + 1e-12), np.float32)


def _measure_flat_tops(samples: Floats) -> float:
    """Share of samples that begin three in a row as high as the peak."""
    magnitude = np.abs(samples)
    top = magnitude >= FLAT_TOP * magnitude.max(initial=0.0)
    if len(top) < 3 or not magnitude.any():
        return 0.0
    return float((top[:-2] & top[1:-1] & top[2:]).mean())


def _measure_tail(samples: Floats, width: int) -> float:
    """Swing of the last ``END_MS`` against the loud parts, in dB; −120 for silence."""
    count = len(samples) // width
    if not count:
        return -120.0
    frames = samples[len(samples) - count * width :].reshape(count, width)
    swing = frames.max(axis=1) - frames.min(axis=1)
    loud, end = float(np.percentile(swing, 99)), float(swing[-END_MS:].max())
    return 20 * float(np.log10(end / loud)) if loud > 0 and end > 0 else -120.0


def _lies_inside(is_loud: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
    """The quiet frames between the first and the last loud one."""
    loud = np.flatnonzero(is_loud)
    return ~is_loud[loud[0] : loud[-1]] if len(loud) else np.zeros(0, np.bool_)


def _find_longest(mask: npt.NDArray[np.bool_]) -> int:
    """Length of the longest run of True."""
    edges = np.diff(np.concatenate([[0], mask.astype(np.int8), [0]]))
    starts, ends = np.flatnonzero(edges == 1), np.flatnonzero(edges == -1)
    return int((ends - starts).max(initial=0))


def _build_spectrum(samples: Floats, rate: int) -> Floats:
    """Power, shape (frames, bins), Hann window."""
    width, hop = round(rate * FRAME_S), round(rate * HOP_S)
    if len(samples) < width:
        return np.zeros((0, 0), np.float32)
    frames = np.lib.stride_tricks.sliding_window_view(samples, width)[::hop]
    window = np.hanning(width).astype(np.float32)
    spectrum = np.fft.rfft(frames * window, _find_power_of_two(width), axis=1)
    return np.asarray(spectrum.real**2 + spectrum.imag**2, np.float32)


def _find_power_of_two(width: int) -> int:
    return 1 << (width - 1).bit_length()


def _add_spectral(plain: Measures, power: Floats, rate: int) -> Measures:
    energy = power.sum(axis=1)
    loud = energy > np.percentile(energy, 95) * 10 ** (-LOUD_DB / 10)
    if not loud.any():
        return plain
    bins = power + np.float32(1e-10)
    flatness = np.exp(np.log(bins).mean(axis=1)) / bins.mean(axis=1)
    change = np.abs(np.diff(power, axis=0)).sum(axis=1) / (energy[1:] + energy[:-1] + 1e-10)
    repetition, period_s = find_repetition(_build_bands(power, rate), HOP_S)
    return Measures(
        **{name: getattr(plain, name) for name in plain.__slots__[:8]},
        flatness=float(np.median(flatness[loud])),
        hiss_s=_find_longest(loud & (flatness > HISS)) * HOP_S,
        still_s=_find_longest((change < STILL) & loud[1:]) * HOP_S,
        repetition=repetition,
        period_s=period_s,
    )


def _build_bands(power: Floats, rate: int) -> Floats:
    """Levels in bands as the ear has them, in dB, 50 dB deep; shape (frames, bands)."""
    hertz_per_bin = rate / 2 / (power.shape[1] - 1)
    highest = min(HIGHEST_HZ, rate / 2)
    edges = np.geomspace(LOWEST_HZ, highest, BANDS + 1) / hertz_per_bin
    starts = np.unique(np.clip(edges.astype(int), 1, power.shape[1] - 1))
    bands = np.add.reduceat(power, starts[:-1], axis=1)
    return np.asarray(10 * np.log10(bands + bands.max() * 1e-5 + 1e-20), np.float32)


def find_repetition(bands: Floats, hop_s: float) -> tuple[float, float]:
    """How like itself the sound is a while before, at its most: (distance, seconds before).

    For every lag, the mean squared distance of frames that lie so far apart, over the lag or
    ``COMPARED_S``, whichever is longer, against that of unrelated frames. Stretches that hardly
    change, such as pauses, are left out: they are like everything of their kind.
    """
    centred = bands - bands.mean(axis=0)
    usual = float((centred**2).mean())
    best, period = 1.0, 0.0
    if usual <= 0:
        return best, period
    compared = round(COMPARED_S / hop_s)
    alive = _find_alive(centred, compared, usual)
    for lag in range(round(SHORTEST_PERIOD_S / hop_s), round(LONGEST_PERIOD_S / hop_s)):
        width = max(compared, lag)
        if len(bands) < lag + width:
            break
        if width > compared:
            alive = _find_alive(centred, width, usual)
        distance = ((centred[lag:] - centred[:-lag]) ** 2).mean(axis=1) / (2 * usual)
        sums = np.cumsum(np.concatenate([[0.0], distance]))
        means = (sums[width:] - sums[:-width]) / width
        found = float(means[alive[lag:]].min(initial=1.0))
        if found < best:
            best, period = found, lag * hop_s
    return best, period


def _find_alive(centred: Floats, width: int, usual: float) -> npt.NDArray[np.bool_]:
    """Where ``width`` frames from here differ among themselves about as speech does."""
    sums = np.cumsum(np.pad(centred, ((1, 0), (0, 0))), axis=0, dtype=np.float64)
    squares = np.cumsum(np.concatenate([[0.0], (centred**2).mean(axis=1)]))
    mean = (sums[width:] - sums[:-width]) / width
    spread = (squares[width:] - squares[:-width]) / width - (mean**2).mean(axis=1)
    is_alive: npt.NDArray[np.bool_] = spread > ALIVE * usual
    return is_alive
