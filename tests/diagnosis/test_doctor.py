"""The doctor: every fault is planted and must be found, with what to do."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta

import pytest
from django.core.management import call_command
from django.db import connection
from django.db.migrations.recorder import MigrationRecorder
from django.db.models.functions import Now

from narration import api
from narration.diagnosis import State, database, diagnose, is_broken
from narration.models import Job, JobState, Lane, Worker
from tests.clusters import ROOT

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def quiet(monkeypatch, settings):
    """No bell, and a key that passes."""
    monkeypatch.setattr("narration.queue.bell.ring", lambda lane: None)
    settings.SECRET_KEY = "0123456789abcdefghijklmnopqrstuvwxyz" * 2


def find(name, **facts):
    """The findings of a name, and with these facts."""
    return [
        each
        for each in diagnose()
        if each.name == name and facts.items() <= dict(each.facts).items()
    ]


def find_one(name, **facts):
    (found,) = find(name, **facts)
    return found


def call(*arguments):
    """Exit status and output."""
    output = io.StringIO()
    try:
        call_command("doctor", *arguments, stdout=output, no_color=True)
    except SystemExit as left:
        return left.code, output.getvalue()
    return 0, output.getvalue()


def test_a_site_that_is_well_is_told_so(cluster):
    faults = [each for each in diagnose() if each.state != State.OK]
    assert faults == []
    status, told = call()
    assert status == 0
    assert told.endswith("All is well.\n")
    assert "word timing" in told


def test_what_is_not_well_says_what_to_do(unwritable, monkeypatch):
    monkeypatch.setitem(connection.settings_dict, "CONN_MAX_AGE", 0)
    for each in diagnose():
        assert each.words
        assert each.state == State.OK or each.advice, each


def test_programs_read_it_too(cluster):
    status, told = call("--json")
    body = json.loads(told)
    assert (status, body["broken"]) == (0, False)
    assert {"environment", "database", "engine", "voices", "queue", "lane", "storage", "disk"} <= {
        each["name"] for each in body["findings"]
    }
    assert {each["state"] for each in body["findings"]} == {"ok"}
    assert "postgres://" not in told


def test_it_speaks_the_language_it_is_asked_to(cluster):
    english, portuguese = call()[1], call("--language", "pt-br")[1]
    assert english != portuguese


def test_a_warning_is_no_failure(cluster, settings):
    settings.SECRET_KEY = "short"
    status, told = call()
    assert status == 0
    assert "with 1 warning" in told


def test_engines_speak_when_asked(cluster):
    status, told = call("--speak", "--json")
    spoken = [each for each in json.loads(told)["findings"] if each["name"] == "speech"]
    assert status == 0
    assert [each["facts"]["language"] for each in spoken] == ["en", "pt-BR"]
    assert all(each["facts"]["audio_ms"] > 0 for each in spoken)


def test_an_engine_that_cannot_speak_is_broken(cluster, settings):
    engine = {"BACKEND": "tests.speaking.engines.BrokenEngine"}
    settings.NARRATION = {"ENGINES": {"dummy": engine}, "DEFAULT_VOICES": {"en": "dummy:low"}}
    assert not is_broken(diagnose())
    (spoken,) = [each for each in diagnose(speak=True) if each.name == "speech"]
    assert (spoken.state, "no weights here" in spoken.words) == (State.BROKEN, True)


def test_an_engine_that_is_not_there_is_broken(cluster, settings):
    engine = {"BACKEND": "narration.engines.nowhere.Engine"}
    settings.NARRATION = {"ENGINES": {"dummy": engine}, "DEFAULT_VOICES": {"en": "dummy:low"}}
    assert find_one("settings", id="narration.E002").state == State.BROKEN
    assert find_one("voices").state == State.WARNING


def test_settings_that_cannot_be_read_stop_nothing_else(cluster, settings):
    settings.NARRATION = {"ENGINE": {}}
    status, told = call()
    assert status == 1
    assert "narration" in told
    assert "could not be looked at: ConfigurationError" in told
    assert find_one("database").state == State.OK


def test_a_storage_that_cannot_be_written_is_broken(cluster, unwritable):
    assert find_one("storage").state == State.BROKEN


@pytest.mark.parametrize(("floor", "state"), [(2, State.BROKEN), (0.7, State.WARNING), (0, "ok")])
def test_a_disk_without_room_is_told(cluster, settings, monkeypatch, floor, state):
    usage = type("Usage", (), {"free": 1_000_000_000})
    monkeypatch.setattr("narration.diagnosis.machine.shutil.disk_usage", lambda _folder: usage)
    settings.NARRATION = {**settings.NARRATION, "MIN_FREE_BYTES": int(floor * 1_000_000_000)}
    assert find_one("disk").state == state


def test_codecs_that_are_missing_are_broken(cluster, monkeypatch):
    monkeypatch.setattr("narration.diagnosis.machine.ENCODERS", ("flac", "libnowhere"))
    found = find_one("environment")
    assert (found.state, "libnowhere" in found.words) == (State.BROKEN, True)


def test_migrations_that_are_not_applied_are_broken(cluster):
    applied = MigrationRecorder.Migration.objects.get(app="narration", name="0004_voices")
    applied.delete()
    try:
        found = find_one("migrations")
    finally:
        MigrationRecorder(connection).record_applied("narration", "0004_voices")
    assert (found.state, found.facts["unapplied"]) == (State.BROKEN, ["narration.0004_voices"])
    assert "migrate" in found.advice


def test_connections_that_are_not_kept_are_a_warning(cluster, monkeypatch):
    monkeypatch.setitem(connection.settings_dict, "CONN_MAX_AGE", 0)
    assert find_one("connections").state == State.WARNING


def test_a_clock_that_is_wrong_is_a_warning(cluster, monkeypatch):
    monkeypatch.setattr(database, "get_now", lambda: datetime.now(UTC) - timedelta(hours=1))
    found = find_one("clock")
    assert (found.state, round(found.facts["skew_seconds"])) == (State.WARNING, 3600)


def test_a_lane_nobody_serves_is_broken_and_says_what_to_start(settings):
    settings.Q_CLUSTER = {**settings.Q_CLUSTER, "ALT_CLUSTERS": {"gpu": {}}}
    engine = {**settings.NARRATION["ENGINES"]["dummy"], "LANE": "gpu"}
    settings.NARRATION = {
        **settings.NARRATION,
        "ENGINES": {**settings.NARRATION["ENGINES"], "other": engine},
    }
    cpu, gpu = find("lane")
    assert cpu.state == gpu.state == State.BROKEN
    assert cpu.advice == "Start one: manage.py narration_worker"
    assert gpu.advice == "Start one: Q_CLUSTER_NAME=gpu manage.py narration_worker"


def test_a_lane_with_jobs_needs_a_worker_though_no_engine_has_it(cluster, note):
    job = api.request_narration(note, language="en")
    Job.objects.filter(pk=job.pk).update(lane="left-over")
    assert find_one("lane", lane="left-over").state == State.BROKEN


def test_waiting_jobs_are_counted_by_lane_with_the_oldest(cluster, note):
    job = api.request_narration(note, language="en")
    Job.objects.filter(pk=job.pk).update(queued_at=Now() - timedelta(seconds=90))
    found = find_one("jobs", lane="cpu", jobs=1)
    assert 89 <= found.facts["oldest_seconds"] < 120


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"state": JobState.QUARANTINED}, "Set aside"),
        ({"state": JobState.RUNNING, "lease_until": Now() - timedelta(1)}, "nobody took them back"),
    ],
)
def test_jobs_in_trouble_are_a_warning(cluster, note, changes, words):
    job = api.request_narration(note, language="en")
    Job.objects.filter(pk=job.pk).update(**changes)
    (found,) = [each for each in find("jobs") if each.state == State.WARNING]
    assert words in found.words


def test_a_silent_worker_is_a_warning(cluster):
    Worker.objects.register("far", "cpu", 1, {})
    Worker.objects.filter(node="far").update(heartbeat_at=Now() - timedelta(hours=1))
    (found,) = [each for each in find("workers") if each.state != State.OK]
    assert (found.state, found.facts["silent"][0]["node"]) == (State.WARNING, "far")


def test_a_worker_of_another_version_is_a_warning(cluster):
    Worker.objects.update(facts={"lanes": ["cpu"], "version": "0.0.1"})
    assert find_one("workers").state == State.WARNING


def test_a_lane_that_rests_is_told_with_its_reason(cluster):
    Lane.objects.create(
        name="cpu",
        failures=3,
        error_code="engine_not_loaded",
        paused_until=Now() + timedelta(minutes=5),
    )
    found = find_one("lane_rests")
    assert found.state == State.WARNING
    assert "engine_not_loaded" in found.words
    assert "engine_not_loaded" in found.advice
    Lane.objects.update(paused_until=Now() - timedelta(minutes=5))
    assert find("lane_rests") == []


def test_a_broker_that_is_away_is_a_warning(cluster, monkeypatch):
    def refuse():
        raise ConnectionRefusedError(111, "refused")

    monkeypatch.setattr("narration.queue.facts.count_hints", refuse)
    found = find_one("queue")
    assert (found.state, "ConnectionRefusedError" in found.words) == (State.WARNING, True)


@pytest.mark.parametrize(
    ("backend", "state"),
    [("console", State.WARNING), ("smtp", State.BROKEN)],
)
def test_letters_that_nobody_gets_are_told(cluster, settings, backend, state):
    settings.NARRATION = {**settings.NARRATION, "EMAIL_WHEN_DONE": True}
    settings.EMAIL_BACKEND = f"django.core.mail.backends.{backend}.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 1  # nobody listens
    assert find_one("email").state == state


def test_a_database_that_does_not_listen_is_broken_and_the_rest_is_told():
    """Really: a process of its own, PostgreSQL where nobody listens."""
    environment = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "config.settings.test",
        "TEST_DATABASE_URL": "postgres://narration:secret@127.0.0.1:1/narration",
    }
    told = subprocess.run(
        [sys.executable, "-W", "ignore", "manage.py", "doctor", "--json"],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert told.returncode == 1, told.stderr
    states = {each["name"]: each["state"] for each in json.loads(told.stdout)["findings"]}
    assert (states["database"], states["storage"], states["engine"]) == ("broken", "ok", "ok")
    assert states["lanes"] == "broken"
    assert "secret" not in told.stdout + told.stderr
