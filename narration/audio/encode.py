"""A track as learners get it: MP3 for every player, Opus for half the size."""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import cast

import av

from narration.audio.codec import DETERMINISTIC
from narration.audio.frames import iter_frames, resample
from narration.values import Waveform

# How hard the encoders search. Beyond this they take up to twice the time for speech that
# measures the same: loudness, cue times and size do not move.
EFFORT = {"libmp3lame": {"compression_level": "7"}, "libopus": {"compression_level": "5"}}
MP3_BIT_RATE = 64_000
OPUS_BIT_RATE = 32_000

# Players cut the encoder's delay (so that cues meet the samples) only where the Info frame names
# an encoder they know: Firefox accepts "LAME" and "Lavc", not the "Lavf" written without this.
MP3_ENCODER = "LAME3.100"

ISO_639_2 = {"de": "deu", "en": "eng", "es": "spa", "fr": "fra", "it": "ita", "pt": "por"}


@dataclass(frozen=True, slots=True)
class Tags:
    """What a player shows of a file; ``comment`` is where synthetic speech is declared."""

    title: str = ""
    language: str = ""
    comment: str = ""


def encode_mp3(
    waveform: Waveform, tags: Tags | None = None, *, bit_rate: int = MP3_BIT_RATE
) -> bytes:
    """Constant-rate mono MP3 whose decoded samples start where the waveform's do.

    The Info frame carries delay and padding, so a player that honours it (every browser) neither
    shifts nor lengthens the sound. Equal input gives equal bytes. Tags may also be put in front
    later: ``build_id3(tags) + mp3``.
    """
    options = {**DETERMINISTIC, "id3v2_version": "0"}
    body = _encode(waveform, "mp3", "libmp3lame", "fltp", bit_rate, options)
    return build_id3(tags) + body if tags else body


def encode_opus(
    waveform: Waveform, tags: Tags | None = None, *, bit_rate: int = OPUS_BIT_RATE
) -> bytes:
    """Mono Opus in Ogg; its clock is 48 kHz whatever went in. Equal input gives equal bytes."""
    return _encode(waveform, "ogg", "libopus", "flt", bit_rate, DETERMINISTIC, tags)


def build_id3(tags: Tags) -> bytes:
    """An ID3v2.3 header to put in front of an MP3, empty when there is nothing to say."""
    language = ISO_639_2.get(tags.language.partition("-")[0].lower(), "und")
    frames = b""
    if tags.title:
        frames += _build_id3_frame("TIT2", _encode_id3_text(tags.title))
    if tags.language:
        frames += _build_id3_frame("TLAN", _encode_id3_text(language))
    if tags.comment:
        comment = language.encode() + _utf16("") + b"\0\0" + _utf16(tags.comment)
        frames += _build_id3_frame("COMM", b"\x01" + comment)
    if not frames:
        return b""
    size = bytes(len(frames) >> shift & 0x7F for shift in (21, 14, 7, 0))
    return b"ID3\x03\x00\x00" + size + frames


def _encode(
    waveform: Waveform,
    container_format: str,
    codec: str,
    sample_format: str,
    bit_rate: int,
    options: dict[str, str],
    tags: Tags | None = None,
) -> bytes:
    waveform = _at_codec_rate(waveform, codec)
    file = io.BytesIO()
    with av.open(file, "w", format=container_format, options=options) as container:
        stream = cast(
            "av.AudioStream",
            container.add_stream(
                codec, rate=waveform.sample_rate, layout="mono", options=EFFORT[codec]
            ),
        )
        stream.codec_context.format = av.AudioFormat(sample_format)
        stream.bit_rate = bit_rate
        stream.metadata.update(_build_metadata(codec, tags))
        for frame in iter_frames(waveform):
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return file.getvalue()


def _at_codec_rate(waveform: Waveform, codec: str) -> Waveform:
    rates = av.Codec(codec, "w").audio_rates or []
    return waveform if waveform.sample_rate in rates else resample(waveform)


def _build_metadata(codec: str, tags: Tags | None) -> dict[str, str]:
    if codec == "libmp3lame":
        return {"encoder": MP3_ENCODER}
    given = tags or Tags()
    named = {"title": given.title, "language": given.language, "comment": given.comment}
    return {name: value for name, value in named.items() if value}


def _build_id3_frame(name: str, body: bytes) -> bytes:
    return name.encode() + len(body).to_bytes(4, "big") + b"\0\0" + body


def _encode_id3_text(text: str) -> bytes:
    return b"\x01" + _utf16(text)


def _utf16(text: str) -> bytes:
    return b"\xff\xfe" + text.encode("utf-16-le")
