"""Two heavy engines of one lane share its card: lessons take turns, an author's preview waits."""

from __future__ import annotations

import pytest

from narration import api
from narration.models import Job, Rendition
from narration.pipeline import previews, synthesize
from narration.pipeline.casting import NO_AMENDMENT
from narration.speaking import describe_warm
from tests.helpers import work
from tests.speaking.test_client import HERE
from tests.testapp.models import Note

pytestmark = pytest.mark.django_db(transaction=True)

BODY = "It rained. The river rose. It rained again. The sun came."


@pytest.fixture
def loaded(monkeypatch, settings, tmp_path, no_engines):
    """English is spoken by one, Portuguese by the other; which were loaded at each sentence."""
    monkeypatch.setattr("narration.queue.bell.ring", lambda lane: None)
    options = {"log": str(tmp_path / "spoken"), "ms_per_character": 8}
    engines = {
        alias: {
            "BACKEND": HERE + "CardEngine",
            "LANE": "gpu",
            "OPTIONS": {**options, "fingerprint": alias},
        }
        for alias in ("first", "second")
    }
    voices = {"en": "first:low", "pt-BR": "second:low"}
    settings.NARRATION = {"ENGINES": engines, "DEFAULT_VOICES": voices, "ENGINE_IDLE_SECONDS": 0}
    seen = []
    store = synthesize.store_rendition

    def look_and_store(segment, result):
        seen.append({each["alias"] for each in describe_warm() if each["state"] != "unloaded"})
        return store(segment, result)

    monkeypatch.setattr(synthesize, "store_rendition", look_and_store)
    return seen


def write(owner, language):
    return Note.objects.create(title=language, body=BODY, owner=owner, language=language)


def preview(owner, language):
    """An author at the desk; ``owner`` waits for it."""
    segment = previews.plan_preview("Now, please.", language, ["site"], NO_AMENDMENT)
    return previews.request_preview(segment, user=owner)


@pytest.mark.parametrize("seats", [1, 2])
def test_their_lessons_take_turns_on_the_card(loaded, owner, settings, seats):
    settings.NARRATION["LANE_SEATS"] = {"gpu": seats}
    jobs = [
        api.request_narration(write(owner, language), language=language)
        for language in ("en", "pt-BR", "en", "pt-BR")
    ]
    work("gpu")
    assert {Job.objects.get(pk=job.pk).state for job in jobs} == {"done"}
    assert set(map(frozenset, loaded)) == {frozenset({"first"}), frozenset({"second"})}


def test_with_room_for_both_they_stay(loaded, owner, settings):
    settings.NARRATION["WARM_ENGINES"] = 2
    for language in ("en", "pt-BR"):
        api.request_narration(write(owner, language), language=language)
        work("gpu")
    assert {each["state"] for each in describe_warm()} == {"loaded"}


@pytest.mark.parametrize(("room", "is_between"), [(1, False), (2, True)])
def test_a_preview_by_the_other_waits_for_the_lesson_where_there_is_no_room(
    loaded, owner, settings, monkeypatch, room, is_between
):
    settings.NARRATION["WARM_ENGINES"] = room
    made = []
    store = synthesize.store_rendition

    def ask_and_store(segment, result):
        made.append(segment.language)
        if len(made) == 1:
            preview(owner, "pt-BR")
        return store(segment, result)

    monkeypatch.setattr(synthesize, "store_rendition", ask_and_store)
    lesson = api.request_narration(write(owner, "en"), language="en")
    work("gpu")
    lesson.refresh_from_db()
    (urgent,) = Job.objects.filter(kind="preview")
    assert (lesson.state, urgent.state) == ("done", "done")
    # Before the lesson's last sentence, or as soon as it has no more to say.
    assert made.count("pt-BR") == 1
    assert (made[-1] == "en") == is_between
    assert Rendition.objects.filter(spoken_text="Now, please.").exists()
    assert all(len(each) <= room for each in loaded)
