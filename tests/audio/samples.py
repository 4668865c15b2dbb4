"""Sounds whose every property is known, and how to find where they begin."""

from __future__ import annotations

import numpy as np

from narration.values import Waveform


def tone(ms, sample_rate=24_000, *, level=0.5, hertz=1000.0, lead_ms=0, tail_ms=0):
    """A sine between silences of exact length; it begins at full level."""
    times = np.arange(ms * sample_rate // 1000) / sample_rate
    return padded(level * np.cos(2 * np.pi * hertz * times), sample_rate, lead_ms, tail_ms)


def speech(ms, sample_rate=24_000, *, level=0.1, seed=0, lead_ms=0, tail_ms=0):
    """Noise with the tilt, the swells and about the crest of speech; ``level`` is its RMS."""
    rng = np.random.default_rng(seed)
    count = ms * sample_rate // 1000
    white = np.fft.rfft(rng.standard_normal(count))
    hertz = np.fft.rfftfreq(count, 1 / sample_rate)
    shaped = np.fft.irfft(white / (1 + (hertz / 500) ** 2), count)
    swell = 0.6 + 0.4 * np.cos(2 * np.pi * 4 * np.arange(count) / sample_rate)
    wave = np.tanh(1.2 * shaped / shaped.std()) * swell
    return padded(level * wave / np.sqrt(np.mean(wave**2)), sample_rate, lead_ms, tail_ms)


def silence(ms, sample_rate=24_000):
    return Waveform(np.zeros(ms * sample_rate // 1000, np.float32), sample_rate)


def padded(samples, sample_rate, lead_ms, tail_ms):
    parts = [np.zeros(lead_ms * sample_rate // 1000), samples]
    parts.append(np.zeros(tail_ms * sample_rate // 1000))
    return Waveform(np.concatenate(parts).astype(np.float32), sample_rate)


def find_onset_ms(waveform, from_ms, *, threshold, reach_ms=120):
    """When the sound first passes the threshold after ``from_ms``; None if not within reach."""
    rate = waveform.sample_rate
    start = max(0, round(from_ms * rate / 1000))
    window = np.abs(waveform.samples[start : start + reach_ms * rate // 1000])
    loud = np.flatnonzero(window > threshold)
    return (start + loud[0]) * 1000 / rate if len(loud) else None
