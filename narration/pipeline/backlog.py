"""The backlog: who works, what waits, in which place and why, in a fixed number of queries.

Only the first jobs of a lane are listed, however many wait; the numbers are of all of them.
"""

from __future__ import annotations

import datetime as dt
import socket
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db.models import (
    Case,
    Count,
    DurationField,
    Exists,
    ExpressionWrapper,
    F,
    IntegerField,
    OuterRef,
    Q,
    QuerySet,
    Sum,
    Value,
    When,
)
from django.db.models.functions import Coalesce, Now

from narration import conf
from narration.models import ACTIVE_STATES, Job, JobKind, JobState, Lane, Worker
from narration.queue.supervisor import is_alive

#: How many waiting jobs of a lane are shown.
ROWS = 200
#: How many ended jobs tell how fast a lane is, and how old they may be.
MEASURED_JOBS = 200
MEASURED_DAYS = 7
#: The row of a supervised cluster; it serves every lane that has none of its own.
CLUSTER_LANE = "cluster"


@dataclass(frozen=True, slots=True)
class WorkerRow:
    """A process as it was at its last heartbeat. ``age_s`` is by the database's clock."""

    node: str
    lane: str
    pid: int
    age_s: float
    is_alive: bool
    is_stopping: bool
    memory_bytes: int | None
    lanes: tuple[str, ...]


@dataclass(slots=True)
class LaneRow:
    """A lane: who serves it, what it has to do, whether it rests.

    ``sentence_ms`` is what a seat took for a sentence lately, from a job's start to its end:
    engine, storing, stitching and encoding. None where none was measured.
    """

    name: str
    workers: int = 0
    seats: int = 1
    has_cluster: bool = False
    waiting: int = 0
    running: int = 0
    sentence_ms: float | None = None
    is_resting: bool = False
    paused_until: dt.datetime | None = None
    failures: int = 0
    error_code: str = ""
    #: Sentences still to be made by the jobs that run.
    in_hand: int = 0

    @property
    def is_served(self) -> bool:
        """Whether somebody will take its jobs."""
        return bool(self.workers or self.has_cluster or self.running)


@dataclass(frozen=True, slots=True)
class WaitingJob:
    """A waiting job's place and what stands between it and its turn.

    ``position`` is None while it is not due, or its lane is not. ``uncounted`` texts before it
    were never planned, so that nobody knows their sentences. ``seconds`` is None where no speed
    was measured.
    """

    job: Job
    lane: LaneRow
    position: int | None
    sentences: int
    uncounted: int
    is_busy: bool
    is_due: bool

    @property
    def seconds(self) -> float | None:
        """How long until its turn, at the lane's speed of late."""
        if self.lane.sentence_ms is None or self.position is None:
            return None
        seats = max(1, self.lane.workers) * self.lane.seats
        return self.sentences * self.lane.sentence_ms / 1000 / seats


@dataclass(slots=True)
class Backlog:
    """What the page *Work* shows of the present."""

    workers: list[WorkerRow] = field(default_factory=list)
    lanes: list[LaneRow] = field(default_factory=list)
    running: list[Job] = field(default_factory=list)
    waiting: list[WaitingJob] = field(default_factory=list)


def load_backlog() -> Backlog:
    """Everything at once: as many queries for a thousand jobs as for one, some per lane."""
    workers = list_workers()
    running = list(_describe_running())
    lanes = _load_lanes(workers, running)
    waiting = [row for lane in lanes.values() if lane.waiting for row in _list_waiting(lane)]
    return Backlog(workers, sorted(lanes.values(), key=lambda lane: lane.name), running, waiting)


def find_waiting(job: Job) -> WaitingJob | None:
    """The place of one job and why it waits; None when it does not wait."""
    if job.state != JobState.QUEUED:
        return None
    row = _annotate_waiting(Job.objects.filter(pk=job.pk)).first()
    if row is None:
        return None
    lanes = _load_lanes(list_workers(), list(_describe_running()))
    before = Q(priority__lt=row.priority) | Q(priority=row.priority, turn__lt=row.turn)
    before |= Q(priority=row.priority, turn=row.turn, pk__lt=row.pk)
    ahead = (
        _annotate_waiting(Job.objects.due())
        .filter(before, lane=row.lane)
        .aggregate(
            jobs_ahead=Count("pk"),
            sentences_ahead=Coalesce(Sum("sentences"), 0),
            uncounted_ahead=Coalesce(Sum("uncounted"), 0),
        )
    )
    lane = lanes.get(row.lane) or LaneRow(row.lane)
    return _build_waiting(
        row, lane, ahead["jobs_ahead"], ahead["sentences_ahead"], ahead["uncounted_ahead"]
    )


def list_workers() -> list[WorkerRow]:
    """Processes that were heard of within a day, the newest first."""
    configuration = conf.get_configuration()
    # A supervisor that sweeps and a worker that waits for a sentence are both heard that often.
    silence = dt.timedelta(
        seconds=max(configuration.lease_seconds, 2 * configuration.sweep_seconds) + 15
    )
    at_work = Job.objects.filter(
        worker=OuterRef("pk"), state=JobState.RUNNING, lease_until__gte=Now()
    )
    rows = (
        Worker.objects.filter(heartbeat_at__gte=Now() - dt.timedelta(days=1))
        .annotate(
            age=ExpressionWrapper(Now() - F("heartbeat_at"), output_field=DurationField()),
            is_heard=Case(
                When(heartbeat_at__gte=Now() - silence, then=Value(True)), default=Exists(at_work)
            ),
        )
        .order_by("node", "lane", "-heartbeat_at")[:ROWS]
    )
    here = socket.gethostname()
    return [_build_worker(row, here) for row in rows]


