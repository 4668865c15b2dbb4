"""What the page *Work* says of workers, lanes and jobs, row by row and in plain words."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db.models import prefetch_related_objects
from django.template.defaultfilters import filesizeformat
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from narration.exceptions import SourceError
from narration.models import Job, JobKind
from narration.pipeline.backlog import (
    CLUSTER_LANE,
    ROWS,
    LaneRow,
    WaitingJob,
    WorkerRow,
    load_backlog,
)
from narration.pipeline.explanations import explain, explain_job
from narration.pipeline.plainly import advise, show_age, show_moment
from narration.pipeline.waiting import explain_rest, explain_waiting, find_reason
from narration.sources import get_source

#: Where the engine's own words hold numbers and names that ours cannot: bytes, devices, files.
DETAILED = {
    "device_lost",
    "device_unfit",
    "engine_facts_differ",
    "engine_not_configured",
    "model_damaged",
    "model_missing",
    "model_unreadable",
    "no_gpu",
    "out_of_memory",
}


@dataclass(frozen=True, slots=True)
class WorkerLine:
    name: str
    lane: str
    pid: int
    age: str
    memory: str
    state: str
    label: str


@dataclass(frozen=True, slots=True)
class LaneLine:
    name: str
    workers: int
    waiting: int
    running: int
    speed: str
    state: str
    label: str
    reason: str


@dataclass(frozen=True, slots=True)
class JobLine:
    """A job of any state; what is empty is not shown."""

    uid: Any
    pk: int
    title: str
    language: str
    kind: str
    state: str
    label: str
    lane: str
    requester: str
    when: str
    words: str = ""
    advice: str = ""
    detail: str = ""
    position: str = ""
    reason: str = ""
    code: str = ""
    done: int = 0
    total: int = 0
    rate: str = ""
    is_ending: bool = False
    sentences: Sequence[tuple[str, str]] = field(default_factory=list)
    sentences_left: int = 0


@dataclass(frozen=True, slots=True)
class Work:
    workers: Sequence[WorkerLine]
    lanes: Sequence[LaneLine]
    running: Sequence[JobLine]
    waiting: Sequence[JobLine]
    waiting_total: int
    has_worker: bool

    @property
    def waiting_left(self) -> int:
        """How many waiting jobs are not shown."""
        return self.waiting_total - len(self.waiting)


def build_work() -> Work:
    """The present: one backlog, and the titles of what it names."""
    backlog = load_backlog()
    waiting = backlog.waiting[:ROWS]
    _load_objects([*backlog.running, *(row.job for row in waiting)])
    return Work(
        workers=[_describe_worker(row) for row in backlog.workers],
        lanes=[_describe_lane(row) for row in backlog.lanes],
        running=[_describe_running(job) for job in backlog.running],
        waiting=[_describe_waiting(row) for row in waiting],
        waiting_total=sum(lane.waiting for lane in backlog.lanes),
        has_worker=any(row.is_alive for row in backlog.workers),
    )


def build_failures(jobs: Iterable[Any], named: int) -> list[JobLine]:
    """Jobs that ended badly, each with its first ``named`` sentences and what to do."""
    rows = list(jobs)
    _load_objects(rows)
    return [_describe_failure(job, named) for job in rows]


def _load_objects(jobs: Sequence[Job]) -> None:
    narrations = [job.narration for job in jobs if job.narration is not None]
    prefetch_related_objects(narrations, "source_object")


def _describe_worker(row: WorkerRow) -> WorkerLine:
    if not row.is_alive:
        state, label = "failed", _("silent")
    elif row.is_stopping:
        state, label = "queued", _("stopping")
    else:
        state, label = "published", _("alive")
    return WorkerLine(
        name=row.node,
        lane=_("all lanes") if row.lane == CLUSTER_LANE else row.lane,
        pid=row.pid,
        age=show_age(row.age_s),
        memory=filesizeformat(row.memory_bytes) if row.memory_bytes else "–",
        state=state,
        label=label,
    )


def _describe_lane(row: LaneRow) -> LaneLine:
    reason = explain_rest(row)
    if row.is_resting:
        state, label = "partial", _("rests")
    elif not row.is_served:
        state, label = "failed", _("nobody serves it")
        reason = _("Start a worker: `manage.py narration_worker`.") if row.waiting else ""
    elif row.running:
        state, label = "running", _("at work")
    else:
        state, label = "published", _("ready")
    return LaneLine(
        name=row.name,
        workers=row.workers,
        waiting=row.waiting,
        running=row.running,
        speed=_show_speed(row.sentence_ms),
        state=state,
        label=label,
        reason=reason,
    )


def _show_speed(sentence_ms: float | None) -> str:
    if not sentence_ms:
        return "–"
    count = round(60_000 / sentence_ms)
    words = ngettext("%(count)d sentence a minute", "%(count)d sentences a minute", count)
    return words % {"count": count}


def _describe_job(job: Any, **changes: Any) -> JobLine:
    title, language = _get_title(job)
    return JobLine(
        uid=job.uid,
        pk=job.pk,
        title=title,
        language=language,
        kind=job.get_kind_display(),
        state=job.state,
        label=job.get_state_display(),
        lane=job.lane,
        requester=job.requested_by_name,
        code=job.error_code,
        **changes,
    )


def _get_title(job: Any) -> tuple[str, str]:
    narration = job.narration
    if narration is None:
        about = job.payload.get("engine", "") if job.kind == JobKind.WARM else ""
        title = f"{job.get_kind_display()} {about}".strip()
        return title, str(job.payload.get("language", ""))
    obj = narration.source_object
    if obj is None:
        return str(narration), narration.language
    try:
        return get_source(obj).get_title(obj, narration.language), narration.language
    except SourceError:
        return str(obj), narration.language


def _describe_running(job: Any) -> JobLine:
    return _describe_job(
        job,
        when=show_moment(job.started_at) if job.started_at else "",
        words=str(job.worker) if job.worker else "",
        done=job.done,
        total=job.total,
        rate=_measure_rate(job),
        is_ending=job.cancel_requested,
    )


def _measure_rate(job: Any) -> str:
    """Sentences a minute since it was begun; "" before the first."""
    if not job.synthesized or not job.started_at:
        return ""
    seconds = (timezone.now() - job.started_at).total_seconds()
    return _show_speed(seconds * 1000 / job.synthesized) if seconds > 0 else ""


def _describe_waiting(row: WaitingJob) -> JobLine:
    return _describe_job(
        row.job,
        when=show_moment(row.job.queued_at),
        words=explain_waiting(row),
        detail=row.job.error if row.job.error_code in DETAILED else "",
        position=str(row.position or ""),
        reason=find_reason(row),
    )


def _describe_failure(job: Any, named: int) -> JobLine:
    sentences = [(error.text, explain(error.code)) for error in list(job.errors.all())[:named]]
    return _describe_job(
        job,
        when=show_moment(job.finished_at) if job.finished_at else "",
        words=explain_job(job.error_code),
        advice=advise(job.error_code),
        detail=job.error if job.error_code in DETAILED else "",
        sentences=sentences,
        sentences_left=job.sentences - len(sentences),
    )
