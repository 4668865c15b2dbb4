"""From the author's words to segments: footnotes, phrases in other languages, pauses."""

import pytest

from narration import api
from narration.audio.gaps import DEFAULT_GAPS
from narration.models import Segment, SpeechPolicy
from tests.helpers import get_narration, narrate
from tests.testapp.models import Note

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.xdist_group("wording")]


@pytest.fixture
def write(owner):
    def write(body: str, language: str = "en") -> list[Segment]:
        note = Note.objects.create(title="N", owner=owner, body=body, language=language)
        narration = api.refresh_plan(note, language=language)
        return list(Segment.objects.filter(narration=narration).order_by("position"))

    return write


NOTED = "One[^a]. Two.\n\nThree.\n\n[^a]: Aside.\n"


def test_a_footnote_is_said_behind_its_sentence(write):
    assert [s.spoken_text for s in write(NOTED)] == ["One.", "Footnote: Aside.", "Two.", "Three."]
    assert [s.role for s in write(NOTED)][1] == "footnote"


@pytest.mark.parametrize(
    ("rule", "spoken"),
    [
        ("end", ["One.", "Two.", "Three.", "Footnote: Aside."]),
        ("skip", ["One.", "Two.", "Three."]),
    ],
)
def test_or_at_the_end_or_not_at_all(write, rule, spoken):
    SpeechPolicy.objects.create(rules={"footnotes": rule})
    assert [s.spoken_text for s in write(NOTED)] == spoken


def test_a_phrase_in_another_language_has_a_voice_of_its_own(write, settings):
    segments = write("He said [21 dias]{lang=pt-BR}, and left.")
    assert [(s.language, s.spoken_text) for s in segments] == [
        ("en", "He said"),
        ("pt-BR", "vinte e um dias,"),
        ("en", "and left."),
    ]
    assert segments[0].pause_ms < DEFAULT_GAPS.sentence_ms / 2


def test_a_language_nobody_speaks_is_told_and_read_by_the_main_voice(write):
    segments = write("He said [nuqneH]{lang=tlh} and left.")
    assert {s.language for s in segments} == {"en"}
    assert segments[0].narration.unvoiced == ["tlh"]


def test_pauses_are_heard_where_they_stand(owner):
    note = Note.objects.create(
        title="N", owner=owner, body="One. {pause=2s} Two.\n\n{pause=3000}\n\nThree.\n"
    )
    narrate(note)
    first, second, third = get_narration(note).draft_track.manifest["segments"]
    assert second["start_ms"] - first["end_ms"] == 2000
    assert third["start_ms"] - second["end_ms"] == 3000


def test_a_wrong_rule_is_refused_by_name():
    from django.core.exceptions import ValidationError

    with pytest.raises(ValidationError, match="'code' = 'shout'"):
        SpeechPolicy(rules={"code": "shout"}).full_clean()
    with pytest.raises(ValidationError, match="Gap 'pause'"):
        SpeechPolicy(gaps={"pause": 3}).full_clean()
    with pytest.raises(ValidationError):
        SpeechPolicy(rules=[1]).full_clean()
