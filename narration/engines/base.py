"""What an engine is: it declares its powers, speaks utterances, and refuses everything else.

A simple engine implements ``speak``. An engine that speaks several utterances at once overrides
``step``, ``has_work`` and ``cancel``; the protocol to the outside stays the same.
"""

from __future__ import annotations

import hashlib
import heapq
import json
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import count
from typing import Any, ClassVar

import numpy as np

from narration.engines.hygiene import clean_text, is_speakable
from narration.engines.latents import CLONED_NAME, Arrays
from narration.engines.models import ModelSpec, read_card
from narration.exceptions import EngineError, UnsupportedUtterance
from narration.values import (
    EngineFacts,
    EngineResult,
    EngineVoice,
    SettingSpec,
    Utterance,
    Waveform,
)

#: Utterances of this priority or a lower number are heard at once, in slots of their own.
EXPRESS_PRIORITY = -100
EXPRESS_SLOTS = 1


@dataclass(frozen=True, slots=True)
class Begun:
    """The engine has taken this utterance in hand: its deadline counts from now."""

    id: str


@dataclass(frozen=True, slots=True)
class Finished:
    """The engine is done with this utterance, well or not."""

    id: str
    outcome: EngineResult | EngineError


EngineEvent = Begun | Finished


class Engine:
    """One way to turn utterances into sound, living in a process of its own.

    The class attributes are its declaration. They are read without an instance, on machines
    that may not have the engine's libraries: importing an engine's module loads none of them.
    ``sound_version`` is raised only when the same utterance would sound different.
    """

    name: ClassVar[str]
    languages: ClassVar[tuple[str, ...]]
    voices: ClassVar[tuple[EngineVoice, ...]]
    sample_rate: ClassVar[int]
    sound_version: ClassVar[int] = 1
    max_characters: ClassVar[int]
    settings: ClassVar[Mapping[str, SettingSpec]] = {}
    supports_word_timing: ClassVar[bool] = False
    supports_takes: ClassVar[bool] = False
    licence: ClassVar[str] = ""
    slots: ClassVar[int] = 1
    phoneme_alphabet: ClassVar[str] = ""
    supports_cloning: ClassVar[bool] = False
    #: The published model it loads; None for an engine that brings all it needs.
    model: ClassVar[ModelSpec | None] = None
    #: Choices that change the sound, by the option ``profile``; the first is the default.
    profiles: ClassVar[tuple[str, ...]] = ()

    def __init__(self, options: Mapping[str, Any] | None = None):
        self.options = dict(options or {})
        self.facts = self.describe(self.options)
        self._waiting: list[tuple[int, int, str, Utterance]] = []
        self._order = count()

    @classmethod
    def describe(cls, options: Mapping[str, Any]) -> EngineFacts:
        """The facts under these options: cheap, pure, no process, no native library.

        ``EngineError`` when the engine is not installed or an option is wrong.
        """
        return EngineFacts(
            name=cls.name,
            languages=cls.languages,
            voices=cls.voices,
            sample_rate=cls.sample_rate,
            sound_version=cls.sound_version,
            model_fingerprint=cls.describe_model(options),
            max_characters=cls.max_characters,
            settings=cls.settings,
            supports_word_timing=cls.supports_word_timing,
            supports_takes=cls.supports_takes,
            supports_cloning=cls.supports_cloning,
            profile=cls.describe_profile(options),
            terms=cls.model.terms if cls.model else None,
            slots=cls.slots,
            licence=cls.licence,
            phoneme_alphabet=cls.phoneme_alphabet,
            versions=cls.describe_versions(options),
        )

    @classmethod
    def describe_model(cls, options: Mapping[str, Any]) -> str:
        """The fingerprint that the loaded model will have: part of every digest."""
        if cls.model is None:
            raise NotImplementedError
        return read_card(options, cls.model).fingerprint

    @classmethod
    def describe_profile(cls, options: Mapping[str, Any]) -> str:
        """The chosen profile, "" for an engine without any."""
        default = cls.profiles[0] if cls.profiles else ""
        profile = str(options.get("profile", default))
        if profile not in (cls.profiles or ("",)):
            raise EngineError(
                f"{cls.name} has no profile '{profile}', only {', '.join(cls.profiles) or 'none'}.",
                code="bad_option",
            )
        return profile

    @classmethod
    def describe_versions(cls, options: Mapping[str, Any]) -> dict[str, str]:  # noqa: ARG003
        """What the sound is made with, by name, for people."""
        return {}

    def load(self) -> None:
        """Make ready to speak; may take minutes. ``EngineError`` says why it cannot."""

    def close(self) -> None:
        """Give back what ``load`` took."""

    def get_model_fingerprint(self) -> str:
        """The fingerprint of what is really loaded."""
        return self.facts.model_fingerprint

    def get_voices(self) -> list[EngineVoice]:
        """The voices it really has, after ``load``."""
        return list(self.facts.voices)

    def get_facts(self) -> EngineFacts:
        """The facts as loaded: equal to ``describe`` or the client refuses to work with it."""
        return replace(
            self.facts,
            model_fingerprint=self.get_model_fingerprint(),
            voices=tuple(self.get_voices()),
        )

    def check(self, utterance: Utterance) -> None:
        """Raise ``UnsupportedUtterance`` for what this engine cannot say exactly as asked."""
        check_utterance(self.facts, utterance)

    def speak(self, utterance: Utterance) -> EngineResult:
        """Speak one checked utterance; ``EngineError`` on failure. The same one sounds the same."""
        raise NotImplementedError

    def clone(self, recordings: Sequence[Waveform]) -> Arrays:
        """What it needs to imitate the voice in ``recordings``: deterministic, any sample rate."""
        raise EngineError(f"{self.name} clones no voices.", code="unsupported_cloning")

    def measure(self) -> Mapping[str, Any]:
        """Facts of the moment for operators: ``device``, ``memory`` and ``memory_total`` in bytes.

        Called every second from another thread, and once before ``load``: no more than a look.
        """
        return {}

    # The stream. The host calls these from one thread, in a loop.

    def submit(self, utterance_id: str, utterance: Utterance, priority: int = 0) -> None:
        """Line up a checked utterance; the lowest ``priority`` number goes first."""
        heapq.heappush(self._waiting, (priority, next(self._order), utterance_id, utterance))

    def cancel(self, utterance_id: str) -> bool:
        """Forget a waiting utterance; False when it is unknown, in hand or done."""
        kept = [entry for entry in self._waiting if entry[2] != utterance_id]
        is_found = len(kept) < len(self._waiting)
        heapq.heapify(kept)
        self._waiting = kept
        return is_found

    def has_work(self) -> bool:
        """Whether ``step`` has anything to do."""
        return bool(self._waiting)

    def step(self) -> Iterator[EngineEvent]:
        """Work for a little while, telling what begins and what is finished.

        Between two steps the host hears new requests, so that an urgent one need not wait longer
        than one step (here: one utterance) for a free slot.
        """
        utterance_id, utterance = self.pop_waiting()
        yield Begun(utterance_id)
        yield Finished(utterance_id, attempt(self, utterance))

    def fill_slots(self, in_hand: int) -> Iterator[tuple[str, Utterance]]:
        """Waiting utterances for the free slots when ``in_hand`` are taken, most urgent first.

        A slot beyond the others is kept for what somebody waits for at their desk, so that it
        begins with the next step even when every slot is taken.
        """
        while self._waiting:
            is_express = self._waiting[0][0] <= EXPRESS_PRIORITY
            if in_hand >= self.facts.slots + (EXPRESS_SLOTS if is_express else 0):
                return
            in_hand += 1
            yield self.pop_waiting()

    def pop_waiting(self) -> tuple[str, Utterance]:
        """The most urgent waiting utterance, no longer waiting."""
        _, _, utterance_id, utterance = heapq.heappop(self._waiting)
        return utterance_id, utterance


