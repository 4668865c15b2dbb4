"""Where in an utterance the speech is; engines leave silence of their own at both ends."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from narration.values import Waveform

# Soft consonants and fading vowels lie up to 40 dB under the loudest vowel.
RELATIVE_THRESHOLD_DB = -45.0
# Under this nothing is speech, however quiet the utterance is.
FLOOR_DB = -65.0
# Kept before the first sound: enough for the rise of a plosive, and under the 10 ms by which a
# sentence may start after its cue.
LEAD_GUARD_MS = 5
# Kept after the last sound: the end of a vowel falls slower than it rises.
TAIL_GUARD_MS = 40


@dataclass(frozen=True, slots=True)
class Trimmed:
    """Speech without the silence around it; ``lead_ms`` was cut in front of it."""

    waveform: Waveform
    lead_ms: int


def find_speech(waveform: Waveform) -> tuple[int, int]:
    """Start and end of the speech in whole milliseconds, guards included; (0, 0) when silent."""
    envelope = _build_envelope(waveform)
    loud = np.flatnonzero(envelope > _get_threshold(envelope))
    if not len(loud):
        return 0, 0
    start_ms = max(0, int(loud[0]) - LEAD_GUARD_MS)
    return start_ms, min(len(envelope), int(loud[-1]) + 1 + TAIL_GUARD_MS)


def trim(waveform: Waveform) -> Trimmed:
    """The speech alone, and how much was cut before it; no samples when all is silence."""
    start_ms, end_ms = find_speech(waveform)
    start, end = (ms * waveform.sample_rate // 1000 for ms in (start_ms, end_ms))
    return Trimmed(Waveform(waveform.samples[start:end], waveform.sample_rate), start_ms)


def _build_envelope(waveform: Waveform) -> npt.NDArray[np.float32]:
    """Half the swing of the wave in each millisecond, the last one perhaps incomplete.

    A swing, not a magnitude: a constant offset is no sound. Samples that are no numbers count as
    silence.
    """
    samples = np.nan_to_num(waveform.samples, posinf=0.0, neginf=0.0)
    count = -(-len(samples) * 1000 // waveform.sample_rate)
    starts = np.arange(count) * waveform.sample_rate // 1000
    if not count:
        return np.zeros(0, np.float32)
    highest, lowest = (edge.reduceat(samples, starts) for edge in (np.maximum, np.minimum))
    envelope: npt.NDArray[np.float32] = (highest - lowest) * np.float32(0.5)
    return envelope


def _get_threshold(envelope: npt.NDArray[np.float32]) -> float:
    peak = float(envelope.max(initial=0.0))
    return max(peak * 10 ** (RELATIVE_THRESHOLD_DB / 20), 10 ** (FLOOR_DB / 20))
