"""What StyleTTS2 can do, and the engine that does it once its libraries are there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from narration.engines.base import Engine
from narration.engines.hygiene import clean_text
from narration.engines.latents import Arrays, LatentsShelf
from narration.engines.marking import gettext_noop
from narration.engines.models import ModelFile, ModelSpec, get_model_dir
from narration.engines.neural.chance import build_generator
from narration.engines.neural.devices import choose_device, describe_device, measure, read_device
from narration.engines.neural.faults import translate_faults
from narration.engines.neural.ladder import speak_within_memory
from narration.exceptions import EngineError
from narration.values import (
    CLONED_PREFIX,
    EngineFacts,
    EngineResult,
    EngineVoice,
    SettingSpec,
    Terms,
    Utterance,
    Waveform,
)

if TYPE_CHECKING:
    from narration.engines.styletts2.speech import Speaker

#: The phonemes are those of American English, whatever the voice.
LANGUAGES = ("en", "en-US")
VOICES = tuple(
    EngineVoice(f"sampled-{number}", LANGUAGES, f"Sampled voice {number}, nobody's")
    for number in (1, 2, 3)
)
OPTIONS = {"profile", "device", "allow_cpu", "models_dir"}

LIBRITTS = "https://huggingface.co/yl4579/StyleTTS2-LibriTTS/resolve/main/Models/LibriTTS"
UTILS = "https://github.com/yl4579/StyleTTS2/raw/main/Utils"
MODEL = ModelSpec(
    name="styletts2_libritts",
    title="StyleTTS2 (LibriTTS)",
    terms=Terms(
        licence="MIT + duty to tell",
        url="https://github.com/yl4579/StyleTTS2#inference",
        summary=gettext_noop(
            "Code and weights are published under the MIT licence. Whoever uses these weights "
            "agrees to use only voices whose speakers have given their permission, or else to "
            "tell listeners that the speech is synthetic. Here listeners are always told."
        ),
        needs_acceptance=True,
        must_tell_listeners=True,
    ),
    # The published set has three more, for training: an aligner, a pitch extractor, and the
    # PL-BERT that the checkpoint carries in its own, later state.
    files=(
        ModelFile("epochs_2nd_00020.pth", f"{LIBRITTS}/epochs_2nd_00020.pth"),
        ModelFile("config.yml", f"{LIBRITTS}/config.yml"),
        ModelFile("PLBERT/config.yml", f"{UTILS}/PLBERT/config.yml"),
    ),
)


class StyleTTS2Engine(Engine):
    """StyleTTS2 of the LibriTTS model. Options: profile, device, allow_cpu.

    Every sentence's style is sampled for its text and mixed with that of the voice: ``alpha`` and
    ``beta`` say how much. Word timing comes from the durations the model itself predicts.
    """

    name = "styletts2"
    languages = LANGUAGES
    voices = VOICES
    sample_rate = 24_000
    # PL-BERT reads 512 symbols. English prose has 1.3 to a character; what is full of numbers and
    # abbreviations may have more, and is refused when it is spoken.
    max_characters = 300
    settings = {
        "alpha": SettingSpec(
            0.3,
            0,
            1,
            gettext_noop("Timbre: 0 is the voice's own, 1 what suits the sentence."),
            label=gettext_noop("Alpha (timbre)"),
        ),
        "beta": SettingSpec(
            0.7,
            0,
            1,
            gettext_noop("Prosody: 0 is the voice's own, 1 what suits the sentence."),
            label=gettext_noop("Beta (prosody)"),
        ),
        "diffusion_steps": SettingSpec(
            5,
            3,
            20,
            gettext_noop("Steps in sampling a style: more are slower and more varied."),
            is_whole=True,
            label=gettext_noop("Diffusion steps"),
        ),
        "embedding_scale": SettingSpec(
            1,
            1,
            3,
            gettext_noop("How strongly the text colours the style: more is more emotional."),
            label=gettext_noop("Embedding scale"),
        ),
        "speed": SettingSpec(
            1, 0.5, 2, gettext_noop("How fast: 2 is twice as fast."), label=gettext_noop("Speed")
        ),
    }
    supports_word_timing = True
    supports_takes = True
    supports_cloning = True
    licence = MODEL.terms.summary
    model = MODEL
    profiles = ("fp32", "gpu-bf16")

    def __init__(self, options: Mapping[str, Any] | None = None):
        super().__init__(options)
        self._speaker: Speaker | None = None
        self._shelf = LatentsShelf(str(self.options.get("models_dir", "")))

    @classmethod
    def describe(cls, options: Mapping[str, Any]) -> EngineFacts:
        """The facts; ``EngineError`` when an option is unknown, or the model is not here."""
        if unknown := sorted(set(options) - OPTIONS):
            raise EngineError(f"styletts2 has no option {', '.join(unknown)}.", code="bad_option")
        read_device(options)
        return super().describe(options)

    @classmethod
    def convert_model(
        cls, source: Path, target: Path
    ) -> tuple[tuple[EngineVoice, ...], dict[str, Any]]:
        """Published files in ``source`` → ours in ``target``; the voices and facts for the card."""
        from narration.engines.styletts2.package import convert

        return VOICES, convert(source, target)

    def load(self) -> None:
        """Load the model onto the device; ``EngineError`` without a GPU that was asked for."""
        device = choose_device(self.options)
        with translate_faults():
            self._speaker = self._build_speaker(device)

    def close(self) -> None:
        """Let go of the model."""
        self._speaker = None

    def speak(self, utterance: Utterance) -> EngineResult:
        """Speak one checked utterance, in pieces if memory is short."""
        speaker = self._get_speaker()
        on_cpu = None
        if speaker.device.type != "cpu" and self.options.get("allow_cpu"):
            on_cpu = self._speak_on_cpu
        return speak_within_memory(
            utterance, lambda piece: self._speak_with(speaker, piece), speak_on_cpu=on_cpu
        )

    def clone(self, recordings: Sequence[Waveform]) -> Arrays:
        """``ref_s``: the style vector of the recordings, float32 of shape (256,)."""
        from narration.engines.styletts2.styles import imitate

        with translate_faults():
            return {"ref_s": imitate(self._get_speaker().package, recordings)}

    def measure(self) -> Mapping[str, Any]:
        """Device and memory."""
        return measure(self._speaker.device) if self._speaker else {}

    def _build_speaker(self, device: Any) -> Speaker:
        from narration.engines.styletts2.package import load_package
        from narration.engines.styletts2.speech import Speaker

        folder = get_model_dir(self.options, MODEL)
        return Speaker(load_package(folder, device), self.facts.profile)

    def _get_speaker(self) -> Speaker:
        if self._speaker is None:
            raise EngineError("styletts2 is not loaded.", code="engine_not_loaded")
        return self._speaker

    def _speak_with(self, speaker: Speaker, utterance: Utterance) -> EngineResult:
        # Chance is the clean text's: what nobody hears must not change the sound.
        clean = replace(utterance, text=clean_text(utterance.text).text)
        style = (
            self._shelf.get(utterance.voice)["ref_s"]
            if utterance.voice.startswith(CLONED_PREFIX)
            else speaker.styles[utterance.voice]
        )
        chosen = {
            key: float(utterance.settings.get(key, spec.default))
            for key, spec in self.settings.items()
        }
        result = speaker.speak(utterance.text, style, chosen, build_generator(self.facts, clean))
        return replace(result, device=describe_device(speaker.device))

    def _speak_on_cpu(self, utterance: Utterance) -> EngineResult:
        """Once and slowly: the processor's copy of the model is not kept."""
        import torch

        return self._speak_with(self._build_speaker(torch.device("cpu")), utterance)
