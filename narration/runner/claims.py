"""Claims: one waiting job becomes one worker's, by compare-and-set."""

from __future__ import annotations

import secrets
from datetime import timedelta
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import F, QuerySet
from django.db.models.functions import Coalesce, Now

from narration import conf
from narration.models import Job, JobKind, JobState, Worker
from narration.pipeline.events import record
from narration.runner import lanes
from narration.speaking import find_crowded_out

#: How many waiting jobs are looked at when the first ones are taken by others.
CANDIDATES = 10
#: Done in moments, so that they may go between two sentences of a long job.
SHORT_KINDS = (JobKind.PREVIEW, JobKind.ESTIMATE)


def claim(lane: str, worker: Worker | None = None, *, fresh_only: bool = False) -> Job | None:
    """Take the best waiting job of a lane whose narration nobody works on, if there is one.

    ``fresh_only`` leaves those that were claimed before and came back.
    """
    if not lanes.is_open(lane):
        return None
    waiting = Job.objects.claimable(lane)
    return _take_first(waiting.filter(claims=0) if fresh_only else waiting, worker)


def claim_urgent(job: Job, worker: Worker | None = None) -> Job | None:
    """Take a short job that is more urgent than this running one of the same lane."""
    return _take_first(find_urgent(job), worker)


def find_urgent(job: Job) -> QuerySet[Job]:
    """Short jobs that go before this running one of the same lane, the most urgent first.

    Not those whose engine has no room beside that of the running one: they go first once it ends.
    """
    short = Job.objects.claimable(job.lane).filter(kind__in=SHORT_KINDS, priority__lt=job.priority)
    crowded_out = find_crowded_out(conf.get_engines().values())
    if not crowded_out:
        return short
    # Not exclude(): to SQL, payloads without the key are neither equal nor unequal.
    return short.exclude(pk__in=Job.objects.filter(payload__engine__in=crowded_out).values("pk"))


def build_lease_end() -> Any:
    """When a lease that is renewed now runs out, by the database's clock."""
    return Now() + timedelta(seconds=conf.get_configuration().lease_seconds)


def _take_first(waiting: Any, worker: Worker | None) -> Job | None:
    token = secrets.token_hex(16)
    for pk in waiting.values_list("pk", flat=True)[:CANDIDATES]:
        try:
            with transaction.atomic():
                taken = Job.objects.filter(pk=pk, state=JobState.QUEUED).update(
                    state=JobState.RUNNING,
                    lease_token=token,
                    lease_until=build_lease_end(),
                    claims=F("claims") + 1,
                    worker=worker,
                    started_at=Coalesce("started_at", Now()),
                )
                job = Job.objects.select_related("narration").get(pk=pk) if taken else None
                if job is not None:
                    record("job_running", narration=job.narration, job=job)
        except IntegrityError:
            continue  # its narration began running a moment ago
        if job is not None:
            return job
    return None
