"""What happens in one moment: stops, cancels, changes, and who pays for them."""

from __future__ import annotations

import threading
import time

import pytest
from django.db import connection
from django_q.models import OrmQ

from narration import api, runner
from narration.models import (
    Job,
    JobState,
    Lane,
    LexiconEntry,
    Narration,
    Rendition,
    Segment,
)
from narration.pipeline import plans
from narration.pipeline.casting import NO_AMENDMENT
from narration.pipeline.previews import plan_preview, request_preview
from narration.queue import bell
from narration.runner import lease, workers
from tests.helpers import narrate, work
from tests.jobs.scenes import build_fault, fail_with, make_notes
from tests.jobs.test_runner import with_dummy

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def rings(monkeypatch):
    """No queue here."""
    rung = []
    monkeypatch.setattr(bell, "ring", rung.append)
    return rung


# Races and stops


def test_a_job_that_is_cancelled_as_it_is_given_back_dooms_no_later_request(note, monkeypatch):
    fail_with(monkeypatch, build_fault())
    job = api.request_narration(note, language="en")
    try_later = runner.Lease._try_later

    def cancel_first(self, *args):
        Job.objects.filter(pk=self.job.pk).update(cancel_requested=True)
        try_later(self, *args)

    monkeypatch.setattr(runner.Lease, "_try_later", cancel_first)
    work()
    job.refresh_from_db()
    assert job.state == "cancelled"
    assert narrate(note).state == "done"


def test_a_stopping_worker_claims_no_preview_for_ever(note, owner, monkeypatch):
    monkeypatch.setattr(lease, "STOP_CHECK_SECONDS", 0)
    api.request_narration(note, language="en", user=owner)
    request_preview(plan_preview("Hear me.", "en", [""], NO_AMENDMENT), user=owner)
    bulk = Job.objects.get(kind="narrate")
    Job.objects.filter(pk=bulk.pk).update(priority=-200)  # it is claimed first
    claimed = runner.claim("cpu")
    Job.objects.filter(pk=bulk.pk).update(priority=0)
    claimed.priority = 0
    stops = []

    def stop_soon():
        stops.append(1)
        return len(stops) > 1

    monkeypatch.setattr(workers, "is_stopping", stop_soon)
    runner.run_job(claimed)
    bulk.refresh_from_db()
    assert bulk.state == "queued"
    assert not Job.objects.filter(state="running").exists()


def test_three_deadly_sentences_in_a_row_are_set_aside_and_the_rest_is_spoken(owner, settings):
    settings.NARRATION = with_dummy(settings, crash_on="deadly")
    body = "\n\n".join(["One deadly.", "Two deadly.", "Three deadly.", "A good one."])
    (note,) = make_notes(owner, 1, body)
    job = narrate(note)
    assert (job.state, job.failed, job.synthesized) == ("partial", 3, 1)


def test_many_deadly_sentences_in_a_row_are_not_the_engines_fault(owner, settings):
    settings.NARRATION = with_dummy(settings, crash_on="deadly")
    body = "\n\n".join([f"Number {n} is deadly." for n in range(7)] + ["A good one."])
    (note,) = make_notes(owner, 1, body)
    job = narrate(note)
    assert (job.state, job.failed, job.synthesized) == ("partial", 7, 1)
    assert not Lane.objects.exists()


def test_what_no_engine_spoke_for_wakes_no_lane(note):
    narrate(note)
    Lane.objects.create(name="cpu", failures=2, error_code="engine_not_started")
    again = api.request_narration(note, language="en", publish=True)
    work()
    again.refresh_from_db()
    assert (again.state, again.synthesized) == ("done", 0)
    assert Lane.objects.get().failures == 2


def test_a_free_seat_waits_for_jobs_while_another_works(owner, settings):
    settings.NARRATION = {
        **with_dummy(settings, delay_ms=150), "LANE_SEATS": {"cpu": 2}
    }  # fmt: skip
    body = "\n\n".join(f"Sentence number {n} of many." for n in range(20))
    long, (late,) = make_notes(owner, 1, body)[0], make_notes(owner, 1, "Late.")
    first = api.request_narration(long, language="en")
    thread = threading.Thread(target=lambda: (work(), connection.close()))
    thread.start()
    deadline = time.monotonic() + 30
    while not Rendition.objects.exists():
        assert time.monotonic() < deadline
        time.sleep(0.05)
    second = api.request_narration(late, language="en")
    thread.join()
    first.refresh_from_db()
    second.refresh_from_db()
    assert (first.state, second.state) == ("done", "done")
    assert second.started_at < first.finished_at


def test_a_plan_of_the_old_wording_does_not_replace_one_of_the_new(note, monkeypatch):
    note.edit("SQL rains.")
    narrate(note, publish=True)
    entry = LexiconEntry(language="en", grapheme="SQL", alias="sequel", state="active")
    planned = plans.plan_newest

    def plan_then_somebody_changes_a_word(*args, **kwargs):
        plan = planned(*args, **kwargs)
        if not LexiconEntry.objects.exists():
            monkeypatch.setattr(plans, "plan_newest", planned)
            api.apply_change(api.change_entry(entry))
        return plan

    monkeypatch.setattr(plans, "plan_newest", plan_then_somebody_changes_a_word)
    narrate(note, publish=True)
    assert Segment.objects.get().spoken_text == "sequel rains."
    narration = Narration.objects.get()
    assert narration.published_track.plan_digest == narration.plan_digest


def test_who_may_kill_its_worker_works_alone(owner, settings):
    settings.NARRATION = {**settings.NARRATION, "LANE_SEATS": {"cpu": 2}}
    notes = [make_notes(owner, 1, f"Text number {n}.")[0] for n in range(3)]
    jobs = [api.request_narration(note, language="en") for note in notes]
    Job.objects.filter(pk=jobs[1].pk).update(claims=1)
    beside = []
    begin = runner.Lease.begin

    def look(self, **numbers):
        if self.job.pk == jobs[1].pk:
            time.sleep(0.8)
            beside.append(Job.objects.filter(state=JobState.RUNNING).count())
        begin(self, **numbers)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(runner.Lease, "begin", look)
        work()
    assert beside == [1]
    assert Job.objects.filter(state=JobState.DONE).count() == 3


def test_nobody_listens_and_the_hints_do_not_pile_up(note, monkeypatch):
    monkeypatch.undo()
    api.request_narration(note, language="en")
    for _ in range(20):
        runner.sweep()
    assert OrmQ.objects.count() <= bell.MAX_RINGS
    OrmQ.objects.all().delete()
    runner.sweep()
    assert OrmQ.objects.count() == 1
