"""A phrase in another language is refused where it is asked for, not cancelled afterwards."""

import pytest

from narration import api
from narration.exceptions import ConsentError
from narration.models import Job, Segment, SpeechPolicy
from tests.helpers import narrate
from tests.testapp.models import Note
from tests.testapp.narration_sources import NoteSource
from tests.voices.scenes import make_voice

pytestmark = pytest.mark.django_db(transaction=True)

PHRASE = "He said [vinte e um]{lang=pt-BR}, and left."


@pytest.fixture
def voice():
    """Ada says what is Portuguese, in paragraphs; everything else is said by an engine's own."""
    voice = make_voice(languages=["pt-BR"])
    SpeechPolicy.objects.create(scope_key="", casting={"pt-BR": {"body": voice.name}})
    return voice


@pytest.fixture
def phrase(owner):
    return Note.objects.create(title="Phrase", owner=owner, body=PHRASE)


def test_a_phrase_in_a_voice_that_may_speak_is_spoken(phrase, voice):
    assert narrate(phrase).state == "done"
    assert Segment.objects.filter(voice=voice, language="pt-BR").exists()


def test_a_phrase_in_a_voice_that_was_taken_back_is_refused_at_once(note, phrase, voice):
    api.revoke_consent(voice.consent)
    with pytest.raises(ConsentError) as refused:
        api.request_narration(phrase, language="en")
    assert refused.value.code == "consent_revoked"
    assert not Job.objects.exists()
    several = api.request_narrations([note, phrase])
    assert [each.obj for each in several.refused] == [phrase]
    assert len(several.jobs) == 1


def test_what_other_roles_would_say_does_not_hinder(phrase, voice):
    """Only who would speak is asked: nothing Portuguese is in a heading here."""
    policy = SpeechPolicy.objects.get()
    policy.casting = {"pt-BR": {"heading": voice.name}}
    policy.save()
    api.revoke_consent(voice.consent)
    assert narrate(phrase).state == "done"


def test_texts_are_not_read_where_everybody_may_speak(note, voice, monkeypatch):
    def fail(*_args):
        raise AssertionError("The text was read.")

    monkeypatch.setattr(NoteSource, "get_passages", fail)
    api.request_narration(note, language="en")
