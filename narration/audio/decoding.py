"""The child that decodes what a stranger sent: bytes on stdin, mono samples on stdout.

Run as ``python -m narration.audio.decoding FORMAT BYTES SECONDS CPU_SECONDS``. Whatever the file
does to FFmpeg it does to this process, which has no more memory, time and files than it needs and
is killed at the deadline. Out comes one line of JSON and, unless it names an ``error``, float32.
"""

from __future__ import annotations

import io
import json
import resource
import sys
from typing import Any

import av
import numpy as np
import numpy.typing as npt

#: What is kept: as much as any engine listens to.
SAMPLE_RATE = 24_000
MEMORY = 2 << 30
#: FFmpeg's names of what people record with; everything else is refused before it is tried.
CODECS = (
    "pcm_s16le,pcm_s24le,pcm_s32le,pcm_f32le,pcm_f64le,pcm_u8,pcm_alaw,pcm_mulaw,flac,mp3,mp3float,"
    "opus,libopus,vorbis,libvorbis,aac,aac_fixed,alac"
)
#: So many samples at full scale in a row are no peak but a cut one.
FLAT = 3
FULL_SCALE = 0.999


class TooLong(Exception):
    """There is more sound than anybody needs."""


def main(arguments: list[str]) -> None:
    """Decode stdin and leave."""
    demuxer, size, seconds, cpu_seconds = arguments[0], *map(int, arguments[1:4])
    _limit(resource.RLIMIT_CPU, cpu_seconds)
    _limit(resource.RLIMIT_AS, MEMORY)
    _limit(resource.RLIMIT_CORE, 0)
    _limit(resource.RLIMIT_FSIZE, 4 * SAMPLE_RATE * (seconds + 2) + 4096)
    header: dict[str, Any] = {}
    samples: npt.NDArray[np.float32] = np.zeros(0, np.float32)
    try:
        samples = _decode(sys.stdin.buffer.read(size), demuxer, seconds, header)
    except TooLong:
        header["error"] = "too_long"
    except (av.FFmpegError, IndexError, ValueError, MemoryError, OverflowError, OSError):
        header["error"] = "unreadable"
    sys.stdout.buffer.write(json.dumps(header).encode() + b"\n")
    if "error" not in header:
        sys.stdout.buffer.write(samples.astype("<f4").tobytes())
    sys.stdout.buffer.flush()


def _decode(
    content: bytes, demuxer: str, seconds: int, header: dict[str, Any]
) -> npt.NDArray[np.float32]:
    # The content is in memory and the demuxer forced: nothing it names can be opened.
    options = {"codec_whitelist": CODECS, "format_whitelist": demuxer, "protocol_whitelist": "none"}
    blocks: list[npt.NDArray[np.float32]] = []
    count = clipped = total = 0
    with av.open(io.BytesIO(content), "r", format=demuxer, options=options) as container:
        stream = container.streams.audio[0]
        mixer = av.AudioResampler(format="fltp", layout="mono", rate=SAMPLE_RATE)
        for frame in container.decode(stream):
            header |= {"rate": frame.sample_rate, "channels": len(frame.layout.channels)}
            plain = av.AudioResampler(format="fltp", layout=frame.layout.name, rate=frame.rate)
            for block in plain.resample(frame):
                array = block.to_ndarray()
                clipped, total = clipped + _count_clipped(array), total + array.size
            for block in mixer.resample(frame):
                blocks.append(block.to_ndarray()[0].astype(np.float32))
                count += block.samples
            if count > seconds * SAMPLE_RATE:
                raise TooLong
        header["codec"] = stream.codec_context.name
    if blocks:
        blocks += [block.to_ndarray()[0] for block in mixer.resample(None)]
    header["clipped"] = clipped / total if total else 0.0
    samples = np.concatenate(blocks) if blocks else np.zeros(0, np.float32)
    return np.nan_to_num(samples, posinf=0.0, neginf=0.0).astype(np.float32)


def _count_clipped(array: npt.NDArray[Any]) -> int:
    """Samples that lie at full scale with their neighbours."""
    full = np.abs(array) >= FULL_SCALE
    if full.shape[-1] < FLAT:
        return 0
    runs = full[:, :-2] & full[:, 1:-1] & full[:, 2:]
    return int(np.count_nonzero(runs))


def _limit(what: int, value: int) -> None:
    _soft, hard = resource.getrlimit(what)
    wanted = value if hard == resource.RLIM_INFINITY else min(value, hard)
    resource.setrlimit(what, (wanted, wanted))


if __name__ == "__main__":
    main(sys.argv[1:])
