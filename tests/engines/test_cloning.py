"""A cloned voice: latents made once from recordings, kept in a file, and gone with it."""

import numpy as np
import pytest

from narration.engines.latents import (
    LatentsShelf,
    decode_latents,
    encode_latents,
    get_latents_path,
)
from narration.engines.models import ModelCard, decode_card, encode_card, read_card
from narration.exceptions import EngineError, UnsupportedUtterance
from narration.speaking import EngineProcess
from narration.values import EngineConfig, EngineVoice, Latents, Utterance, Waveform

VOICE = "@" + "a" * 64
DUMMY = "narration.engines.dummy.DummyEngine"


def build_tone(hertz, seconds=1.0, rate=24_000):
    at = np.arange(int(seconds * rate)) / rate
    return Waveform((0.3 * np.sin(2 * np.pi * hertz * at)).astype(np.float32), rate)


@pytest.fixture
def engine(tmp_path):
    with EngineProcess(EngineConfig("dummy", DUMMY, models_dir=str(tmp_path))) as engine:
        yield engine


def put(tmp_path, voice, latents):
    path = get_latents_path(str(tmp_path), voice)
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(latents.data)
    return path


def test_a_voice_speaks_with_its_latents_and_no_longer_without(engine, tmp_path):
    latents = engine.clone([build_tone(333), build_tone(335)])
    assert engine.clone([build_tone(333), build_tone(335)]) == latents
    assert decode_latents(latents)["hertz"] == pytest.approx([334], abs=1.5)
    utterance = Utterance("Good morning.", "en", VOICE)
    with pytest.raises(EngineError) as missing:
        engine.speak(utterance)
    assert missing.value.code == "latents_missing"
    path = put(tmp_path, VOICE, latents)
    assert engine.speak(utterance).waveform.duration_ms > 100
    path.unlink()
    with pytest.raises(EngineError) as gone:
        engine.speak(utterance)
    assert gone.value.code == "latents_missing"


def test_an_engine_that_clones_nothing_says_so():
    with (
        EngineProcess(EngineConfig("e", "narration.engines.espeak.EspeakEngine")) as engine,
        pytest.raises(EngineError, match="clones no voices"),
    ):
        engine.clone([build_tone(300)])


def test_a_cloned_voice_is_refused_where_nothing_is_cloned():
    config = EngineConfig("e", "narration.engines.espeak.EspeakEngine")
    with EngineProcess(config) as engine, pytest.raises(UnsupportedUtterance):
        engine.speak(Utterance("Hello.", "en", VOICE))


def test_another_attempt_is_another_sound_of_the_same_identity(engine):
    first, second = (
        engine.speak(Utterance("Again.", "en", "low", attempt=attempt)).waveform.samples
        for attempt in (0, 1)
    )
    assert not np.array_equal(first, second)


@pytest.mark.parametrize("data", [b"", b"PK\x03\x04", b"\x80\x04N."])
def test_what_is_no_latents_is_refused(data):
    with pytest.raises(EngineError) as error:
        decode_latents(Latents(data))
    assert error.value.code == "latents_damaged"


def test_pickles_in_latents_are_not_opened(tmp_path):
    path = tmp_path / "evil.npz"
    np.savez(path, hertz=np.array([object()], dtype=object))
    with pytest.raises(EngineError):
        decode_latents(Latents(path.read_bytes()))


@pytest.mark.parametrize("voice", ["@", "@../../etc/passwd", "@" + "g" * 64, "low"])
def test_a_name_is_no_path(voice):
    with pytest.raises(EngineError):
        get_latents_path("/models", voice)


def test_the_shelf_forgets_what_was_not_used_for_long(tmp_path):
    shelf = LatentsShelf(str(tmp_path))
    latents = encode_latents({"hertz": np.zeros(1, np.float32)})
    voices = [f"@{number:064x}" for number in range(20)]
    for voice in voices:
        put(tmp_path, voice, latents)
        shelf.get(voice)
    assert len(shelf._kept) == 16


def test_a_card_is_read_as_it_was_written_and_its_absence_named():
    card = ModelCard("m", "f", {}, (EngineVoice("Anna", ("en",), "Anna"),), {"a": 1})
    assert decode_card(encode_card(card)) == card
    with pytest.raises(EngineError) as error:
        read_card({}, None)
    assert error.value.code == "model_missing"
