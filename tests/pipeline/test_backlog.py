"""Places in line and why a job waits, in words."""

from __future__ import annotations

import datetime as dt
import os
import socket

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone, translation

from narration.models import Job, JobState, Lane, Narration, Worker
from narration.pipeline.backlog import find_waiting, load_backlog
from narration.pipeline.plainly import show_age, show_length, show_ordinal
from narration.pipeline.waiting import explain_waiting, find_reason
from tests.testapp.models import Note
from tests.views.rows import make_narration

pytestmark = pytest.mark.django_db


@pytest.fixture
def worker():
    return make_worker()


def make_worker(lane="cpu", **changes):
    now = timezone.now()
    defaults = {"node": "elsewhere", "pid": 7, "started_at": now, "heartbeat_at": now}
    return Worker.objects.create(lane=lane, **{**defaults, **changes})


def make_job(owner, *, missing=0, **changes):
    note = Note.objects.create(title="N", body="x", owner=owner)
    narration = make_narration(note)
    Narration.objects.filter(pk=narration.pk).update(missing=missing)
    defaults = {"request_key": str(note.pk), "lane": "cpu", "queued_at": timezone.now()}
    return Job.objects.create(narration=narration, **{**defaults, **changes})


def make_rate(owner, *, ms_per_sentence=1000, lane="cpu"):
    return make_job(
        owner,
        lane=lane,
        state=JobState.DONE,
        synthesized=10,
        engine_ms=10,
        started_at=(now := timezone.now()) - dt.timedelta(milliseconds=10 * ms_per_sentence),
        finished_at=now,
    )


def tell(job):
    row = find_waiting(job)
    return find_reason(row), explain_waiting(row)


def test_the_place_counts_jobs_sentences_and_minutes(owner, worker):
    make_rate(owner)
    for _ in range(3):
        make_job(owner, missing=70)
    last = make_job(owner, missing=5)
    assert tell(last) == ("in_line", "4th: one worker on cpu, 210 sentences ahead, about 4 min")
    with translation.override("pt-br"):
        assert find_waiting(last).position == 4


def test_nothing_is_said_of_time_that_nobody_measured(owner, worker):
    make_job(owner, missing=70)
    job = make_job(owner)
    assert tell(job) == ("in_line", "2nd: one worker on cpu, 70 sentences ahead")


def test_several_workers_share_what_is_ahead(owner, worker):
    make_rate(owner)
    make_worker(pid=8)
    make_job(owner, missing=240)
    job = make_job(owner)
    assert tell(job)[1] == "2nd: 2 workers on cpu, 240 sentences ahead, about 2 min"


def test_seats_of_a_lane_share_it_too(owner, worker, settings):
    settings.NARRATION = {**settings.NARRATION, "LANE_SEATS": {"cpu": 4}}
    make_rate(owner)
    make_job(owner, missing=480)
    job = make_job(owner)
    assert tell(job)[1] == "2nd: one worker on cpu, 480 sentences ahead, about 2 min"


def test_a_job_that_was_interrupted_measures_nothing(owner, worker):
    job = make_rate(owner)
    Job.objects.filter(pk=job.pk).update(claims=2)
    make_job(owner, missing=70)
    assert tell(make_job(owner))[1] == "2nd: one worker on cpu, 70 sentences ahead"


def test_a_running_job_is_ahead_with_what_it_still_has_to_make(owner, worker):
    make_job(owner, state=JobState.RUNNING, total=10, done=4, missing=99)
    job = make_job(owner)
    assert tell(job)[1] == "1st: one worker on cpu, 6 sentences ahead"


def test_texts_never_planned_make_it_at_least(owner, worker):
    make_rate(owner)
    unread = make_job(owner)
    Narration.objects.filter(pk=unread.narration_id).update(plan_digest="")
    make_job(owner, missing=120)
    words = "3rd: one worker on cpu, 120 sentences ahead, 1 text ahead not yet read, at least 2 min"
    assert tell(make_job(owner))[1] == words


def test_the_order_is_priority_turn_key_and_other_lanes_do_not_count(owner, worker):
    jobs = {
        "last": make_job(owner, priority=5),
        "third": make_job(owner, turn=9),
        "second": make_job(owner, turn=2),
        "first": make_job(owner, priority=-1, turn=50),
        "elsewhere": make_job(owner, lane="gpu", priority=-9),
    }
    places = {name: find_waiting(job).position for name, job in jobs.items()}
    assert places == {"last": 4, "third": 3, "second": 2, "first": 1, "elsewhere": 1}
    listed = {row.job.pk: row.position for row in load_backlog().waiting}
    assert listed == {job.pk: places[name] for name, job in jobs.items()}


