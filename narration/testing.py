"""For hosts' tests: the contract every engine keeps. Needs pytest; knows no Django.

Subclass in your test suite::

    class TestMyEngine(EngineContractTests):
        backend = "myapp.engines.MyEngine"
        utterances = [Utterance("Good morning.", "en", "anna"), …]
"""

# ruff: noqa: D102, S101 - tests tell what they test by their name, and assert it

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, ClassVar

import numpy as np
import pytest

from narration.engines.hygiene import find_words
from narration.exceptions import EngineError, UnsupportedUtterance
from narration.speaking.client import EngineProcess, describe_config
from narration.speaking.ledger import Outcome
from narration.values import (
    CLONED_PREFIX,
    EngineConfig,
    EngineFacts,
    EngineResult,
    Utterance,
)

UNSPEAKABLE = {
    "empty": "",
    "white space": " \n\t\u2003 ",
    "NUL": "\0",
    "control characters": "\x01\x02\x1b\x7f\x85",
    "zero width": "\u200b\u200c\u200d\ufeff\u2060",
    "emoji": "😀🎉👩‍💻🇧🇷",
    "punctuation": "… — !?",
}

HOSTILE = {
    "NUL inside": "before\0after",
    "escape sequences": "\x1b[31mred\x1b[0m and \x07bell",
    "zero width inside": "zero\u200bwidth\ufeff text",
    "emoji inside": "well done 🎉 friend 👩‍💻",
    "right to left": "שלום עולם مرحبا بالعالم",
    "direction marks": "\u202eabc\u202c def \u2067ghi\u2069",
    "lone surrogate": "half \ud83d a pair",
    "combining": "Z\u0351\u036b\u0343\u036a\u0302a\u0489l\u0334g\u0335o\u0321",
    "markup": "<speak><break time='60s'/>hello</speak> &amp; [[h@loU]]",
    "format": "%s %n %x {0} ${HOME} `id` \\n",
    "one long word": "a" * 200,
    "unknown script": "Привет 你好 नमस्ते",
}


