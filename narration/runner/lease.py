"""The lease: a claimed job while it is worked on, and every way it may end."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from django.db import DatabaseError, IntegrityError, connection, transaction
from django.db.models import Exists, F, QuerySet
from django.db.models.functions import Now

from narration import conf
from narration.exceptions import EngineError, NarrationError
from narration.models import Job, JobError, JobKind, JobState, Rendition
from narration.pipeline.events import record
from narration.pipeline.plan import PlannedSegment
from narration.pipeline.quotas import check_run
from narration.pipeline.requests import find_turn_behind_others
from narration.pipeline.usage import record_usage
from narration.queue import bell
from narration.runner import lanes, workers
from narration.runner.claims import build_lease_end, find_urgent
from narration.signals import job_state_changed

logger = logging.getLogger(__name__)

#: How often a running job beats and asks whether to stop or serve others, in seconds.
STOP_CHECK_SECONDS = 1.0
#: Every how many parts of its lease a long silent piece of work renews it.
RENEWALS = 3


class StopWork(Exception):
    """Leave a job between two sentences: lease lost, cancelled, or time is up."""


class LeaseLost(StopWork):
    """Another worker has the job, or somebody ended it: write nothing more."""


class Cancelled(StopWork):
    """Somebody asked for the job to end."""


class GiveBack(StopWork):
    """Time is up or the cluster is stopping: the job waits again, its sentences are kept."""


class Lease:
    """A claimed job while it is worked on: hears every sentence, keeps the lease, may say stop.

    ``serve_urgent(job)`` is called between two sentences, for what cannot wait for this job's end.
    """

    def __init__(
        self,
        job: Job,
        deadline: float | None = None,
        serve_urgent: Callable[[Job], None] = lambda _job: None,
    ):
        self.job = job
        self.deadline = deadline
        self._serve_urgent = serve_urgent
        self._checked_at = 0.0

    # What the pipeline tells us (``narration.pipeline.synthesize.Listener``).

    @property
    def priority(self) -> int:
        """Of its utterances in the engine."""
        return self.job.priority

    def begin(self, *, total: int, reused: int, characters: int) -> None:
        """A plan is known. A job that resumes counts what it made before as synthesized, once."""
        check_run(self.job, characters)
        job = Job.objects.get(pk=self.job.pk)
        job.errors.all().delete()  # those of a run that was given back
        made = min(job.synthesized, reused)
        self._update(total=total, reused=reused - made, done=reused, failed=0)

    def made(self, segment: PlannedSegment, rendition: Rendition) -> None:
        """A sentence is stored: progress, and proof that the job kills nobody."""
        with transaction.atomic():  # one flush to disk for both
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
        """Raise when the job must be left now: when cancelled at once, else within a second.

        Serves the urgent ones first that wait by now.
        """
        if workers.is_terminated():
            raise GiveBack
        mine = Job.objects.filter(pk=self.job.pk)
        answer = mine.values_list("cancel_requested", Exists(find_urgent(self.job))).first()
        is_cancelled, is_waited_for = answer or (False, False)
        if is_cancelled:
            raise Cancelled
        if is_waited_for:
            with self.busy():
                self._serve_urgent(self.job)
        now = time.monotonic()
        if now - self._checked_at < STOP_CHECK_SECONDS:
            return
        self._checked_at = now
        self._update()
        workers.beat(self.job.worker)
        if workers.is_stopping():
            raise GiveBack
        if self.deadline is not None and now > self.deadline:
            self._let_others_go_first()
            raise GiveBack

    @contextmanager
    def busy(self) -> Iterator[None]:
        """Keep the lease through a long piece of work that hears nothing, such as stitching."""
        ended = threading.Event()
        thread = threading.Thread(target=self._renew_until, args=(ended,), daemon=True)
        thread.start()
        try:
            yield
        finally:
            ended.set()
            thread.join()

    # How it ends.

    def end(self, state: JobState, **changes: Any) -> None:
        """Leave the running state for good, with its event."""
        with transaction.atomic():
            self._update(state=state, lease_until=None, finished_at=Now(), **changes)
            announce(self.job, state)

    def give_back(self) -> None:
        """Back to the queue. Nothing is lost: every finished sentence is stored."""
        if self._queue_again("job_given_back", claims=0):
            bell.ring(self.job.lane)

    def fail(self, error: NarrationError) -> None:
        """End as failed, in plain words, or wait for another try if the fault may pass.

        A lease that is lost meanwhile stays lost.
        """
        try:
            lanes.note_failure(self.job.lane, error)
            attempts = Job.objects.values_list("attempts", flat=True).get(pk=self.job.pk) + 1
            # Nobody waits at a desk for half a minute: a preview is asked for again by hand.
            is_hurried = self.job.kind == JobKind.PREVIEW
            is_last = is_hurried or attempts >= conf.get_configuration().max_attempts
            is_waited_for = error.code in lanes.WAITED_FOR and not is_hurried
            if error.is_permanent or (is_last and not is_waited_for):
                words = {"error_code": error.code, "error": str(error)}
                self.end(JobState.FAILED, attempts=attempts, **words)
            else:
                self._try_later(error, attempts)
        except LeaseLost:
            logger.warning("Job %s failed after its lease was lost: %s", self.job.uid, error.code)

    def _try_later(self, error: NarrationError, attempts: int) -> None:
        wait = lanes.get_pause(error.code, min(attempts - 1, 6))
        self._queue_again(
            "job_tried_later",
            claims=0,
            attempts=attempts,
            not_before=Now() + wait,
            error_code=error.code,
            error=str(error),
        )

    def _queue_again(self, event: str, **changes: Any) -> bool:
        """Whether it waits again; False when it was cancelled, or an equal job waits already."""
        waiting = {"state": JobState.QUEUED, "lease_token": "", "lease_until": None, **changes}
        try:
            with transaction.atomic():
                # Not one that was cancelled in this moment: who asks again would get a doomed job.
                is_queued = bool(self._mine().filter(cancel_requested=False).update(**waiting))
                if is_queued:
                    record(event, narration=self.job.narration, job=self.job)
        except IntegrityError:
            words = "An equal job waits already."
            self.end(JobState.CANCELLED, error_code="superseded", error=words)
            return False
        if not is_queued:
            self.end(JobState.CANCELLED)
        return is_queued

    def _let_others_go_first(self) -> None:
        """A long job has had its time: it takes its next turn behind those who wait."""
        self._update(turn=find_turn_behind_others(self.job))

    def _renew_until(self, ended: threading.Event) -> None:
        pause = conf.get_configuration().lease_seconds / RENEWALS
        try:
            while not ended.wait(pause):
                self._update()
        except (LeaseLost, DatabaseError) as error:
            # The next check of the job's own thread finds out the same.
            logger.warning("Job %s: its lease was not renewed: %s", self.job.uid, error)
        finally:
            connection.close()

    def _update(self, **changes: Any) -> None:
        """Compare-and-set; each write is a heartbeat."""
        changes.setdefault("lease_until", build_lease_end())
        if not self._mine().update(**changes):
            raise LeaseLost

    def _mine(self) -> QuerySet[Job]:
        return Job.objects.filter(
            pk=self.job.pk, lease_token=self.job.lease_token, state=JobState.RUNNING
        )


def announce(job: Job, state: JobState) -> None:
    """Record how a job ended, and tell hosts once that is committed."""
    record(f"job_{state}", narration=job.narration, job=job, actor=job.requested_by)
    transaction.on_commit(
        lambda: job_state_changed.send_robust(sender=Job, job_uid=job.uid, state=str(state))
    )
