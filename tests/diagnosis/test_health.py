"""Health: what probes hear, with every fault planted."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from datetime import timedelta
from pathlib import Path

import pytest
from django.core.files.storage import storages
from django.db import OperationalError, connection
from django.db.models.functions import Now

from narration.diagnosis import PARTS, Readiness, health
from narration.models import Worker
from tests.clusters import ROOT

pytestmark = pytest.mark.django_db(transaction=True)
LIVE, READY = "/health/live", "/health/ready"


def ask(client, url=READY):
    answer = client.get(url)
    return answer.status_code, answer.json()


def test_all_is_well_and_said_to_everybody(client, cluster):
    status, body = ask(client)
    assert (status, body["status"]) == (200, "ready")
    assert {name: part["status"] for name, part in body["parts"].items()} == dict.fromkeys(
        PARTS, "ok"
    )
    assert body["parts"]["lanes"]["lanes"] == {"cpu": "ok"}


def test_it_is_cheap_and_never_kept_by_others(client, cluster, django_assert_max_num_queries):
    with django_assert_max_num_queries(3):
        answer = client.get(READY)
    assert "no-store" in answer.headers["Cache-Control"]
    location = Path(storages["narration"].base_location)
    assert [path for path in location.rglob("*") if path.is_file()] == []


@pytest.mark.parametrize("url", [LIVE, READY])
def test_only_reading_is_allowed(client, url):
    assert client.post(url).status_code == 405
    assert client.head(url).content == b""


def test_to_be_alive_nothing_is_asked(client, unwritable, django_assert_num_queries):
    with django_assert_num_queries(0):
        assert ask(client, LIVE) == (200, {"status": "alive"})


def test_a_storage_that_cannot_be_written_is_told(client, cluster, unwritable):
    status, body = ask(client)
    assert (status, body["status"]) == (503, "broken")
    assert body["parts"]["storage"]["fault"] == "NotADirectoryError"
    assert body["parts"]["database"]["status"] == "ok"


def test_a_storage_that_garbles_is_told(client, cluster, monkeypatch):
    monkeypatch.setattr(
        "narration.storage.AtomicFileStorage.open", lambda *_: __import__("io").BytesIO(b"other")
    )
    assert ask(client)[1]["parts"]["storage"]["fault"] == "StorageCorrupt"


def test_an_old_heartbeat_is_no_heartbeat(client, cluster):
    Worker.objects.update(heartbeat_at=Now() - timedelta(seconds=61))
    status, body = ask(client)
    assert (status, body["parts"]["lanes"]["lanes"]) == (503, {"cpu": "no_worker"})


def test_each_lane_of_an_engine_needs_a_worker(client, cluster, settings):
    engine = {**settings.NARRATION["ENGINES"]["dummy"], "LANE": "gpu"}
    settings.NARRATION = {
        **settings.NARRATION,
        "ENGINES": {**settings.NARRATION["ENGINES"], "other": engine},
    }
    status, body = ask(client)
    assert (status, body["parts"]["lanes"]["lanes"]) == (503, {"cpu": "ok", "gpu": "no_worker"})


def test_a_database_that_is_away_is_told_without_its_address(client, cluster, monkeypatch):
    def refuse(*_args, **_options):
        raise OperationalError("connection to server at 10.1.2.3 failed for user narration")

    monkeypatch.setattr(connection, "cursor", refuse)
    answer = client.get(READY)
    assert answer.status_code == 503
    parts = answer.json()["parts"]
    assert parts["database"]["fault"] == parts["lanes"]["fault"] == "OperationalError"
    assert parts["storage"]["status"] == "ok"
    assert "10.1.2.3" not in answer.content.decode()


def test_a_server_that_does_not_listen_is_told():
    """Really: PostgreSQL where nobody listens, through the site's own settings and middleware."""
    code = (
        "import django; django.setup()\n"
        "from django.test import Client\n"
        "for url in ('/health/live', '/health/ready'):\n"
        "    answer = Client().get(url, headers={'host': 'localhost'})\n"
        "    print(answer.status_code, answer.content.decode())\n"
    )
    environment = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "config.settings.test",
        "TEST_DATABASE_URL": "postgres://narration:secret@127.0.0.1:1/narration",
    }
    told = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    live, ready = told.stdout.splitlines()
    assert live.startswith("200")
    assert ready.startswith("503")
    parts = json.loads(ready.partition(" ")[2])["parts"]
    assert parts["database"]["fault"] == "OperationalError"
    assert "secret" not in told.stdout + told.stderr


def test_parts_may_be_asked_for_by_name(client):
    status, body = ask(client, f"{READY}?part=storage&part=database")
    assert (status, list(body["parts"])) == (200, ["storage", "database"])
    assert ask(client, f"{READY}?part=<script>") == (400, {"status": "unknown", "unknown": 1})


def test_however_often_it_is_asked_it_looks_once(monkeypatch):
    looked = []
    part = health._Part(lambda: looked.append(1) or Readiness())
    threads = [threading.Thread(target=part.look) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(looked) == 1
    monkeypatch.setattr(health, "KEEP_SECONDS", -1)
    part.look()
    assert len(looked) == 2


def test_who_asks_while_another_is_stuck_is_told_so(monkeypatch):
    monkeypatch.setattr(health, "WAIT_SECONDS", 0.05)
    part = health._Part(Readiness)
    with part._lock:
        assert part.look().fault == "stuck"
