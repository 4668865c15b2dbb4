"""Jobs asked for again, and lanes that go on."""

from __future__ import annotations

import datetime as dt

import pytest
from django.contrib.auth.models import Permission
from django.utils import timezone

from narration import api
from narration.exceptions import ConflictError, NarrationNotFound, NotAllowed
from narration.models import (
    Event,
    Job,
    JobError,
    JobKind,
    JobState,
    Lane,
    SynthesisFailure,
)
from tests.helpers import narrate, work
from tests.views.rows import make_rendition, make_segment

pytestmark = pytest.mark.django_db

ENDED_BADLY = (JobState.PARTIAL, JobState.FAILED, JobState.QUARANTINED, JobState.CANCELLED)


def end(job, state=JobState.FAILED, **changes):
    Job.objects.filter(pk=job.pk).update(state=state, finished_at=timezone.now(), **changes)
    job.refresh_from_db()
    return job


@pytest.mark.parametrize("state", ENDED_BADLY)
def test_what_ended_badly_is_asked_for_again(note, owner, state):
    job = end(api.request_narration(note, language="en", user=owner), state)
    again = api.retry_job(job.uid, user=owner)
    assert again.pk != job.pk
    assert (again.state, again.kind, again.narration) == ("queued", job.kind, job.narration)
    assert (again.payload, again.request_key) == (job.payload, job.request_key)
    assert (again.claims, again.attempts, again.error_code) == (0, 0, "")
    assert api.retry_job(job.uid, user=owner) == again
    event = Event.objects.filter(kind="job_retried").last()
    assert (event.job, event.actor, event.data) == (job, owner, {"again": str(again.uid)})


@pytest.mark.parametrize(
    ("state", "code"), [("queued", "job_active"), ("running", "job_active"), ("done", "job_done")]
)
def test_what_has_not_ended_badly_is_a_conflict(note, owner, state, code):
    job = end(api.request_narration(note, language="en", user=owner), state)
    with pytest.raises(ConflictError) as caught:
        api.retry_job(job.uid, user=owner)
    assert caught.value.code == code
    assert Job.objects.count() == 1


def test_the_sentences_it_could_not_speak_are_forgotten(note, owner):
    job = end(api.request_narration(note, language="en", user=owner), JobState.PARTIAL)
    later = timezone.now() + dt.timedelta(hours=6)
    rendition = make_rendition()
    make_segment(job.narration, rendition)
    for digest in ("a" * 64, rendition.digest, "c" * 64):
        SynthesisFailure.objects.create(
            digest=digest, sound_version=1, error_code="engine_hung", until=later
        )
    JobError.objects.create(job=job, utterance_digest="a" * 64, text="x", code="engine_hung")
    api.retry_job(job.uid, user=owner)
    assert list(SynthesisFailure.objects.values_list("digest", flat=True)) == ["c" * 64]


@pytest.mark.django_db(transaction=True)
def test_a_sentence_set_aside_is_spoken_when_tried_again(note, owner, settings):
    options = {"ms_per_character": 8, "crash_on": "rained"}
    dummy = settings.NARRATION["ENGINES"]["dummy"]
    engines = {"dummy": {**dummy, "OPTIONS": options}}
    good = settings.NARRATION
    settings.NARRATION = {**good, "ENGINES": engines}
    first = narrate(note, user=owner)
    assert (first.state, first.error_code) == ("partial", "partial")
    settings.NARRATION = good
    job = api.request_narration(note, language="en", user=owner)
    work()
    job.refresh_from_db()
    assert job.state == "partial", "it is set aside, whatever the engine can do now"
    again = api.retry_job(job.uid, user=owner)
    work()
    again.refresh_from_db()
    assert again.state == "done"


def test_a_preview_is_asked_for_again_as_it_was(note, owner):
    job = Job.objects.create(
        kind=JobKind.PREVIEW,
        request_key="p",
        lane="cpu",
        priority=-100,
        payload={"digest": "d" * 64, "text": "Rain."},
        state=JobState.FAILED,
        requested_by=owner,
        queued_at=timezone.now(),
    )
    again = api.retry_job(job.uid, user=owner)
    assert (again.kind, again.request_key, again.priority) == ("preview", "p", -100)
    assert again.payload == job.payload
    assert again.requested_by == owner
    assert api.retry_job(job.uid, user=owner) == again


def test_who_may_no_longer_narrate_cannot_ask_again(note, owner, stranger):
    job = end(api.request_narration(note, language="en", user=owner))
    note.owner = stranger
    note.save()
    with pytest.raises(NarrationNotFound):
        api.retry_job(job.uid, user=owner)
    assert Job.objects.count() == 1


def test_what_was_deleted_cannot_be_asked_for_again(note, owner):
    job = end(api.request_narration(note, language="en", user=owner))
    note.delete()
    with pytest.raises(NarrationNotFound):
        api.retry_job(job.uid)


def test_the_system_asks_again_in_the_name_of_who_asked(note, owner):
    job = end(api.request_narration(note, language="en", user=owner))
    assert api.retry_job(job.uid).requested_by == owner


def test_who_tries_again_need_not_be_told_of_the_failure(note, owner):
    job = end(api.request_narration(note, language="en", user=owner))
    assert len(api.list_notices(owner)) == 1
    api.retry_job(job.uid, user=owner)
    assert api.list_notices(owner) == []


def test_a_resting_lane_goes_on(owner, monkeypatch, django_capture_on_commit_callbacks):
    rung = []
    monkeypatch.setattr("narration.queue.bell.ring", rung.append)
    until = timezone.now() + dt.timedelta(hours=1)
    Lane.objects.create(name="cpu", failures=3, paused_until=until)
    with pytest.raises(NotAllowed):
        api.resume_lane("cpu", user=owner)
    owner.user_permissions.add(Permission.objects.get(codename="change_job"))
    owner = type(owner).objects.get(pk=owner.pk)
    with django_capture_on_commit_callbacks(execute=True):
        api.resume_lane("cpu", user=owner)
    lane = Lane.objects.get()
    assert (lane.paused_until, lane.failures) == (None, 3)
    assert rung == ["cpu"]
    event = Event.objects.get(kind="lane_resumed")
    assert (event.actor, event.data) == (owner, {"lane": "cpu"})


def test_there_is_no_such_lane(db):
    with pytest.raises(NarrationNotFound):
        api.resume_lane("nowhere")
