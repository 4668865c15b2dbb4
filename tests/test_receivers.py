from __future__ import annotations

import pytest
from django.contrib.auth.models import Group
from django.db import IntegrityError, transaction
from django.db.models.signals import post_delete, pre_delete
from django.utils import timezone

from narration.models import Event, Job, JobState, Narration, Rendition, Segment
from narration.receivers import connect_sources
from tests.testapp.models import Note
from tests.views.rows import (
    get_url,
    make_narration,
    make_rendition,
    make_segment,
    make_track,
    use_rendition,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def narration(note):
    narration = make_narration(note)
    rendition = make_rendition()
    make_segment(narration, rendition)
    use_rendition(make_track(narration), rendition)
    return narration


def make_job(narration, state, key):
    return Job.objects.create(
        narration=narration, request_key=key, lane="cpu", state=state, queued_at=timezone.now()
    )


def test_narrated_models_are_watched_and_no_others():
    assert pre_delete.has_listeners(Note)
    assert not pre_delete.has_listeners(Group)


def test_watching_twice_is_watching_once(note, narration):
    connect_sources()
    note.delete()
    assert Event.objects.filter(kind="withdrawn").count() == 1


def test_deleting_an_object_cancels_its_jobs(note, narration):
    waiting = make_job(narration, JobState.QUEUED, "w")
    running = make_job(narration, JobState.RUNNING, "r")
    done = make_job(narration, JobState.DONE, "d")
    note.delete()
    for job in (waiting, running, done):
        job.refresh_from_db()
    assert waiting.state == "cancelled"
    assert (running.state, running.cancel_requested) == ("running", True)
    assert (done.state, done.cancel_requested) == ("done", False)


def test_deleting_an_object_withdraws_its_track(note, narration, client, owner):
    track = narration.published_track
    url = get_url(track)
    note.delete()
    narration.refresh_from_db()
    track.refresh_from_db()
    assert narration.published_track is None
    assert track.withdrawn_at is not None
    assert "deleted" in track.withdrawn_reason
    client.force_login(owner)
    assert client.get(url).status_code == 404


def test_deleting_an_object_keeps_its_renditions(note, narration):
    Note.objects.all().delete()
    assert Rendition.objects.count() == 1
    assert Segment.objects.count() == 1


def test_deleting_the_owner_does_the_same(owner, note, narration):
    job = make_job(narration, JobState.QUEUED, "w")
    owner.delete()
    job.refresh_from_db()
    assert job.state == "cancelled"


def test_other_objects_are_left_alone(owner, note, narration):
    other = Note.objects.create(title="b", body="x", owner=owner)
    theirs = make_narration(other)
    make_track(theirs)
    note.delete()
    theirs.refresh_from_db()
    assert theirs.published_track is not None


def test_a_deletion_that_fails_changes_nothing(note, narration):
    job = make_job(narration, JobState.QUEUED, "w")

    def fail(sender, **options):
        raise IntegrityError

    post_delete.connect(fail, sender=Note)
    try:
        with pytest.raises(IntegrityError), transaction.atomic():
            note.delete()
    finally:
        post_delete.disconnect(fail, sender=Note)
    job.refresh_from_db()
    assert job.state == "queued"
    assert Narration.objects.get().published_track is not None
