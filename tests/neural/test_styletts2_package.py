"""What we step around in the ``styletts2`` package, and that the rest is what it does itself.

The tests named after a fault fail when the package has it no more: then its measure can go.
"""

from __future__ import annotations

import functools
import importlib.util
import pickle
import shutil
from pathlib import Path
from unittest import mock

import numpy as np
import pytest
import torch
import yaml

from narration.engines.neural.quiet import import_quietly
from narration.engines.styletts2 import package as ours
from narration.engines.styletts2.chance import OwnChance
from narration.engines.styletts2.script import number_symbols, write_script
from narration.engines.styletts2.speech import Speaker, _stretch
from narration.engines.styletts2.styles import build_mel, encode_style, trim_silence
from narration.exceptions import EngineError
from tests.neural.checkpoints_styletts2 import CHECKPOINT

SETTINGS = {"alpha": 0.3, "beta": 0.7, "diffusion_steps": 5, "embedding_scale": 1, "speed": 1}
TEXT = "The speed of light, they say, is constant."


@pytest.fixture(scope="module")
def published(styletts2_models):
    return styletts2_models.parent / "published"


@pytest.fixture(scope="module")
def files(published):
    return {str(p.relative_to(published)): p for p in published.rglob("*") if p.is_file()}


@pytest.fixture(scope="module")
def speaker(styletts2_models):
    folder = styletts2_models / "styletts2_libritts"
    return Speaker(ours.load_package(folder, torch.device("cpu")), "fp32")


@pytest.fixture(scope="module")
def tts(tmp_path_factory, files):
    """The module that downloads when imported, imported where it cannot."""
    with import_quietly(tmp_path_factory.mktemp("caches"), files):
        from styletts2 import tts
    return tts


@pytest.fixture(scope="module")
def library(tmp_path_factory, tts, published, files):
    """The package's own engine on the same published files, which we made and may trust."""
    trusting = functools.partial(torch.load, weights_only=False)
    with (
        import_quietly(tmp_path_factory.mktemp("caches"), files),
        mock.patch("torch.load", trusting),
        mock.patch.object(tts, "cached_path", functools.partial(_find, files)),
    ):
        return tts.StyleTTS2(published / CHECKPOINT, published / "config.yml")


@pytest.fixture(scope="module")
def style():
    return np.random.default_rng(1).normal(0, 0.3, 256).astype(np.float32)


def test_it_says_what_the_package_says_bit_by_bit(library, speaker, style):
    script = write_script(TEXT)
    with mock.patch.object(library, "phoneme_converter") as converter:
        converter.phonemize.return_value = script.symbols
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(5)
            theirs = library.inference(TEXT, ref_s=torch.from_numpy(style)[None])
    result = speaker.speak(TEXT, style, SETTINGS, torch.Generator().manual_seed(5))
    assert len(result.waveform.samples) == len(theirs)
    np.testing.assert_array_equal(result.waveform.samples, theirs)


@pytest.mark.filterwarnings("ignore")  # librosa reads through deprecated modules
def test_it_sees_in_a_recording_what_the_package_sees(library, speaker, tmp_path):
    import soundfile

    at = np.arange(24_000 * 2) / 24_000
    samples = (0.3 * np.sin(2 * np.pi * 220 * at) * (1 + np.sin(8 * at))).astype(np.float32)
    soundfile.write(tmp_path / "voice.wav", samples, 24_000, subtype="FLOAT")
    theirs = library.compute_style(tmp_path / "voice.wav").numpy().reshape(-1)
    np.testing.assert_allclose(encode_style(speaker.package, samples), theirs, atol=1e-5)


