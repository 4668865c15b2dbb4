"""The page *Work* shows the engines of every machine and loads them on a button's press."""

from __future__ import annotations

import datetime as dt

import pytest
from django.db.models.functions import Now

from narration import api
from narration.models import Job, JobState, Worker
from tests.admin.test_work import URL, make_job, mine, post, read  # noqa: F401 - mine: a fixture
from tests.diagnosis.test_engines import LOADED
from tests.speaking.test_client import HERE

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def card(settings, monkeypatch):
    monkeypatch.setattr("narration.queue.bell.ring", lambda lane: None)
    engine = {"BACKEND": HERE + "CardEngine", "LANE": "gpu"}
    engines = {**settings.NARRATION["ENGINES"], "card": engine}
    settings.NARRATION = {**settings.NARRATION, "ENGINES": engines}


def tell(**changes):
    Worker.objects.register("speaker-1", "gpu", 7, {"engines": [{**LOADED, **changes}]})


def test_without_a_heavy_engine_nothing_is_said(client, staff, settings):
    del settings.NARRATION["ENGINES"]["card"]
    client.force_login(staff)
    assert "work-engines" not in read(client)


def test_it_shows_where_one_is_loaded_how_large_and_how_fast(client, staff):
    tell(versions={"TTS": "0.28.0"}, profile="gpu-bf16")
    client.force_login(staff)
    page = read(client)
    for words in (
        "card · TTS 0.28.0 · gpu-bf16 · 0123456789ab",
        ">loaded</span>",
        "speaker-1:7 (gpu)",
        "NVIDIA H100",
        "4.0 GB of 80.0 GB",
        "before loading 1.0 GB, after 3.0 GB",
        "12.3 s",
        "0.052 s",
    ):
        assert words in page
    assert "Load now" not in page


def test_one_that_is_not_loaded_is_on_a_press(client, staff):
    client.force_login(staff)
    assert "Load now" in read(client)
    assert post(client, "warm/card/") == ["A worker loads card as soon as it is free."]
    job = Job.objects.get()
    assert (job.kind, job.payload, job.requested_by) == ("warm", {"engine": "card"}, staff)
    assert "warm card" in read(client)
    [words] = post(client, "warm/nobody/")
    assert "nobody" in words


def test_why_one_could_not_be_loaded_is_told_with_what_to_do(client, staff):
    tell(state="failed", code="no_gpu", error="'cuda' is not <b>here</b>.")
    client.force_login(staff)
    page = read(client)
    assert "The worker has no card (GPU) that this engine could use." in page
    assert "is not &lt;b&gt;here&lt;/b&gt;." in page
    assert "nvidia-smi" in page
    assert "Load now" in page


def test_who_may_only_look_has_no_button(client, viewer):
    client.force_login(viewer)
    assert "Load now" not in read(client)
    assert client.post(f"{URL}warm/card/").status_code == 403
    assert client.get(f"{URL}warm/card/").status_code == 405
    assert not Job.objects.exists()


@pytest.mark.parametrize("state", [JobState.FAILED, JobState.QUEUED])
def test_a_fault_of_the_card_is_told_with_its_number(client, staff, mine, state):  # noqa: F811
    detail = "Out of memory: 1,000 bytes could not be had."
    later = Now() + dt.timedelta(minutes=1)
    changes = {"not_before": later} if state == JobState.QUEUED else {}
    make_job(mine, state=state, lane="gpu", error_code="out_of_memory", error=detail, **changes)
    tell()
    client.force_login(staff)
    page = read(client)
    assert "The memory of the card ran out." in page
    assert detail in page


@pytest.mark.parametrize("alias", ["card", "other"])
def test_a_warm_that_failed_goes_when_its_engine_was_loaded_later(client, staff, alias):
    facts = {"kind": "warm", "error_code": "no_gpu", "payload": {"engine": "card"}}
    failed = make_job(None, request_key="a", state=JobState.FAILED, **facts)
    later = {**facts, "error_code": "", "payload": {"engine": alias}}
    make_job(None, request_key="b", state=JobState.DONE, **later)
    client.force_login(staff)
    assert (str(failed.uid) in read(client)) == (alias == "other")


def test_a_warm_that_is_asked_for_again_takes_the_failed_one_up(client, staff):
    failed = api.request_warm("card", user=staff)
    ended = {"finished_at": Now(), "started_at": Now()}
    Job.objects.filter(pk=failed.pk).update(state=JobState.FAILED, **ended)
    client.force_login(staff)
    assert str(failed.uid) in read(client)
    again = api.request_warm("card", user=staff)
    Job.objects.filter(pk=again.pk).update(state=JobState.DONE, **ended)
    assert str(failed.uid) not in read(client)
