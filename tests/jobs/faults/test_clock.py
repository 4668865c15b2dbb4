"""A worker whose clock is an hour off: the database's clock decides, so nothing is done twice."""

import time
from datetime import timedelta

import pytest
from django.db.models.functions import Now
from django.utils import timezone

from narration import api, runner
from narration.models import Job, JobState, Rendition, Worker
from narration.queue import bell
from narration.runner import workers
from tests.helpers import work

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True, params=[3600, -3600], ids=["an hour ahead", "an hour behind"])
def clock(request, monkeypatch):
    """Python's clock is off, as the host's would be; the database's goes on as it was."""
    now, moment = timezone.now, time.time
    monkeypatch.setattr(timezone, "now", lambda: now() + timedelta(seconds=request.param))
    monkeypatch.setattr(time, "time", lambda: moment() + request.param)
    monkeypatch.setattr(bell, "ring", lambda _lane: None)


def test_everything_is_spoken_once(note):
    job = api.request_narration(note, language="en")
    work()
    job.refresh_from_db()
    assert (job.state, job.synthesized) == (JobState.DONE, 5)
    assert Rendition.objects.count() == 5


def test_a_living_workers_job_is_left_and_a_dead_ones_taken(note):
    api.request_narration(note, language="en")
    worker = workers.register_worker("cpu")
    job = runner.claim("cpu", worker)
    assert runner.sweep() == 0
    assert runner.claim("cpu") is None
    Job.objects.update(lease_until=Now() - timedelta(seconds=1))
    assert runner.sweep() == 1
    assert runner.claim("cpu").pk == job.pk


def test_a_living_worker_is_not_taken_for_dead():
    worker = workers.register_worker("cpu")
    workers.beat(worker)
    assert Worker.objects.alive().filter(pk=worker.pk).exists()


def test_what_waits_for_its_time_waits_by_the_databases_clock(note):
    api.request_narration(note, language="en")
    Job.objects.update(not_before=Now() + timedelta(minutes=5))
    assert runner.claim("cpu") is None
    Job.objects.update(not_before=Now() - timedelta(seconds=1))
    assert runner.claim("cpu") is not None
