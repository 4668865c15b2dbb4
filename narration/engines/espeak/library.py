"""espeak-ng's C interface, as little of it as we need. Importing this loads nothing."""

from __future__ import annotations

import ctypes
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from narration.exceptions import EngineError

# Values of espeak-ng's public header, speak_lib.h.
AUDIO_OUTPUT_SYNCHRONOUS = 2
INITIALIZE_DONT_EXIT = 0x8000
CHARS_UTF8 = 1
PHONEMES = 0x100
POS_CHARACTER = 1
PARAMETER_RATE = 1
PARAMETER_PITCH = 3
EVENT_LIST_TERMINATED = 0
EVENT_WORD = 1

NOISE_SEED = 1

# espeak-ng copies the data path into 160 bytes and appends file names to it.
MAX_DATA_PATH = 120


class _Event(ctypes.Structure):
    _fields_ = [
        ("type", ctypes.c_int),
        ("unique_identifier", ctypes.c_uint),
        ("text_position", ctypes.c_int),
        ("length", ctypes.c_int),
        ("audio_position", ctypes.c_int),
        ("sample", ctypes.c_int),
        ("user_data", ctypes.c_void_p),
        ("id", ctypes.c_char * 8),
    ]


_Callback = ctypes.CFUNCTYPE(
    ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.POINTER(_Event)
)


@dataclass(frozen=True, slots=True)
class Speech:
    """Mono s16 samples as bytes, and ``(character offset, ms)`` where espeak-ng begins a word."""

    pcm: bytes
    marks: list[tuple[int, int]]


class Library:
    """espeak-ng, initialised once. Not thread-safe, as espeak-ng is not."""

    def __init__(self, library_path: str, data_path: str):
        self._lib = _open(library_path)
        self._data_fd = os.open(data_path, os.O_RDONLY)
        self.sample_rate: int = self._lib.espeak_Initialize(
            AUDIO_OUTPUT_SYNCHRONOUS, 0, self._shorten(data_path).encode(), INITIALIZE_DONT_EXIT
        )
        if self.sample_rate <= 0:
            raise EngineError("espeak-ng does not find its data.", code="engine_not_loaded")

    def _shorten(self, data_path: str) -> str:
        """A path espeak-ng can hold; the open directory lends one that leaves nothing behind."""
        if len(os.fsencode(data_path)) <= MAX_DATA_PATH:
            return data_path
        through_fd = f"/proc/self/fd/{self._data_fd}"
        if not Path(through_fd).exists():
            raise EngineError(
                f"The path of espeak-ng's data is too long for it: {data_path}. Install the "
                f"environment in a shorter one (at most {MAX_DATA_PATH} bytes).",
                code="engine_not_loaded",
            )
        return through_fd

    def set_voice(self, identifier: str) -> bool:
        """Choose a voice by espeak-ng's name or language; False when it has none such."""
        return bool(self._lib.espeak_SetVoiceByName(identifier.encode()) == 0)

    def speak(self, text: str, rate: int, pitch: int) -> Speech:
        """Say ``text`` in the chosen voice, as plain text: no SSML, no phoneme mnemonics."""
        pcm: list[bytes] = []
        marks: list[tuple[int, int]] = []

        def collect(samples: Any, count: int, events: Any) -> int:
            if samples and count > 0:
                pcm.append(ctypes.string_at(samples, count * 2))
            _read_marks(events, marks)
            return 0

        # Breathy voices add noise, which espeak-ng seeds with the time of day.
        self._lib.espeak_ng_SetRandSeed(NOISE_SEED)
        callback = _Callback(collect)
        self._lib.espeak_SetSynthCallback(callback)
        self._lib.espeak_SetParameter(PARAMETER_RATE, rate, 0)
        self._lib.espeak_SetParameter(PARAMETER_PITCH, pitch, 0)
        data = text.encode() + b"\0"
        # Only a lexicon writes double brackets; everything else is spoken as ever.
        flags = CHARS_UTF8 | (PHONEMES if "[[" in text else 0)
        status = self._lib.espeak_Synth(data, len(data), 0, POS_CHARACTER, 0, flags, None, None)
        if status != 0:
            raise EngineError(f"espeak-ng failed with status {status}.", code="engine_fault")
        return Speech(b"".join(pcm), marks)


def _open(library_path: str) -> ctypes.CDLL:
    lib = ctypes.CDLL(library_path)
    lib.espeak_Synth.argtypes = [
        ctypes.c_char_p,
        ctypes.c_size_t,
        ctypes.c_uint,
        ctypes.c_int,
        ctypes.c_uint,
        ctypes.c_uint,
        ctypes.c_void_p,
        ctypes.c_void_p,
    ]
    lib.espeak_Initialize.argtypes = [ctypes.c_int, ctypes.c_int, ctypes.c_char_p, ctypes.c_int]
    lib.espeak_SetVoiceByName.argtypes = [ctypes.c_char_p]
    lib.espeak_ng_SetRandSeed.argtypes = [ctypes.c_long]
    return lib


def _read_marks(events: Any, marks: list[tuple[int, int]]) -> None:
    for event in iter(events):
        if event.type == EVENT_LIST_TERMINATED:
            return
        if event.type == EVENT_WORD:
            # espeak-ng counts characters from 1.
            marks.append((event.text_position - 1, event.audio_position))
