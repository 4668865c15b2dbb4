"""Claims, leases, sweeps: the job row is the truth."""

from datetime import timedelta

import pytest
from django.db import IntegrityError, transaction
from django.db.models.functions import Now

from narration import api, runner
from narration.exceptions import ConflictError, NarrationNotFound, NotAllowed
from narration.models import Event, Job, JobState, Rendition, Track
from narration.queue import bell
from narration.runner import lease
from tests.helpers import get_narration, narrate, work

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def rings(monkeypatch):
    """What the bell was told; no queue here."""
    rung = []
    monkeypatch.setattr(bell, "ring", rung.append)
    return rung


def test_a_request_is_made_done_and_told(note, owner, rings):
    job = narrate(note, user=owner)
    assert (job.state, job.total, job.done, job.synthesized) == ("done", 5, 5, 5)
    assert rings == ["cpu"]
    assert get_narration(note).draft_track.duration_ms > 1000
    kinds = list(Event.objects.order_by("pk").values_list("kind", flat=True))
    assert kinds == ["requested", "job_running", "job_done"]
    assert Event.objects.first().actor_name == "owner"


def test_equal_requests_are_one_job(note):
    first = api.request_narration(note, language="en")
    assert api.request_narration(note, language="en").pk == first.pk
    note.edit("Another text.")
    assert api.request_narration(note, language="en").pk != first.pk


def test_the_database_itself_refuses_a_second_equal_job(note):
    job = api.request_narration(note, language="en")
    job.pk, job.uid = None, __import__("uuid").uuid4()
    with pytest.raises(IntegrityError), transaction.atomic():
        job.save(force_insert=True)


def test_one_job_of_a_narration_runs_at_a_time(note):
    api.request_narration(note, language="en")
    note.edit("Another text.")
    api.request_narration(note, language="en")
    assert runner.claim("cpu") is not None
    assert runner.claim("cpu") is None
    assert Job.objects.filter(state=JobState.RUNNING).count() == 1


def test_the_most_urgent_goes_first(note, owner):
    from tests.testapp.models import Note

    other = Note.objects.create(title="Urgent", owner=owner, body="Now.")
    api.request_narration(note, language="en")
    urgent = api.request_narration(other, language="en", priority=-5)
    assert runner.claim("cpu").pk == urgent.pk


def test_a_job_of_another_lane_is_left_alone(note):
    api.request_narration(note, language="en")
    assert runner.claim("gpu") is None


def test_a_dead_workers_job_is_taken_back_and_resumes(note, rings):
    api.request_narration(note, language="en")
    job = runner.claim("cpu")
    assert runner.sweep() == 0
    Job.objects.update(lease_until=Now() - timedelta(seconds=1))
    assert runner.sweep() == 1
    assert rings[-1] == "cpu"
    work()
    job.refresh_from_db()
    assert (job.state, job.claims) == ("done", 1)


def test_who_lost_the_lease_writes_nothing_more(note):
    api.request_narration(note, language="en")
    lost = runner.claim("cpu")
    Job.objects.update(lease_until=Now() - timedelta(seconds=1))
    runner.sweep()
    taken = runner.claim("cpu")
    runner.run_job(lost)
    taken.refresh_from_db()
    assert (taken.state, taken.done) == ("running", 0)
    assert not Track.objects.exists()


def test_a_job_that_kills_its_workers_is_quarantined(note):
    api.request_narration(note, language="en")
    for _death in range(4):
        assert runner.claim("cpu") is not None
        Job.objects.update(lease_until=Now() - timedelta(seconds=1))
        runner.sweep()
    job = Job.objects.get()
    assert (job.state, job.error_code) == ("quarantined", "kills_worker")
    assert runner.claim("cpu") is None
    assert api.state_of(note, language="en").status == "failed"


def test_a_waiting_job_is_cancelled_at_once(note, owner):
    job = api.request_narration(note, language="en")
    assert api.cancel_job(job.uid, user=owner).state == "cancelled"
    assert work() == 0
    with pytest.raises(ConflictError):
        api.cancel_job(job.uid, user=owner)


