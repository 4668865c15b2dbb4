"""The engine's way: published files made ours, loading, cloning, what it refuses and tells."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
import torch
from TTS.tts.configs.xtts_config import XttsConfig
from TTS.tts.models.xtts import Xtts

from narration.engines.latents import encode_latents, get_latents_path
from narration.engines.models import read_card
from narration.engines.xtts import XttsEngine
from narration.engines.xtts.checkpoint import build_model, pick_weights
from narration.engines.xtts.convert import convert
from narration.exceptions import EngineError, UnsupportedUtterance
from narration.values import Utterance, Waveform
from tests.neural.checkpoints_xtts import LANGUAGES, SPEAKERS

TEXT = "The quick brown fox."
CLONED = "@" + "c" * 64


@pytest.fixture(scope="module")
def published(xtts_models):
    return xtts_models.parent / "published"


@pytest.fixture(scope="module")
def engine(xtts_models):
    engine = XttsEngine({"device": "cpu", "models_dir": str(xtts_models)})
    engine.load()
    yield engine
    engine.close()


@pytest.fixture
def copy(published, tmp_path):
    """Published files of one's own, to damage."""
    return shutil.copytree(published, tmp_path / "published", copy_function=link)


def link(source, target):
    """Large files need not be copied: they are only ever replaced."""
    shutil.copy2(source, target) if target.endswith(".json") else os.link(source, target)


def build_recording(seconds=1.5, rate=44_100, seed=0):
    noise = np.random.default_rng(seed).standard_normal(int(seconds * rate))
    return Waveform((0.1 * noise).astype(np.float32), rate)


# Converting.


def test_the_library_itself_loads_what_the_tests_publish_and_we_have_the_same(
    published, tmp_path, engine
):
    """The generated files are in the published format: the library's own loading accepts them."""
    shutil.copytree(published, tmp_path / "theirs")  # it rewrites the checkpoint
    config = XttsConfig()
    config.load_json(tmp_path / "theirs" / "config.json")
    theirs = Xtts(config)
    theirs.load_checkpoint(config, checkpoint_dir=tmp_path / "theirs")
    ours = build_model(published)
    ours.load_state_dict(pick_weights(theirs.state_dict()))
    voice = theirs.speaker_manager.speakers[SPEAKERS[0]]
    loaded = engine._get_loaded()
    kept = loaded.get_voice(SPEAKERS[0])
    assert torch.equal(kept.prompt, voice["gpt_cond_latent"])
    assert torch.equal(kept.embedding, voice["speaker_embedding"])
    for key, weight in theirs.gpt.state_dict().items():
        if not key.startswith(("gpt_inference.", "gpt.wte.")):
            assert torch.equal(weight, loaded.model.gpt.state_dict()[key]), key
    with torch.inference_mode():
        latents = torch.randn(1, 3, 128)
        sound = theirs.hifigan_decoder(latents, g=kept.embedding).flatten().numpy()
    # Weight norm is folded in ours.
    np.testing.assert_allclose(loaded.vocode(latents, kept), sound, atol=1e-5)


def test_the_card_tells_voices_languages_and_defaults(xtts_models):
    card = read_card({"models_dir": str(xtts_models)}, XttsEngine.model)
    assert [voice.name for voice in card.voices] == list(SPEAKERS)
    assert set(card.facts["languages"]) == set(LANGUAGES)
    assert card.facts["defaults"]["repetition_penalty"] == 5.0
    assert set(card.files) == {
        *("config.json", "vocab.json", "model.safetensors", "speakers.safetensors")
    }


@pytest.mark.parametrize("name", ["config.json", "vocab.json", "model.pth", "speakers_xtts.pth"])
def test_a_published_file_that_is_missing_or_something_else_is_named(copy, tmp_path, name):
    (copy / name).unlink()
    with pytest.raises(EngineError, match=name) as missing:
        convert(copy, tmp_path / "target")
    assert missing.value.code == "model_missing"
    (copy / name).write_bytes(b"{}garbage")  # a new file: the link is gone
    with pytest.raises(EngineError, match=name) as damaged:
        convert(copy, tmp_path / "target")
    assert damaged.value.code == "model_damaged"


