"""Is a recording good enough to imitate? Measured, and told in codes that people get advice for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from narration.audio.loudness import measure
from narration.audio.uploads import Upload
from narration.values import Waveform

FRAME_MS = 20
FLOOR_DB = -90.0
#: Below the loud parts by more than this nobody speaks.
SPEECH_RANGE_DB = 30.0
SILENT_DB = -55.0
QUIET_DB = -38.0
#: Seconds in which somebody speaks: fewer are refused, fewer are too few, more are not needed.
LEAST_SECONDS, FEW_SECONDS, MANY_SECONDS = 3.0, 6.0, 30.0
MOST_PAUSES = 0.5
LEAST_SIGNAL_TO_NOISE_DB = 25.0
MOST_CLIPPED = 0.0005
#: A telephone carries no more than half of this.
NARROW_RATE = 16_000
#: Quieter than tracks, so that no peak of a lively voice is cut.
TARGET_LUFS, CEILING_DB, MAX_GAIN_DB = -23.0, -1.0, 30.0


@dataclass(frozen=True, slots=True)
class Checks:
    """``refusal`` is the code of what makes it useless, "" where it may be used.

    ``advice``: codes of what should be better: clipping, noise, quiet, short, long, pauses,
    narrow. ``measures`` are the numbers behind them, in dB and seconds.
    """

    refusal: str
    advice: tuple[str, ...]
    measures: Mapping[str, Any] = field(default_factory=dict)


def check_recording(upload: Upload) -> Checks:
    """Look at the sound as it was sent, before it is levelled."""
    levels = _measure_levels(upload.waveform)
    loud = float(np.percentile(levels, 95))
    active = levels > max(loud - SPEECH_RANGE_DB, SILENT_DB)
    seconds = float(np.count_nonzero(active)) * FRAME_MS / 1000
    noise = float(np.percentile(levels, 5))
    speech = float(np.mean(levels[active])) if active.any() else FLOOR_DB
    pauses = 1 - seconds / max(len(levels) * FRAME_MS / 1000, 0.001)
    clipped = float(upload.source.get("clipped", 0.0))
    found = {
        "clipping": clipped > MOST_CLIPPED,
        "noise": speech - noise < LEAST_SIGNAL_TO_NOISE_DB,
        "quiet": loud < QUIET_DB,
        "short": seconds < FEW_SECONDS,
        "long": seconds > MANY_SECONDS,
        "pauses": pauses > MOST_PAUSES,
        "narrow": upload.source.get("rate", NARROW_RATE) < NARROW_RATE,
    }
    refusal = "recording_silent" if loud < SILENT_DB else ""
    if not refusal and seconds < LEAST_SECONDS:
        refusal = "recording_too_short"
    measures = {
        "speech_s": round(seconds, 1),
        "level_db": round(loud, 1),
        "noise_db": round(noise, 1),
        "pauses": round(pauses, 2),
        "clipped": round(clipped, 5),
        **{key: upload.source[key] for key in ("format", "codec", "rate") if key in upload.source},
    }
    return Checks(refusal, tuple(code for code, is_so in found.items() if is_so), measures)


def normalise(waveform: Waveform) -> Waveform:
    """One gain to ``TARGET_LUFS``, less where a peak would pass the ceiling; no direct current."""
    samples = waveform.samples - np.float32(np.mean(waveform.samples, dtype=np.float64))
    centred = Waveform(samples.astype(np.float32), waveform.sample_rate)
    loudness = measure(centred)
    if loudness.lufs is None:
        return centred
    gain_db = min(TARGET_LUFS - loudness.lufs, CEILING_DB - loudness.true_peak_db, MAX_GAIN_DB)
    scaled = centred.samples * np.float32(10 ** (gain_db / 20))
    return Waveform(scaled.astype(np.float32), waveform.sample_rate)


def _measure_levels(waveform: Waveform) -> Any:
    """dBFS (root mean square) of each frame."""
    size = waveform.sample_rate * FRAME_MS // 1000
    count = max(1, len(waveform.samples) // size)
    frames = np.resize(waveform.samples, count * size).reshape(count, size).astype(np.float64)
    power = np.mean(frames**2, axis=1)
    return np.maximum(10 * np.log10(np.maximum(power, 1e-12)), FLOOR_DB)
