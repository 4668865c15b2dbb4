"""StyleTTS2 keeps the contract of all engines, on a small model of random weights."""

from __future__ import annotations

from dataclasses import replace
from typing import ClassVar

import pytest

from narration.testing import EngineContractTests
from narration.values import Utterance


class TestStyleTTS2(EngineContractTests):
    backend = "narration.engines.styletts2.StyleTTS2Engine"
    utterances: ClassVar = [
        Utterance("Good morning, everyone.", "en", "sampled-1"),
        Utterance("The speed of light is about 300,000 km/s.", "en-US", "sampled-2"),
        Utterance("Café — isn't it?", "en", "sampled-3", {"speed": 1.5}),
    ]
    timeout = 300.0

    @classmethod
    def get_config(cls):
        # A busy machine without a GPU takes its time.
        return replace(super().get_config(), deadline_base_s=cls.timeout)

    @pytest.fixture(scope="class", autouse=True)
    @classmethod
    def models(cls, styletts2_models):
        cls.options = {"models_dir": str(styletts2_models), "device": "cpu"}
        with pytest.MonkeyPatch.context() as patch:
            # Threads of several processes on few cores wait for one another.
            patch.setenv("OMP_NUM_THREADS", "1")
            yield