@pytest.mark.parametrize(
    ("key", "value"),
    [("gpt_use_perceiver_resampler", False), ("output_sample_rate", 16_000), ("gpt_layers", 3)],
)
def test_another_models_configuration_is_refused(copy, tmp_path, key, value):
    config = json.loads((copy / "config.json").read_text())
    config["model_args"][key] = value
    (copy / "config.json").write_text(json.dumps(config))
    with pytest.raises(EngineError) as error:
        convert(copy, tmp_path / "target")
    assert error.value.code == "model_damaged"


def test_weights_are_found_under_their_older_names():
    state = {"xtts.gpt.a": 1, "b.weight_g": 2, "b.weight_v": 3, "dvae.x": 4, "gpt.gpt.wte.w": 5}
    assert pick_weights(state) == {
        "gpt.a": 1,
        "b.parametrizations.weight.original0": 2,
        "b.parametrizations.weight.original1": 3,
    }


# Describing and loading.


def test_it_is_described_without_any_of_its_libraries(xtts_models):
    """A web machine plans with the card alone."""
    code = (
        "import sys; sys.modules['torch'] = sys.modules['TTS'] = None\n"
        "from narration.engines.xtts import XttsEngine\n"
        "facts = XttsEngine.describe({'models_dir': sys.argv[1], 'profile': 'gpu-bf16'})\n"
        "assert facts.profile == 'gpu-bf16' and facts.terms.is_non_commercial\n"
        "assert 'safetensors' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", code, str(xtts_models)], check=True)


@pytest.mark.parametrize(
    "options", [{"device": "tpu"}, {"profile": "int8"}, {"batch": 3}, {"device": "cuda:x"}]
)
def test_a_wrong_option_is_refused_at_once(xtts_models, options):
    with pytest.raises(EngineError) as error:
        XttsEngine.describe({"models_dir": str(xtts_models), **options})
    assert error.value.code == "bad_option"


def test_each_language_has_its_own_limit(engine):
    facts = engine.facts
    assert facts.max_characters == 71
    assert facts.get_max_characters("pt-BR") == 203
    assert facts.get_max_characters("en") == 250


def test_a_file_cut_short_is_told_before_anything_is_loaded(xtts_models, tmp_path):
    models = shutil.copytree(xtts_models, tmp_path / "models")
    path = models / "xtts_v2" / "model.safetensors"
    with path.open("r+b") as file:
        file.truncate(path.stat().st_size - 1)
    with pytest.raises(EngineError, match="models verify") as error:
        XttsEngine({"device": "cpu", "models_dir": str(models)}).load()
    assert error.value.code == "model_damaged"


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_without_a_gpu_it_says_so_and_takes_the_processor_only_where_allowed(xtts_models):
    options = {"models_dir": str(xtts_models)}
    with pytest.raises(EngineError) as error:
        XttsEngine(options).load()
    assert error.value.code == "no_gpu"
    allowed = XttsEngine({**options, "allow_cpu": True, "profile": "gpu-bf16"})
    allowed.load()
    said = allowed.speak(Utterance(TEXT, "en", SPEAKERS[0]))
    assert said.device == "cpu"
    again = allowed.speak(Utterance(TEXT, "en", SPEAKERS[0]))
    assert np.array_equal(said.waveform.samples, again.waveform.samples)
    assert allowed.measure()["memory"] > 0


# Speaking.


def test_evidence_tells_tokens_loop_and_no_limit(engine):
    result = engine.speak(Utterance(TEXT, "en", SPEAKERS[0]))
    assert result.evidence["hit_limit"] is False
    assert result.evidence["tokens"] > 1
    assert result.evidence["loop"] >= 0


