from __future__ import annotations

import numpy as np
import pytest

from narration.audio.trim import LEAD_GUARD_MS, TAIL_GUARD_MS, find_speech, trim
from narration.values import Waveform

from .samples import padded, silence, speech, tone


@pytest.mark.parametrize("rate", [16_000, 22_050, 24_000, 48_000])
def test_silence_goes_and_guards_stay(rate):
    start, end = find_speech(tone(600, rate, lead_ms=250, tail_ms=400))
    assert start == pytest.approx(250 - LEAD_GUARD_MS, abs=1)
    assert end == pytest.approx(850 + TAIL_GUARD_MS, abs=1)


def test_what_was_cut_before_is_told_and_the_rest_is_untouched():
    given = speech(800, lead_ms=300, tail_ms=300)
    trimmed = trim(given)
    cut = trimmed.lead_ms * 24
    length = len(trimmed.waveform.samples)
    np.testing.assert_array_equal(trimmed.waveform.samples, given.samples[cut : cut + length])
    assert 280 <= trimmed.lead_ms <= 300


def test_a_lopsided_wave_does_not_make_its_silence_loud():
    half = np.maximum(tone(400).samples, 0)
    start, end = find_speech(padded(half, 24_000, 250, 250))
    assert start >= 240
    assert end <= 700


def test_speech_without_silence_keeps_its_ends():
    given = tone(300)
    assert trim(given).lead_ms == 0
    assert len(trim(given).waveform.samples) == len(given.samples)


def test_a_soft_consonant_before_a_vowel_is_kept():
    vowel = tone(300, level=0.5).samples
    consonant = speech(120, level=0.5 * 10 ** (-36 / 20), seed=3).samples
    given = padded(np.concatenate([consonant, vowel]), 24_000, 200, 200)
    assert find_speech(given)[0] <= 200


def test_the_end_of_a_fading_vowel_is_kept():
    fading = tone(600).samples * np.logspace(0, -2.2, 600 * 24, dtype=np.float32)
    assert find_speech(padded(fading, 24_000, 0, 300))[1] >= 600


@pytest.mark.parametrize(
    "given",
    [
        silence(500),
        silence(0),
        Waveform(np.full(12_000, 0.3, np.float32), 24_000),
        Waveform(np.full(12_000, np.nan, np.float32), 24_000),
        speech(500, level=10 ** (-85 / 20)),
    ],
    ids=["zeros", "empty", "constant", "nan", "noise floor"],
)
def test_silence_of_any_kind_leaves_nothing(given):
    assert find_speech(given) == (0, 0)
    assert len(trim(given).waveform.samples) == 0


def test_a_tone_at_a_constant_offset_is_found():
    given = tone(300, hertz=1500, lead_ms=200, tail_ms=200)
    shifted = Waveform(given.samples + np.float32(0.2), 24_000)
    start, end = find_speech(shifted)
    assert start <= 200
    assert end >= 500
