"""The stream between the two processes: nothing is lost, however the bytes arrive."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from narration.engines import wire
from narration.engines.dummy import DummyEngine
from narration.engines.espeak import EspeakEngine
from narration.exceptions import EngineCrashed, EngineError, UnsupportedUtterance
from narration.values import EngineResult, Utterance, Waveform, WordTiming


def read(data, size=1 << 20):
    reader = wire.FrameReader()
    pieces = [data[i : i + size] for i in range(0, len(data), size)]
    return [frame for piece in pieces for frame in reader.feed(piece)]


@given(st.integers(1, 30), st.lists(st.binary(max_size=50), max_size=6))
def test_frames_survive_any_cutting(size, payloads):
    data = b"".join(wire.encode_frame({"n": n}, p) for n, p in enumerate(payloads))
    assert [(h["n"], p) for h, p in read(data, size)] == list(enumerate(payloads))


@pytest.mark.parametrize("junk", [b"hello\n", b"[]\n", b'{"type": "x"}\n', b'{"bytes": "x"}\n'])
def test_a_broken_stream_is_an_error(junk):
    with pytest.raises(EngineError) as caught:
        read(junk)
    assert caught.value.code == "broken_stream"


def test_a_stream_without_lines_is_an_error():
    with pytest.raises(EngineError):
        read(b"x" * (wire.MAX_HEADER + 1))


@given(st.text())
def test_utterances_survive_even_with_lone_surrogates(text):
    utterance = Utterance(text + "\ud83d", "pt-BR", "v", {"rate": 1.5}, take=2)
    line = wire.encode_line(wire.encode_utterance(utterance))
    assert line.count(b"\n") == 1
    import json

    assert wire.decode_utterance(json.loads(line)) == utterance


@pytest.mark.parametrize(
    "change",
    [{"text": 1}, {"take": "1"}, {"settings": []}, {"language": None}, {"unknown": 1}],
)
def test_what_is_no_utterance_is_refused(change):
    with pytest.raises((TypeError, ValueError)):
        wire.decode_utterance({"text": "a", "language": "en", "voice": "v", **change})


@pytest.mark.parametrize("engine", [DummyEngine, EspeakEngine])
def test_facts_arrive_as_they_left(engine):
    facts = replace(engine.describe({}), profile="fp32")
    ((header, _),) = read(wire.encode_frame({"facts": wire.encode_facts(facts)}))
    assert wire.decode_facts(header["facts"]) == facts


def test_results_arrive_as_they_left():
    samples = np.linspace(-1, 1, 1000, dtype=np.float32)
    result = EngineResult(Waveform(samples, 16_000), (WordTiming(0, 3, 0, 62),), 7)
    ((header, payload),) = read(wire.encode_outcome("9", result))
    heard = wire.decode_outcome(header, payload)
    assert header["id"] == "9"
    assert heard.waveform.samples.tobytes() == samples.tobytes()
    assert (heard.words, heard.engine_ms) == (result.words, 7)


class HostsOwnError(UnsupportedUtterance):
    pass


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (EngineError("a", code="b", is_permanent=False), EngineError),
        (UnsupportedUtterance("a"), UnsupportedUtterance),
        (EngineCrashed("a", is_permanent=True), EngineCrashed),
        (HostsOwnError("a", code="own"), UnsupportedUtterance),
    ],
)
def test_errors_arrive_as_they_left(error, kind):
    ((header, payload),) = read(wire.encode_outcome("1", error))
    heard = wire.decode_outcome(header, payload)
    assert type(heard) is kind
    assert (heard.message, heard.code, heard.is_permanent) == (
        error.message,
        error.code,
        error.is_permanent,
    )
