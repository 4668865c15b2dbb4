"""How far a change of wording looks, and who refreshes what it reaches."""

import pytest

from narration import api
from narration.models import Event, Job, SpeechPolicy, Voice
from tests.helpers import narrate, work
from tests.pipeline.test_wording import build_entry
from tests.testapp.models import Note

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.xdist_group("wording")]


def test_what_reaches_many_plans_is_refreshed_in_the_background(owner, monkeypatch):
    monkeypatch.setattr("narration.api.wording.REFRESHED_AT_ONCE", 1)
    notes = [
        Note.objects.create(title=f"N{at}", owner=owner, body=f"SQL number {at}.\n")
        for at in range(3)
    ]
    for note in notes:
        narrate(note, publish=True)
    api.apply_change(api.change_entry(build_entry()))
    stale = [note for note in notes if api.state_of(note, language="en").status == "stale"]
    assert len(stale) == 1
    # Who asks before the worker came is told the truth, too.
    assert api.estimate_narration(notes[-1], language="en").missing == 1
    work()
    assert {api.state_of(note, language="en").status for note in notes} == {"stale"}
    assert Event.objects.filter(kind="stale").count() == 3
    assert Job.objects.filter(kind="estimate", state="done").count() == 3


def test_a_voice_for_headings_looks_at_headings_only(owner, django_assert_max_num_queries):
    for at in range(12):
        note = Note.objects.create(title=f"N{at}", owner=owner, body=f"Text {at}.\n\n> Said {at}.")
        api.refresh_plan(note, language="en")
    voice = Voice.objects.create(name="High", engine="dummy", engine_voice="high")
    cast = {"en": {"heading": voice.name}}
    with django_assert_max_num_queries(12):
        none = api.build_blast_radius(api.change_policy(SpeechPolicy(casting=cast)))
    assert (none.sentences, none.narrations) == (0, ())
    cast = {"en": {"quotation": voice.name}}
    with django_assert_max_num_queries(30):
        quoted = api.build_blast_radius(api.change_policy(SpeechPolicy(casting=cast)))
    assert quoted.sentences == 12
    cast = {"en": {"body": voice.name}}
    every = api.build_blast_radius(api.change_policy(SpeechPolicy(casting=cast)))
    assert every.sentences == 24
