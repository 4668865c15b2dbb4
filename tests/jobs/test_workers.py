"""Worker rows: who lives, which lanes are served, who is forgotten."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from datetime import timedelta

import pytest
from django.db import OperationalError
from django.db.models import F
from django.db.models.functions import Now

from narration import api, runner
from narration.management.commands import narration_worker
from narration.models import CLUSTER_LANE, Job, JobState, Worker
from narration.queue import facts
from narration.queue.memory import measure_family, measure_pss
from tests.clusters import build_environment, supervised, wait_for
from tests.testapp.models import Note

pytestmark = pytest.mark.django_db(transaction=True)
HERE = socket.gethostname()


def register(*, lane="cpu", node=HERE, pid=None, silent=0, **told):
    """A worker's row whose last heartbeat was so many seconds ago."""
    pid = os.getpid() if pid is None else pid
    Worker.objects.register(node, lane, pid, told)
    rows = Worker.objects.filter(node=node, lane=lane, pid=pid)
    rows.update(heartbeat_at=Now() - timedelta(seconds=silent))
    return rows.get()


def find_gone_pid():
    """The number of a process that has ended."""
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    return process.pid


def test_a_lane_is_served_by_its_workers_and_by_clusters_that_name_it():
    register(lane="gpu")
    register(lane=CLUSTER_LANE, lanes=["cpu", "preview"])
    assert Worker.objects.get_served_lanes() == {"gpu", "cpu", "preview"}


@pytest.mark.parametrize("fault", [{"silent": 61}, {"stopping": True}])
def test_who_is_silent_for_a_lease_or_stops_serves_nothing(fault):
    register(lane=CLUSTER_LANE, lanes=["cpu"], **fault)
    register(lane="gpu", **fault)
    assert Worker.objects.get_served_lanes() == set()
    assert not Worker.objects.alive().exists()


def test_silence_is_measured_by_the_clock_of_the_database():
    register(silent=30)
    silence = Worker.objects.with_silence().get().silent_for
    assert timedelta(seconds=29) < silence < timedelta(seconds=40)


def test_a_heartbeat_renews_the_row_and_its_facts_and_tells_when_there_is_none():
    row = register(lane=CLUSTER_LANE, silent=50, rss=1)
    assert Worker.objects.beat(HERE, CLUSTER_LANE, row.pid, {"rss": 2})
    row = Worker.objects.with_silence().get()
    assert (row.facts, row.silent_for < timedelta(seconds=20)) == ({"rss": 2}, True)
    assert not Worker.objects.beat(HERE, CLUSTER_LANE, row.pid + 1, {})


def test_dead_processes_of_this_machine_are_forgotten_and_nobody_else(note, monkeypatch):
    monkeypatch.setattr("narration.queue.bell.ring", lambda lane: None)
    gone = find_gone_pid()
    register(lane="cpu")
    register(lane="cpu", pid=gone)
    register(lane="cpu", pid=gone, node="another-machine")
    busy = register(lane="gpu", pid=gone)
    job = api.request_narration(note, language="en")
    Job.objects.filter(pk=job.pk).update(
        state=JobState.RUNNING, worker=busy, lease_until=Now() + timedelta(hours=1)
    )
    assert Worker.objects.remove_dead(HERE) == 1
    left = set(Worker.objects.values_list("node", "lane", "pid"))
    mine = (HERE, "cpu", os.getpid())
    assert left == {mine, ("another-machine", "cpu", gone), (HERE, "gpu", gone)}
    # Its job must be taken back first: the sweep knows by the row that its worker is dead.
    assert runner.sweep() == 1
    assert Worker.objects.remove_dead(HERE) == 1


def test_machines_that_are_silent_for_a_day_are_forgotten():
    register(node="container-1", pid=1, silent=25 * 3600)
    kept = register(node="container-2", pid=1, silent=23 * 3600)
    assert Worker.objects.remove_dead(HERE) == 1
    assert Worker.objects.get() == kept


def test_a_lane_with_a_cluster_of_its_own_is_not_the_default_ones(settings):
    settings.Q_CLUSTER = {**settings.Q_CLUSTER, "ALT_CLUSTERS": {"gpu": {}}}
    default = facts.get_default_cluster_name()
    assert facts.find_lanes(default, ["preview", "gpu", "cpu"]) == ["cpu", "preview"]
    assert facts.find_lanes("gpu", ["preview", "gpu", "cpu"]) == ["gpu"]
    assert facts.count_hints() == {default: 0, "gpu": 0}


