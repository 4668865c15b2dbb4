"""The quality gate hears planted faults, and leaves real speech alone."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as nst

from narration.audio.gate import (
    ESPEAK,
    NEURAL,
    TONES,
    Thresholds,
    get_thresholds,
    judge,
)
from narration.audio.pace import expect_speech, has_repetition
from narration.markup import render
from narration.speaking import EngineProcess
from narration.text import NO_LEXICON, cut_parts, cut_runs, say_runs
from narration.values import EngineConfig, Utterance, Waveform
from tests.audio.samples import tone

DEMO = Path(__file__).parents[2] / "courses" / "demo"

TEXTS = [
    ("en", "It has no eardrum, no cochlea, and no idea of what a violin might be."),
    ("en", "The figure shows the same moment twice."),
    ("en", "Somebody at the back stumbles, and a bump runs forward through the whole line."),
    ("pt-BR", "A conta chega, todo mês, e quase ninguém a lê até o fim."),
    ("pt-BR", "Muitos aparelhos gastam energia mesmo quando ninguém os usa."),
    ("pt-BR", "Como a água da represa vira eletricidade na tomada da sua casa?"),
]
SHORT = [("en", "No."), ("en", "Yes!"), ("pt-BR", "Sim!"), ("pt-BR", "Não."), ("en", "f of x")]
VOICES = {"en": "en-us", "pt-BR": "pt-br"}


@pytest.fixture(scope="module")
def espeak():
    config = EngineConfig("espeak", "narration.engines.espeak.EspeakEngine")
    with EngineProcess(config) as engine:
        yield engine


@pytest.fixture(scope="module")
def say(espeak):
    spoken = {}

    def say(language, text, **chosen):
        key = (language, text, *sorted(chosen.items()))
        if key not in spoken:
            utterance = Utterance(text, language, VOICES[language], chosen)
            spoken[key] = espeak.speak(utterance, timeout=60).waveform
        return spoken[key]

    return say


def change(waveform, samples):
    return Waveform(np.asarray(samples, np.float32), waveform.sample_rate)


def find_loud(waveform, share):
    """The loudest place within 60 ms of a share of the way: inside a vowel."""
    rate, samples = waveform.sample_rate, waveform.samples
    middle, reach = int(share * len(samples)), rate * 60 // 1000
    return middle - reach + int(np.argmax(np.abs(samples[middle - reach : middle + reach])))


def mute(w):
    return change(w, w.samples * 0)


def whisper_away(w):
    return change(w, w.samples * 0.002)


def put_hole(w):
    at = len(w.samples) // 2
    hole = np.zeros(int(1.2 * w.sample_rate))
    return change(w, np.concatenate([w.samples[:at], hole, w.samples[at:]]))


def clip(w):
    return change(w, np.clip(w.samples * 3 / np.abs(w.samples).max(), -1, 1))


def clip_quietly(w):
    """Clipped somewhere inside the engine, then turned down: full scale is never reached."""
    return change(w, clip(w).samples * 0.5)


def truncate(w):
    return change(w, w.samples[: find_loud(w, 0.45)])


def cut_tail(w):
    return change(w, w.samples[: find_loud(w, 0.93)])


def loop(w):
    rate, at = w.sample_rate, int(len(w.samples) * 0.3)
    piece = w.samples[at : at + int(0.7 * rate)]
    parts = [w.samples[:at], *[piece] * 4, w.samples[at + len(piece) :]]
    return change(w, np.concatenate(parts))


def loop_roughly(w):
    """Again, never quite alike: a little faster or slower, louder or softer, with some noise."""
    rng, rate, at = np.random.default_rng(7), w.sample_rate, int(len(w.samples) * 0.3)
    piece = w.samples[at : at + int(0.7 * rate)]
    parts = [w.samples[:at]]
    for factor in (1.0, 0.985, 1.015, 0.99):
        places = np.arange(0, len(piece) - 1, factor)
        again = np.interp(places, np.arange(len(piece)), piece) * (1 + rng.uniform(-0.1, 0.1))
        parts.append(again + 0.001 * rng.standard_normal(len(again)))
    return change(w, np.concatenate(parts))


def stretch(w, factor=2.2):
    places = np.arange(0, len(w.samples) - 1, 1 / factor)
    return change(w, np.interp(places, np.arange(len(w.samples)), w.samples))


def squeeze(w):
    return stretch(w, 0.45)


def shift(w):
    return change(w, np.clip(w.samples * 0.5 + 0.1, -1, 1))


def add_noise(w):
    power = np.sqrt(np.mean(w.samples**2))
    noise = np.random.default_rng(3).standard_normal(len(w.samples))
    return change(w, w.samples + 0.3 * power * noise)


def replace_by_noise(w):
    noise = np.random.default_rng(3).standard_normal(len(w.samples))
    return change(w, 0.1 * noise)


def put_hiss(w):
    at, count = len(w.samples) // 3, int(0.6 * w.sample_rate)
    hiss = 0.1 * np.random.default_rng(3).standard_normal(count)
    return change(w, np.concatenate([w.samples[:at], hiss, w.samples[at + count :]]))


def stick(w):
    """One period of a vowel for almost a second, as a model that hangs."""
    at, period = find_loud(w, 0.5), w.sample_rate // 100
    piece = np.tile(w.samples[at : at + period], 90)
    return change(w, np.concatenate([w.samples[:at], piece, w.samples[at:]]))


FAULTS = {
    mute: "silent",
    whisper_away: "silent",
    put_hole: "pause",
    clip: "clipped",
    clip_quietly: "clipped",
    truncate: "too_short",
    cut_tail: "cut_off",
    loop: "repeats",
    loop_roughly: "repeats",
    stretch: "too_long",
    squeeze: "too_short",
    shift: "offset",
    add_noise: "noisy",
    replace_by_noise: "noisy",
    put_hiss: "hiss",
    stick: "drone",
}


@pytest.mark.parametrize(("language", "text"), TEXTS + SHORT)
def test_clean_speech_is_fine(say, language, text):
    judgement = judge(say(language, text), text, language, thresholds=ESPEAK)
    assert (judgement.verdict, judgement.findings, judgement.score) == ("ok", (), 0.0)
    assert judge(say(language, text), text, language).verdict == "ok"


def read_demo(every):
    """Every so many of the spoken sentences of the demo lessons, with their language."""
    for path in sorted(DEMO.glob("*/*.md")):
        language = path.parent.name
        spoken = []
        for passage in render(path.read_text(encoding="utf-8"), language).passages:
            for cut in cut_runs(passage.runs, language):
                runs = cut_parts(passage.runs, cut.start, cut.end)
                spoken.append(say_runs(runs, language, NO_LEXICON).text)
        yield from ((language, text) for text in spoken[::every] if any(map(str.isalnum, text)))


def test_the_lessons_of_the_demo_raise_no_false_alarm(say):
    judged = [
        judge(say(language, text), text, language, thresholds=limits)
        for language, text in read_demo(every=7)
        for limits in (ESPEAK, NEURAL)
    ]
    assert len(judged) > 200
    assert [judgement for judgement in judged if judgement.verdict != "ok"] == []


@pytest.mark.parametrize(("language", "text"), TEXTS)
@pytest.mark.parametrize("plant", FAULTS, ids=lambda plant: plant.__name__)
def test_a_planted_fault_is_caught(say, plant, language, text):
    judgement = judge(plant(say(language, text)), text, language, thresholds=ESPEAK)
    assert judgement.verdict == "flagged", judgement
    assert FAULTS[plant] in judgement.codes
    assert judgement.is_faulty
    assert judgement.score < 0


@pytest.mark.parametrize("rate", [80, 120, 250, 400])
def test_the_pace_that_was_asked_for_is_no_fault(say, rate):
    language, text = TEXTS[0]
    waveform = say(language, text, rate=rate)
    judged = judge(waveform, text, language, thresholds=ESPEAK, settings={"rate": rate})
    assert judged.verdict == "ok", judged.findings
    if rate in (80, 400):
        assert judge(waveform, text, language, thresholds=ESPEAK).verdict == "flagged"


def test_what_a_text_repeats_is_no_loop(say):
    text = "Uma conta, e outra conta, e outra conta, e outra conta."
    assert judge(say("pt-BR", text), text, "pt-BR", thresholds=ESPEAK).verdict == "ok"
    plain = "Uma casa amarela perto da praia, no fim de uma rua."
    assert "repeats" in judge(say("pt-BR", text), plain, "pt-BR", thresholds=ESPEAK).codes


@pytest.mark.parametrize("level", [0.0, 0.0003])
@pytest.mark.parametrize(("language", "text"), TEXTS)
def test_a_pause_is_no_repetition_and_may_be_long(say, language, text, level):
    hole = put_hole(say(language, text))
    hum = level * np.random.default_rng(1).standard_normal(len(hole.samples))
    assert judge(change(hole, hole.samples + hum), text, language).verdict == "ok"


def test_only_ears_can_tell_how_long_a_short_text_takes(say):
    language, text = TEXTS[0]
    judged = judge(say(language, text), "No.", language, thresholds=ESPEAK)
    assert (judged.verdict, judged.codes) == ("inconclusive", ("too_long",))
    assert not judged.is_faulty


def test_a_language_nobody_measured_gets_the_wide_limits(say):
    language, text = TEXTS[0]
    waveform = stretch(say(language, text), 1.9)
    assert "too_long" in judge(waveform, text, "en", thresholds=ESPEAK).codes
    assert "too_long" not in judge(waveform, text, "cy", thresholds=ESPEAK).codes


@pytest.mark.parametrize(
    ("evidence", "codes", "is_faulty"),
    [
        ({}, (), False),
        ({"hit_limit": False, "loop": 4, "split": 1, "on_cpu": False}, (), False),
        ({"split": 2}, ("split",), False),
        ({"on_cpu": True}, ("on_cpu",), False),
        ({"hit_limit": True}, ("hit_limit",), True),
        ({"loop": 60}, ("loop",), False),
        ({"loop": 400}, ("loop",), True),
        ({"loop": None}, (), False),
    ],
)
def test_what_the_engine_saw_counts_whatever_the_thresholds(say, evidence, codes, is_faulty):
    language, text = TEXTS[0]
    judged = judge(say(language, text), text, language, evidence=evidence)
    assert (judged.codes, judged.is_faulty) == (codes, is_faulty)


def test_thresholds_that_nobody_calibrated_only_doubt(say):
    language, text = TEXTS[0]
    longer = stretch(say(language, text), 2.6)
    doubted, sure = (judge(longer, text, language, thresholds=t) for t in (NEURAL, ESPEAK))
    assert (doubted.verdict, doubted.is_calibrated, doubted.is_faulty) == ("flagged", False, False)
    assert (sure.verdict, sure.is_calibrated, sure.is_faulty) == ("flagged", True, True)
    far_out = judge(stretch(longer), text, language)
    assert far_out.is_faulty


def test_the_better_attempt_has_the_higher_score(say):
    language, text = TEXTS[0]
    good = say(language, text)
    worse = [good, stretch(good, 2.6), stretch(good, 5), mute(good)]
    scores = [judge(w, text, language).score for w in worse]
    assert scores == sorted(scores, reverse=True)
    assert len(set(scores)) == len(scores)


def test_tones_are_no_speech_and_no_fault():
    judged = judge(tone(900, 16_000, level=0.3), "It rained.", "en", thresholds=TONES)
    assert judged.verdict == "ok"
    assert judge(tone(900, 16_000, level=0.3), "It rained.", "en").verdict == "flagged"


def test_of_a_new_engine_nobody_has_measured_anything():
    assert get_thresholds("espeak").is_calibrated
    for name in ("xtts", "styletts2", "whatever comes"):
        assert not get_thresholds(name).is_calibrated


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    samples=nst.arrays(np.float32, st.integers(1, 6000), elements=st.floats(-1, 1, width=32)),
    text=st.text(max_size=60),
    language=st.sampled_from(["en", "pt-BR", "zh-cn", "ja", "", "x-y-z"]),
    thresholds=st.sampled_from([ESPEAK, NEURAL, TONES]),
)
def test_any_sound_of_any_text_gets_a_verdict(
    samples: np.ndarray, text: str, language: str, thresholds: Thresholds
):
    judged = judge(Waveform(samples, 16_000), text, language, thresholds=thresholds)
    assert judged.verdict in ("ok", "flagged", "inconclusive")
    assert (judged.verdict == "ok") == (not judged.findings) == (judged.score == 0)
    assert np.isfinite(judged.score)


@pytest.mark.parametrize("samples", [[], [np.nan] * 4000, [np.inf] * 9000, [0.0]])
def test_what_is_no_sound_is_silent(samples):
    waveform = Waveform(np.array(samples, np.float32), 16_000)
    assert "silent" in judge(waveform, "It rained all day.", "en").codes


@pytest.mark.parametrize(
    ("text", "repeats"),
    [
        ("a very, very old house", True),
        ("zero dot zero dot one", True),
        ("A measurement, and another, and another", True),
        ("The rain in Spain stays in the plain.", False),
        ("", False),
    ],
)
def test_repetition_of_words_is_seen(text, repeats):
    assert has_repetition(text) == repeats


def test_capitals_may_be_a_word_or_letters_one_by_one():
    spelled, plain = expect_speech("NASA HTML", "en"), expect_speech("nasa html", "en")
    assert spelled.least_s == plain.least_s == plain.most_s < spelled.most_s


def test_signs_that_are_syllables_take_longer_than_letters():
    assert expect_speech("语音合成", "zh-cn").least_s > 2 * expect_speech("abcd", "xx").least_s
