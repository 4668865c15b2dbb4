"""XTTS v2 as an engine: what it declares, and the way of one utterance through it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from narration.engines.base import Engine
from narration.engines.hygiene import clean_text
from narration.engines.latents import Arrays, LatentsShelf
from narration.engines.marking import gettext_noop
from narration.engines.models import ModelCard, get_model_dir, read_card
from narration.engines.neural import devices
from narration.engines.neural.chance import build_generator
from narration.engines.neural.faults import free_memory, translate_faults
from narration.engines.neural.ladder import speak_within_memory
from narration.engines.neural.quiet import import_quietly
from narration.engines.xtts.languages import (
    ALL_TAGS,
    LANGUAGES,
    get_language,
    list_limits,
    list_tags,
)
from narration.engines.xtts.published import MODEL, SAMPLE_RATE, SETTINGS
from narration.exceptions import EngineError
from narration.values import (
    EngineFacts,
    EngineResult,
    EngineVoice,
    SettingSpec,
    Utterance,
    Waveform,
)

if TYPE_CHECKING:
    from narration.engines.xtts.model import LoadedXtts

OPTIONS = {"profile", "device", "allow_cpu", "models_dir"}


class XttsEngine(Engine):
    """XTTS v2. Options: ``profile``, ``device``, ``allow_cpu``, ``models_dir``.

    The card of the converted model tells its voices, and the languages whose text the engine's
    environment could prepare when the model was converted.
    """

    name = "xtts"
    languages = ALL_TAGS
    voices = ()
    sample_rate = SAMPLE_RATE
    max_characters = min(language.limit for language in LANGUAGES)
    settings = SETTINGS
    supports_takes = True
    supports_cloning = True
    licence = gettext_noop(
        "Coqui Public Model License 1.0.0: non-commercial use only, of what it says as well. "
        "The package coqui-tts is MPL-2.0."
    )
    model = MODEL
    profiles = ("fp32", "gpu-bf16")

    def __init__(self, options: Mapping[str, Any] | None = None):
        super().__init__(options)
        self._shelf = LatentsShelf(str(self.options.get("models_dir", "")))
        self._loaded: LoadedXtts | None = None
        self._on_cpu: LoadedXtts | None = None

    @classmethod
    def describe(cls, options: Mapping[str, Any]) -> EngineFacts:
        """The facts, from the model's card; ``EngineError`` when it is missing."""
        if unknown := sorted(set(options) - OPTIONS):
            raise EngineError(f"xtts has no option {', '.join(unknown)}.", code="bad_option")
        devices.read_device(options)
        card = read_card(options, MODEL)
        codes, defaults = card.facts.get("languages"), card.facts.get("defaults")
        tags = list_tags(map(str, codes)) if isinstance(codes, list) else ()
        if not tags:
            raise EngineError(
                f"The card of {MODEL.title} tells no language: import it anew.",
                code="model_damaged",
            )
        return replace(
            super().describe(options),
            voices=tuple(replace(voice, languages=tags) for voice in card.voices),
            languages=tags,
            max_characters=min(get_language(tag).limit for tag in tags),
            limits=list_limits(tags),
            settings=_take_defaults(defaults if isinstance(defaults, dict) else {}),
        )

    @classmethod
    def convert_model(
        cls, source: Path, target: Path
    ) -> tuple[tuple[EngineVoice, ...], dict[str, Any]]:
        """Make ours of the published files; needs the engine's libraries."""
        with import_quietly(target.absolute().parent):
            from narration.engines.xtts.convert import convert

            return convert(source, target)

    def load(self) -> None:
        """Load the weights onto the device; ``EngineError`` says what is missing or wrong."""
        _check_sizes(get_model_dir(self.options, MODEL), read_card(self.options, MODEL))
        with import_quietly(self.options["models_dir"]):
            device = devices.choose_device(self.options)
            self._loaded = self._load_on(device, self.facts.profile)

    def _load_on(self, device: Any, profile: str) -> LoadedXtts:
        from narration.engines.xtts.model import LoadedXtts

        with translate_faults():
            return LoadedXtts.read(get_model_dir(self.options, MODEL), device, profile)

    def close(self) -> None:
        """Drop the weights."""
        self._loaded = self._on_cpu = None
        free_memory()

    def speak(self, utterance: Utterance) -> EngineResult:
        """Speak; when memory runs out in pieces, and on the processor only where allowed."""
        clean = replace(utterance, text=clean_text(utterance.text).text)
        loaded = self._get_loaded()
        may_leave = self.options.get("allow_cpu") and loaded.device.type != "cpu"
        return speak_within_memory(
            clean,
            lambda part: self._speak_with(loaded, part),
            speak_on_cpu=self._speak_on_cpu if may_leave else None,
        )

    def _speak_on_cpu(self, utterance: Utterance) -> EngineResult:
        if self._on_cpu is None:
            import torch

            self._on_cpu = self._load_on(torch.device("cpu"), "fp32")
        return self._speak_with(self._on_cpu, utterance)

    def _speak_with(self, loaded: LoadedXtts, utterance: Utterance) -> EngineResult:
        code = get_language(utterance.language).code
        tokens = loaded.encode(utterance.text, code)
        voice = loaded.get_voice(utterance.voice) or loaded.build_voice(
            self._shelf.get(utterance.voice)
        )
        speech = loaded.speak(
            tokens, voice, self._get_settings(utterance), build_generator(self.facts, utterance)
        )
        waveform = Waveform(speech.samples, SAMPLE_RATE)
        device = devices.describe_device(loaded.device)
        return EngineResult(waveform, device=device, evidence=speech.evidence)

    def _get_settings(self, utterance: Utterance) -> dict[str, float]:
        defaults = {key: spec.default for key, spec in self.facts.settings.items()}
        return {**defaults, **utterance.settings}

    def clone(self, recordings: Sequence[Waveform]) -> Arrays:
        """The conditioning of the decoder and the vocoder, as the library makes them."""
        with translate_faults():
            return self._get_loaded().clone(recordings)

    def measure(self) -> Mapping[str, Any]:
        """The device and its memory; nothing before it is loaded."""
        return devices.measure(self._loaded.device) if self._loaded else {}

    def _get_loaded(self) -> LoadedXtts:
        if self._loaded is None:
            raise EngineError("XTTS v2 is not loaded.", code="engine_not_loaded")
        return self._loaded


def _take_defaults(defaults: Mapping[str, Any]) -> dict[str, SettingSpec]:
    """The settings with a model's own defaults, where those are ones that it would take."""
    return {
        key: replace(spec, default=spec.unify(defaults[key]))
        if key in defaults and spec.takes(defaults[key])
        else spec
        for key, spec in SETTINGS.items()
    }


def _check_sizes(folder: Path, card: ModelCard) -> None:
    """A look at every file: one cut short would be a riddle to whatever loads it."""
    for name, file in card.files.items():
        path = folder / name
        size = path.stat().st_size if path.is_file() else -1
        if size != file.size:
            found = f"{size} bytes" if size >= 0 else "nothing"
            raise EngineError(
                f"{path} should have {file.size} bytes, there is {found}: run `manage.py models "
                f"verify {MODEL.name}`.",
                code="model_damaged" if size >= 0 else "model_missing",
            )
