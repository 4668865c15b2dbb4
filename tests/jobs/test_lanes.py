"""Who goes first, who tries again, and when a lane rests."""

from __future__ import annotations

import threading
import time
from datetime import timedelta

import pytest
from django.db import connection
from django.db.models.functions import Now
from django.test.utils import CaptureQueriesContext

from narration import api, runner
from narration.exceptions import EngineError, NarrationError, QuotaExceeded
from narration.models import Event, Job, JobState, Lane, Rendition, SpeechPolicy, UsageDay
from narration.pipeline.casting import NO_AMENDMENT
from narration.pipeline.previews import plan_preview, request_preview
from narration.queue import bell
from narration.runner import lease, running, workers
from tests.helpers import narrate, work
from tests.jobs.test_runner import with_dummy
from tests.testapp.models import Note

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def rings(monkeypatch):
    """No queue here."""
    rung = []
    monkeypatch.setattr(bell, "ring", rung.append)
    return rung


def make_notes(owner, count, body="It rains."):
    return [Note.objects.create(title=str(n), owner=owner, body=body) for n in range(count)]


def fail_with(monkeypatch, *errors):
    """Jobs fail one after the other with these; None lets one work."""
    left = list(errors)
    work_off = running._work_off

    def fail(job, lease):
        error = left.pop(0) if left else None
        if error is not None:
            raise error
        return work_off(job, lease)

    monkeypatch.setattr(running, "_work_off", fail)


def build_fault(code="engine_not_started"):
    return EngineError("The card is gone.", code=code, is_permanent=False)


def end_waits():
    Job.objects.update(not_before=None)


# Turns


def test_who_asks_for_one_is_served_in_turn_with_who_asks_for_many(owner, stranger):
    api.request_narrations(make_notes(owner, 30), user=owner)
    for _ in range(10):
        job = runner.claim("cpu")
        Job.objects.filter(pk=job.pk).update(state=JobState.DONE)
    (mine,) = make_notes(stranger, 1)
    one = api.request_narration(mine, language="en", user=stranger)
    claimed = [runner.claim("cpu").pk for _ in range(2)]
    assert one.pk in claimed


def test_two_with_many_each_alternate(owner, stranger):
    api.request_narrations(make_notes(owner, 6), user=owner)
    api.request_narrations(make_notes(stranger, 6), user=stranger)
    order = [runner.claim("cpu").requested_by.username for _ in range(12)]
    assert order == ["owner", "stranger"] * 6


def test_a_long_job_lets_others_go_first_when_its_time_is_up(owner, stranger, monkeypatch):
    monkeypatch.setattr(lease, "STOP_CHECK_SECONDS", 0)
    (long,), (other,) = make_notes(owner, 1), make_notes(stranger, 1)
    first = api.request_narration(long, language="en", user=owner)
    second = api.request_narration(other, language="en", user=stranger)
    runner.run_job(runner.claim("cpu"), deadline=0.0)
    first.refresh_from_db()
    assert first.state == JobState.QUEUED
    assert runner.claim("cpu").pk == second.pk


def test_a_preview_is_made_between_two_sentences_of_a_long_job(note, owner, monkeypatch):
    bulk = api.request_narration(note, language="en", user=owner)
    made = runner.Lease.made
    seen = []

    def ask_after_the_first(self, segment, rendition):
        made(self, segment, rendition)
        seen.append((self.job.kind, segment.display_text))
        if len(seen) == 1:
            wish = plan_preview("Hear me now.", "en", [""], NO_AMENDMENT)
            request_preview(wish, user=owner)

    monkeypatch.setattr(runner.Lease, "made", ask_after_the_first)
    work()
    kinds = [kind for kind, _text in seen]
    assert kinds.index("preview") <= 2  # at most the sentence that was in hand goes before
    bulk.refresh_from_db()
    assert (bulk.state, bulk.synthesized) == ("done", 5)


def test_a_preview_waits_in_the_lane_the_site_keeps_for_them(owner, settings):
    wish = plan_preview("Hear me.", "en", [""], NO_AMENDMENT)
    assert request_preview(wish, user=owner).lane == "cpu"
    settings.NARRATION = {**settings.NARRATION, "PREVIEW_LANE": "desk"}
    wish = plan_preview("And me.", "en", [""], NO_AMENDMENT)
    job = request_preview(wish, user=owner)
    assert (job.lane, work("desk")) == ("desk", 1)


def test_a_preview_that_fails_says_so_at_once(owner, monkeypatch):
    fail_with(monkeypatch, build_fault())
    job = request_preview(plan_preview("Hear me.", "en", [""], NO_AMENDMENT), user=owner)
    work()
    job.refresh_from_db()
    assert (job.state, job.error_code) == ("failed", "engine_not_started")


