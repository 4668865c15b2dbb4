"""An engine may speak more at once in one language than in another."""

from dataclasses import replace

import pytest

from narration.engines.base import check_utterance
from narration.engines.dummy import DummyEngine
from narration.engines.wire import decode_facts, encode_facts
from narration.exceptions import UnsupportedUtterance
from narration.values import Utterance

FACTS = replace(DummyEngine.describe({}), max_characters=10, limits={"pt-BR": 20})


def test_a_language_has_its_own_limit_or_the_engines():
    assert FACTS.get_max_characters("pt-BR") == FACTS.get_max_characters("pt-br") == 20
    assert FACTS.get_max_characters("pt") == FACTS.get_max_characters("tlh") == 10


@pytest.mark.parametrize(("language", "maximum"), [("en", 10), ("pt-BR", 20)])
def test_what_is_longer_is_refused_with_that_limit(language, maximum):
    check_utterance(FACTS, Utterance("a" * maximum, language, "low"))
    with pytest.raises(UnsupportedUtterance, match=f"at most {maximum} ") as error:
        check_utterance(FACTS, Utterance("a" * (maximum + 1), language, "low"))
    assert error.value.code == "text_too_long"


def test_limits_travel():
    assert decode_facts(encode_facts(FACTS)) == FACTS
