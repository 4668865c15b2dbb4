"""The runner: claims jobs of its lane, works them off, gives back what it cannot finish.

Every change of state is a compare-and-set on (pk, lease token, state) by the database's clock,
and its row count decides: a worker that lost its lease writes nothing more.
"""

from __future__ import annotations

import logging
import os
import secrets
import socket
import time
from datetime import timedelta
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import F
from django.db.models.functions import Coalesce, Now

from narration import conf
from narration.exceptions import ConflictError, EngineError, NarrationError
from narration.models import (
    Job,
    JobError,
    JobKind,
    JobState,
    Narration,
    Rendition,
    Worker,
)
from narration.pipeline.events import record
from narration.pipeline.narrate import bring_up_to_date, publish_if_due
from narration.pipeline.plan import PlannedSegment
from narration.pipeline.plans import refresh_plan
from narration.pipeline.previews import make_preview
from narration.pipeline.usage import record_usage
from narration.queue import bell
from narration.queue.supervisor import is_alive
from narration.signals import job_state_changed

logger = logging.getLogger(__name__)

#: How many waiting jobs are looked at when the first ones are taken by others.
CANDIDATES = 10
#: How often a worker asks whether its cluster is being stopped, in seconds.
STOP_CHECK_SECONDS = 1.0
CLUSTER_LANE = "cluster"


class StopWork(Exception):
    """Leave a job between two sentences: lease lost, cancelled, or time is up."""


class LeaseLost(StopWork):
    """Another worker has the job, or somebody ended it: write nothing more."""


class Cancelled(StopWork):
    """Somebody asked for the job to end."""


class GiveBack(StopWork):
    """Time is up or the cluster is stopping: the job waits again, its sentences are kept."""


def run_lane(lane: str, *, seconds: float | None = None) -> int:
    """Claim and work off jobs until none waits or the time is up; how many were worked on."""
    configuration = conf.get_configuration()
    deadline = time.monotonic() + (configuration.run_seconds if seconds is None else seconds)
    worker = _register_worker(lane)
    count = 0
    while time.monotonic() < deadline and not _is_stopping():
        job = claim(lane, worker)
        if job is None:
            break
        run_job(job, deadline=deadline)
        count += 1
    return count


def claim(lane: str, worker: Worker | None = None) -> Job | None:
    """Take the best waiting job of a lane whose narration nobody works on, if there is one."""
    token = secrets.token_hex(16)
    for pk in Job.objects.claimable(lane).values_list("pk", flat=True)[:CANDIDATES]:
        try:
            with transaction.atomic():
                taken = Job.objects.filter(pk=pk, state=JobState.QUEUED).update(
                    state=JobState.RUNNING,
                    lease_token=token,
                    lease_until=_lease_end(),
                    claims=F("claims") + 1,
                    worker=worker,
                    started_at=Coalesce("started_at", Now()),
                )
        except IntegrityError:
            continue  # its narration began running a moment ago
        if taken:
            return Job.objects.select_related("narration").get(pk=pk)
    return None


def run_job(job: Job, *, deadline: float | None = None) -> None:
    """Bring one claimed job to an end or back to the queue. Raises nothing."""
    lease = Lease(job, deadline)
    narration = job.narration
    try:
        if job.kind == JobKind.PREVIEW:
            lease.end(JobState.DONE if make_preview(job, lease) else JobState.PARTIAL)
            return
        if narration is None:
            raise NarrationError("The narrated object is gone.", code="source_gone")
        if job.kind == JobKind.ESTIMATE:
            refresh_plan(narration)
            lease.end(JobState.DONE)
            return
        track = bring_up_to_date(narration, job, lease)
        if track is None:
            lease.end(JobState.PARTIAL, **_describe_partial(job))
            return
        with transaction.atomic():
            lease.end(JobState.DONE, audio_ms=track.duration_ms)
            _publish(narration, job)
    except LeaseLost:
        logger.warning("Job %s: the lease was lost; nothing more is written.", job.uid)
    except Cancelled:
        lease.end(JobState.CANCELLED)
    except GiveBack:
        lease.give_back()
    except NarrationError as error:
        lease.fail(error)
    except Exception as error:
        logger.exception("Job %s failed.", job.uid)
        lease.fail(
            NarrationError(f"{type(error).__name__}: {error}", code="internal", is_permanent=False)
        )


