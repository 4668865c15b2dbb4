"""Jobs for programs: why in plain words, their place in line, another try."""

from __future__ import annotations

import pytest
from django.utils import timezone

from narration.models import Job, JobError, JobState, Worker
from narration.pipeline.waiting import REASONS
from narration.rest.serializers import WAITING_CODES
from tests.rest.conftest import is_problem

pytestmark = pytest.mark.django_db


@pytest.fixture
def job(narration, owner):
    return Job.objects.create(
        narration=narration,
        request_key="k",
        lane="cpu",
        state=JobState.PARTIAL,
        error_code="partial",
        error="1 sentence(s) could not be spoken.",
        requested_by=owner,
        queued_at=timezone.now(),
        finished_at=timezone.now(),
    )


def get_url(job, door=""):
    return f"/api/v1/jobs/{job.uid}/{door}"


def test_the_reasons_for_waiting_are_all_documented():
    assert WAITING_CODES == REASONS


def test_codes_are_told_in_plain_words_with_what_to_do(as_owner, job):
    JobError.objects.create(job=job, text="Zzz", code="text_too_long")
    body = as_owner.get(get_url(job)).json()
    assert body["reason"] == "Some sentences could not be spoken, so nothing was published."
    assert body["advice"] == "Reword the sentences named here, or try again."
    [error] = body["errors"]
    assert error["reason"] == "This sentence is too long for the voice; cut it in two."
    assert error["advice"] == "Cut the sentence in two, then try again."
    assert body["waiting"] is None


def test_they_follow_accept_language(as_owner, job):
    body = as_owner.get(get_url(job), headers={"accept-language": "pt-br"}).json()
    assert "frases" in body["reason"]
    assert body["error"] == "1 sentence(s) could not be spoken."


def test_nothing_is_said_where_nothing_went_wrong(as_owner, job):
    Job.objects.filter(pk=job.pk).update(state=JobState.DONE, error_code="")
    body = as_owner.get(get_url(job)).json()
    assert (body["reason"], body["advice"]) == ("", "")


def test_a_waiting_job_tells_its_place(as_owner, job):
    Job.objects.filter(pk=job.pk).update(state=JobState.QUEUED, error_code="")
    assert as_owner.get(get_url(job)).json()["waiting"]["code"] == "no_worker"
    now = timezone.now()
    Worker.objects.create(node="x", lane="cpu", pid=1, started_at=now, heartbeat_at=now)
    assert as_owner.get(get_url(job)).json()["waiting"] == {
        "code": "in_line",
        "reason": "1st: one worker on cpu, nothing ahead",
        "position": 1,
        "sentences_ahead": 0,
        "seconds": None,
    }


def test_a_job_is_tried_again(as_owner, job):
    response = as_owner.post(get_url(job, "retry/"))
    assert response.status_code == 202
    again = Job.objects.get(state=JobState.QUEUED)
    assert again.narration == job.narration
    assert response.headers["Location"] == response.json()["url"]
    assert response.json()["uid"] == str(again.uid)
    twice = as_owner.post(get_url(job, "retry/"))
    assert twice.json()["uid"] == str(again.uid)
    assert is_problem(as_owner.post(get_url(again, "retry/")), 409, "job_active")


def test_what_ended_well_is_not_tried_again(as_owner, job):
    Job.objects.filter(pk=job.pk).update(state=JobState.DONE)
    assert is_problem(as_owner.post(get_url(job, "retry/")), 409, "job_done")


def test_strangers_try_nothing(as_stranger, job):
    assert is_problem(as_stranger.post(get_url(job, "retry/")), 404)
    assert Job.objects.count() == 1
