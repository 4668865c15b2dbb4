from __future__ import annotations

import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest

from narration.audio.codec import decode
from narration.audio.encode import encode_mp3, encode_opus
from narration.audio.gaps import DEFAULT_GAPS, Gaps, build_gap, build_gaps
from narration.audio.loudness import level
from narration.audio.stitch import FADE_MS, Piece, stitch
from narration.exceptions import ConfigurationError, NarrationError
from narration.values import Role, Waveform, WordTiming

from .samples import find_onset_ms, silence, speech, tone

RATES = (22_050, 24_000, 48_000)


def pieces_of(count, *, level=0.3):
    """Tones of many lengths, rates and silences, three to a passage, two voices in turn."""
    return [
        Piece(
            tone(
                180 + 37 * index % 301,
                RATES[index % 3],
                level=level,
                hertz=600 + 50 * (index % 7),
                lead_ms=13 * index % 200,
                tail_ms=29 * index % 300,
            ),
            voice=f"voice {index % 2}",
            passage=f"p{index // 3}",
        )
        for index in range(count)
    ]


def assert_cues_meet_the_sound(waveform, placements, threshold):
    offsets = [
        find_onset_ms(waveform, cue.start_ms - 60, threshold=threshold) for cue in placements
    ]
    assert None not in offsets
    late = np.array([found - cue.start_ms for found, cue in zip(offsets, placements, strict=True)])
    assert late.min() >= -1
    assert late.max() <= 10
    # No drift: the last sentences are as exact as the first.
    assert abs(late[-30:].mean() - late[:30].mean()) < 1.5


@pytest.fixture(scope="module")
def long_track():
    audio = stitch(iter(pieces_of(160)))
    return level(audio).waveform, audio.placements


def test_each_cue_meets_the_samples(long_track):
    assert_cues_meet_the_sound(*long_track, threshold=0.02)


def test_each_cue_meets_the_decoded_mp3(long_track):
    waveform, placements = long_track
    decoded = decode(encode_mp3(waveform), "mp3")
    assert len(decoded.samples) == len(waveform.samples)
    assert_cues_meet_the_sound(decoded, placements, threshold=0.1)


def test_each_cue_meets_the_decoded_opus(long_track):
    waveform, placements = long_track
    decoded = decode(encode_opus(waveform), "ogg")
    assert len(decoded.samples) == 2 * len(waveform.samples)
    assert_cues_meet_the_sound(decoded, placements, threshold=0.1)


def test_gaps_are_exact_and_silent():
    audio = stitch(pieces_of(9))
    samples = audio.waveform.samples
    ends = [0, *(cue.end_ms for cue in audio.placements)]
    starts = [*(cue.start_ms for cue in audio.placements), audio.waveform.duration_ms]
    gaps = [start - end for end, start in zip(ends, starts, strict=True)]
    assert gaps == [500, 300, 300, 650, 300, 300, 650, 300, 300, 500]
    assert len(samples) == starts[-1] * 24
    for end, start in zip(ends, starts, strict=True):
        assert not samples[end * 24 : start * 24].any()


def test_no_join_clicks():
    """Tones that begin and end at full level: without a fade each join is a step of 0.9."""
    audio = stitch([Piece(tone(333, hertz=200, level=0.9), "v") for _ in range(5)])
    own_step = 0.9 * 2 * np.pi * 200 / 24_000
    fade_step = 0.9 / (FADE_MS * 24)
    for cue in audio.placements:
        for edge in (cue.start_ms * 24, cue.end_ms * 24):
            around = audio.waveform.samples[edge - 72 : edge + 72]
            assert np.abs(np.diff(around)).max() < 1.1 * (own_step + fade_step)


def test_what_is_between_the_fades_is_untouched():
    given = speech(400, level=0.2)
    audio = stitch([Piece(given, "v")])
    (cue,) = audio.placements
    inner = audio.waveform.samples[(cue.start_ms + 2) * 24 : (cue.end_ms - 2) * 24]
    np.testing.assert_allclose(inner, given.samples[48:-48], atol=1e-7)


def test_a_voice_above_full_scale_after_resampling_is_not_clipped():
    given = tone(300, 22_050, level=1.3)
    (cue,) = (audio := stitch([Piece(given, "v")])).placements
    inner = audio.waveform.samples[cue.start_ms * 24 : cue.end_ms * 24]
    assert np.abs(inner).max() == pytest.approx(1.3, rel=0.02)