def _build_worker(row: Any, here: str) -> WorkerRow:
    facts = row.facts if isinstance(row.facts, dict) else {}
    memory = facts.get("rss")
    is_known_dead = row.node == here and not is_alive(row.pid)
    return WorkerRow(
        node=row.node,
        lane=row.lane,
        pid=row.pid,
        age_s=row.age.total_seconds(),
        is_alive=bool(row.is_heard) and not is_known_dead,
        is_stopping=bool(facts.get("stopping")),
        memory_bytes=memory if isinstance(memory, int) else None,
        lanes=tuple(facts.get("lanes", ())) if row.lane == CLUSTER_LANE else (row.lane,),
    )


def _load_lanes(workers: Sequence[WorkerRow], running: Sequence[Job]) -> dict[str, LaneRow]:
    lanes = {name: LaneRow(name) for name in conf.get_lanes()}
    counts = Job.objects.filter(state__in=ACTIVE_STATES).values_list("lane", "state")
    for name, state, count in counts.annotate(Count("pk")).order_by():
        lane = lanes.setdefault(name, LaneRow(name))
        if state == JobState.QUEUED:
            lane.waiting = count
        else:
            lane.running = count
    for job in running:
        if job.lane in lanes:
            lanes[job.lane].in_hand += job.sentences  # type: ignore[attr-defined]
    for row in Lane.objects.annotate(is_resting=_when(Q(paused_until__gt=Now()))):
        lane = lanes.setdefault(row.name, LaneRow(row.name))
        lane.is_resting, lane.failures = row.is_resting, row.failures
        lane.paused_until, lane.error_code = row.paused_until, row.error_code
    for name, rate in _measure().items():
        if name in lanes:
            lanes[name].sentence_ms = rate
    for name, seats in conf.get_configuration().lane_seats.items():
        if name in lanes:
            lanes[name].seats = max(1, seats)
    _count_workers(lanes, workers)
    return lanes


def _count_workers(lanes: dict[str, LaneRow], workers: Iterable[WorkerRow]) -> None:
    alive = [worker for worker in workers if worker.is_alive and not worker.is_stopping]
    clusters = [worker for worker in alive if worker.lane == CLUSTER_LANE]
    for lane in lanes.values():
        lane.workers = sum(worker.lane == lane.name for worker in alive)
        lane.has_cluster = any(lane.name in cluster.lanes for cluster in clusters)


def _measure() -> dict[str, float]:
    """Milliseconds from start to end for each sentence made lately, by lane.

    Only of jobs that nothing interrupted: what waited for a dead worker's lease tells of that.
    """
    made = Job.objects.filter(
        kind=JobKind.NARRATE,
        synthesized__gt=0,
        claims__lte=1,
        finished_at__isnull=False,
        started_at__gte=Now() - dt.timedelta(days=MEASURED_DAYS),
    ).order_by("-pk")
    columns = ("lane", "synthesized", "started_at", "finished_at")
    totals: dict[str, list[float]] = {}
    for name, count, began, ended in made.values_list(*columns)[:MEASURED_JOBS]:
        total = totals.setdefault(name, [0, 0])
        total[0] += count
        total[1] += (ended - began).total_seconds() * 1000
    return {name: spent / count for name, (count, spent) in totals.items() if spent > 0}


def _describe_running() -> QuerySet[Job]:
    """Running jobs with the sentences each still has to make."""
    left = Case(
        When(total__gt=F("done"), then=F("total") - F("done")),
        When(total__gt=0, then=Value(0)),
        default=_count_sentences(),
        output_field=IntegerField(),
    )
    rows: QuerySet[Job] = (
        Job.objects.filter(state=JobState.RUNNING)
        .annotate(sentences=left)
        .select_related("narration__content_type", "worker")
        .order_by("started_at", "pk")[:ROWS]
    )
    return rows


def _list_waiting(lane: LaneRow) -> Iterator[WaitingJob]:
    jobs = _annotate_waiting(Job.objects.filter(lane=lane.name, state=JobState.QUEUED))
    count = sentences = uncounted = 0
    for job in jobs.in_order().select_related("narration__content_type")[:ROWS]:
        yield _build_waiting(job, lane, count, sentences, uncounted)
        if job.is_due:
            count += 1
            sentences += job.sentences
            uncounted += job.uncounted


def _annotate_waiting(jobs: Any) -> Any:
    busy = Job.objects.filter(state=JobState.RUNNING, narration=OuterRef("narration"))
    unplanned = Q(kind=JobKind.NARRATE, narration__plan_digest="")
    return jobs.annotate(
        sentences=_count_sentences(),
        uncounted=Case(When(unplanned, then=1), default=0, output_field=IntegerField()),
        is_busy=Exists(busy),
        is_due=_when(Q(not_before=None) | Q(not_before__lte=Now())),
    )


def _count_sentences() -> Case:
    """Sentences a job is known to have to make; a preview has one, a plan none."""
    return Case(
        When(kind=JobKind.PREVIEW, then=Value(1)),
        When(kind=JobKind.NARRATE, then=Coalesce("narration__missing", 0)),
        default=Value(0),
        output_field=IntegerField(),
    )


def _when(condition: Q) -> Case:
    return Case(When(condition, then=Value(True)), default=Value(False))


def _build_waiting(
    job: Any, lane: LaneRow, before: int, sentences: int, uncounted: int
) -> WaitingJob:
    has_place = job.is_due and not lane.is_resting
    return WaitingJob(
        job=job,
        lane=lane,
        position=before + 1 if has_place else None,
        sentences=sentences + lane.in_hand,
        uncounted=uncounted,
        is_busy=job.is_busy,
        is_due=job.is_due,
    )
