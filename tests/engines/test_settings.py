"""A setting is a number of one type, in range, or it is refused; one sound has one identity."""

from __future__ import annotations

from dataclasses import replace

import pytest

from narration.digests import build_utterance_digest
from narration.engines.base import build_seed, check_utterance
from narration.engines.dummy import DummyEngine
from narration.engines.xtts.engine import _take_defaults
from narration.exceptions import UnsupportedUtterance
from narration.values import SettingSpec, Utterance

WHOLE, BROKEN = SettingSpec(50, 2, 200, is_whole=True), SettingSpec(1.0, 0.5, 2.0)
FACTS = replace(DummyEngine.describe({}), settings={"top_k": WHOLE, "pace": BROKEN})


def ask(**settings):
    return Utterance("It rained.", "en", "low", settings)


@pytest.mark.parametrize(
    ("one", "other"), [({"top_k": 60}, {"top_k": 60.0}), ({"pace": 2}, {"pace": 2.0})]
)
def test_a_number_has_one_identity_however_it_is_written(one, other):
    assert build_utterance_digest(ask(**one), FACTS) == build_utterance_digest(ask(**other), FACTS)
    assert build_seed(FACTS, ask(**one)) == build_seed(FACTS, ask(**other))


@pytest.mark.parametrize(
    "value", [50.7, 1, 201, float("nan"), float("inf"), 10**400, "60", True, None, [60]]
)
def test_what_is_no_whole_number_in_range_is_refused_and_stays_as_it_is(value):
    with pytest.raises(UnsupportedUtterance) as caught:
        check_utterance(FACTS, ask(top_k=value))
    assert caught.value.code == "setting_out_of_range"
    assert "whole numbers from 2 to 200 for 'top_k'" in str(caught.value)
    assert len(str(caught.value)) < 120
    kept = FACTS.drop_defaults({"top_k": value})["top_k"]
    assert kept is value


def test_a_number_too_long_to_be_written_is_refused_in_words():
    with pytest.raises(UnsupportedUtterance, match="not that"):
        check_utterance(FACTS, ask(top_k=10**5000))


def test_a_models_own_defaults_are_taken_where_they_are_ones():
    told = {"top_k": 50.5, "temperature": "hot", "top_p": 0.5, "speed": 9, "repetition_penalty": 7}
    specs = _take_defaults(told)
    found = {key: spec.default for key, spec in specs.items()}
    assert found == {
        "temperature": 0.75,
        "top_k": 50,
        "top_p": 0.5,
        "repetition_penalty": 7.0,
        "speed": 1.0,
    }
    assert _take_defaults({"top_k": 40.0})["top_k"].default == 40