def test_a_running_job_is_cancelled_between_two_sentences(note, monkeypatch):
    monkeypatch.setattr(lease, "STOP_CHECK_SECONDS", 0)
    job = api.request_narration(note, language="en")
    made = runner.Lease.made

    def cancel_after_two(self, segment, rendition):
        made(self, segment, rendition)
        if Rendition.objects.count() == 2:
            api.cancel_job(job.uid)

    monkeypatch.setattr(runner.Lease, "made", cancel_after_two)
    work()
    job.refresh_from_db()
    assert job.state == "cancelled"
    assert 2 <= Rendition.objects.count() < 5
    assert not Track.objects.exists()


def test_time_is_up_gives_the_job_back_with_what_it_made(note, monkeypatch):
    monkeypatch.setattr(lease, "STOP_CHECK_SECONDS", 0)
    job = api.request_narration(note, language="en")
    made = runner.Lease.made

    def then_time_is_up(self, segment, rendition):
        made(self, segment, rendition)
        self.deadline = 0.0

    monkeypatch.setattr(runner.Lease, "made", then_time_is_up)
    runner.run_job(runner.claim("cpu"))
    job.refresh_from_db()
    assert (job.state, job.synthesized) == ("queued", 1)
    monkeypatch.setattr(runner.Lease, "made", made)
    work()
    job.refresh_from_db()
    assert (job.state, job.total, job.synthesized, job.reused) == ("done", 5, 5, 0)


def test_a_sentence_the_engine_refuses_is_named_and_the_rest_kept(note, settings):
    settings.NARRATION = with_dummy(settings, fail_on="river")
    job = narrate(note)
    assert (job.state, job.failed, job.synthesized) == ("partial", 1, 4)
    error = job.errors.get()
    assert (error.code, error.text) == ("asked_to_fail", "The river rose.")
    assert not Track.objects.exists()
    state = api.state_of(note, language="en")
    assert (state.status, state.missing, state.failed) == ("partial", 1, 1)
    failed = [s for s in api.list_segments(note, language="en", user=None) if s.state == "failed"]
    assert [s.display_text for s in failed] == ["The river rose."]
    assert failed[0].error


def test_a_sentence_that_kills_the_engine_is_set_aside(note, settings):
    settings.NARRATION = with_dummy(settings, crash_on="river")
    job = narrate(note)
    assert (job.state, job.failed, job.synthesized) == ("partial", 1, 4)
    again = narrate(note)
    assert (again.state, again.errors.get().code) == ("partial", "set_aside")


def test_a_text_edited_meanwhile_is_planned_again(note, monkeypatch):
    made = runner.Lease.made
    edited = []

    def edit_once(self, segment, rendition):
        made(self, segment, rendition)
        if not edited:
            edited.append(note.edit("It rained. A new sentence."))

    monkeypatch.setattr(runner.Lease, "made", edit_once)
    job = narrate(note)
    narration = get_narration(note)
    assert job.state == "done"
    assert narration.source_version == 2
    texts = [segment["text"] for segment in narration.draft_track.manifest["segments"]]
    assert texts == ["It rained.", "A new sentence."]


def test_text_without_words_fails_in_plain_words(note):
    note.edit("***\n")
    job = narrate(note)
    assert (job.state, job.error_code) == ("failed", "nothing_to_say")
    assert "nothing to speak" in job.error


def test_strangers_get_nothing(note, stranger):
    with pytest.raises(NotAllowed):
        api.request_narration(note, language="en", user=stranger)
    job = api.request_narration(note, language="en")
    with pytest.raises(NarrationNotFound):
        api.get_job(uid=job.uid, user=stranger)
    with pytest.raises(NarrationNotFound):
        api.cancel_job(job.uid, user=stranger)


def with_dummy(settings, **options):
    """The settings with a dummy engine that misbehaves."""
    engine = {**settings.NARRATION["ENGINES"]["dummy"]}
    engine["OPTIONS"] = {**engine["OPTIONS"], **options}
    return {**settings.NARRATION, "ENGINES": {"dummy": engine}, "DEADLINE_BASE_SECONDS": 5}
