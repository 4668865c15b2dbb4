"""The circuit breaker of a lane: equal failures in a row, and it rests.

What is wrong with one text stops that text. What is wrong with the engine, the disk or ourselves
would fail every job that waits, one after another, until somebody looks: instead the lane rests, a
single job probes it afterwards, and the rest grows until one succeeds.
"""

from __future__ import annotations

from datetime import timedelta

from django.db.models import F
from django.db.models.functions import Now

from narration import conf
from narration.exceptions import EngineError, NarrationError, UnsupportedUtterance
from narration.models import Job, JobState, Lane
from narration.pipeline.events import record

MAX_REST = timedelta(hours=1)
#: Somebody made room or started the server, and looks at the queue: not an hour later.
MAX_REST_MENDED_BY_HAND = timedelta(minutes=5)
#: Faults of the place where jobs are worked on, whatever their text.
OF_THE_PLACE = {
    "database_away",
    "internal",
    "storage_full",
    "storage_unreachable",
    "storage_short_write",
}
#: Faults that end by themselves or by somebody's hand: jobs wait for that as long as it takes.
WAITED_FOR = {"database_away", "storage_full", "storage_unreachable"}


def is_open(lane: str) -> bool:
    """Whether jobs of this lane may be claimed now: it does not rest, or may be probed by one."""
    row = Lane.objects.filter(name=lane).values("failures").first()
    if row is None or row["failures"] < conf.get_configuration().breaker_failures:
        return True
    if Lane.objects.filter(name=lane, paused_until__gt=Now()).exists():
        return False
    return not Job.objects.filter(lane=lane, state=JobState.RUNNING).exists()


def note_success(job: Job) -> None:
    """A job ended well: if its engine spoke for it, the lane is as good as new."""
    tried = Lane.objects.filter(name=job.lane, failures__gt=0)
    if tried.exists() and Job.objects.filter(pk=job.pk, synthesized__gt=0).exists():
        tried.update(failures=0, error_code="", paused_until=None)
        record("lane_works", job=job, data={"lane": job.lane})


def note_failure(lane: str, error: NarrationError) -> None:
    """Count a failure of the place; at the limit the lane rests, longer each time."""
    if not _is_of_the_place(error):
        return
    row, _created = Lane.objects.get_or_create(name=lane)
    is_same = row.error_code == error.code
    # Not its words: an engine's last ones may quote a lesson, and doctor's go to logs.
    Lane.objects.filter(pk=row.pk).update(
        failures=F("failures") + 1 if is_same else 1, error_code=error.code
    )
    row.refresh_from_db()
    configuration = conf.get_configuration()
    excess = row.failures - configuration.breaker_failures
    if excess < 0:
        return
    rest = get_pause(error.code, excess)
    Lane.objects.filter(pk=row.pk).update(paused_until=Now() + rest)
    record("lane_rests", data={"lane": lane, "code": error.code, "seconds": rest.total_seconds()})


def get_pause(code: str, doublings: int) -> timedelta:
    """How long to leave a fault alone: twice as long each time, up to what its kind allows."""
    longest = MAX_REST_MENDED_BY_HAND if code in WAITED_FOR else MAX_REST
    first = timedelta(seconds=conf.get_configuration().retry_seconds)
    return min(first * (1 << min(doublings, 10)), longest)


def _is_of_the_place(error: NarrationError) -> bool:
    is_of_engine = isinstance(error, EngineError) and not isinstance(error, UnsupportedUtterance)
    return is_of_engine or error.code in OF_THE_PLACE