def attempt(engine: Engine, utterance: Utterance) -> EngineResult | EngineError:
    """Speak, whatever happens: an error is an outcome, and one sentence's only."""
    began = time.perf_counter()
    try:
        result = check_result(engine.speak(utterance))
    except EngineError as error:
        return error
    except Exception as error:  # noqa: BLE001 - an engine's fault must not end its process
        return EngineError(
            f"{type(error).__name__}: {error}", code="engine_fault", is_permanent=False
        )
    return replace(result, engine_ms=round((time.perf_counter() - began) * 1000))


def check_result(result: EngineResult) -> EngineResult:
    """Refuse a sound nobody could play: empty, not mono float32, or not finite."""
    samples = result.waveform.samples
    if samples.ndim != 1 or samples.dtype != np.float32:
        raise EngineError("The engine's samples are not mono float32.", code="bad_sound")
    if not samples.size:
        raise EngineError("The engine made no sound of this text.", code="no_sound")
    if not np.isfinite(samples).all():
        raise EngineError("The engine's samples are not finite numbers.", code="bad_sound")
    return result


def check_utterance(facts: EngineFacts, utterance: Utterance) -> None:
    """Raise ``UnsupportedUtterance`` for whatever an engine with these facts does not support.

    Codes: nothing_to_say, text_too_long, unsupported_language, unsupported_voice,
    unsupported_setting, setting_out_of_range, unsupported_take.
    """
    _check_text(facts, utterance)
    _check_speaker(facts, utterance)
    for key, value in utterance.settings.items():
        _check_setting(facts, key, value)
    if min(utterance.take, utterance.attempt) < 0 or (utterance.take and not facts.supports_takes):
        raise UnsupportedUtterance(
            f"{facts.name} has no take {utterance.take}: it says a text in one way only.",
            code="unsupported_take",
        )


