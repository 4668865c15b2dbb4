"""Who goes first, who tries again, and when a lane rests."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest
from django.db import connection
from django.db.models.functions import Now
from django.utils import timezone

from narration import api, runner
from narration.exceptions import NarrationError, StorageFull
from narration.models import (
    Event,
    Job,
    JobState,
    Lane,
    Rendition,
)
from narration.pipeline.casting import NO_AMENDMENT
from narration.pipeline.previews import plan_preview, request_preview
from narration.queue import bell
from narration.runner import lease
from tests.helpers import narrate, work
from tests.jobs.scenes import build_fault, end_waits, fail_with, make_notes
from tests.jobs.test_runner import with_dummy

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def rings(monkeypatch):
    """No queue here."""
    rung = []
    monkeypatch.setattr(bell, "ring", rung.append)
    return rung


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


def test_a_course_is_made_lesson_by_lesson_though_each_is_long(owner, monkeypatch):
    monkeypatch.setattr(lease, "STOP_CHECK_SECONDS", 0)
    first = api.request_narrations(make_notes(owner, 4), user=owner).jobs[0]
    runner.run_job(runner.claim("cpu"), deadline=0.0)
    assert runner.claim("cpu").pk == first.pk


def test_what_waits_in_another_lane_puts_nobody_last(owner, stranger):
    api.request_narrations(make_notes(owner, 5), user=owner)
    Job.objects.update(lane="gpu")
    api.request_narrations(make_notes(stranger, 3), user=stranger)
    (note,) = make_notes(owner, 1)
    mine = api.request_narration(note, language="en", user=owner)
    assert mine.turn == 0


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
    settings.NARRATION = with_dummy(settings, crash_on="a")
    body = "\n\n".join(f"A fatal sentence {n}." for n in range(12))
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


def test_a_full_disk_that_was_cleared_is_noticed_within_minutes(owner, monkeypatch):
    """It may have been full for a day: the rest does not grow to an hour as an engine's does."""
    fail_with(monkeypatch, StorageFull("The disk is full."))
    Lane.objects.create(name="cpu", failures=40, error_code="storage_full")
    (note,) = make_notes(owner, 1)
    job = api.request_narration(note, language="en", user=owner)
    Job.objects.update(attempts=40)
    assert work() == 1
    job.refresh_from_db()
    assert (job.state, job.error_code) == ("queued", "storage_full")
    soon = timezone.now() + timedelta(minutes=5, seconds=30)
    assert timezone.now() < job.not_before < soon
    assert timezone.now() < Lane.objects.get().paused_until < soon


def test_texts_at_fault_do_not_let_the_lane_rest(owner):
    for note in make_notes(owner, 5, "***"):
        assert narrate(note).error_code == "nothing_to_say"
    assert not Lane.objects.exists()