def test_who_runs_into_the_limit_says_so(engine, monkeypatch):
    monkeypatch.setattr(engine._get_loaded().decoder, "limit", 3)
    result = engine.speak(Utterance(TEXT, "en", SPEAKERS[0]))
    assert result.evidence["hit_limit"] is True
    assert result.evidence["tokens"] == 3


def test_what_was_said_before_and_the_global_chance_change_nothing(engine):
    wanted = Utterance(TEXT, "en", SPEAKERS[0])
    heard = engine.speak(wanted).waveform.samples
    torch.manual_seed(99)
    before = torch.get_rng_state()
    engine.speak(replace(wanted, text="Something else.", voice=SPEAKERS[1]))
    assert np.array_equal(engine.speak(wanted).waveform.samples, heard)
    assert torch.equal(torch.get_rng_state(), before)


def test_another_attempt_is_another_sound(engine):
    wanted = Utterance(TEXT, "en", SPEAKERS[0])
    first, second = (engine.speak(replace(wanted, attempt=n)).waveform.samples for n in (0, 1))
    assert not np.array_equal(first, second)


@pytest.mark.parametrize("key", ["temperature", "top_k", "top_p", "repetition_penalty", "speed"])
def test_every_setting_reaches_the_sound_by_itself(engine, monkeypatch, key):
    """With the same chance for all: a seed of the settings alone would change the sound too."""
    monkeypatch.setattr(
        "narration.engines.xtts.engine.build_generator",
        lambda facts, utterance: torch.Generator().manual_seed(5),
    )
    spec = engine.facts.settings[key]
    wanted = Utterance(TEXT, "en", SPEAKERS[0])
    heard = {
        engine.speak(replace(wanted, settings={key: value})).waveform.samples.tobytes()
        for value in (spec.minimum, spec.default, spec.maximum)
    }
    assert len(heard) >= 2 if key != "speed" else len(heard) == 3


def test_half_the_speed_is_twice_as_long(engine, monkeypatch):
    monkeypatch.setattr(
        "narration.engines.xtts.engine.build_generator",
        lambda facts, utterance: torch.Generator().manual_seed(5),
    )
    wanted = Utterance(TEXT, "en", SPEAKERS[0])
    plain, slow = (
        engine.speak(replace(wanted, settings=settings)).waveform.duration_ms
        for settings in ({}, {"speed": 0.5})
    )
    assert slow == pytest.approx(2 * plain, rel=0.02)


def test_too_many_tokens_are_refused_not_cut(engine):
    with pytest.raises(UnsupportedUtterance) as error:
        engine.speak(Utterance("9" * 60 + " 8" * 60, "en", SPEAKERS[0]))
    assert error.value.code in {"text_too_long", "unfit_text"}


def test_out_of_memory_is_spoken_in_pieces(engine, monkeypatch):
    loaded = engine._get_loaded()
    speak = loaded.speak

    def fail_when_long(tokens, *args):
        if len(tokens) > 30:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 MiB.")
        return speak(tokens, *args)

    monkeypatch.setattr(loaded, "speak", fail_when_long)
    result = engine.speak(
        Utterance("The quick brown fox, and the lazy old dog.", "en", SPEAKERS[0])
    )
    assert result.evidence["split"] == 2


@pytest.mark.parametrize("allowed", [True, False])
def test_a_full_card_leaves_to_the_processor_only_where_allowed(engine, monkeypatch, allowed):
    """Fault-injected: the loaded model plays a card that has no room for any piece."""

    def fail(*args):
        raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 MiB.")

    loaded = engine._get_loaded()
    wanted = Utterance(TEXT, "en", SPEAKERS[0])
    heard = engine.speak(wanted).waveform.samples
    monkeypatch.setattr(loaded, "device", torch.device("cuda"))
    monkeypatch.setattr(loaded, "speak", fail)
    monkeypatch.setitem(engine.options, "allow_cpu", allowed)
    if allowed:
        result = engine.speak(wanted)
        assert result.device == "cpu"
        assert result.evidence["on_cpu"]  # the author is told
        assert np.array_equal(result.waveform.samples, heard)
    else:
        with pytest.raises(EngineError, match="20,971,520 bytes") as error:
            engine.speak(wanted)
        assert error.value.code == "out_of_memory"


