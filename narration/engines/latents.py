"""What an engine computed from a voice's recordings: named arrays in one file without pickles.

Latents are a person's voice. They lie in ``<models_dir>/voices`` on the machines that speak,
readable by nobody else, and an engine that finds its file gone refuses to speak in that voice.
"""

from __future__ import annotations

import io
import re
from collections import OrderedDict
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import numpy.typing as npt

from narration.exceptions import EngineError
from narration.values import CLONED_PREFIX, Latents

FOLDER = "voices"
#: Voices whose latents an engine keeps in memory.
KEPT = 16

#: A cloned voice's name: the digest of what it imitates.
CLONED_NAME = re.compile(f"{CLONED_PREFIX}[0-9a-f]{{64}}")

Arrays = Mapping[str, npt.NDArray[np.float32]]


def encode_latents(arrays: Arrays) -> Latents:
    """As one file, the same bytes for the same arrays."""
    data = io.BytesIO()
    # The members' dates are constant in numpy's archives.
    np.savez(data, allow_pickle=False, **dict(sorted(arrays.items())))
    return Latents(data.getvalue())


def decode_latents(latents: Latents) -> Arrays:
    """The arrays; ``EngineError`` when the file is none or holds anything else."""
    try:
        with np.load(io.BytesIO(latents.data), allow_pickle=False) as archive:
            return {name: np.asarray(archive[name], dtype=np.float32) for name in archive.files}
    except Exception as error:
        raise EngineError(f"These are no latents: {error}", code="latents_damaged") from error


def get_latents_path(models_dir: str, voice: str) -> Path:
    """Where the latents of a cloned voice lie, by its name (``@`` and a digest)."""
    if not CLONED_NAME.fullmatch(voice):
        raise EngineError(f"{voice!r} names no cloned voice.", code="unsupported_voice")
    return Path(models_dir) / FOLDER / f"{voice.removeprefix(CLONED_PREFIX)}.npz"


class LatentsShelf:
    """The latents an engine uses, read once: the file is looked at, not read, at every sentence."""

    def __init__(self, models_dir: str):
        self._models_dir = models_dir
        self._kept: OrderedDict[str, tuple[tuple[int, ...], Arrays]] = OrderedDict()

    def get(self, voice: str) -> Arrays:
        """``EngineError`` (``latents_missing``) when they were never made here, or taken away."""
        path = get_latents_path(self._models_dir, voice)
        for kept in list(self._kept):  # nobody's voice outlives its file in memory
            if not get_latents_path(self._models_dir, kept).is_file():
                del self._kept[kept]
        try:
            look = path.stat()
        except FileNotFoundError as error:
            raise EngineError(
                "The latents of this cloned voice are not on this machine.",
                code="latents_missing",
                is_permanent=False,
            ) from error
        # Made anew, as with another model, they have the same name.
        identity = (look.st_ino, look.st_mtime_ns, look.st_size)
        if voice not in self._kept or self._kept[voice][0] != identity:
            self._kept[voice] = (identity, decode_latents(Latents(path.read_bytes())))
        self._kept.move_to_end(voice)
        while len(self._kept) > KEPT:
            self._kept.popitem(last=False)
        return self._kept[voice][1]
