"""espeak-ng as an engine: formant speech, small, quick and the same on every machine."""

from __future__ import annotations

import importlib.metadata
import json
import threading
from collections.abc import Mapping
from typing import Any

import numpy as np

from narration.engines.base import Engine
from narration.engines.espeak.isolation import run_forked
from narration.engines.espeak.library import Library
from narration.engines.hygiene import clean_text
from narration.engines.marking import gettext_noop
from narration.engines.timing import time_words
from narration.exceptions import EngineCrashed, EngineError
from narration.values import EngineResult, EngineVoice, SettingSpec, Utterance, Waveform

DISTRIBUTION = "espeakng-loader"

# espeak-ng speaks thousands of characters a second: past this it will not come back.
DEADLINE_S = 10.0

_BASES = (
    # our name, the tags it may be asked to speak, what people read, espeak-ng's own name
    ("en-us", ("en", "en-US"), "English (United States)", "en-us"),
    ("en-gb", ("en", "en-GB"), "English (Great Britain)", "en"),
    ("pt-br", ("pt", "pt-BR"), "Português (Brasil)", "pt-br"),
    ("pt", ("pt", "pt-PT"), "Português (Portugal)", "pt"),
    ("es", ("es", "es-ES"), "Español (España)", "es"),
    ("es-419", ("es", "es-419", "es-MX"), "Español (Latinoamérica)", "es-419"),
    ("fr", ("fr", "fr-FR"), "Français (France)", "fr"),
    ("de", ("de", "de-DE"), "Deutsch", "de"),
    ("it", ("it", "it-IT"), "Italiano", "it"),
)
# espeak-ng's own variants of any voice: a third woman, a third man.
_VARIANTS = (("", ""), ("+f3", " · f3"), ("+m3", " · m3"))

IDENTIFIERS = {
    name + variant: identifier + variant
    for name, _, _, identifier in _BASES
    for variant, _ in _VARIANTS
}
VOICES = tuple(
    EngineVoice(name + variant, languages, label + mark)
    for name, languages, label, _ in _BASES
    for variant, mark in _VARIANTS
)


class EspeakEngine(Engine):
    """espeak-ng 1.52. No options.

    Inside one process espeak-ng's sound wavers from call to call, so every utterance is spoken by
    a child forked from the same freshly initialised state, with the noise of breathy voices seeded:
    byte-identical on every call, and a crash is one sentence's.
    """

    name = "espeak"
    languages = tuple(sorted({tag for voice in VOICES for tag in voice.languages}))
    voices = VOICES
    sample_rate = 22_050
    max_characters = 500
    settings = {
        "rate": SettingSpec(
            165, 80, 400, gettext_noop("Words a minute."), is_whole=True, label=gettext_noop("Rate")
        ),
        "pitch": SettingSpec(
            50,
            0,
            99,
            gettext_noop("Height of the voice."),
            is_whole=True,
            label=gettext_noop("Pitch"),
        ),
    }
    supports_word_timing = True
    # Its own mnemonics, as ``espeak-ng -x`` prints them.
    phoneme_alphabet = "x-espeak"
    licence = gettext_noop(
        "espeak-ng is GPL-3.0-or-later; the sound it makes carries no such condition."
    )

    def __init__(self, options: Mapping[str, Any] | None = None):
        super().__init__(options)
        self._lock = threading.Lock()
        self._library: Library | None = None
        self._voice = ""

    @classmethod
    def describe_model(cls, options: Mapping[str, Any]) -> str:
        """The distribution that carries the library and its data."""
        if options:
            raise EngineError("espeak takes no options.", code="bad_option")
        return f"{DISTRIBUTION}-{_get_version()}"

    @classmethod
    def describe_versions(cls, options: Mapping[str, Any]) -> dict[str, str]:  # noqa: ARG003
        """The package that carries espeak-ng."""
        return {DISTRIBUTION: _get_version()}

    def load(self) -> None:
        """Open the library and initialise it, once."""
        import espeakng_loader

        self._library = Library(espeakng_loader.get_library_path(), espeakng_loader.get_data_path())
        if self._library.sample_rate != self.sample_rate:
            raise EngineError("espeak-ng has another sample rate.", code="engine_not_loaded")

    def get_voices(self) -> list[EngineVoice]:
        """Those of the table that the loaded espeak-ng has."""
        return [voice for voice in VOICES if self._choose(voice.name)]

    def speak(self, utterance: Utterance) -> EngineResult:
        """Speak in a forked child; its death is tried once more before it counts as the text's."""
        with self._lock:
            if not self._choose(utterance.voice):
                raise EngineError(f"espeak-ng has no {utterance.voice}.", code="engine_fault")
            try:
                data = self._speak_forked(utterance)
            except EngineCrashed as error:
                if error.code == "engine_hung":
                    raise
                data = self._speak_forked(utterance)
        return _build_result(utterance, data)

    def _choose(self, voice: str) -> bool:
        """Set the voice before the fork: the child then need not read its files (6 of 10 ms)."""
        if self._library is None:
            raise EngineError("espeak is not loaded.", code="engine_not_loaded")
        if voice != self._voice and not self._library.set_voice(IDENTIFIERS[voice]):
            return False
        self._voice = voice
        return True

    def _speak_forked(self, utterance: Utterance) -> bytes:
        return run_forked(lambda: self._speak_here(utterance), DEADLINE_S)

    def _speak_here(self, utterance: Utterance) -> bytes:
        """A line of JSON with the marks, or an error, then the samples."""
        assert self._library is not None  # noqa: S101 - _choose has seen it
        try:
            speech = self._library.speak(
                clean_text(utterance.text).text,
                rate=round(self._get_setting(utterance, "rate")),
                pitch=round(self._get_setting(utterance, "pitch")),
            )
        except EngineError as error:
            return json.dumps({"error": error.message}).encode() + b"\n"
        return json.dumps({"marks": speech.marks}).encode() + b"\n" + speech.pcm

    def _get_setting(self, utterance: Utterance, key: str) -> float:
        return float(utterance.settings.get(key, self.settings[key].default))


def _get_version() -> str:
    try:
        return importlib.metadata.version(DISTRIBUTION)
    except importlib.metadata.PackageNotFoundError as error:
        raise EngineError(
            f"{DISTRIBUTION} is not installed: pip install django-narration[espeak].",
            code="engine_not_installed",
        ) from error


def _build_result(utterance: Utterance, data: bytes) -> EngineResult:
    line, _, pcm = data.partition(b"\n")
    header = json.loads(line)
    if "error" in header:
        raise EngineError(header["error"], code="engine_fault")
    samples = np.frombuffer(pcm, dtype="<i2").astype(np.float32) / np.float32(32768)
    waveform = Waveform(samples, EspeakEngine.sample_rate)
    origins = clean_text(utterance.text).origins
    marks = [(origins[min(offset, len(origins) - 1)], ms) for offset, ms in header["marks"]]
    return EngineResult(waveform, time_words(utterance.text, marks, waveform.duration_ms))
