"""pydub, used for what it is good at: gaps, cuts and fades of short pieces in memory.

Its import is kept quiet: pydub 0.25 warns of a missing ffmpeg program, which nothing here calls,
and of what newer Pythons say about its source.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence

import numpy as np

from narration.audio.frames import TRACK_SAMPLE_RATE
from narration.values import Waveform

__all__ = ["AudioSegment", "build_pcm", "build_silence", "fade_ends", "join"]

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from pydub import AudioSegment

# 32 bits with 6 dB of headroom: resampling may pass full scale, and voices are levelled later,
# so nothing is clipped or rounded audibly before the last gain.
SAMPLE_WIDTH = 4
SCALE = 1 << 30

SAMPLES_PER_MS = TRACK_SAMPLE_RATE // 1000


def build_pcm(waveform: Waveform) -> AudioSegment:
    """A waveform at the track's rate, its end filled with silence to a whole millisecond."""
    count = len(waveform.samples)
    samples = np.zeros(-(-count // SAMPLES_PER_MS) * SAMPLES_PER_MS, np.int32)
    finite = np.nan_to_num(waveform.samples, posinf=0.0, neginf=0.0)
    samples[:count] = np.rint(np.clip(finite, -1.99, 1.99) * np.float32(SCALE))
    return _wrap(samples.tobytes())


def fade_ends(pcm: AudioSegment, duration_ms: int) -> AudioSegment:
    """The sound rising from and falling to nothing; half its length each when it is short."""
    duration_ms = min(duration_ms, len(pcm) // 2)
    if duration_ms < 1:
        return pcm
    # pydub copies all it is given for every fade; only the ends need it.
    head, body, tail = pcm[:duration_ms], pcm[duration_ms:-duration_ms], pcm[-duration_ms:]
    parts = (head.fade_in(duration_ms), body, tail.fade_out(duration_ms))
    return _wrap(b"".join(part.raw_data for part in parts))


def build_silence(duration_ms: int) -> AudioSegment:
    """So many milliseconds of nothing."""
    return AudioSegment.silent(duration_ms, TRACK_SAMPLE_RATE).set_sample_width(SAMPLE_WIDTH)


def join(parts: Sequence[AudioSegment]) -> Waveform:
    """All parts in order, each copied once, where pydub's ``+`` would copy the sum every time."""
    samples = np.empty(sum(len(part.raw_data) for part in parts) // SAMPLE_WIDTH, np.float32)
    start = 0
    for part in parts:
        values = np.frombuffer(part.raw_data, np.int32)
        samples[start : start + len(values)] = values
        start += len(values)
    samples *= np.float32(1 / SCALE)
    return Waveform(samples, TRACK_SAMPLE_RATE)


def _wrap(data: bytes) -> AudioSegment:
    return AudioSegment(
        data=data, sample_width=SAMPLE_WIDTH, frame_rate=TRACK_SAMPLE_RATE, channels=1
    )
