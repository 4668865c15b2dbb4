"""Speech of a small StyleTTS2: its length, its words, its chance, its voices, its misfortunes."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from narration.engines.hygiene import find_words
from narration.engines.latents import encode_latents, get_latents_path
from narration.engines.styletts2 import StyleTTS2Engine, styles
from narration.engines.styletts2.script import number_symbols, write_script
from narration.exceptions import EngineError, UnsupportedUtterance
from narration.values import Utterance, Waveform

HELLO = Utterance("Good morning, everyone — hello.", "en", "sampled-1")
VOICE = "@" + "a" * 64
DEFAULTS = {key: spec.default for key, spec in StyleTTS2Engine.settings.items()}


def load(models_dir, **options):
    engine = StyleTTS2Engine({"models_dir": str(models_dir), "device": "cpu", **options})
    engine.load()
    return engine


@pytest.fixture(scope="module")
def engine(styletts2_models):
    return load(styletts2_models)


@pytest.fixture(scope="module")
def speaker(engine):
    return engine._get_speaker()


@pytest.fixture
def cloned(styletts2_models):
    """A cloned voice without latents, and where they would lie."""
    path = get_latents_path(str(styletts2_models), VOICE)
    path.parent.mkdir(exist_ok=True)
    yield path
    path.unlink(missing_ok=True)


def build_voice(hertz, seconds=2.0, rate=24_000):
    at = np.arange(int(seconds * rate)) / rate
    tone = sum(np.sin(2 * np.pi * hertz * n * at) / n for n in range(1, 8))
    return Waveform((0.1 * tone * (1.2 + np.sin(9 * at))).astype(np.float32), rate)


def read(speaker, text, **settings):
    with torch.inference_mode():
        return speaker.predict(
            number_symbols(write_script(text).symbols),
            speaker.styles["sampled-1"],
            {**DEFAULTS, **settings},
            torch.Generator().manual_seed(3),
        )


def get_bytes(result):
    return result.waveform.samples.tobytes()


# Time.


def test_samples_and_words_are_as_long_as_the_predicted_frames(speaker):
    script = write_script(HELLO.text)
    reading = read(speaker, HELLO.text)
    result = speaker.speak(
        HELLO.text, speaker.styles["sampled-1"], DEFAULTS, torch.Generator().manual_seed(3)
    )
    # 25 ms a frame, and 50 samples of click cut off.
    assert len(result.waveform.samples) == int(reading.frames.sum()) * 600 - 50
    words = [HELLO.text[word.spoken_start : word.spoken_end] for word in result.words]
    assert words == HELLO.text.split()
    for word, (first, last) in zip(result.words, script.words, strict=True):
        # One frame of padding's place in front, one of delay.
        began = int(reading.frames[: first + 1].sum()) + 1
        lasted = int(reading.frames[first + 1 : last + 1].sum())
        assert (word.start_ms, word.end_ms - word.start_ms) == (began * 25, lasted * 25)
    assert result.words[3].start_ms == result.words[3].end_ms  # the dash


def test_speed_divides_durations(speaker):
    def count(speed):
        return int(read(speaker, HELLO.text, speed=speed).frames.sum())

    assert count(0.5) > 1.8 * count(1)
    assert count(2) < 0.7 * count(1)


def test_a_symbol_at_the_longest_it_can_be_is_told(speaker, monkeypatch):
    assert not read(speaker, "Hi.").is_clipped
    layer = speaker.package.modules["predictor"].duration_proj.linear_layer
    monkeypatch.setitem(layer._parameters, "bias", layer.bias + 20)
    reading = read(speaker, "Hi.")
    assert reading.is_clipped
    assert int(reading.frames.max()) == 50


def test_more_symbols_than_plbert_reads_are_refused_not_cut(engine):
    with pytest.raises(UnsupportedUtterance) as refused:
        engine.speak(replace(HELLO, text="1234567 " * 37))
    assert refused.value.code == "text_too_long"
    assert "512" in refused.value.message


# Chance.


def test_chance_is_the_utterance_s_whatever_came_before(engine):
    first = engine.speak(HELLO)
    torch.manual_seed(9)
    before = torch.get_rng_state()
    assert get_bytes(engine.speak(HELLO)) == get_bytes(first)
    assert torch.equal(torch.get_rng_state(), before)
    assert get_bytes(engine.speak(replace(HELLO, attempt=1))) != get_bytes(first)


def test_sampled_voices_differ_and_are_found_again(speaker):
    found = [styles.sample_style(speaker.package, seed) for seed in (1, 2, 3)]
    for style, kept in zip(found, speaker.styles.values(), strict=True):
        np.testing.assert_array_equal(style, kept)
    assert not np.allclose(found[0], found[1], atol=0.01)


# Cloned voices.


def test_a_cloned_voice_speaks_with_its_latents_only(engine, cloned):
    utterance = replace(HELLO, voice=VOICE)
    with pytest.raises(EngineError) as missing:
        engine.speak(utterance)
    assert missing.value.code == "latents_missing"
    latents = engine.clone([build_voice(110)])
    cloned.write_bytes(encode_latents(latents).data)
    result = engine.speak(utterance)
    assert np.isfinite(result.waveform.samples).all()
    cloned.write_bytes(encode_latents({"ref_s": np.zeros(7, np.float32)}).data)
    engine._shelf._kept.clear()
    with pytest.raises(EngineError) as damaged:
        engine.speak(utterance)
    assert damaged.value.code == "latents_damaged"


def test_latents_are_the_recordings_at_any_rate(engine):
    low = engine.clone([build_voice(110)])
    assert low["ref_s"].shape == (256,)
    assert low["ref_s"].dtype == np.float32
    assert np.array_equal(engine.clone([build_voice(110)])["ref_s"], low["ref_s"])
    resampled = engine.clone([build_voice(110, rate=48_000)])["ref_s"]
    distance = np.abs(engine.clone([build_voice(330)])["ref_s"] - low["ref_s"]).max()
    assert np.abs(resampled - low["ref_s"]).max() < 0.2 * distance


def test_longer_recordings_count_more_and_are_seen_in_pieces(speaker, monkeypatch):
    seen = []

    def encode(_package, samples):
        seen.append(len(samples))
        return np.full(256, len(samples), np.float32)

    monkeypatch.setattr(styles, "encode_style", encode)
    style = styles.imitate(speaker.package, [build_voice(110, 70), build_voice(110, 2)])
    assert seen == [720_000, 720_000, 240_000, 48_000]
    assert style[0] == pytest.approx(np.average(seen, weights=seen), rel=1e-4)


def test_a_recording_without_a_second_of_speech_is_refused(engine):
    silence = np.zeros(24_000 * 5, np.float32)
    short = build_voice(110, 0.5).samples
    quiet = Waveform(np.concatenate([silence, short, silence]), 24_000)
    for recordings in ([build_voice(110, 0.5)], [quiet]):
        with pytest.raises(EngineError) as refused:
            engine.clone(recordings)
        assert refused.value.code == "recording_too_short"


# Misfortunes, injected: there is no card here to run out of memory.


def test_out_of_memory_the_sentence_is_spoken_in_pieces(engine, speaker, monkeypatch):
    decode = speaker.decode

    def decode_little(reading, generator):
        if reading.text.shape[-1] > 50:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB.")
        return decode(reading, generator)

    monkeypatch.setattr(speaker, "decode", decode_little)
    result = engine.speak(HELLO)
    assert result.evidence["split"] > 1
    spans = [(word.spoken_start, word.spoken_end) for word in result.words]
    assert spans == find_words(HELLO.text)
    times = [time for word in result.words for time in (word.start_ms, word.end_ms)]
    assert times == sorted(times)
    assert times[-1] <= result.waveform.duration_ms


@pytest.mark.parametrize(
    ("message", "code"),
    [
        ("CUDA out of memory. Tried to allocate 2.00 GiB.", "out_of_memory"),
        ("CUDA error: an illegal memory access was encountered", "device_lost"),
    ],
)
def test_what_torch_throws_is_told_in_our_words(engine, speaker, monkeypatch, message, code):
    def fail(*_):
        raise RuntimeError(message)

    monkeypatch.setattr(speaker, "decode", fail)
    with pytest.raises(EngineError) as told:
        engine.speak(HELLO)
    assert told.value.code == code
    assert not told.value.is_permanent


def test_without_the_gpu_it_was_told_to_use_it_does_not_load(styletts2_models):
    if torch.cuda.is_available():
        pytest.skip("there is a GPU")
    with pytest.raises(EngineError) as refused:
        load(styletts2_models, device="cuda")
    assert refused.value.code == "no_gpu"


# Profiles.


def test_half_precision_changes_the_sound_and_not_the_reading(engine, styletts2_models):
    half = load(styletts2_models, profile="gpu-bf16")
    whole, rough = engine.speak(HELLO), half.speak(HELLO)
    assert get_bytes(whole) != get_bytes(rough)
    one = read(engine._get_speaker(), HELLO.text)
    other = read(half._get_speaker(), HELLO.text)
    assert torch.equal(one.pitch, other.pitch)
    assert torch.equal(one.frames, other.frames)


def test_it_tells_what_it_holds(engine):
    facts = engine.measure()
    assert facts["device"] == "cpu"
    assert 0 < facts["memory"] < facts["memory_total"]
    assert StyleTTS2Engine(engine.options).measure() == {}
