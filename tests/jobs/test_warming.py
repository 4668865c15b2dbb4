"""An engine is loaded ahead of use, by a job on its lane; previews that it has no room for wait."""

from __future__ import annotations

import datetime as dt
import io
import json

import pytest
from django.core.management import CommandError, call_command
from django.db.models.functions import Now

from narration import api, runner
from narration.exceptions import ConfigurationError, NotAllowed
from narration.management.commands import warm as command
from narration.models import Event, Job, JobKind, Lane, Worker
from narration.pipeline.explanations import explain_job
from narration.pipeline.plainly import advise
from narration.pipeline.warming import PRIORITY
from narration.runner import claims
from narration.speaking import describe_warm, get_engine_process, hold_engine
from tests.helpers import work
from tests.speaking.test_client import HERE, wait_until

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def rings(monkeypatch, settings, tmp_path, no_engines):
    """Two heavy engines on the lane gpu; what the bell was told."""
    rung = []
    monkeypatch.setattr("narration.queue.bell.ring", rung.append)
    options = {"log": str(tmp_path / "spoken"), "faults": str(tmp_path / "faults")}
    heavy = {"BACKEND": HERE + "CardEngine", "LANE": "gpu", "OPTIONS": options}
    engines = {**settings.NARRATION["ENGINES"], "card": heavy, "other": dict(heavy)}
    settings.NARRATION = {**settings.NARRATION, "ENGINES": engines, "ENGINE_IDLE_SECONDS": 0}
    return rung


def get_facts(alias="card"):
    (worker,) = Worker.objects.filter(lane="gpu")
    return next(each for each in worker.facts["engines"] if each["alias"] == alias)


def test_it_is_loaded_by_a_job_on_its_lane_and_stays(rings):
    job = api.request_warm("card")
    assert (job.kind, job.lane, job.priority, rings) == ("warm", "gpu", PRIORITY, ["gpu"])
    assert work("cpu") == 0
    assert work("gpu") == 1
    job.refresh_from_db()
    assert job.state == "done"
    facts = get_facts()
    assert facts["state"] == "loaded"
    assert facts["device"] == "cuda (Pretended)"
    assert facts["before"]["memory"] == 1_000_000_000
    assert facts["after"]["memory"] == facts["memory"] == 4_000_000_000
    assert facts["memory_total"] == 8_000_000_000
    assert facts["load_seconds"] > 0
    assert facts["rss"] >= facts["before"]["rss"] > 1_000_000
    assert get_engine_process("card").pid == facts["pid"]
    assert list(Event.objects.values_list("kind", flat=True).order_by("pk")) == [
        "warm_requested",
        "job_running",
        "job_done",
    ]


def test_asked_twice_it_is_one_job_and_the_other_engine_another():
    assert api.request_warm("card").pk == api.request_warm("card").pk
    assert api.request_warm("other").pk != api.request_warm("card").pk
    with pytest.raises(ConfigurationError, match="No engine 'nobody'"):
        api.request_warm("nobody")


def test_it_is_for_who_may_change_jobs(owner, admin_user):
    with pytest.raises(NotAllowed):
        api.request_warm("card", user=owner)
    assert api.request_warm("card", user=admin_user).requested_by_name == "admin"


def test_the_second_puts_the_first_out_and_the_row_says_so():
    api.request_warm("card")
    work("gpu")
    api.request_warm("other")
    work("gpu")
    assert (get_facts("card")["state"], get_facts("other")["state"]) == ("unloaded", "loaded")


def test_one_that_goes_by_itself_is_written_down_at_once(settings):
    settings.NARRATION = {**settings.NARRATION, "ENGINE_IDLE_SECONDS": 0.3}
    api.request_warm("card")
    work("gpu")
    wait_until(lambda: get_facts()["state"] == "unloaded")


def test_one_that_cannot_be_loaded_fails_and_is_written_down(tmp_path):
    fault = {"code": "no_gpu", "on": "load", "times": -1, "permanent": True}
    (tmp_path / "faults").write_text(json.dumps(fault))
    job = api.request_warm("card")
    work("gpu")
    job.refresh_from_db()
    assert (job.state, job.error_code) == ("failed", "no_gpu")
    facts = get_facts()
    assert (facts["state"], facts["code"]) == ("failed", "no_gpu")
    assert "0.2 GB" in facts["error"]


@pytest.fixture
def worker():
    """One that serves the lane; what it does is done by ``work``."""
    Worker.objects.register("speaker-1", "gpu", 7, {})


def test_the_command_asks_and_waits(monkeypatch, worker):
    output = io.StringIO()
    call_command("warm", "card", stdout=output)
    assert "card: queued" in output.getvalue()
    monkeypatch.setattr(command, "sleep", lambda _seconds: work("gpu"))
    call_command("warm", "card", "--wait", stdout=output)
    assert "card: done" in output.getvalue()
    with pytest.raises(CommandError, match="No engine"):
        call_command("warm", "nobody")


