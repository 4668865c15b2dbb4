"""Explanations name the rule that spoke, and none where the words stay as they are."""

import pytest

from narration import api
from tests.testapp.models import Note

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.xdist_group("wording")]


@pytest.fixture
def explain(owner):
    def explain(body: str, language: str = "en") -> dict[str, str]:
        note = Note.objects.create(title="N", owner=owner, body=body, language=language)
        api.refresh_plan(note, language=language)
        found = api.explain_sentence(note, language=language, number=1)
        return {reason.written: reason.rule for reason in found.reasons}

    return explain


@pytest.mark.parametrize(
    ("body", "language", "written", "rule"),
    [
        ("The 1st one.", "en", "1st", "ordinal"),
        ("In the 1980s then.", "en", "1980s", "decade"),
        ("He is 5 ft 10 in tall.", "en", "5 ft 10 in", "quantity"),
        ("At 9:30 then.", "en", "9:30", "time"),
        ("Set core.editor now.", "en", "core.editor", "address"),
        ("If x>=5 then.", "en", ">=", "comparison"),
        ("A 1ª vez.", "pt-BR", "1ª", "ordinal"),
        ("Às 9h30 saiu.", "pt-BR", "9h30", "time"),
        ("Run `x>=5` now.", "en", ">=", "operator"),
        ("Run `f22b25e` now.", "en", "f22b25e", "identifier"),
        ("Run `guacamole.md` now.", "en", ".", "symbol"),
    ],
)
def test_the_rule_that_spoke_is_named(explain, body, language, written, rule):
    assert explain(body, language)[written] == rule


def test_words_that_stay_as_they_are_need_no_rule(explain):
    assert explain("Run `guacamole` now.") == {"Run guacamole now.": ""} or (
        explain("Run `guacamole` now.")["Run guacamole now"] == ""
    )
