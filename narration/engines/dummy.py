"""An engine for tests: a tone for every utterance, at once, and faults on request.

Options: ``fail_on``, ``crash_on``, ``hang_on`` name a piece of text that makes the engine refuse
for good, end its process, or never come back; ``delay_ms`` is added to each utterance; ``slots``
is how many utterances it speaks side by side, a word of each in ``step_ms``; ``fingerprint``
stands for another model; ``ms_per_character`` makes long lessons short.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from narration.engines.base import (
    Begun,
    Engine,
    EngineEvent,
    Finished,
    attempt,
    build_seed,
)
from narration.engines.hygiene import clean_text
from narration.engines.latents import Arrays, LatentsShelf
from narration.engines.marking import gettext_noop
from narration.engines.timing import time_words
from narration.exceptions import EngineError
from narration.values import (
    CLONED_PREFIX,
    EngineFacts,
    EngineResult,
    EngineVoice,
    SettingSpec,
    Utterance,
    Waveform,
)

LANGUAGES = ("en", "en-US", "en-GB", "pt", "pt-BR", "pt-PT", "es", "fr", "de", "it", "ar")
OPTIONS = {
    "fail_on",
    "crash_on",
    "hang_on",
    "delay_ms",
    "slots",
    "step_ms",
    "fingerprint",
    "ms_per_character",
    "models_dir",
}

SAMPLE_RATE = 16_000
MS_PER_CHARACTER = 60
FADE_SAMPLES = 80


@dataclass(slots=True)
class _Slot:
    id: str
    utterance: Utterance
    steps: int


class DummyEngine(Engine):
    """Deterministic tones; pitch from the text, length from its characters."""

    name = "dummy"
    languages = LANGUAGES
    voices = (
        EngineVoice("low", LANGUAGES, "Low tone"),
        EngineVoice("high", LANGUAGES, "High tone"),
    )
    sample_rate = SAMPLE_RATE
    max_characters = 400
    settings = {
        "pace": SettingSpec(
            1.0, 0.5, 2.0, gettext_noop("How fast: 2 is twice as fast."), label=gettext_noop("Pace")
        )
    }
    supports_word_timing = True
    supports_takes = True
    supports_cloning = True
    licence = gettext_noop("BSD-3-Clause, as this package.")

    def __init__(self, options: Mapping[str, Any] | None = None):
        super().__init__(options)
        self._in_hand: list[_Slot] = []
        self._shelf = LatentsShelf(str(self.options.get("models_dir", "")))

    @classmethod
    def describe(cls, options: Mapping[str, Any]) -> EngineFacts:
        """The facts; ``EngineError`` when an option is unknown."""
        if unknown := sorted(set(options) - OPTIONS):
            raise EngineError(f"dummy has no option {', '.join(unknown)}.", code="bad_option")
        return replace(super().describe(options), slots=int(options.get("slots", 1)))

    @classmethod
    def describe_model(cls, options: Mapping[str, Any]) -> str:
        """The option ``fingerprint``, or a constant."""
        return str(options.get("fingerprint", "tone"))

    def speak(self, utterance: Utterance) -> EngineResult:
        """A tone as long as the text, over the pace."""
        self._obey(utterance.text)
        text = clean_text(utterance.text).text
        pace = float(utterance.settings.get("pace", 1.0))
        per_character = float(self.options.get("ms_per_character", MS_PER_CHARACTER))
        count = round(len(text) * per_character / pace * SAMPLE_RATE / 1000)
        waveform = Waveform(_build_tone(self._choose_pitch(utterance), count), SAMPLE_RATE)
        words = time_words(utterance.text, [], waveform.duration_ms)
        return EngineResult(waveform, words)

    def clone(self, recordings: Sequence[Waveform]) -> Arrays:
        """The mean number of zero crossings a second: a pitch, of a sort."""
        crossings = [
            np.count_nonzero(np.diff(np.signbit(r.samples))) * r.sample_rate / len(r.samples) / 2
            for r in recordings
        ]
        return {"hertz": np.array([np.mean(crossings)], dtype=np.float32)}

    def _choose_pitch(self, utterance: Utterance) -> float:
        """Hertz, from everything that identifies the sound but its length."""
        share = (build_seed(self.facts, utterance) >> 56) / 255
        if utterance.voice.startswith(CLONED_PREFIX):
            return float(self._shelf.get(utterance.voice)["hertz"][0]) + 10 * share
        return (150 if utterance.voice == "low" else 400) + 150 * share

    def has_work(self) -> bool:
        """Whether anything is waiting or in a slot."""
        return bool(self._in_hand) or super().has_work()

    def step(self) -> Iterator[EngineEvent]:
        """Fill the free slots, work a moment on all of them, and tell which are done.

        Side by side, an utterance takes as many steps as it has words; alone, it takes one.
        """
        for utterance_id, utterance in self.fill_slots(len(self._in_hand)):
            steps = len(utterance.text.split()) if self.facts.slots > 1 else 1
            self._in_hand.append(_Slot(utterance_id, utterance, steps))
            yield Begun(utterance_id)
        if self.facts.slots > 1:
            time.sleep(self.options.get("step_ms", 0) / 1000)
        for slot in list(self._in_hand):
            slot.steps -= 1
            if slot.steps <= 0:
                self._in_hand.remove(slot)
                yield Finished(slot.id, attempt(self, slot.utterance))

    def _obey(self, text: str) -> None:
        """The faults asked for in the options."""
        time.sleep(self.options.get("delay_ms", 0) / 1000)
        if self._is_asked("crash_on", text):
            os._exit(7)
        if self._is_asked("hang_on", text):
            time.sleep(3600)
        if self._is_asked("fail_on", text):
            raise EngineError("dummy was asked to fail on this.", code="asked_to_fail")

    def _is_asked(self, option: str, text: str) -> bool:
        return bool(self.options.get(option)) and self.options[option] in text


def _build_tone(hertz: float, count: int) -> npt.NDArray[np.float32]:
    """``count`` samples of a sine, faded at both ends so that cuts do not click."""
    tone = 0.3 * np.sin(2 * np.pi * hertz * np.arange(count) / SAMPLE_RATE)
    fade = min(FADE_SAMPLES, count // 2)
    ramp = np.linspace(0, 1, fade, endpoint=False)
    tone[:fade] *= ramp
    tone[count - fade :] *= ramp[::-1]
    return tone.astype(np.float32)
