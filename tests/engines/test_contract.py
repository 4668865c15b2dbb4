"""The engines that ship keep the contract hosts' engines are held to."""

from narration.testing import EngineContractTests
from narration.values import Utterance

ENGLISH = "The quick brown fox jumps over the lazy dog, twice a day."
PORTUGUESE = "À noite, vovô Kowalsky vê o ímã cair no pé do pinguim."


class TestDummyEngine(EngineContractTests):
    backend = "narration.engines.dummy.DummyEngine"
    utterances = (
        Utterance(ENGLISH, "en", "low"),
        Utterance(PORTUGUESE, "pt-BR", "high"),
        Utterance("Short.", "en-GB", "low", {"pace": 1.5}, take=3),
    )


class TestDummyEngineWithSlots(EngineContractTests):
    backend = "narration.engines.dummy.DummyEngine"
    options = {"slots": 3}
    utterances = TestDummyEngine.utterances


class TestEspeakEngine(EngineContractTests):
    backend = "narration.engines.espeak.EspeakEngine"
    utterances = (
        Utterance(ENGLISH, "en", "en-us"),
        Utterance(PORTUGUESE, "pt-BR", "pt-br"),
        Utterance("Um preço de 299.792.458 reais — Dr. Silva, em 2024!", "pt-br", "pt-br+f3"),
        Utterance("Colour me surprised.", "en-GB", "en-gb", {"rate": 250, "pitch": 80}),
        Utterance(ENGLISH, "en-US", "en-us", {"rate": 120}),
    )
    # "one long word" of 200 letters and foreign scripts are spelt letter by letter.
    max_ms_per_character = 900
