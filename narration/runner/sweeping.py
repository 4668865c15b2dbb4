"""The sweep: takes back what dead workers held, and rings for what waits."""

from __future__ import annotations

import socket
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models.functions import Now

from narration import conf
from narration.models import Job, JobState
from narration.pipeline import consents
from narration.pipeline.events import record
from narration.queue import bell
from narration.queue.supervisor import is_alive
from narration.runner.lease import announce

#: How long a sweep may delete what was made with consents that ended.
CONSENT_SECONDS = 5.0


def sweep() -> int:
    """Take back jobs whose worker is silent, end those nobody can finish, ring for what waits.

    Then what persons were promised: see ``narration.pipeline.consents.sweep``.

    Idempotent; run from the schedule and from the supervisor. How many jobs were taken back.
    """
    count = 0
    for job in Job.objects.expired():
        count += _take_back(job)
    for job in Job.objects.running_on(socket.gethostname()):
        # No need to wait for the lease of a worker that is known to be dead.
        if job.worker is not None and not is_alive(job.worker.pid):
            count += _take_back(job)
    for lane in Job.objects.due().values_list("lane", flat=True).distinct():
        bell.ring_unless_ringing(lane)
    consents.sweep(CONSENT_SECONDS)
    return count


def _take_back(job: Job) -> int:
    mine = Job.objects.filter(pk=job.pk, lease_token=job.lease_token, state=JobState.RUNNING)
    if cancelled := _move(
        mine.filter(cancel_requested=True), job, JobState.CANCELLED, finished_at=Now()
    ):
        return cancelled
    if job.claims > conf.get_configuration().max_claims:
        words = (
            "The worker died each time it worked on this job. It is set aside until someone looks."
        )
        return _move(
            mine,
            job,
            JobState.QUARANTINED,
            finished_at=Now(),
            error_code="kills_worker",
            error=words,
        )
    try:
        with transaction.atomic():
            moved: int = mine.filter(cancel_requested=False).update(
                state=JobState.QUEUED, lease_token="", lease_until=None
            )
            if moved:
                record("job_taken_back", narration=job.narration, job=job)
        return moved
    except IntegrityError:
        words = "An equal job waits already."
        return _move(
            mine, job, JobState.CANCELLED, finished_at=Now(), error_code="superseded", error=words
        )


def _move(mine: Any, job: Job, state: JobState, **changes: Any) -> int:
    with transaction.atomic():
        moved: int = mine.update(state=state, lease_until=None, **changes)
        if moved:
            announce(job, state)
    return moved