class Lease:
    """A claimed job while it is worked on: hears every sentence, keeps the lease, may say stop."""

    def __init__(self, job: Job, deadline: float | None = None):
        self.job = job
        self.deadline = deadline
        self._checked_at = 0.0

    # What the pipeline tells us (``narration.pipeline.synthesize.Listener``).

    def begin(self, *, total: int, reused: int) -> None:
        """A plan is known. A job that resumes counts what it made before as synthesized, once."""
        job = Job.objects.get(pk=self.job.pk)
        job.errors.all().delete()  # those of a run that was given back
        made = min(job.synthesized, reused)
        self._update(total=total, reused=reused - made, done=reused, failed=0)

    def made(self, segment: PlannedSegment, rendition: Rendition) -> None:
        """A sentence is stored: progress, and proof that the job kills nobody."""
        self._update(
            done=F("done") + 1,
            synthesized=F("synthesized") + 1,
            characters=F("characters") + len(segment.spoken.text),
            engine_ms=F("engine_ms") + rendition.engine_ms,
            claims=1,
        )
        record_usage(self.job, segment.voice, rendition)

    def failed(self, segment: PlannedSegment, error: EngineError) -> None:
        """A sentence is given up: kept by name, the rest goes on."""
        self._update(failed=F("failed") + 1)
        JobError.objects.create(
            job=self.job,
            utterance_digest=segment.digest,
            text=segment.display_text,
            code=error.code,
            permanent=error.is_permanent,
        )

    def check(self) -> None:
        """Raise when the job must be left now; asks the database at most once a second."""
        now = time.monotonic()
        if now - self._checked_at < STOP_CHECK_SECONDS:
            return
        self._checked_at = now
        self._update()
        if Job.objects.filter(pk=self.job.pk, cancel_requested=True).exists():
            raise Cancelled
        if (self.deadline is not None and now > self.deadline) or _is_stopping():
            raise GiveBack

    # How it ends.

    def end(self, state: JobState, **changes: Any) -> None:
        """Leave the running state for good, with its event."""
        with transaction.atomic():
            self._update(state=state, lease_until=None, finished_at=Now(), **changes)
            _announce(self.job, state)

    def give_back(self) -> None:
        """Back to the queue. Nothing is lost: every finished sentence is stored."""
        try:
            with transaction.atomic():
                self._update(state=JobState.QUEUED, lease_token="", lease_until=None, claims=0)
        except IntegrityError:
            self.end(
                JobState.CANCELLED, error_code="superseded", error="An equal job waits already."
            )
        bell.ring(self.job.lane)

    def fail(self, error: NarrationError) -> None:
        """End as failed, in plain words. A lease that is lost meanwhile stays lost."""
        try:
            self.end(JobState.FAILED, error_code=error.code, error=str(error))
        except LeaseLost:
            logger.warning("Job %s failed after its lease was lost: %s", self.job.uid, error.code)

    def _update(self, **changes: Any) -> None:
        """Compare-and-set; each write is a heartbeat."""
        changes.setdefault("lease_until", _lease_end())
        mine = Job.objects.filter(
            pk=self.job.pk, lease_token=self.job.lease_token, state=JobState.RUNNING
        )
        if not mine.update(**changes):
            raise LeaseLost


def sweep() -> int:
    """Take back jobs whose worker is silent, end those nobody can finish, ring for what waits.

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
        bell.ring(lane)
    return count


def _take_back(job: Job) -> int:
    mine = Job.objects.filter(pk=job.pk, lease_token=job.lease_token, state=JobState.RUNNING)
    if job.cancel_requested:
        return _move(mine, job, JobState.CANCELLED, finished_at=Now())
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
            return mine.update(state=JobState.QUEUED, lease_token="", lease_until=None)
    except IntegrityError:
        words = "An equal job waits already."
        return _move(
            mine, job, JobState.CANCELLED, finished_at=Now(), error_code="superseded", error=words
        )


def _move(mine: Any, job: Job, state: JobState, **changes: Any) -> int:
    with transaction.atomic():
        moved: int = mine.update(state=state, lease_until=None, **changes)
        if moved:
            _announce(job, state)
    return moved


def _publish(narration: Narration, job: Job) -> None:
    """Publish what was asked for; a text that changed in the last moment just stays a draft."""
    narration.refresh_from_db()
    try:
        with transaction.atomic():
            publish_if_due(narration, job)
    except ConflictError as error:
        logger.info("Job %s: made, not published: %s", job.uid, error)


def _describe_partial(job: Job) -> dict[str, str]:
    count = job.errors.count()
    words = (
        f"{count} sentence(s) could not be spoken; everything else is kept. Nothing was published."
    )
    return {"error_code": "partial", "error": words}


def _announce(job: Job, state: JobState) -> None:
    record(f"job_{state}", narration=job.narration, job=job, actor=job.requested_by)
    transaction.on_commit(
        lambda: job_state_changed.send_robust(sender=Job, job_uid=job.uid, state=str(state))
    )


def _lease_end() -> Any:
    return Now() + timedelta(seconds=conf.get_configuration().lease_seconds)


def _register_worker(lane: str) -> Worker:
    identity = {"node": socket.gethostname(), "lane": lane, "pid": os.getpid()}
    worker, _created = Worker.objects.update_or_create(
        **identity,
        defaults={"heartbeat_at": Now()},
        create_defaults={"started_at": Now(), "heartbeat_at": Now()},
    )
    return worker


def _is_stopping() -> bool:
    """Whether the supervisor of this process's cluster is stopping it (it leads our session)."""
    rows = Worker.objects.filter(
        node=socket.gethostname(), lane=CLUSTER_LANE, pid=os.getsid(0), facts__stopping=True
    )
    return rows.exists()
