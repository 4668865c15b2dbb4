from __future__ import annotations

import numpy as np
import pytest

from narration.audio.loudness import Loudness, level, level_voices, measure
from narration.audio.stitch import Piece, stitch
from narration.values import Waveform

from .samples import silence, speech, tone


def test_a_sine_measures_as_the_standard_says():
    """BS.1770: 997 Hz at 0 dBFS in one channel is −3.01 LUFS."""
    found = measure(tone(3000, 48_000, level=0.1, hertz=997))
    assert found.lufs == pytest.approx(-23.01, abs=0.1)


@pytest.mark.parametrize("rate", [22_050, 24_000, 48_000])
def test_a_peak_between_samples_is_found(rate):
    """A quarter of the rate, sampled 45 degrees off its crest: 3 dB over the greatest sample."""
    phase = np.arange(rate) * np.pi / 2 + np.pi / 4
    rise = np.minimum(1, np.arange(rate) / 2400)
    waveform = Waveform((0.25 * rise * np.sin(phase)).astype(np.float32), rate)
    assert measure(waveform, with_true_peak=False).true_peak_db == pytest.approx(-15.05, abs=0.05)
    assert measure(waveform).true_peak_db == pytest.approx(-12.04, abs=0.2)


@pytest.mark.parametrize("gain_db", [-45, -20, 0])
def test_a_gain_moves_the_measure_by_itself(gain_db):
    whole = speech(4000, level=0.1)
    scaled = Waveform(whole.samples * np.float32(10 ** (gain_db / 20)), 24_000)
    before, after = measure(whole), measure(scaled)
    assert after.lufs == pytest.approx(before.lufs + gain_db, abs=0.02)
    assert after.true_peak_db == pytest.approx(before.true_peak_db + gain_db, abs=0.02)


@pytest.mark.parametrize(
    "odd",
    [
        silence(0),
        silence(2000),
        tone(1),
        tone(99),
        tone(399),
        tone(2000, level=1e-5),
        Waveform(np.full(48_000, np.nan, np.float32), 24_000),
        Waveform(np.full(1, np.inf, np.float32), 24_000),
    ],
    ids=["empty", "silence", "1 ms", "99 ms", "399 ms", "faint", "nan", "inf"],
)
def test_an_odd_sound_has_no_loudness_and_no_error(odd):
    assert measure(odd).lufs is None


def test_400_ms_are_enough():
    assert measure(tone(400)).lufs is not None


@pytest.mark.parametrize("loud", [0.006, 0.05, 0.12])
def test_a_track_reaches_the_target(loud):
    pieces = [Piece(speech(2500, level=loud, seed=seed), "v") for seed in range(8)]
    levelled = level(stitch(pieces))
    assert levelled.loudness == measure(levelled.waveform)
    assert levelled.loudness.lufs == pytest.approx(-19, abs=0.2)
    assert levelled.loudness.true_peak_db <= -1
    assert levelled.shortfall_lu == 0


def test_what_is_too_faint_is_not_raised_for_ever():
    levelled = level(stitch([Piece(speech(2500, level=0.002), "v")]))
    assert levelled.gain_db == 30
    assert levelled.shortfall_lu == 0


def test_where_the_peak_forbids_the_peak_wins_and_the_shortfall_is_told():
    whole = speech(6000, level=0.02)
    whole.samples[3000::24_000] = 0.9
    levelled = level(stitch([Piece(whole, "v")]))
    assert levelled.loudness.true_peak_db == pytest.approx(-1, abs=0.1)
    assert levelled.loudness.true_peak_db <= -1
    assert levelled.shortfall_lu > 3
    assert levelled.loudness.lufs == pytest.approx(-19 - levelled.shortfall_lu, abs=0.2)


def test_voices_are_matched_and_a_voice_keeps_its_own_expression():
    loud, soft, softer = 0.2, 0.02, 0.01
    pieces = [
        Piece(speech(1500, level=amount, seed=seed), voice)
        for seed, (voice, amount) in enumerate(
            [("loud", loud), ("soft", soft), ("loud", loud), ("soft", softer)] * 4
        )
    ]
    audio = stitch(pieces)
    levelled = level(audio)
    parts = {"loud": [], "soft": []}
    for cue in audio.placements:
        parts[cue.voice].append(levelled.waveform.samples[cue.start_ms * 24 : cue.end_ms * 24])
    found = {
        voice: measure(Waveform(np.concatenate(some), 24_000)).lufs for voice, some in parts.items()
    }
    assert found["loud"] == pytest.approx(found["soft"], abs=0.1)
    energies = [np.sqrt(np.mean(part**2)) for part in parts["soft"][:2]]
    assert energies[0] / energies[1] == pytest.approx(soft / softer, rel=0.05)
    assert levelled.loudness.lufs == pytest.approx(-19, abs=0.2)


def test_a_voice_of_one_short_word_is_matched_too():
    pieces = [
        Piece(speech(4000, level=0.1), "long"),
        Piece(speech(300, level=0.01, seed=2), "short"),
    ]
    gains = level_voices(stitch(pieces))
    assert gains["short"] - gains["long"] == pytest.approx(20, abs=2)


def test_one_voice_needs_no_gain_of_its_own():
    assert level_voices(stitch([Piece(speech(900), "v")] * 3)) == {"v": 0.0}


def test_a_silent_voice_is_left_alone():
    pieces = [Piece(speech(2000, level=0.05), "v"), Piece(silence(500), "mute")]
    assert level_voices(stitch(pieces))["mute"] == 0


def test_only_silence_stays_silent():
    levelled = level(stitch([Piece(silence(400), "v")]))
    assert levelled.loudness == Loudness(None, -120.0)
    assert not levelled.waveform.samples.any()
    assert levelled.shortfall_lu == 0


def test_the_input_is_not_changed():
    audio = stitch([Piece(speech(900, level=0.02), "a"), Piece(speech(900), "b")])
    before = audio.waveform.samples.copy()
    level(audio)
    np.testing.assert_array_equal(audio.waveform.samples, before)
