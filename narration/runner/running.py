"""One queue task: hold as many jobs of a lane as it has seats, until none waits or time is up."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

from django.db import (
    DatabaseError,
    InterfaceError,
    OperationalError,
    connection,
    transaction,
)

from narration import conf, logs
from narration.exceptions import ConflictError, ConsentError, NarrationError
from narration.models import Job, JobKind, JobState, Narration, Worker
from narration.pipeline.narrate import bring_up_to_date, publish_if_due
from narration.pipeline.plans import refresh_plan
from narration.pipeline.previews import make_preview
from narration.pipeline.warming import warm_up
from narration.runner import lanes, workers
from narration.runner.claims import claim, claim_urgent
from narration.runner.lease import Cancelled, GiveBack, Lease, LeaseLost

logger = logging.getLogger(__name__)

#: How often a free seat looks for a job while another works.
FREE_SEAT_SECONDS = 0.5


def run_lane(lane: str, *, seconds: float | None = None) -> int:
    """Claim and work off jobs until none waits or the time is up; how many were worked on.

    A lane whose engine speaks several sentences together has several seats: each holds a job, so
    that the engine's slots stay full at the beginning and the end of every lesson.
    """
    configuration = conf.get_configuration()
    deadline = time.monotonic() + (configuration.run_seconds if seconds is None else seconds)
    workers.listen_for_sigterm()
    worker = workers.register_worker(lane)
    seats = configuration.lane_seats.get(lane, 1)
    table = _Table(lane, worker, deadline)
    try:
        if seats == 1:
            return table.sit()
        with ThreadPoolExecutor(seats, thread_name_prefix=f"narration-{lane}") as pool:
            sitting = [pool.submit(table.sit_in_thread) for _ in range(seats)]
        return sum(future.result() for future in sitting)
    finally:
        workers.tell_the_end()


def run_job(job: Job, *, deadline: float | None = None) -> None:
    """Bring one claimed job to an end or back to the queue. Raises nothing."""
    with logs.bind(job=job.uid, request=job.request_id or None):
        try:
            _bring_to_an_end(job, deadline)
        except DatabaseError as error:
            logger.warning("Job %s waits for its lease to end: %s", job.uid, type(error).__name__)
            connection.close()


def _bring_to_an_end(job: Job, deadline: float | None) -> None:
    lease = Lease(job, deadline, _serve_urgent)
    try:
        if _work_off(job, lease):
            lanes.note_success(job)
    except LeaseLost:
        logger.warning("Job %s: the lease was lost; nothing more is written.", job.uid)
    except Cancelled:
        _try_end(lease, JobState.CANCELLED)
    except GiveBack:
        _try_give_back(lease)
    except ConsentError as error:
        _try_end(lease, JobState.CANCELLED, error_code=error.code, error=str(error))
    except NarrationError as error:
        lease.fail(error)
    except (OperationalError, InterfaceError) as error:
        _outlive_database(lease, error)
    except Exception as error:
        logger.exception("Job %s failed.", job.uid)
        lease.fail(NarrationError(f"{type(error).__name__}", code="internal", is_permanent=False))


class _Table:
    """The seats of a worker in one lane. A free one waits for jobs as long as another works."""

    def __init__(self, lane: str, worker: Worker, deadline: float):
        self._lane, self._worker, self._deadline = lane, worker, deadline
        self._lock = threading.Lock()
        self._working = 0
        self._suspect = False

    def sit(self) -> int:
        """Work until nothing waits and nobody else works, or time is up; how many jobs."""
        count = 0
        while time.monotonic() < self._deadline and not workers.is_stopping():
            with self._count_as_working() as is_alone:
                if job := self._claim(is_alone):
                    run_job(job, deadline=self._deadline)
                    self._suspect = False
                    workers.beat(self._worker)
                    count += 1
                    continue
            if not self._working:
                break
            time.sleep(FREE_SEAT_SECONDS)
        return count

    def sit_in_thread(self) -> int:
        """``sit``, and give back the thread's connection."""
        try:
            return self.sit()
        finally:
            connection.close()

    def _claim(self, is_alone: bool) -> Job | None:
        """A job that was claimed before, and may have killed its worker, works alone: whoever sat
        beside it would be taken for a killer too.
        """
        if self._suspect:
            return None
        job = claim(self._lane, self._worker, fresh_only=not is_alone)
        self._suspect = job is not None and job.claims > 1
        return job

    @contextmanager
    def _count_as_working(self) -> Iterator[bool]:
        """Whether nobody else works."""
        with self._lock:
            self._working += 1
            is_alone = self._working == 1
        try:
            yield is_alone
        finally:
            with self._lock:
                self._working -= 1


def _serve_urgent(job: Job) -> None:
    """Between two sentences of ``job``: make what somebody waits for at their desk."""
    while urgent := claim_urgent(job, job.worker):
        run_job(urgent)
        if workers.is_stopping():
            return  # it was given back and would be claimed again, for ever
        if urgent.kind != JobKind.PREVIEW:
            return  # a thousand plans may wait: one between two sentences


def _work_off(job: Job, lease: Lease) -> bool:
    """Do what this kind of job does; whether it ended well."""
    if job.kind == JobKind.PREVIEW:
        is_made = make_preview(job, lease)
        lease.end(JobState.DONE if is_made else JobState.PARTIAL)
        return is_made
    if job.kind == JobKind.WARM:
        warm_up(job, lease)
        lease.end(JobState.DONE, error_code="", error="")
        return True
    narration = job.narration
    if narration is None:
        raise NarrationError("The narrated object is gone.", code="source_gone")
    if job.kind == JobKind.ESTIMATE:
        refresh_plan(narration)
        lease.end(JobState.DONE)
        return True
    track = bring_up_to_date(narration, job, lease)
    if track is None:
        lease.end(JobState.PARTIAL, **_describe_partial(job))
        return False
    with transaction.atomic():
        lease.end(JobState.DONE, audio_ms=track.duration_ms, error_code="", error="")
        _publish(narration, job)
    return True


def _publish(narration: Narration, job: Job) -> None:
    """Publish what was asked for; a text that changed in the last moment just stays a draft."""
    narration.refresh_from_db()
    try:
        with transaction.atomic():
            publish_if_due(narration, job)
    except ConflictError as error:
        logger.info("Job %s: made, not published: %s", job.uid, error.code)


def _describe_partial(job: Job) -> dict[str, str]:
    count = job.errors.count()
    words = (
        f"{count} sentence(s) could not be spoken; everything else is kept. Nothing was published."
    )
    return {"error_code": "partial", "error": words}


def _outlive_database(lease: Lease, error: Exception) -> None:
    """The database went away under the job: on a new connection it waits, else a sweep finds it."""
    logger.warning("Job %s lost its database: %s", lease.job.uid, type(error).__name__)
    connection.close()
    lease.fail(NarrationError(type(error).__name__, code="database_away", is_permanent=False))


def _try_end(lease: Lease, state: JobState, **changes: str) -> None:
    try:
        lease.end(state, **changes)
    except LeaseLost:
        logger.warning("Job %s: the lease was lost as it ended.", lease.job.uid)


def _try_give_back(lease: Lease) -> None:
    try:
        lease.give_back()
    except LeaseLost:
        logger.warning("Job %s: the lease was lost as it was given back.", lease.job.uid)
