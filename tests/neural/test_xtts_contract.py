"""XTTS v2, with random weights in the published format, keeps the contract of every engine."""

import time
from dataclasses import replace

import numpy as np
import pytest

from narration.engines.latents import get_latents_path
from narration.testing import EngineContractTests
from narration.values import EngineConfig, Utterance, Waveform
from tests.neural.checkpoints_xtts import SPEAKERS

ENGLISH = "The quick brown fox jumps over the lazy dog, twice a day."
PORTUGUESE = "À noite, vovô Kowalsky vê o ímã cair no pé do pinguim."


class TestXtts(EngineContractTests):
    backend = "narration.engines.xtts.XttsEngine"
    options = {"device": "cpu"}
    utterances = (
        Utterance(ENGLISH, "en", SPEAKERS[0]),
        Utterance(PORTUGUESE, "pt-BR", SPEAKERS[1]),
        Utterance(PORTUGUESE, "pt-br", SPEAKERS[1], {"speed": 1.5}, take=3),
    )
    timeout = 300.0

    @pytest.fixture(autouse=True, scope="class")
    @classmethod
    def installed(cls, xtts_models):
        cls.models_dir = str(xtts_models)

    @classmethod
    def get_config(cls):
        # A busy machine is no fault of the engine's.
        return EngineConfig(
            "contract",
            cls.backend,
            cls.options,
            models_dir=cls.models_dir,
            deadline_base_s=cls.timeout,
        )

    def test_a_voice_is_cloned_and_speaks(self, engine):
        noise = np.random.default_rng(0).standard_normal(48_000)
        recording = Waveform((0.1 * noise).astype(np.float32), 24_000)
        voice = "@" + "d" * 64
        path = get_latents_path(self.models_dir, voice)
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(engine.clone([recording]).data)
        heard = self.get_bytes(engine, [replace(self.utterances[0], voice=voice)] * 2)
        assert heard[0] == heard[1] != self.get_bytes(engine, self.utterances[:1])[0]

    def test_it_measures_the_memory_it_holds(self, engine):
        deadline = time.monotonic() + self.timeout
        while not engine.measures and time.monotonic() < deadline:
            time.sleep(0.2)
        assert engine.measures["device"] == "cpu"
        assert 0 < engine.measures["memory"] < engine.measures["memory_total"]