def test_mel_spectrograms_are_the_package_s(tts):
    samples = np.random.default_rng(2).normal(0, 0.1, 30_000).astype(np.float32)
    torch.testing.assert_close(build_mel(samples), tts.preprocess(samples)[0])


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("lead", [0, 700, 9_000])
def test_silence_ends_where_the_package_hears_it_end(lead):
    import librosa

    noise = np.random.default_rng(lead).normal(0, 0.1, 20_000).astype(np.float32)
    samples = np.concatenate([np.zeros(lead), noise, noise / 100, np.zeros(lead)])
    samples = samples.astype(np.float32)
    np.testing.assert_array_equal(
        trim_silence(samples), librosa.effects.trim(samples, top_db=30)[0]
    )


def test_the_alignment_is_the_one_their_loop_makes():
    symbols = torch.randn(1, 7, 5, generator=torch.Generator().manual_seed(1))
    frames = torch.tensor([2, 1, 4, 1, 3])
    alignment = torch.zeros(5, 11)
    at = 0
    for i, count in enumerate(frames):
        alignment[i, at : at + count] = 1
        at += int(count)
    wanted = symbols @ alignment[None]
    wanted = torch.cat([wanted[..., :1], wanted[..., :-1]], dim=-1)
    assert torch.equal(_stretch(symbols, frames, 11), wanted)


# Faults of the package.


def test_fault_its_entry_module_fetches_the_pitch_extractor_it_was_given(
    tts, files, published, tmp_path
):
    given = shutil.copy(files["JDC/bst.t7"], tmp_path / "given.t7")
    config = yaml.safe_load((published / "config.yml").read_text())
    (tmp_path / "config.yml").write_text(yaml.safe_dump({**config, "F0_path": str(given)}))
    library = tts.StyleTTS2.__new__(tts.StyleTTS2)
    with (
        import_quietly(tmp_path, files),
        mock.patch.object(tts, "cached_path", functools.partial(_find, files)),
        mock.patch.object(tts.models, "load_ASR_models"),
        mock.patch.object(tts.models, "load_F0_models", side_effect=LookupError) as load,
        pytest.raises(LookupError),
    ):
        library.load_model(published / CHECKPOINT, tmp_path / "config.yml")
    load.assert_called_once_with(files["JDC/bst.t7"])


def _find(files, url):
    """``cached_path`` over local files, whoever imported the module first."""
    return files[max((name for name in files if url.split("?")[0].endswith(name)), key=len)]


def test_fault_torch_refuses_the_published_pickles(files):
    for name in ("ASR/epoch_00080.pth", "JDC/bst.t7", "PLBERT/step_1000000.t7"):
        with pytest.raises(pickle.UnpicklingError, match="getattr"):
            torch.load(files[name], weights_only=True)


@pytest.mark.filterwarnings("ignore")  # it leaves its configuration open
def test_fault_it_takes_plbert_s_folder_from_its_configuration_as_no_path(files):
    from styletts2.Utils.PLBERT.util import load_plbert

    with pytest.raises(TypeError, match="unsupported operand"):
        load_plbert(str(files["PLBERT/config.yml"].parent))


@pytest.mark.filterwarnings("ignore")  # it leaves its configuration open
def test_fault_it_demands_a_buffer_transformers_no_longer_has(files, speaker, tmp_path):
    from styletts2.Utils.PLBERT.util import load_plbert

    assert ours.FORGOTTEN not in speaker.package.modules["bert"].state_dict()
    shutil.copy(files["PLBERT/config.yml"], tmp_path)
    torch.save({"net": {}}, tmp_path / "step_1.t7")
    with pytest.raises(KeyError, match="position_ids"):
        load_plbert(tmp_path)


def test_fault_it_overlooks_missing_weights():
    """``load_model`` falls back to a load that demands nothing; ours is tested below."""
    # Read, not imported: that would fetch data from the net.
    origin = importlib.util.find_spec("styletts2").origin
    text = Path(origin).with_name("tts.py").read_text()
    source = text.partition("def load_model")[2].partition("\n    def ")[0]
    assert "except:" in source
    assert "strict=False" in source