def test_a_lost_card_is_told_by_its_code(engine, monkeypatch):
    def fail(*args):
        raise RuntimeError("CUDA error: an illegal memory access was encountered")

    monkeypatch.setattr(engine._get_loaded(), "speak", fail)
    with pytest.raises(EngineError) as error:
        engine.speak(Utterance(TEXT, "en", SPEAKERS[0]))
    assert error.value.code == "device_lost"


# Cloning.


def put(xtts_models, arrays):
    path = get_latents_path(str(xtts_models), CLONED)
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(encode_latents(arrays).data)
    return path


def test_a_cloned_voice_is_the_librarys_and_speaks(engine, xtts_models, tmp_path, monkeypatch):
    recordings = [build_recording(), build_recording(2.0, 22_050, seed=1)]
    latents = engine.clone(recordings)
    assert {key: value.shape for key, value in latents.items()} == {
        "gpt_cond_latent": (1, 32, 128),
        "speaker_embedding": (1, 512, 1),
    }
    again = engine.clone(recordings)
    assert all(np.array_equal(latents[key], again[key]) for key in latents)
    # The library reads files: it is handed the same sound where it would.
    sounds = iter(recordings)

    def read(path, rate):
        import torchaudio

        sound = next(sounds)
        samples = torch.from_numpy(sound.samples)[None]
        return torchaudio.functional.resample(samples, sound.sample_rate, rate).clip(-1, 1)

    monkeypatch.setattr("TTS.tts.models.xtts.load_audio", read)
    model = engine._get_loaded().model
    theirs = model.get_conditioning_latents(
        ["a", "b"],
        max_ref_length=model.config.max_ref_len,
        gpt_cond_len=model.config.gpt_cond_len,
        gpt_cond_chunk_len=model.config.gpt_cond_chunk_len,
    )
    for ours, wanted in zip(latents.values(), theirs, strict=True):
        np.testing.assert_allclose(ours, wanted.numpy(), atol=1e-6)
    path = put(xtts_models, latents)
    wanted = Utterance(TEXT, "pt-BR", CLONED)
    heard = engine.speak(wanted).waveform
    assert heard.duration_ms > 0
    path.unlink()
    with pytest.raises(EngineError) as gone:
        engine.speak(wanted)
    assert gone.value.code == "latents_missing"


def test_different_recordings_give_different_voices(engine):
    first, second = (engine.clone([build_recording(seed=n)]) for n in (0, 1))
    assert all(not np.allclose(first[key], second[key], atol=1e-6) for key in first)


@pytest.mark.parametrize("recordings", [[], [build_recording(0.2)]])
def test_too_little_of_a_voice_is_refused(engine, recordings):
    with pytest.raises(EngineError) as error:
        engine.clone(recordings)
    assert error.value.code == "recording_too_short"


@pytest.mark.parametrize(
    "arrays",
    [
        {"hertz": np.zeros(1, np.float32)},
        {
            "gpt_cond_latent": np.zeros((1, 32, 64), np.float32),
            "speaker_embedding": np.zeros((1, 512, 1), np.float32),
        },
    ],
)
def test_latents_of_another_engine_are_refused(engine, xtts_models, arrays):
    path = put(xtts_models, arrays)
    try:
        with pytest.raises(EngineError) as error:
            engine.speak(Utterance(TEXT, "en", CLONED))
        assert error.value.code == "latents_damaged"
    finally:
        path.unlink()
