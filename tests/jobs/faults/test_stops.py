"""Frozen, cancelled, told to stop: nobody writes what is no longer theirs, nobody stays behind."""

from __future__ import annotations

import signal
import sqlite3
import time

import pytest
from django.db import connection

from narration import api
from narration.models import Job, Rendition, Track
from tests.clusters import wait_for
from tests.processes import find_marked, kill

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.cluster,
    pytest.mark.xdist_group("cluster"),
]


def freeze(pid):
    """Not in the middle of a write: SQLite would lock everybody out until it is thawed."""
    for _attempt in range(50):
        kill(pid, number=signal.SIGSTOP)
        if is_writable():
            return
        kill(pid, number=signal.SIGCONT)
        time.sleep(0.05)
    raise AssertionError("it writes without a pause")


def is_writable():
    if connection.vendor != "sqlite":
        return True
    database = sqlite3.connect(connection.settings_dict["NAME"], timeout=2, isolation_level=None)
    try:
        database.execute("BEGIN IMMEDIATE")
        database.execute("ROLLBACK")
    except sqlite3.OperationalError:
        return False
    finally:
        database.close()
    return True


def test_a_worker_frozen_past_its_lease_and_thawed_changes_nothing(scene):
    scene.narration = {"LEASE_SECONDS": 3}
    scene.dummy["delay_ms"] = 250
    lesson = scene.write_lesson()
    with scene.cluster() as troupe:
        job = scene.request(lesson)
        scene.wait_made(4)
        frozen = scene.get_worker(job)
        token = Job.objects.get(pk=job.pk).lease_token
        freeze(frozen)
        taken = Job.objects.filter(pk=job.pk, state="running").exclude(lease_token=token)
        wait_for(taken.exists, what="another worker")
        scene.wait_made(7)
        kill(frozen, number=signal.SIGCONT)
        scene.finish(job)
        assert job.worker.pid != frozen
        assert frozen in troupe.wait_whole().workers
    scene.assert_whole(lesson, deaths=1)


def test_cancel_takes_effect_within_a_sentence(scene):
    scene.dummy["delay_ms"] = 400
    lesson, other = scene.write_lesson("long"), scene.write_lesson("other", sentences=3)
    with scene.cluster():
        job = scene.request(lesson, publish=True)
        scene.wait_made(3)
        api.cancel_job(job.uid)
        made = Rendition.objects.count()
        scene.finish(job)
        # A worker asks at every sentence: the one in hand, the one that was ready, and a poll.
        assert made <= Rendition.objects.count() <= made + 3
        assert job.state == "cancelled"
        assert not Track.objects.exists()
        scene.finish(scene.request(other))
        kept = Rendition.objects.count() - 3
        again = scene.request(lesson)
        scene.finish(again)
    lesson.refresh_from_db()
    assert lesson.public_version is None
    assert (again.reused, again.synthesized) == (kept, 20 - kept)
    Job.objects.filter(pk=job.pk).delete()
    scene.assert_whole(lesson, other, deaths=1)


@pytest.mark.parametrize("who", ["the main process", "every process"])
def test_sigterm_in_the_middle_of_a_lesson(scene, who):
    lesson = scene.write_lesson()
    with scene.cluster() as troupe:
        job = scene.request(lesson)
        scene.wait_made(5)
        everybody = find_marked(str(scene.folder))
        kill(*([troupe.process.pid] if who == "the main process" else everybody), number=15)
        assert troupe.process.wait(45) == 0
        scene.assert_tidy()
        job.refresh_from_db()
        assert job.state == "queued"
        assert 5 <= Rendition.objects.count() < 20
        troupe.restart()
        scene.finish(job)
    scene.assert_whole(lesson, deaths=1)


def test_sigterm_while_the_engine_is_stuck(scene):
    scene.dummy |= {"delay_ms": 0, "hang_on": "number seven of"}
    lesson = scene.write_lesson()
    with scene.cluster() as troupe:
        job = scene.request(lesson)
        scene.wait_made(7)
        troupe.process.terminate()
        assert troupe.process.wait(45) == 0
        scene.assert_tidy()
        job.refresh_from_db()
        assert (job.state, Rendition.objects.count()) == ("queued", 7)
        scene.dummy["hang_on"] = ""
        troupe.restart()
        scene.finish(job)
    scene.assert_whole(lesson, deaths=1)