def test_the_list_and_the_single_job_say_the_same(owner, worker):
    make_rate(owner)
    make_job(owner, state=JobState.RUNNING, total=8, done=1)
    for missing in (3, 5, 8):
        make_job(owner, missing=missing)
    make_job(owner, missing=100, not_before=timezone.now() + dt.timedelta(hours=1))
    make_job(owner)
    rows = load_backlog().waiting
    assert len(rows) == 5
    for row in rows:
        assert explain_waiting(find_waiting(row.job)) == explain_waiting(row)


def test_a_job_that_is_tried_again_is_not_in_line(owner, worker):
    later = timezone.now() + dt.timedelta(days=2)
    waiting = make_job(
        owner, missing=9, not_before=later, attempts=1, error_code="engine_not_started"
    )
    reason, words = tell(waiting)
    assert reason == "tried_again"
    assert "(try 2) because: The engine of this voice could not be started." in words
    assert find_waiting(waiting).position is None
    assert tell(make_job(owner))[1] == "1st: one worker on cpu, nothing ahead"


def test_a_job_waits_for_the_running_one_of_its_narration(owner, worker):
    running = make_job(owner, state=JobState.RUNNING)
    job = Job.objects.create(
        narration=running.narration, request_key="b", lane="cpu", queued_at=timezone.now()
    )
    assert tell(job) == ("narration_busy", "Waits for the running job of the same narration.")


def test_a_lane_rests(owner, worker):
    until = timezone.now() + dt.timedelta(minutes=5)
    lane = Lane.objects.create(
        name="cpu", failures=3, error_code="engine_not_started", paused_until=until
    )
    job = make_job(owner)
    reason, words = tell(job)
    assert reason == "lane_rests"
    assert words.startswith("The lane rests until ")
    assert "The engine of this voice could not be started." in words
    Lane.objects.filter(pk=lane.pk).update(paused_until=timezone.now() - dt.timedelta(seconds=1))
    assert tell(job)[0] == "in_line"


def test_nobody_serves_the_lane(owner, worker):
    job = make_job(owner, lane="gpu")
    assert tell(job) == ("no_worker", "No worker serves the lane gpu: start one.")
    make_worker("cluster", facts={"lanes": ["cpu"]})
    assert tell(job)[0] == "no_worker"
    make_worker("cluster", pid=8, facts={"lanes": ["cpu", "gpu"]})
    assert tell(job)[0] == "in_line"


@pytest.mark.parametrize(
    ("changes", "is_alive"),
    [
        ({}, True),
        ({"heartbeat_at": timezone.now() - dt.timedelta(hours=1)}, False),
        ({"node": socket.gethostname(), "pid": os.getpid()}, True),
        ({"node": socket.gethostname(), "pid": 2**22 + 1}, False),
    ],
)
def test_a_worker_is_alive_while_it_is_heard_and_not_known_dead(changes, is_alive):
    make_worker(facts={"rss": 5}, **changes)
    [row] = load_backlog().workers
    assert row.is_alive is is_alive
    assert row.memory_bytes == 5


def test_a_silent_worker_that_holds_a_lease_is_alive(owner):
    silent = make_worker(heartbeat_at=timezone.now() - dt.timedelta(hours=1))
    until = timezone.now() + dt.timedelta(minutes=1)
    make_job(owner, state=JobState.RUNNING, worker=silent, lease_until=until)
    [row] = load_backlog().workers
    assert row.is_alive
    assert 3500 < row.age_s < 3700


def test_the_queries_do_not_grow(owner, worker):
    def count():
        with CaptureQueriesContext(connection) as queries:
            rows = [explain_waiting(row) for row in load_backlog().waiting]
            find_waiting(job)
        return len(queries), len(rows)

    job = make_job(owner)
    count()
    few, rows = count()
    for _ in range(30):
        make_job(owner, missing=3)
    many, more = count()
    assert (rows, more) == (1, 31)
    assert many == few


@pytest.mark.parametrize(
    ("number", "words"),
    [(1, "1st"), (2, "2nd"), (3, "3rd"), (4, "4th"), (11, "11th"), (21, "21st"), (112, "112th")],
)
def test_ordinals(number, words):
    assert show_ordinal(number) == words


def test_lengths_and_ages():
    lengths = [show_length(seconds) for seconds in (20, 170, 7500)]
    assert lengths == ["less than a minute", "3 min", "2 h 5 min"]
    ages = [show_age(seconds) for seconds in (-1, 12, 200, 7300, 200_000)]
    assert ages == ["0 s ago", "12 s ago", "3 min ago", "2 h ago", "2 days ago"]