def test_words_move_with_their_sentence_and_stay_inside_it():
    words = (WordTiming(0, 3, 0, 150), WordTiming(4, 9, 150, 420), WordTiming(10, 12, 420, 900))
    pieces = [Piece(tone(400, lead_ms=100, tail_ms=300), "v", words=words) for _ in range(2)]
    for cue in stitch(pieces).placements:
        start = cue.start_ms
        times = [(word.start_ms - start, word.end_ms - start) for word in cue.words]
        # 95 ms were cut in front; the piece is guard, 400 ms and guard long.
        assert times == [(0, 55), (55, 325), (325, 445)]
        assert [(word.spoken_start, word.spoken_end) for word in cue.words] == [
            (0, 3),
            (4, 9),
            (10, 12),
        ]


def test_one_piece_has_half_a_second_at_both_ends():
    audio = stitch([Piece(tone(200), "v")])
    assert [(cue.start_ms, cue.end_ms) for cue in audio.placements] == [(500, 700)]
    assert audio.waveform.duration_ms == 1200


def test_a_last_incomplete_millisecond_is_kept():
    audio = stitch([Piece(Waveform(tone(300).samples[:4805], 24_000), "v")])
    assert [(cue.start_ms, cue.end_ms) for cue in audio.placements] == [(500, 701)]
    assert audio.waveform.samples[700 * 24 : 700 * 24 + 5].any()


def test_samples_stay_in_single_precision(long_track):
    assert stitch(pieces_of(2)).waveform.samples.dtype == np.float32
    assert long_track[0].samples.dtype == np.float32


def test_nothing_to_stitch_is_an_error():
    with pytest.raises(NarrationError) as caught:
        stitch(iter(()))
    assert caught.value.code == "empty_track"


def test_a_silent_piece_takes_no_time_and_no_second_gap():
    sound = Piece(tone(200), "v", passage="p")
    without = stitch([sound, sound])
    audio = stitch([sound, replace(sound, waveform=silence(700)), sound])
    assert audio.waveform.duration_ms == without.waveform.duration_ms
    assert [cue.end_ms - cue.start_ms for cue in audio.placements] == [200, 0, 200]
    assert audio.placements[::2] == without.placements


def test_only_silence_is_half_a_second_twice():
    assert stitch([Piece(silence(300), "v")]).waveform.duration_ms == 1000


@pytest.mark.parametrize("first", [tone(200), silence(0)], ids=["sound", "silence"])
def test_an_asked_pause_replaces_the_gap(first):
    audio = stitch([Piece(first, "v", pause_ms=1234), Piece(tone(200), "v")])
    before, after = audio.placements
    assert after.start_ms - before.end_ms == 1234


def test_a_pause_after_the_last_piece_is_kept():
    assert stitch([Piece(tone(200), "v", pause_ms=2000)]).waveform.duration_ms == 2700


@pytest.mark.parametrize(
    ("before", "after", "same", "gap"),
    [
        (Role.BODY, Role.BODY, True, 300),
        (Role.BODY, Role.BODY, False, 650),
        (Role.HEADING, Role.HEADING, True, 300),
        (Role.LIST_ITEM, Role.LIST_ITEM, False, 450),
        (Role.TABLE_ROW, Role.TABLE_ROW, False, 450),
        (Role.BODY, Role.LIST_ITEM, False, 650),
        (Role.LIST_ITEM, Role.BODY, False, 650),
        (Role.BODY, Role.HEADING, False, 900),
        (Role.HEADING, Role.BODY, False, 600),
        (Role.TITLE, Role.HEADING, False, 900),
    ],
)
def test_a_gap_follows_the_structure(before, after, same, gap):
    assert build_gap(before, after, same_passage=same) == gap


def test_a_policy_may_change_gaps():
    gaps = build_gaps({"sentence_ms": 0, "ends_ms": 10})
    assert gaps == Gaps(sentence_ms=0, ends_ms=10)
    assert gaps.paragraph_ms == DEFAULT_GAPS.paragraph_ms
    audio = stitch([Piece(tone(200), "v", passage="p")] * 2, gaps)
    assert [(cue.start_ms, cue.end_ms) for cue in audio.placements] == [(10, 210), (210, 410)]


@pytest.mark.parametrize("wrong", [{"sentnce_ms": 1}, {"ends_ms": -1}, {"ends_ms": "1"}])
def test_a_wrong_gap_is_named(wrong):
    with pytest.raises(ConfigurationError, match=next(iter(wrong))):
        build_gaps(wrong)


def test_pydub_is_imported_quietly():
    code = "import narration.audio.stitch"
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
