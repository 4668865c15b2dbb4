"""What goes over the pipes, for both ends: JSON lines in, frames out.

In:  ``{"type": "start", "options": {…}}`` first, then ``submit`` (id, utterance, priority),
``clone`` (id, recordings: path of a .npy file and sample rate of each), ``cancel`` (id) and
``shutdown``.
Out: frames. A frame is one line of JSON whose ``bytes`` tells how many raw bytes follow it: the
samples of a ``result``, float32 little-endian. Types: ``ready`` (facts, and what ``Engine.measure``
said before and after loading, with ``rss``), ``failed`` (code, message), ``begun`` (id),
``result`` (id, sample_rate, words, engine_ms, device, evidence),
``cloned`` (id; the bytes are the latents), ``error`` (id, code, message, is_permanent),
``heartbeat`` (rss in bytes, in_hand, engine: what ``Engine.measure`` says).
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from typing import Any

import numpy as np

from narration.exceptions import EngineCrashed, EngineError, UnsupportedUtterance
from narration.values import (
    EngineFacts,
    EngineResult,
    EngineVoice,
    Latents,
    SettingSpec,
    Terms,
    Utterance,
    Waveform,
    WordTiming,
)

ERRORS: dict[str, type[EngineError]] = {
    error.__name__: error for error in (EngineError, UnsupportedUtterance, EngineCrashed)
}

# A header is facts or word timings: far below this. Beyond it the stream is not ours.
MAX_HEADER = 1 << 22


def encode_frame(header: Mapping[str, Any], payload: bytes = b"") -> bytes:
    """One frame; ASCII, so that even a lone surrogate survives."""
    return json.dumps({**header, "bytes": len(payload)}).encode("ascii") + b"\n" + payload


def encode_line(message: Mapping[str, Any]) -> bytes:
    """One JSON line."""
    return json.dumps(message).encode("ascii") + b"\n"


class FrameReader:
    """Cuts a byte stream, however it arrives in pieces, into ``(header, payload)``."""

    def __init__(self) -> None:
        self._buffer = bytearray()

    def feed(self, data: bytes) -> Iterator[tuple[dict[str, Any], bytes]]:
        """The frames completed by ``data``; ``EngineError`` when the stream is broken."""
        self._buffer += data
        while (frame := self._cut()) is not None:
            yield frame

    def _cut(self) -> tuple[dict[str, Any], bytes] | None:
        end = self._buffer.find(b"\n", 0, MAX_HEADER)
        if end < 0:
            if len(self._buffer) > MAX_HEADER:
                raise EngineError("The engine's stream is broken.", code="broken_stream")
            return None
        header, size = _parse_header(bytes(self._buffer[:end]))
        start = end + 1
        if len(self._buffer) < start + size:
            return None
        payload = bytes(self._buffer[start : start + size])
        del self._buffer[: start + size]
        return header, payload


def _parse_header(line: bytes) -> tuple[dict[str, Any], int]:
    try:
        header = json.loads(line)
        return header, int(header["bytes"])
    except (ValueError, KeyError, TypeError) as error:
        raise EngineError("The engine's stream is broken.", code="broken_stream") from error


def encode_utterance(utterance: Utterance) -> dict[str, Any]:
    """As JSON."""
    return {
        "text": utterance.text,
        "language": utterance.language,
        "voice": utterance.voice,
        "settings": dict(utterance.settings),
        "take": utterance.take,
        "attempt": utterance.attempt,
    }


def decode_utterance(data: Mapping[str, Any]) -> Utterance:
    """From JSON; ``TypeError`` or ``ValueError`` when it is none."""
    utterance = Utterance(**data)
    texts = (utterance.text, utterance.language, utterance.voice)
    if not all(isinstance(text, str) for text in texts):
        raise TypeError("text, language and voice must be strings")
    numbers = (utterance.take, utterance.attempt)
    if not isinstance(utterance.settings, dict) or not all(isinstance(n, int) for n in numbers):
        raise TypeError("settings must be an object, take and attempt integers")
    return utterance


def encode_facts(facts: EngineFacts) -> dict[str, Any]:
    """As JSON."""
    return asdict(facts)


def decode_facts(data: Mapping[str, Any]) -> EngineFacts:
    """From JSON, equal to what was encoded."""
    voices = tuple(
        EngineVoice(voice["name"], tuple(voice["languages"]), voice["label"])
        for voice in data["voices"]
    )
    settings = {key: SettingSpec(**spec) for key, spec in data["settings"].items()}
    languages = tuple(data["languages"])
    terms = Terms(**data["terms"]) if data.get("terms") else None
    rebuilt = {"voices": voices, "settings": settings, "languages": languages, "terms": terms}
    return EngineFacts(**{**data, **rebuilt})


def encode_outcome(utterance_id: str, outcome: EngineResult | EngineError) -> bytes:
    """The frame of a ``result`` or an ``error``."""
    if isinstance(outcome, EngineError):
        return encode_frame({"type": "error", "id": utterance_id, **_encode_error(outcome)})
    header = {
        "type": "result",
        "id": utterance_id,
        "sample_rate": outcome.waveform.sample_rate,
        "engine_ms": outcome.engine_ms,
        "device": outcome.device,
        "evidence": dict(outcome.evidence),
        "words": [[w.spoken_start, w.spoken_end, w.start_ms, w.end_ms] for w in outcome.words],
    }
    return encode_frame(header, outcome.waveform.samples.astype("<f4", copy=False).tobytes())


def decode_outcome(
    header: Mapping[str, Any], payload: bytes
) -> EngineResult | EngineError | Latents:
    """From a ``result``, a ``cloned`` or an ``error`` frame."""
    if header["type"] == "error":
        return decode_error(header)
    if header["type"] == "cloned":
        return Latents(payload)
    samples = np.frombuffer(payload, dtype="<f4").astype(np.float32, copy=False)
    return EngineResult(
        Waveform(samples, header["sample_rate"]),
        tuple(WordTiming(*word) for word in header["words"]),
        header["engine_ms"],
        header["device"],
        header["evidence"],
    )


def _encode_error(error: EngineError) -> dict[str, Any]:
    # A host's own subclass is known to the child only: its nearest known base travels.
    kind = next(base for base in type(error).__mro__ if base.__name__ in ERRORS).__name__
    return {
        "kind": kind,
        "code": error.code,
        "message": error.message,
        "is_permanent": error.is_permanent,
    }


def decode_error(header: Mapping[str, Any]) -> EngineError:
    """From an ``error`` or a ``failed`` frame."""
    kind = ERRORS.get(header.get("kind", ""), EngineError)
    return kind(
        header["message"], code=header["code"], is_permanent=header.get("is_permanent", True)
    )


def encode_failure(error: EngineError) -> bytes:
    """The frame of an engine that could not be loaded."""
    return encode_frame({"type": "failed", **_encode_error(error)})