def test_fault_one_diffusion_step_is_not_a_number():
    from styletts2.Modules.diffusion.sampler import KarrasSchedule

    schedule = KarrasSchedule(sigma_min=0.0001, sigma_max=3.0, rho=9.0)
    assert torch.isnan(schedule(1, "cpu")).any()


def test_fault_the_decoder_draws_from_everybody_s_chance(speaker, style):
    tokens = number_symbols(write_script("Good morning.").symbols)
    with torch.inference_mode():
        reading = speaker.predict(tokens, style, SETTINGS, torch.Generator().manual_seed(1))
        decoder = functools.partial(
            speaker.package.modules["decoder"],
            reading.text,
            reading.pitch,
            reading.energy,
            reading.timbre,
        )
        assert not torch.equal(decoder(), decoder())
        before = torch.get_rng_state()
        heard = []
        for _ in range(2):
            with OwnChance(torch.Generator().manual_seed(1)):
                heard.append(decoder())
    assert torch.equal(*heard)
    assert torch.equal(torch.get_rng_state(), before)


# What we refuse to load.


@pytest.mark.parametrize(
    ("name", "change", "told"),
    [
        ("config.yml", {"multispeaker": False}, "multispeaker"),
        ("config.yml", {"style_dim": 64}, "style_dim"),
        ("config.yml", {"decoder": {"type": "istftnet"}}, "hifigan"),
        ("PLBERT/config.yml", {"hidden_size": "many"}, "hidden_size"),
    ],
)
def test_another_kind_of_model_is_refused(published, tmp_path, name, change, told):
    for config in ("config.yml", "PLBERT/config.yml"):
        (tmp_path / config).parent.mkdir(exist_ok=True)
        shutil.copy(published / config, tmp_path / config)
    data = yaml.safe_load((tmp_path / name).read_text())
    data["model_params"].update(change)
    (tmp_path / name).write_text(yaml.safe_dump(data))
    with pytest.raises(EngineError, match=told) as refused:
        ours.convert(tmp_path, tmp_path)
    assert refused.value.code == "model_damaged"


def test_configuration_that_is_none_is_refused(tmp_path):
    with pytest.raises(EngineError) as missing:
        ours.convert(tmp_path, tmp_path)
    assert missing.value.code == "model_missing"
    (tmp_path / "config.yml").write_text("- not\n- a mapping\n")
    with pytest.raises(EngineError) as damaged:
        ours.convert(tmp_path, tmp_path)
    assert damaged.value.code == "model_damaged"


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda net: net.pop("predictor"), "predictor"),
        (lambda net: net["bert_encoder"].pop("module.bias"), "bias is missing"),
        (lambda net: net["bert_encoder"].update({"module.x": torch.ones(1)}), "x is unknown"),
        (lambda net: net["bert_encoder"].update({"module.bias": torch.ones(1)}), "not"),
    ],
    ids=["module", "missing", "unknown", "shape"],
)
def test_a_checkpoint_with_other_weights_is_refused(published, tmp_path, monkeypatch, change, told):
    net = ours.read_checkpoint(published / CHECKPOINT, "net")
    change(net)
    monkeypatch.setattr(ours, "read_checkpoint", lambda *_: net)
    with pytest.raises(EngineError, match=told) as refused:
        ours.convert(published, tmp_path)
    assert refused.value.code == "model_damaged"
    assert not list(tmp_path.glob("*.safetensors"))


def test_a_converted_model_that_is_not_whole_is_refused(styletts2_models, tmp_path):
    device = torch.device("cpu")
    with pytest.raises(EngineError) as missing:
        ours.load_package(tmp_path, device)
    assert missing.value.code == "model_missing"
    folder = styletts2_models / "styletts2_libritts"
    shutil.copy(folder / ours.CONFIG, tmp_path)
    (tmp_path / ours.WEIGHTS).write_bytes((folder / ours.WEIGHTS).read_bytes()[:5000])
    with pytest.raises(EngineError) as damaged:
        ours.load_package(tmp_path, device)
    assert damaged.value.code == "model_damaged"
