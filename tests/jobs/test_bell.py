"""The bell is a hint: what it cannot deliver, the sweeper repeats."""

import pytest
from django.db import transaction

from narration import api, runner
from narration.models import Job
from narration.queue import bell

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_rollback_rings_nothing(note, monkeypatch):
    rung = []
    monkeypatch.setattr(bell, "ring", rung.append)
    with transaction.atomic():
        api.request_narration(note, language="en")
        transaction.set_rollback(True)
    assert rung == []
    assert not Job.objects.exists()


def test_a_broken_broker_loses_no_request(note, monkeypatch, caplog):
    def break_down(*_args, **_kwargs):
        raise ConnectionError("no broker")

    monkeypatch.setattr(bell, "async_task", break_down)
    job = api.request_narration(note, language="en")
    assert job.state == "queued"
    assert "the sweeper will" in caplog.text
    rung = []
    monkeypatch.setattr(bell, "ring", rung.append)
    runner.sweep()
    assert rung == ["cpu"]


def test_a_lane_with_a_cluster_of_its_own_is_rung_there(note, monkeypatch, settings):
    calls = []
    monkeypatch.setattr(bell, "async_task", lambda *args, **kwargs: calls.append(kwargs["cluster"]))
    bell.ring("gpu")
    settings.Q_CLUSTER = {**settings.Q_CLUSTER, "ALT_CLUSTERS": {"gpu": {"workers": 1}}}
    bell.ring("gpu")
    assert calls == [None, "gpu"]
