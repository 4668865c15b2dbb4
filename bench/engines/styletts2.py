"""StyleTTS2: our engine, and ``styletts2.tts.StyleTTS2.inference`` with the voice's style kept.

Both read the same symbols, or one would have more to say: the library's own pronunciation is paid
for, then replaced by ours. Both draw the same chance, so that on a processor they sound the same.
"""

from __future__ import annotations

import contextlib
import functools
from typing import Any
from unittest import mock

import numpy as np
import torch

from bench.engines.clock import Clock
from bench.engines.lesson import Sentence
from bench.engines.models import Models
from bench.engines.sides import DifferentWork, Said
from narration.engines.base import build_seed
from narration.engines.neural.quiet import build_cached_path, import_quietly
from narration.engines.styletts2 import StyleTTS2Engine
from narration.values import Utterance

VOICE, LANGUAGE = "sampled-1", "en"


def import_libraries(models: Models) -> None:
    """Once for both sides, or the first would pay for it."""
    with import_quietly(models.models_dir, _find_files(models)):
        from styletts2 import tts  # noqa: F401

        from narration.engines.styletts2 import speech  # noqa: F401


class Ours:
    """``StyleTTS2Engine.speak`` in this process."""

    def __init__(self, models: Models, device: torch.device, profile: str):
        from narration.engines.styletts2 import speech

        options = {"models_dir": str(models.models_dir), "device": str(device), "profile": profile}
        self.engine = StyleTTS2Engine(options)
        self.clock = Clock(device)
        with self.clock.timed("load"):
            self.engine.load()
        self.speaker: Any = self.engine._get_speaker()  # noqa: SLF001 - its parts are timed
        modules = self.speaker.package.modules
        _last_two_frames(modules["predictor"])
        self._symbols = 0
        self.clock.wrap(speech, "write_script", "front end")
        self.clock.wrap(modules["bert"], "forward", "PL-BERT", self._hear)
        self.clock.wrap(self.speaker.package.sampler, "forward", "diffusion")
        self.clock.wrap(modules["decoder"], "forward", "decoder")

    def _hear(self, args: Any, _answer: Any) -> None:
        self._symbols = args[0].shape[-1]

    def prepare(self, sentence: Sentence) -> None:
        """Nothing: symbols say how long it is."""

    def speak(self, sentence: Sentence) -> Said:
        result = self.engine.speak(Utterance(sentence.text, LANGUAGE, VOICE))
        return Said(self._symbols, result.waveform.samples)

    def get_seed(self, sentence: Sentence) -> int:
        return build_seed(self.engine.facts, Utterance(sentence.text, LANGUAGE, VOICE))


class Library:
    """The package's own class from the published files."""

    def __init__(self, models: Models, ours: Ours):
        device = ours.clock.device
        self.clock = Clock(device)
        self._ours = ours
        with import_quietly(models.models_dir, _find_files(models)):
            from styletts2 import tts

            with (
                self.clock.timed("load"),
                # We wrote these pickles, and torch refuses one of the published kind.
                mock.patch("torch.load", functools.partial(torch.load, weights_only=False)),
                mock.patch.object(tts, "cached_path", build_cached_path(_find_files(models))),
            ):
                self.tts: Any = tts.StyleTTS2(
                    models.published / "epochs_2nd_00020.pth", models.published / "config.yml"
                )
                self.tts.device = str(device)
                for module in self.tts.model.values():
                    module.to(device)
        _last_two_frames(self.tts.model.predictor)
        style = ours.speaker.styles[VOICE]
        self.style = torch.from_numpy(style)[None].to(device)
        self._symbols, self._script = 0, ""
        self._wrap(tts)

    def _wrap(self, tts: Any) -> None:
        converter = self.tts.phoneme_converter
        phonemize = converter.phonemize

        def replace(text: str) -> str:
            phonemize(text)
            return self._script

        converter.phonemize = replace
        self.clock.wrap(converter, "phonemize", "front end")
        self.clock.wrap(tts, "word_tokenize", "front end")
        self.clock.wrap(self.tts.model.bert, "forward", "PL-BERT", self._hear)
        self.clock.wrap(self.tts.sampler, "forward", "diffusion")
        self.clock.wrap(self.tts.model.decoder, "forward", "decoder")

    def _hear(self, args: Any, _answer: Any) -> None:
        self._symbols = args[0].shape[-1]

    def prepare(self, sentence: Sentence) -> None:
        from narration.engines.styletts2 import script

        self._script = script.write_script(sentence.text).symbols
        torch.manual_seed(self._ours.get_seed(sentence))

    def speak(self, sentence: Sentence) -> Said:
        # It prints the size of its alphabet at every sentence.
        with contextlib.redirect_stdout(None):
            sound = self.tts.inference(sentence.text, ref_s=self.style)
        return Said(self._symbols, sound)


def check_sense(ours: Ours, library: Library, lesson: list[Sentence]) -> int:
    """The sound depends on the text and, on a processor, is the library's bit by bit."""
    shortest = sorted(lesson, key=lambda sentence: len(sentence.text))[:2]
    # As long as each other, the same chance: only the text differs.
    heard = []
    for sentence in shortest:
        library.prepare(sentence)
        said, theirs = ours.speak(sentence), library.speak(sentence)
        if ours.clock.device.type == "cpu" and not np.array_equal(said.sound, theirs.sound):
            raise DifferentWork(f"Other samples here than in the library: {sentence.text!r}")
        heard.append(_read(ours, sentence.text))
    count = min(text.shape[-1] for text in heard)
    if torch.equal(heard[0][..., :count], heard[1][..., :count]):
        raise DifferentWork("Different texts sounded the same: these weights show nothing.")
    return len(heard)


def _read(ours: Ours, text: str) -> torch.Tensor:
    """What is to be heard of a text with one and the same chance: pitch, frame by frame."""
    from narration.engines.styletts2.script import number_symbols, write_script

    settings = {key: float(spec.default) for key, spec in ours.engine.settings.items()}
    with torch.inference_mode():
        reading = ours.speaker.predict(
            number_symbols(write_script(text).symbols),
            ours.speaker.styles[VOICE],
            settings,
            torch.Generator().manual_seed(1),
        )
    pitch: torch.Tensor = reading.pitch
    return pitch


def _last_two_frames(predictor: Any) -> None:
    """Every symbol lasts two frames (50 ms), as in speech, whatever device predicts it."""
    predictor.duration_proj.linear_layer.weight.data.zero_()


def _find_files(models: Models) -> dict[str, Any]:
    folder = models.published
    return {str(path.relative_to(folder)): path for path in folder.rglob("*") if path.is_file()}
