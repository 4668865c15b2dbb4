"""Sound that strangers send: decoded in a process of its own, under limits, or refused.

A playlist named voice.wav would have FFmpeg read other files, sixteen megabytes of FLAC may be a
day of silence, and a decoder may crash or hang: so the format is told by the content and forced,
seconds are counted while decoding, and the process is killed at its deadline.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from narration.audio.decoding import SAMPLE_RATE
from narration.exceptions import UploadRefused
from narration.values import Waveform

#: Extensions offered in forms; what counts is the content.
EXTENSIONS = (".wav", ".flac", ".mp3", ".ogg", ".oga", ".opus", ".m4a", ".mp4", ".webm")


@dataclass(frozen=True, slots=True)
class Limits:
    """How much of a stranger's file is worth our while: bytes, seconds of sound, of waiting."""

    size: int = 48 * 1024 * 1024
    sound_seconds: int = 180
    wall_seconds: float = 30.0


LIMITS = Limits()


@dataclass(frozen=True, slots=True)
class Upload:
    """Mono sound, and what its file was: ``format``, ``codec``, ``rate``, ``channels``,
    ``clipped`` (the share of samples cut off at full scale).
    """

    waveform: Waveform
    source: Mapping[str, Any]


def find_format(content: bytes) -> str:
    """FFmpeg's name of the container, by its first bytes; "" for what is not taken."""
    head = content[:12]
    if head[:4] == b"RIFF" and head[8:12] == b"WAVE":
        return "wav"
    if head[:4] == b"fLaC":
        return "flac"
    if head[:4] == b"OggS":
        return "ogg"
    if head[4:8] == b"ftyp":
        return "mov"
    if head[:4] == b"\x1a\x45\xdf\xa3":
        return "matroska"
    if head[:3] == b"ID3" or (len(head) > 1 and head[0] == 0xFF and head[1] & 0xE6 == 0xE2):
        return "mp3"
    return ""


def decode_upload(content: bytes, limits: Limits = LIMITS) -> Upload:
    """The sound of an uploaded file; ``UploadRefused`` with a code for every way it is none.

    Codes: upload_too_big, upload_unknown, upload_unreadable, upload_too_long, upload_too_slow,
    upload_silent (no sound at all in it).
    """
    if len(content) > limits.size:
        raise UploadRefused("The file is too big.", code="upload_too_big")
    demuxer = find_format(content)
    if not demuxer:
        raise UploadRefused("This is no kind of sound we know.", code="upload_unknown")
    header, data = _run(content, demuxer, limits)
    if "error" in header:
        raise UploadRefused("The file was refused.", code=f"upload_{header['error']}")
    samples = np.frombuffer(data[: len(data) - len(data) % 4], "<f4").astype(np.float32)
    if not samples.size:
        raise UploadRefused("There is no sound in the file.", code="upload_silent")
    return Upload(Waveform(samples, SAMPLE_RATE), {"format": demuxer, **header})


def _run(content: bytes, demuxer: str, limits: Limits) -> tuple[dict[str, Any], bytes]:
    numbers = (len(content), limits.sound_seconds, max(1, round(limits.wall_seconds)))
    command = [sys.executable, "-P", "-m", "narration.audio.decoding", demuxer, *map(str, numbers)]
    # Files, not pipes: neither end can wait for the other.
    with tempfile.TemporaryFile() as given, tempfile.TemporaryFile() as taken:
        given.write(content)
        given.seek(0)
        process = subprocess.Popen(
            command,
            stdin=given,
            stdout=taken,
            stderr=subprocess.DEVNULL,
            env=_build_environment(),
            start_new_session=True,
        )
        try:
            process.wait(limits.wall_seconds)
        except subprocess.TimeoutExpired:
            raise UploadRefused("Decoding took too long.", code="upload_too_slow") from None
        finally:
            process.kill()
            process.wait()
        taken.seek(0)
        line, _newline, data = taken.read().partition(b"\n")
    try:
        header = dict(json.loads(line))
    except ValueError:
        raise UploadRefused("Decoding it failed.", code="upload_unreadable") from None
    return header, data


def _build_environment() -> dict[str, str]:
    """Enough to import this package, and none of our secrets."""
    path = os.pathsep.join(str(Path(entry).resolve()) for entry in sys.path)
    kept = {key: os.environ[key] for key in ("PATH", "LD_LIBRARY_PATH") if key in os.environ}
    return {**kept, "PYTHONPATH": path, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