def test_several_seats_hold_several_jobs(owner, settings):
    settings.NARRATION = {**settings.NARRATION, "LANE_SEATS": {"cpu": 3}}
    bodies = [f"This is text {n}. It ends." for n in range(6)]
    for body in bodies:
        (note,) = make_notes(owner, 1, body)
        api.request_narration(note, language="en", user=owner)
    most, ended = [0], threading.Event()

    def watch():
        while not ended.wait(0.01):
            running = Job.objects.filter(state=JobState.RUNNING).count()
            most[0] = max(most[0], running)
        connection.close()

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        assert work() == 6
    finally:
        ended.set()
        watcher.join()
    assert Job.objects.filter(state=JobState.DONE).count() == 6
    assert 2 <= most[0] <= 3


# Trying again


def test_what_may_pass_is_tried_again_later_and_longer(note, monkeypatch, settings):
    fail_with(monkeypatch, build_fault("a"), build_fault("b"))
    job = narrate(note)
    assert (job.state, job.attempts, job.error_code) == ("queued", 1, "a")
    assert runner.claim("cpu") is None
    end_waits()
    work()
    job.refresh_from_db()
    assert (job.state, job.attempts, job.error_code) == ("queued", 2, "b")
    seconds = (job.not_before - job.started_at).total_seconds()
    assert seconds > settings.NARRATION.get("RETRY_SECONDS", 30) * 1.9
    end_waits()
    work()
    job.refresh_from_db()
    assert (job.state, job.error_code, job.error) == ("done", "", "")
    kinds = list(Event.objects.order_by("pk").values_list("kind", flat=True))
    assert kinds.count("job_tried_later") == 2


def test_tries_come_to_an_end(note, monkeypatch):
    fail_with(monkeypatch, *[build_fault(str(n)) for n in range(9)])
    job = narrate(note)
    for _ in range(6):
        end_waits()
        work()
    job.refresh_from_db()
    assert (job.state, job.attempts, job.error_code) == ("failed", 4, "3")


def test_what_will_not_pass_is_not_tried_again(note, monkeypatch):
    fail_with(monkeypatch, NarrationError("No.", code="never"))
    assert narrate(note).state == "failed"


def test_an_engine_that_crashes_on_everything_sets_no_sentence_aside(owner, settings):
    settings.NARRATION = with_dummy(settings, crash_on="e")
    body = "\n\n".join(f"Sentence number {n}." for n in range(12))
    (note,) = make_notes(owner, 1, body)
    job = narrate(note)
    assert (job.state, job.error_code) == ("queued", "engine_crashed")
    assert not job.errors.exists()
    assert not Rendition.objects.exists()


# Lanes that rest


def test_equal_failures_in_a_row_let_the_lane_rest_and_one_success_wakes_it(owner, monkeypatch):
    fail_with(monkeypatch, *[build_fault()] * 4)
    api.request_narrations(make_notes(owner, 8), user=owner)
    assert work() == 3
    row = Lane.objects.get(name="cpu")
    assert (row.failures, row.error_code) == (3, "engine_not_started")
    assert Job.objects.filter(attempts=0).count() == 5
    assert runner.claim("cpu") is None
    first_rest = row.paused_until
    Lane.objects.update(paused_until=Now() - timedelta(seconds=1))
    assert work() == 1  # one probes it, and it rests again, longer
    row.refresh_from_db()
    assert row.paused_until - first_rest > timedelta(seconds=20)
    Lane.objects.update(paused_until=Now() - timedelta(seconds=1))
    assert work() == 4
    row.refresh_from_db()
    assert (row.failures, row.paused_until) == (0, None)
    assert Event.objects.filter(kind="lane_rests").count() == 2


def test_a_lane_is_probed_by_one_job_at_a_time(owner):
    api.request_narrations(make_notes(owner, 3), user=owner)
    Lane.objects.create(name="cpu", failures=5, paused_until=None, error_code="x")
    assert runner.claim("cpu") is not None
    assert runner.claim("cpu") is None


def test_texts_at_fault_do_not_let_the_lane_rest(owner):
    for note in make_notes(owner, 5, "***"):
        assert narrate(note).error_code == "nothing_to_say"
    assert not Lane.objects.exists()


# Many at once


def test_many_are_asked_for_in_as_many_queries_as_few(owner):
    few, many = make_notes(owner, 3), make_notes(owner, 60)
    counts = []
    for notes in (few, many):
        with CaptureQueriesContext(
            connection,
        ) as queries:
            result = api.request_narrations(notes, user=owner)
        assert len(result.jobs) == len(notes)
        counts.append(len(queries))
    assert counts[1] <= counts[0]  # caches are filled by the first
    assert Event.objects.filter(kind="requested").count() == 63


