"""A job works long after it was asked for: what it may do is what may be done then."""

import pytest

from narration import api
from narration.exceptions import ConflictError, NarrationNotFound, QuotaExceeded
from narration.models import Job, JobState, SpeechPolicy
from narration.queue import bell
from tests.helpers import get_narration, work

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def rings(monkeypatch):
    monkeypatch.setattr(bell, "ring", lambda _lane: None)


def test_a_later_text_is_narrated_and_not_published(note, owner):
    job = api.request_narration(note, language="en", user=owner, publish=True)
    note.edit("Words somebody else saved while it waited.")
    work()
    job.refresh_from_db()
    note.refresh_from_db()
    assert job.state == "done"
    assert note.public_version is None
    narration = get_narration(note)
    assert narration.published_track is None
    assert narration.draft_track.source_version == note.version


def test_the_text_it_was_asked_for_is_published(note, owner):
    api.request_narration(note, language="en", user=owner, publish=True)
    work()
    note.refresh_from_db()
    assert note.public_version == note.version


def test_who_lost_the_right_publishes_no_more(note, owner, stranger):
    api.request_narration(note, language="en", user=owner, publish=True)
    note.owner = stranger
    note.save()
    work()
    note.refresh_from_db()
    assert note.public_version is None
    assert get_narration(note).published_track is None


def test_who_is_gone_publishes_nothing(note, owner, stranger):
    api.request_narration(note, language="en", user=owner, publish=True)
    note.owner = stranger
    note.save()
    owner.delete()
    work()
    note.refresh_from_db()
    assert note.public_version is None


def test_the_system_publishes(note):
    api.request_narration(note, language="en", publish=True)
    work()
    note.refresh_from_db()
    assert note.public_version == note.version


def test_who_may_no_longer_narrate_sees_no_more_of_the_job(note, owner, stranger):
    job = api.request_narration(note, language="en", user=owner)
    assert api.get_job(uid=job.uid, user=owner) == job
    note.owner = stranger
    note.save()
    with pytest.raises(NarrationNotFound):
        api.get_job(uid=job.uid, user=owner)


def cancel_audition(owner, number):
    job = api.request_audition(f"Word {number}.", language="en", scope_key="", user=owner)
    api.cancel_job(job.uid, user=owner)
    return job


@pytest.fixture
def editor(owner):
    owner.is_staff = owner.is_superuser = True
    owner.save()
    return owner


def test_previews_asked_for_again_are_counted(editor):
    jobs = [cancel_audition(editor, number) for number in range(4)]
    for job in jobs[:3]:
        again = api.retry_job(job.uid, user=editor)
        assert again.scope_key == job.scope_key
    with pytest.raises(ConflictError) as refused:
        api.retry_job(jobs[3].uid, user=editor)
    assert refused.value.code == "too_many"
    assert Job.objects.filter(state=JobState.QUEUED).count() == 3


def test_previews_asked_for_again_keep_the_day(editor):
    job = cancel_audition(editor, 1)
    SpeechPolicy.objects.create(scope_key="", quotas={"characters_a_day_per_user": 1})
    with pytest.raises(QuotaExceeded):
        api.retry_job(job.uid, user=editor)