def build_seed(facts: EngineFacts, utterance: Utterance) -> int:
    """64 bits for an utterance's own stream of chance: all its identity, and the attempt."""
    identity = [
        facts.name,
        facts.sound_version,
        facts.model_fingerprint,
        facts.profile,
        utterance.text,
        utterance.language,
        utterance.voice,
        sorted(facts.drop_defaults(utterance.settings).items()),
        utterance.take,
        utterance.attempt,
    ]
    return int.from_bytes(hashlib.sha256(json.dumps(identity).encode()).digest()[:8], "big")


def has_language(languages: tuple[str, ...], language: str) -> bool:
    """Whether a BCP 47 tag is among others: case does not matter, an underscore does."""
    return language.casefold() in (tag.casefold() for tag in languages)


def _check_text(facts: EngineFacts, utterance: Utterance) -> None:
    spoken = clean_text(utterance.text).text
    maximum = facts.get_max_characters(utterance.language)
    if not is_speakable(spoken):
        raise UnsupportedUtterance("There is nothing to say in this text.", code="nothing_to_say")
    if len(spoken) > maximum:
        raise UnsupportedUtterance(
            f"{facts.name} speaks at most {maximum} characters at once, not {len(spoken)}.",
            code="text_too_long",
        )


def _check_speaker(facts: EngineFacts, utterance: Utterance) -> None:
    if not has_language(facts.languages, utterance.language):
        raise UnsupportedUtterance(
            f"{facts.name} does not speak '{utterance.language}'; it speaks "
            f"{', '.join(facts.languages)}.",
            code="unsupported_language",
        )
    if facts.supports_cloning and CLONED_NAME.fullmatch(utterance.voice):
        return
    voice = next((voice for voice in facts.voices if voice.name == utterance.voice), None)
    if voice is None or not has_language(voice.languages, utterance.language):
        raise UnsupportedUtterance(
            f"{facts.name} has no voice '{utterance.voice}' for '{utterance.language}'.",
            code="unsupported_voice",
        )


def _check_setting(facts: EngineFacts, key: str, value: Any) -> None:
    spec = facts.settings.get(key)
    if spec is None:
        raise UnsupportedUtterance(
            f"{facts.name} has no setting '{key}'.", code="unsupported_setting"
        )
    if not spec.takes(value):
        numbers = "whole numbers" if spec.is_whole else "numbers"
        raise UnsupportedUtterance(
            f"{facts.name} takes {numbers} from {spec.minimum:g} to {spec.maximum:g} for '{key}', "
            f"not {_quote(value)}.",
            code="setting_out_of_range",
        )


def _quote(value: Any) -> str:
    """What somebody sent, no longer than a line; a number of 5 000 digits has no text at all."""
    try:
        return repr(value)[:40]
    except ValueError:
        return "that"
