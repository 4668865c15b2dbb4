"""How loud speech is to a listener (EBU R 128), and one gain per voice and per track.

Loudness is ITU-R BS.1770 integrated loudness of a mono signal in LUFS; peaks are true peaks.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import chain

import av
import numpy as np
import numpy.typing as npt
from av.filter import Graph

from narration.audio.frames import iter_frames
from narration.audio.stitch import Placement, StitchedAudio
from narration.values import Waveform

# −16 LUFS over two speakers, as podcasts are, is −19 for the one channel we measure.
TARGET_LUFS = -19.0
CEILING_DB = -1.0

# Fainter than this is no speech but its noise, which a gain would only raise.
MAX_GAIN_DB = 30.0
# The gate of BS.1770: nothing under it is measured.
SILENCE_LUFS = -70.0
SILENCE_DB = -120.0
# The filter prints peaks with three decimals of a full scale to which we raise them.
PEAK_STEP_DB = 0.01


@dataclass(frozen=True, slots=True)
class Loudness:
    """A measure; ``lufs`` is None where there is too little sound (under 400 ms, or silence)."""

    lufs: float | None
    true_peak_db: float


@dataclass(frozen=True, slots=True)
class LevelledAudio:
    """A track at its final level. ``loudness`` was measured on exactly this waveform.

    ``shortfall_lu`` is how far the peak ceiling kept it under the target. ``voice_gains_db`` and
    then ``gain_db`` were applied to the input.
    """

    waveform: Waveform
    loudness: Loudness
    gain_db: float
    shortfall_lu: float = 0.0
    voice_gains_db: Mapping[str, float] = field(default_factory=dict)


def measure(waveform: Waveform, *, with_true_peak: bool = True) -> Loudness:
    """Integrated loudness and true peak; never raises for odd sound.

    Without ``with_true_peak``, which costs two thirds of the time, the peak is the samples' own.
    """
    if not np.isfinite(waveform.samples).all():
        clean = np.nan_to_num(waveform.samples, posinf=0.0, neginf=0.0)
        waveform = Waveform(clean, waveform.sample_rate)
    samples = waveform.samples
    peak = max(float(samples.max(initial=0.0)), -float(samples.min(initial=0.0)))
    if peak < 10 ** (SILENCE_DB / 20):
        return Loudness(None, SILENCE_DB)
    # Measured at full scale: the filter's answers have a fixed number of decimals.
    peak_db = _to_db(peak)
    report = _run_ebur128(waveform, 1 / peak, "true" if with_true_peak else "none")
    lufs = float(report.get("lavfi.r128.I", SILENCE_LUFS))
    over_db = _to_db(max(1.0, float(report.get("lavfi.r128.true_peak", 1.0))))
    return Loudness(_or_none(lufs, peak_db), round(peak_db + over_db, 2))


def level_voices(audio: StitchedAudio) -> dict[str, float]:
    """The gain in dB that brings each voice of the track to the target; one voice needs none.

    Every utterance of a voice gets the same gain, so its own expression is kept; a voice with
    nothing to measure keeps its level.
    """
    by_voice: defaultdict[str, list[npt.NDArray[np.float32]]] = defaultdict(list)
    for placement in audio.placements:
        by_voice[placement.voice].append(_get_samples(audio.waveform, placement))
    if len(by_voice) < 2:
        return dict.fromkeys(by_voice, 0.0)
    rate = audio.waveform.sample_rate
    return {voice: _get_voice_gain(parts, rate) for voice, parts in by_voice.items()}


def level(
    audio: StitchedAudio, *, target_lufs: float = TARGET_LUFS, ceiling_db: float = CEILING_DB
) -> LevelledAudio:
    """Match the voices, then bring the whole to ``target_lufs`` by one gain.

    Where the true peak would pass ``ceiling_db`` the peak wins and the shortfall is told. Linear
    gains only: no compression, no limiter, so nothing pumps or distorts.
    """
    voice_gains = level_voices(audio)
    waveform = _apply_voice_gains(audio, voice_gains)
    before = measure(waveform)
    gain_db, shortfall_lu = _choose_gain(before, target_lufs, ceiling_db)
    waveform.samples[:] *= np.float32(10 ** (gain_db / 20))
    return LevelledAudio(waveform, measure(waveform), gain_db, shortfall_lu, voice_gains)


def _choose_gain(before: Loudness, target_lufs: float, ceiling_db: float) -> tuple[float, float]:
    """The gain, and the loudness in LU that the ceiling forbids."""
    allowed = ceiling_db - PEAK_STEP_DB - before.true_peak_db
    if before.lufs is None:
        return min(0.0, allowed), 0.0
    wanted = min(target_lufs - before.lufs, MAX_GAIN_DB)
    gain_db = min(wanted, allowed)
    return round(gain_db, 4), round(wanted - gain_db, 2)


def _get_voice_gain(parts: list[npt.NDArray[np.float32]], sample_rate: int) -> float:
    speech = np.concatenate(parts)
    if 0 < len(speech) < sample_rate:
        # One short word: repeated, it is long enough for the 400 ms blocks of the measure.
        speech = np.resize(speech, sample_rate)
    lufs = measure(Waveform(speech, sample_rate), with_true_peak=False).lufs
    return 0.0 if lufs is None else round(min(TARGET_LUFS - lufs, MAX_GAIN_DB), 4)


def _apply_voice_gains(audio: StitchedAudio, gains: Mapping[str, float]) -> Waveform:
    levelled = Waveform(audio.waveform.samples.copy(), audio.waveform.sample_rate)
    for placement in audio.placements:
        if gain_db := gains[placement.voice]:
            _get_samples(levelled, placement)[:] *= np.float32(10 ** (gain_db / 20))
    return levelled


def _get_samples(waveform: Waveform, placement: Placement) -> npt.NDArray[np.float32]:
    """A view of the samples in which a piece sounds."""
    per_ms = waveform.sample_rate // 1000
    return waveform.samples[placement.start_ms * per_ms : placement.end_ms * per_ms]


def _run_ebur128(waveform: Waveform, scale: float, peak: str) -> dict[str, str]:
    """What FFmpeg's filter says after the last complete 100 ms; empty when it can say nothing."""
    graph = Graph()
    source = graph.add_abuffer(
        sample_rate=waveform.sample_rate,
        format="fltp",
        layout="mono",
        time_base=Fraction(1, waveform.sample_rate),
    )
    meter = graph.add("ebur128", f"metadata=1:framelog=quiet:peak={peak}")
    sink = graph.add("abuffersink")
    source.link_to(meter)
    meter.link_to(sink)
    graph.configure()
    report: dict[str, str] = {}
    try:
        for frame in chain(iter_frames(waveform, scale=scale), [None]):
            graph.push(frame)
            report = _read_last(graph) or report
    except av.FFmpegError:
        return {}
    return report


def _read_last(graph: Graph) -> dict[str, str]:
    report: dict[str, str] = {}
    while True:
        try:
            report = dict(graph.pull().metadata) or report
        except (av.BlockingIOError, av.EOFError):
            return report


def _or_none(lufs: float, peak_db: float) -> float | None:
    """The loudness at the sound's own level, None where the measure found nothing."""
    own = lufs + peak_db
    return None if lufs <= SILENCE_LUFS + 0.05 or own <= SILENCE_LUFS else round(own, 2)


def _to_db(amplitude: float) -> float:
    return 20 * math.log10(amplitude)
