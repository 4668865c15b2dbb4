"""Sentences become one sound: trimmed, at one rate, with gaps by structure and a time for each."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from narration.audio.frames import resample
from narration.audio.gaps import DEFAULT_GAPS, Gaps, build_gap
from narration.audio.pcm import AudioSegment, build_pcm, build_silence, fade_ends, join
from narration.audio.trim import find_speech
from narration.exceptions import NarrationError
from narration.values import Role, Waveform, WordTiming

FADE_MS = 2


@dataclass(frozen=True, slots=True)
class Piece:
    """One utterance to be placed.

    ``passage`` is equal for neighbours of one passage and "" where that is not known (each is
    then a passage of its own). ``pause_ms`` replaces the gap after it. ``words`` count from the
    waveform's first sample.
    """

    waveform: Waveform
    voice: str
    role: Role = Role.BODY
    passage: str = ""
    pause_ms: int | None = None
    words: tuple[WordTiming, ...] = ()


@dataclass(frozen=True, slots=True)
class Placement:
    """Where a piece sounds in the track, and its words in track time; empty when it was silent."""

    voice: str
    start_ms: int
    end_ms: int
    words: tuple[WordTiming, ...] = ()


@dataclass(frozen=True, slots=True)
class StitchedAudio:
    """The joined sound at ``TRACK_SAMPLE_RATE`` and a placement for each piece, in order."""

    waveform: Waveform
    placements: tuple[Placement, ...]


def stitch(pieces: Iterable[Piece], gaps: Gaps = DEFAULT_GAPS) -> StitchedAudio:
    """Join pieces in order; a generator is read once, so that they need not all be in memory.

    Pieces may have any sample rate. Each is cut to its speech and fades in and out within 2 ms; a
    silent one takes no time but its own ``pause_ms``. All lengths are whole milliseconds, so that
    times are exact. ``NarrationError`` (``empty_track``) when there is nothing to join.
    """
    parts = [build_silence(gaps.ends_ms)]
    placements: list[Placement] = []
    at_ms = gaps.ends_ms
    before: Piece | None = None
    last: Piece | None = None
    for last in pieces:
        pcm, lead_ms = _cut(last.waveform)
        is_silent = not len(pcm)
        gap_ms = 0 if is_silent or before is None else _get_gap(before, last, gaps)
        start_ms = at_ms + gap_ms
        end_ms = start_ms + len(pcm)
        words = _place_words(last.words, start_ms - lead_ms, start_ms, end_ms)
        placements.append(Placement(last.voice, start_ms, end_ms, words))
        rest_ms = (last.pause_ms or 0) if is_silent else 0
        parts += [build_silence(gap_ms), pcm, build_silence(rest_ms)]
        at_ms = end_ms + rest_ms
        before = before if is_silent else last
    if last is None:
        raise NarrationError("There is nothing to stitch.", code="empty_track")
    closing_ms = 0 if last is not before else last.pause_ms or 0
    parts.append(build_silence(max(gaps.ends_ms, closing_ms)))
    return StitchedAudio(join(parts), tuple(placements))


def lay_out(
    waveforms: Iterable[Waveform], placements: Sequence[Placement], duration_ms: int
) -> StitchedAudio:
    """Join the same pieces again at known times: sample for sample what ``stitch`` made of them.

    ``ValueError`` when a piece is missing or does not fill its time.
    """
    parts: list[AudioSegment] = []
    at_ms = 0
    for waveform, placement in zip(waveforms, placements, strict=True):
        pcm, _lead_ms = _cut(waveform)
        if len(pcm) != placement.end_ms - placement.start_ms:
            raise ValueError(f"the piece at {placement.start_ms} ms has another length")
        parts += [build_silence(placement.start_ms - at_ms), pcm]
        at_ms = placement.end_ms
    parts.append(build_silence(duration_ms - at_ms))
    return StitchedAudio(join(parts), tuple(placements))


def _get_gap(before: Piece, after: Piece, gaps: Gaps) -> int:
    if before.pause_ms is not None:
        return before.pause_ms
    same_passage = bool(before.passage) and before.passage == after.passage
    return build_gap(before.role, after.role, same_passage=same_passage, gaps=gaps)


def _cut(waveform: Waveform) -> tuple[AudioSegment, int]:
    """The speech of a waveform, faded, at the track's rate; and what was cut before it, in ms."""
    start_ms, end_ms = find_speech(waveform)
    pcm = build_pcm(resample(waveform))[start_ms:end_ms]
    return fade_ends(pcm, FADE_MS), start_ms


def _place_words(
    words: tuple[WordTiming, ...], offset_ms: int, start_ms: int, end_ms: int
) -> tuple[WordTiming, ...]:
    """Words in track time, none outside its piece: engines report times in the silence too."""

    def place(time_ms: int) -> int:
        return min(max(time_ms + offset_ms, start_ms), end_ms)

    return tuple(
        replace(word, start_ms=place(word.start_ms), end_ms=place(word.end_ms)) for word in words
    )