@pytest.mark.parametrize(("permanent", "words"), [(True, "0.2 GB free"), (False, "Not yet")])
def test_the_command_fails_with_the_reason(monkeypatch, tmp_path, worker, permanent, words):
    fault = {"code": "out_of_memory", "on": "load", "times": -1, "permanent": permanent}
    (tmp_path / "faults").write_text(json.dumps(fault))
    monkeypatch.setattr(command, "sleep", lambda _seconds: work("gpu"))
    with pytest.raises(CommandError, match=words):
        call_command("warm", "card", "--wait")


@pytest.fixture
def never(monkeypatch):
    """Waiting for what will not come would go on for ever."""

    def sleep(_seconds):
        raise AssertionError("it waits")

    monkeypatch.setattr(command, "sleep", sleep)


@pytest.mark.parametrize("worker", ["none", "stopping", "elsewhere"])
def test_without_a_worker_the_command_says_at_once_how_to_start_one(never, settings, worker):
    settings.Q_CLUSTER = {**settings.Q_CLUSTER, "ALT_CLUSTERS": {"gpu": {}}}
    if worker != "none":
        lane = "gpu" if worker == "stopping" else "cpu"
        Worker.objects.register("speaker-1", lane, 7, {"stopping": worker == "stopping"})
    with pytest.raises(CommandError) as caught:
        call_command("warm", "card", "--wait")
    assert "No worker serves the lane gpu; the next one loads card." in str(caught.value)
    assert "Q_CLUSTER_NAME=gpu manage.py narration_worker" in str(caught.value)
    # Asked for all the same: whoever starts a worker finds it loaded.
    assert Job.objects.get().state == "queued"
    errors = io.StringIO()
    call_command("warm", "card", stdout=io.StringIO(), stderr=errors)
    assert "No worker serves the lane gpu; " in errors.getvalue()


def test_a_worker_that_died_over_it_is_not_waited_for(never):
    api.request_warm("card")
    job = runner.claim("gpu")
    Job.objects.filter(pk=job.pk).update(lease_until=Now() - dt.timedelta(seconds=1))
    Worker.objects.all().delete()
    job.refresh_from_db()
    assert job.state == "running"
    assert command.is_left_alone(job)
    Worker.objects.register("speaker-2", "gpu", 8, {})
    assert not command.is_left_alone(job)


def test_why_it_waits_is_told_once(monkeypatch, worker):
    Lane.objects.create(name="gpu", failures=9, paused_until=Now() + dt.timedelta(minutes=5))
    looks = []

    def sleep(_seconds):
        looks.append(1)
        if len(looks) == 3:
            Lane.objects.update(paused_until=None, failures=0)
            work("gpu")

    monkeypatch.setattr(command, "sleep", sleep)
    output = io.StringIO()
    call_command("warm", "card", "--wait", stdout=output)
    assert len(looks) == 3
    assert output.getvalue().count("The lane rests until") == 1
    assert "card: done" in output.getvalue()


def make_urgent(running, **payload):
    return Job.objects.create(
        kind=JobKind.PREVIEW,
        request_key=str(payload),
        lane="gpu",
        priority=-100,
        payload=payload,
        queued_at=running.queued_at,
    )


def test_a_preview_that_there_is_no_room_for_is_not_taken_between_two_sentences():
    running = api.request_warm("card")
    here = make_urgent(running, engine="card")
    old = make_urgent(running)  # asked for before engines were written down
    elsewhere = make_urgent(running, engine="other")
    assert set(claims.find_urgent(running)) == {here, old, elsewhere}
    with hold_engine("card"):
        get_engine_process("card")
        assert set(claims.find_urgent(running)) == {here, old}
    assert set(claims.find_urgent(running)) == {here, old, elsewhere}
    # Once the lane is free it goes first, and the idle engine makes room.
    assert runner.claim("gpu").pk in {here.pk, old.pk, elsewhere.pk}


def test_light_engines_are_described_without_being_heavy(note):
    api.request_narration(note, language="en")
    work()
    (engine,) = describe_warm()
    assert (engine["alias"], engine["is_heavy"], engine["state"]) == ("dummy", False, "loaded")
    assert engine["real_time_factor"] > 0


def test_a_worker_whose_settings_lack_the_engine_is_to_be_restarted(settings):
    job = api.request_warm("card")
    known = settings.NARRATION["ENGINES"]
    lacking = {alias: engine for alias, engine in known.items() if alias != "card"}
    settings.NARRATION = {**settings.NARRATION, "ENGINES": lacking}  # as its worker was started
    assert work("gpu") == 1
    job.refresh_from_db()
    assert (job.state, job.error_code) == ("failed", "engine_not_configured")
    assert "know no engine 'card': restart it" in job.error
    assert "not installed" not in explain_job(job.error_code)
    assert "Restart the worker" in advise(job.error_code)