def test_memory_is_that_of_all_descendants_whatever_their_session():
    alone = measure_family(os.getpid())
    code = "import time; room = bytearray(60_000_000); print(flush=True); time.sleep(60)"
    child = subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, start_new_session=True
    )
    try:
        child.stdout.readline()
        both = measure_family(os.getpid())
        held = measure_pss([child.pid])
    finally:
        child.kill()
        child.communicate()
    assert both.processes == alone.processes + 1
    assert both.rss > alone.rss + 50_000_000
    assert 50_000_000 < held < both.rss - alone.rss
    assert (measure_family(child.pid).processes, measure_pss([child.pid])) == (0, 0)


@pytest.fixture
def command():
    made = narration_worker.Command()
    made._node, made._pid = HERE, os.getpid()
    made._next_sweep = made._next_beat = 0.0
    return made


def test_a_database_that_is_away_does_not_end_the_supervisor(command, monkeypatch, caplog):
    def refuse(*_args, **_options):
        raise OperationalError("away")

    with monkeypatch.context() as fault:
        fault.setattr(Worker.objects.__class__, "register", refuse)
        command._register(os.getpid())
    assert "register the cluster" in caplog.text
    assert not Worker.objects.exists()
    command._next_beat = 0.0
    command._tick()
    row = Worker.objects.get()
    assert (row.lane, row.facts["lanes"]) == (CLUSTER_LANE, ["cpu"])
    assert row.facts["rss"] > 1_000_000


def test_the_heartbeat_is_not_written_at_every_tick(command, monkeypatch):
    beats = []
    monkeypatch.setattr(command, "_beat", lambda **_more: beats.append(1))
    for _tick in range(10):
        command._tick()
    assert len(beats) == 1


def test_stopping_keeps_the_facts_and_when_it_started(command):
    command._register(os.getpid())
    Worker.objects.update(started_at=F("started_at") - timedelta(hours=1))
    started = Worker.objects.get().started_at
    command._mark_stopping(os.getpid())
    row = Worker.objects.get()
    assert (row.started_at, row.facts["stopping"], row.facts["lanes"]) == (started, True, ["cpu"])


@pytest.mark.cluster
@pytest.mark.xdist_group("cluster")
def test_a_real_supervisor_beats_tells_facts_and_leaves_no_row(settings, monkeypatch):
    gone = register(lane="cpu", pid=find_gone_pid())
    with supervised(build_environment(settings)) as process:
        row = wait_for(lambda: Worker.objects.filter(lane=CLUSTER_LANE).first(), what="a row")
        first = row.heartbeat_at
        wait_for(
            lambda: Worker.objects.get(pk=row.pk).heartbeat_at > first, seconds=30, what="a beat"
        )
        told = Worker.objects.get(pk=row.pk).facts
        assert told["supervisor"] == process.pid
        assert told["lanes"] == ["cpu"]
        assert told["processes"] >= 5
        assert 50_000_000 < told["rss"] < 2_000_000_000
        assert not Worker.objects.filter(pk=gone.pk).exists()
        assert Worker.objects.get_served_lanes() == {"cpu"}
    assert not Worker.objects.exists()


@pytest.mark.cluster
@pytest.mark.xdist_group("cluster")
def test_a_lane_is_worked_off_by_the_cluster_that_is_called_like_it(settings, note):
    settings.Q_CLUSTER = {**settings.Q_CLUSTER, "ALT_CLUSTERS": {"cpu": {}}}
    environment = {**build_environment(settings), "Q_LANES": "cpu"}
    job = api.request_narration(note, language="en")
    with supervised(environment):
        row = wait_for(lambda: Worker.objects.filter(lane=CLUSTER_LANE).first(), what="a row")
        assert (row.facts["cluster"], row.facts["lanes"]) == ("narration", [])
    with supervised({**environment, "Q_CLUSTER_NAME": "cpu"}):
        wait_for(lambda: Job.objects.filter(pk=job.pk, state="done").exists(), what="the job")
        row = Worker.objects.get(lane=CLUSTER_LANE)
        assert (row.facts["cluster"], row.facts["lanes"]) == ("cpu", ["cpu"])
    job.refresh_from_db()
    assert job.state == "done"


def test_who_is_killed_because_another_died_is_no_killer(note, owner):
    """Only the job of the worker that died by itself is suspected."""
    other = Note.objects.create(title="Other", owner=owner, body="Other.")
    jobs = [api.request_narration(each, language="en") for each in (note, other)]
    for pid, job in enumerate(jobs, 1):
        worker = register(node=HERE, pid=pid)
        Job.objects.filter(pk=job.pk).update(state="running", claims=2, worker=worker)
    command = narration_worker.Command()
    command._node = HERE
    command._spare([2, 3])
    assert list(Job.objects.order_by("pk").values_list("claims", flat=True)) == [2, 1]
