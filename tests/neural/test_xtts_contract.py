"""XTTS v2, with random weights in the published format, keeps the contract of every engine."""

import pytest

from narration.testing import EngineContractTests
from narration.values import EngineConfig, Utterance
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
