"""Renditions as files: 16-bit mono FLAC out, and any of our formats back in."""

from __future__ import annotations

import io
from typing import BinaryIO, Literal

import av

from narration.audio.frames import iter_frames, to_waveform
from narration.exceptions import StorageCorrupt
from narration.values import Waveform

AudioFormat = Literal["flac", "mp3", "ogg", "wav"]

# No version strings, dates or random serial numbers: equal sound makes equal bytes.
DETERMINISTIC = {"fflags": "+bitexact"}


def encode_flac(waveform: Waveform) -> bytes:
    """16-bit mono FLAC at the waveform's own rate; equal samples give equal bytes.

    Samples are rounded to the nearest 1/32768 and clipped at full scale, once: decoding gives
    those values exactly, and encoding them again gives the same file.
    """
    file = io.BytesIO()
    with av.open(file, "w", format="flac", options=DETERMINISTIC) as container:
        stream = container.add_stream("flac", rate=waveform.sample_rate, layout="mono")
        stream.codec_context.format = av.AudioFormat("s16")
        for frame in iter_frames(waveform, as_s16=True):
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return file.getvalue()


def decode(source: bytes | BinaryIO, format: AudioFormat) -> Waveform:  # noqa: A002
    """The sound of ``source`` at its own rate, mixed to mono, encoder delay removed.

    The format is the caller's knowledge and never guessed, so that a file cannot choose its
    demuxer. ``StorageCorrupt`` when it does not hold such audio or ends early.
    """
    file = io.BytesIO(source) if isinstance(source, bytes) else source
    try:
        with av.open(file, "r", format=format) as container:
            stream = container.streams.audio[0]
            waveform = to_waveform(container.decode(stream), stream.codec_context.sample_rate)
            promised = stream.duration if format == "flac" else None
    except (av.FFmpegError, IndexError, ValueError) as error:
        raise StorageCorrupt(f"This is not readable {format} audio: {error}") from error
    if not waveform.sample_rate:
        # Raw demuxers take anything and simply find nothing in it.
        raise StorageCorrupt(f"This is not {format} audio.")
    if promised and len(waveform.samples) < promised:
        raise StorageCorrupt(
            f"The {format} file ends after {len(waveform.samples)} of {promised} samples."
        )
    return waveform