def test_many_wake_several_workers_and_one_wakes_one(owner, rings):
    api.request_narrations(make_notes(owner, 3), user=owner)
    assert rings == ["cpu"] * 3
    api.request_narrations(make_notes(owner, 100), user=owner)
    assert rings == ["cpu"] * (3 + bell.MAX_RINGS)


def test_asked_again_they_are_the_same_jobs(owner):
    notes = make_notes(owner, 5)
    first = api.request_narrations(notes, user=owner)
    again = api.request_narrations(notes, user=owner)
    assert [job.pk for job in first.jobs] == [job.pk for job in again.jobs]
    assert Job.objects.count() == 5


def test_what_may_not_be_narrated_is_told_and_the_rest_is_served(owner, stranger):
    mine, theirs = make_notes(owner, 2), make_notes(stranger, 1)
    result = api.request_narrations([*mine, *theirs], user=owner)
    assert len(result.jobs) == 2
    assert [refusal.obj for refusal in result.refused] == theirs
    assert result.refused[0].error.code == "not_allowed"


# Quotas


def test_a_person_may_have_so_many_waiting(owner, stranger):
    SpeechPolicy.objects.create(scope_key="", quotas={"queued_jobs_per_user": 2})
    result = api.request_narrations(make_notes(owner, 3), user=owner)
    assert (len(result.jobs), len(result.refused)) == (2, 1)
    assert "2" in str(result.refused[0].error)
    (other,) = make_notes(stranger, 1)
    assert api.request_narration(other, language="en", user=stranger).state == "queued"
    assert Job.objects.count() == 3


def test_a_day_has_so_many_characters(owner):
    SpeechPolicy.objects.create(scope_key="", quotas={"characters_a_day_per_user": 10})
    first, second = make_notes(owner, 1, "One two."), make_notes(owner, 1, "Three four.")
    assert narrate(first[0], user=owner).state == "done"
    assert UsageDay.objects.get().characters <= 10
    job = narrate(second[0], user=owner)
    assert (job.state, job.error_code, job.synthesized) == ("failed", "quota_day", 0)
    UsageDay.objects.update(characters=10)
    with pytest.raises(QuotaExceeded):
        api.request_narration(make_notes(owner, 1, "Five.")[0], language="en", user=owner)


def test_one_run_may_speak_so_much(owner):
    SpeechPolicy.objects.create(scope_key="", quotas={"characters_a_run": 12})
    short, long = make_notes(owner, 1, "Short."), make_notes(owner, 1, "This is far too long.")
    assert narrate(short[0]).state == "done"
    job = narrate(long[0])
    assert (job.state, job.error_code, job.synthesized) == ("failed", "quota_run", 0)


def test_a_nearer_scope_allows_more(owner):
    SpeechPolicy.objects.create(scope_key="", quotas={"characters_a_run": 3})
    (note,) = make_notes(owner, 1, "This is longer than three.")
    SpeechPolicy.objects.create(
        scope_key=f"testapp.note:{note.pk}", quotas={"characters_a_run": 300}
    )
    assert narrate(note).state == "done"


def test_the_lease_is_kept_through_a_long_stitch(note, monkeypatch, settings):
    settings.NARRATION = {**settings.NARRATION, "LEASE_SECONDS": 1}
    from narration.pipeline import narrate as story

    stitch = story.stitch_track

    def slowly(*args):
        time.sleep(2.5)
        assert runner.sweep() == 0
        return stitch(*args)

    monkeypatch.setattr(story, "stitch_track", slowly)
    assert narrate(note).state == "done"


def test_previews_count_towards_the_day(owner):
    (note,) = make_notes(owner, 1)
    scope = f"testapp.note:{note.pk}"
    SpeechPolicy.objects.create(scope_key="", quotas={"characters_a_day_per_user": 15})
    listen = {"language": "en", "scope_key": scope, "user": owner}
    api.request_audition("Twelve signs", **listen)
    work()
    assert UsageDay.objects.get().scope_key == scope
    with pytest.raises(QuotaExceeded):
        api.request_audition("Four", **listen)


def test_a_refused_wish_takes_nobodys_place(owner):
    free, full = make_notes(owner, 2)
    SpeechPolicy.objects.create(scope_key="", quotas={"queued_jobs_per_user": 1})
    SpeechPolicy.objects.create(scope_key=f"testapp.note:{full.pk}", quotas={"queued_jobs": 0})
    result = api.request_narrations([full, free], user=owner)
    assert [job.narration.object_id for job in result.jobs] == [str(free.pk)]


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