class EngineContractTests:
    """What narration relies on in an engine. Set ``backend`` and ``utterances``.

    ``utterances`` are at least two different ones the engine can speak.
    """

    backend: ClassVar[str]
    options: ClassVar[Mapping[str, Any]] = {}
    python: ClassVar[str] = ""
    utterances: ClassVar[Sequence[Utterance]]
    #: Speech slower than this is noise or a loop.
    max_ms_per_character: ClassVar[int] = 500
    #: Seconds to wait for one result.
    timeout: ClassVar[float] = 60.0

    @classmethod
    def get_config(cls) -> EngineConfig:
        """How the engine under test is started."""
        return EngineConfig("contract", cls.backend, cls.options, python=cls.python)

    @pytest.fixture(scope="class")
    @classmethod
    def engine(cls) -> Iterator[EngineProcess]:
        """The engine, up, for all tests of the class."""
        with EngineProcess(cls.get_config()) as engine:
            yield engine

    @pytest.fixture
    def facts(self) -> EngineFacts:
        """What the engine declares without being started."""
        return describe_config(self.get_config())

    # It declares its powers …

    def test_declares_limits_voices_and_languages_that_agree(self, facts: EngineFacts) -> None:
        assert facts.name
        assert facts.model_fingerprint
        assert facts.licence
        assert facts.max_characters > 0
        assert facts.slots > 0
        spoken = {language for voice in facts.voices for language in voice.languages}
        assert spoken == set(facts.languages)
        names = [voice.name for voice in facts.voices]
        assert len(names) == len(set(names))
        for spec in facts.settings.values():
            assert spec.minimum <= spec.default <= spec.maximum

    def test_is_when_loaded_what_it_was_described_as(
        self, engine: EngineProcess, facts: EngineFacts
    ) -> None:
        assert engine.loaded_facts == facts

    # … keeps its word …

    def test_every_voice_speaks_every_language_it_declares(
        self, engine: EngineProcess, facts: EngineFacts
    ) -> None:
        text = self.utterances[0].text
        wanted = [
            Utterance(text, language, voice.name)
            for voice in facts.voices
            for language in voice.languages
        ]
        for utterance, outcome in zip(wanted, self.speak_all(engine, wanted), strict=True):
            self.assert_sane(utterance, outcome)

    def test_sound_is_sane(self, engine: EngineProcess) -> None:
        for utterance, outcome in zip(
            self.utterances, self.speak_all(engine, self.utterances), strict=True
        ):
            self.assert_sane(utterance, outcome)

    def test_same_utterance_sounds_the_same_in_any_order_and_process(
        self, engine: EngineProcess
    ) -> None:
        heard = self.get_bytes(engine, self.utterances)
        assert self.get_bytes(engine, self.utterances) == heard
        assert self.get_bytes(engine, list(reversed(self.utterances)))[::-1] == heard
        time.sleep(1.1)  # sound seeded by the clock's second would pass within one
        with EngineProcess(self.get_config()) as another:
            assert self.get_bytes(another, self.utterances[::-1])[::-1] == heard

    def test_word_timing_covers_every_word_in_order_inside_the_sound(
        self, engine: EngineProcess, facts: EngineFacts
    ) -> None:
        for utterance in self.utterances:
            result = engine.speak(utterance, timeout=self.timeout)
            if not facts.supports_word_timing:
                assert result.words == ()
                continue
            spans = [(word.spoken_start, word.spoken_end) for word in result.words]
            assert spans == find_words(utterance.text)
            times = [time for word in result.words for time in (word.start_ms, word.end_ms)]
            assert times == sorted(times)
            assert times[0] >= 0
            assert times[-1] <= result.waveform.duration_ms

    def test_settings_work_over_their_whole_range_and_change_the_sound(
        self, engine: EngineProcess, facts: EngineFacts
    ) -> None:
        for key, spec in facts.settings.items():
            values = {spec.minimum, spec.default, spec.maximum}
            wanted = [replace(self.utterances[0], settings={key: value}) for value in values]
            assert len(set(self.get_bytes(engine, wanted))) == len(values), key

    def test_default_setting_said_or_not_is_the_same_sound(
        self, engine: EngineProcess, facts: EngineFacts
    ) -> None:
        plain = replace(self.utterances[0], settings={})
        defaults = {key: spec.default for key, spec in facts.settings.items()}
        first, second = self.get_bytes(engine, [plain, replace(plain, settings=defaults)])
        assert first == second

    def test_a_number_is_one_however_it_is_written(
        self, engine: EngineProcess, facts: EngineFacts
    ) -> None:
        for key, spec in facts.settings.items():
            if spec.maximum == int(spec.maximum):
                whole, broken = (
                    replace(self.utterances[0], settings={key: kind(spec.maximum)})
                    for kind in (int, float)
                )
                first, second = self.get_bytes(engine, [whole, broken])
                assert first == second, key

    def test_another_take_is_another_sound_each_the_same_every_time(
        self, engine: EngineProcess, facts: EngineFacts
    ) -> None:
        takes = [replace(self.utterances[0], take=take) for take in (0, 1, 2)]
        if not facts.supports_takes:
            pytest.skip("no takes")
        heard = self.get_bytes(engine, takes)
        assert len(set(heard)) == len(takes)
        assert self.get_bytes(engine, takes) == heard

    # … refuses the rest …

    def test_refuses_what_it_does_not_support(
        self, engine: EngineProcess, facts: EngineFacts
    ) -> None:
        good = self.utterances[0]
        maximum = facts.get_max_characters(good.language)
        refused = {
            "unsupported_language": replace(good, language="tlh"),
            "unsupported_voice": replace(good, voice="nobody"),
            "unsupported_setting": replace(good, settings={"no_such_setting": 1}),
            "unsupported_take": replace(good, take=-1 if facts.supports_takes else 1),
            "text_too_long": replace(good, text="word " * (maximum // 5 + 1)),
        }
        for code, utterance in refused.items():
            self.assert_refused(self.speak_one(engine, utterance), code)

    @pytest.mark.parametrize("name", ["", "short", "../../../etc/passwd", "A" * 64, "a" * 65])
    def test_refuses_what_names_no_cloned_voice(self, engine: EngineProcess, name: str) -> None:
        utterance = replace(self.utterances[0], voice=f"{CLONED_PREFIX}{name}")
        self.assert_refused(self.speak_one(engine, utterance), "unsupported_voice")

    def test_a_cloned_voice_it_never_learnt_is_an_error(self, engine: EngineProcess) -> None:
        utterance = replace(self.utterances[0], voice=f"{CLONED_PREFIX}{0:064x}")
        assert isinstance(self.speak_one(engine, utterance), EngineError)
        assert isinstance(self.speak_one(engine, self.utterances[0]), EngineResult)

    def test_refuses_a_tag_with_an_underscore(self, engine: EngineProcess) -> None:
        utterance = replace(self.utterances[0], language="pt_BR")
        self.assert_refused(self.speak_one(engine, utterance), "unsupported_language")

    def test_refuses_settings_out_of_range(self, engine: EngineProcess, facts: EngineFacts) -> None:
        for key, spec in facts.settings.items():
            beyond = (spec.minimum - 1, spec.maximum + 1, 10**400, float("nan"), float("inf"))
            for value in (*beyond, "fast", True, None):
                utterance = replace(self.utterances[0], settings={key: value})
                self.assert_refused(self.speak_one(engine, utterance), "setting_out_of_range")

    def test_refuses_fractions_where_numbers_are_whole(
        self, engine: EngineProcess, facts: EngineFacts
    ) -> None:
        for key, spec in facts.settings.items():
            if spec.is_whole:
                utterance = replace(self.utterances[0], settings={key: spec.minimum + 0.5})
                self.assert_refused(self.speak_one(engine, utterance), "setting_out_of_range")

    @pytest.mark.parametrize("name", UNSPEAKABLE)
    def test_refuses_text_with_nothing_to_say(self, engine: EngineProcess, name: str) -> None:
        utterance = replace(self.utterances[0], text=UNSPEAKABLE[name])
        self.assert_refused(self.speak_one(engine, utterance), "nothing_to_say")

    # … and survives.

    @pytest.mark.parametrize("name", HOSTILE)
    def test_survives_hostile_text(self, engine: EngineProcess, name: str) -> None:
        pid = engine.pid
        utterance = replace(self.utterances[0], text=HOSTILE[name])
        outcome = self.speak_one(engine, utterance)
        if isinstance(outcome, EngineError):
            assert isinstance(outcome, UnsupportedUtterance), outcome
        else:
            self.assert_sane(utterance, outcome)
        assert isinstance(self.speak_one(engine, self.utterances[0]), EngineResult)
        assert engine.pid == pid

    def test_survives_ten_thousand_characters(
        self, engine: EngineProcess, facts: EngineFacts
    ) -> None:
        utterance = replace(self.utterances[0], text="all work and no play " * 477)
        if facts.get_max_characters(utterance.language) < len(utterance.text):
            self.assert_refused(self.speak_one(engine, utterance), "text_too_long")
        else:
            self.assert_sane(utterance, self.speak_one(engine, utterance))

    def test_text_ends_where_it_ends_not_at_a_nul(self, engine: EngineProcess) -> None:
        good = self.utterances[0]
        middle = len(good.text) // 2
        split = replace(good, text=f"{good.text[:middle]}\0\u200b{good.text[middle:]}")
        outcome = self.speak_one(engine, split)
        assert isinstance(outcome, EngineResult)
        assert outcome.waveform.duration_ms == engine.speak(good).waveform.duration_ms

    def test_cancelled_utterances_give_no_result(self, engine: EngineProcess) -> None:
        stream = engine.open_stream()
        tickets = [stream.submit(self.utterances[0]) for _ in range(8)]
        for ticket in tickets[4:]:
            stream.cancel(ticket)
        heard = [ticket for ticket, _ in stream.iter_results(self.timeout)]
        assert sorted(heard) == sorted(tickets[:4])

    # Helpers, for tests of one's own too.

    def speak_one(self, engine: EngineProcess, utterance: Utterance) -> Outcome:
        """Its outcome: a result or an error, not raised."""
        return self.speak_all(engine, [utterance])[0]

    def speak_all(self, engine: EngineProcess, utterances: Sequence[Utterance]) -> list[Outcome]:
        """Their outcomes, in the order of ``utterances``, spoken side by side."""
        stream = engine.open_stream()
        tickets = [stream.submit(utterance) for utterance in utterances]
        outcomes = dict(stream.iter_results(self.timeout))
        return [outcomes[ticket] for ticket in tickets]

    def get_bytes(self, engine: EngineProcess, utterances: Sequence[Utterance]) -> list[bytes]:
        """Their samples, bit by bit."""
        return [self.get_samples(outcome) for outcome in self.speak_all(engine, utterances)]

    @staticmethod
    def get_samples(outcome: Outcome) -> bytes:
        """The samples of a result; fails on an error."""
        assert isinstance(outcome, EngineResult), outcome
        return outcome.waveform.samples.tobytes()

    @staticmethod
    def assert_refused(outcome: Outcome, code: str) -> None:
        """It was refused for good, for this reason."""
        assert isinstance(outcome, UnsupportedUtterance), outcome
        assert outcome.code == code
        assert outcome.is_permanent
        assert outcome.message

    def assert_sane(self, utterance: Utterance, outcome: Outcome) -> None:
        """A sound one could play: right format, not silent, no clipping, no endless babble."""
        assert isinstance(outcome, EngineResult), (utterance, outcome)
        waveform = outcome.waveform
        assert waveform.samples.dtype == np.float32
        assert waveform.samples.ndim == 1
        assert waveform.sample_rate == describe_config(self.get_config()).sample_rate
        assert 0 < waveform.duration_ms <= self.max_ms_per_character * len(utterance.text)
        assert 0.01 < np.abs(waveform.samples).max() <= 1.0
