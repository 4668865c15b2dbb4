"""Work: hints and jobs that wait, workers that live, lanes that nobody serves or that rest."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.db.models import Count, DurationField, ExpressionWrapper, F, Max
from django.db.models.functions import Now
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

import narration
from narration import conf
from narration.diagnosis.findings import Finding, State
from narration.models import CLUSTER_LANE, Job, JobState, Lane, Worker
from narration.queue import facts as queue_facts

START_WORKER = "manage.py narration_worker"


def check_queue() -> Iterator[Finding]:
    """The doorbell. Without it jobs still begin, at the next sweep."""
    title = _("Queue")
    facts: dict[str, Any] = {}
    try:
        facts = queue_facts.describe_queue()
        facts["hints"] = queue_facts.count_hints()
    except Exception as error:  # noqa: BLE001 - each broker has errors of its own
        words = _("The broker does not answer (%(error)s); jobs wait for the next sweep.")
        words %= {"error": type(error).__name__}
        advice = _("Start it, or set Q_CLUSTER['orm'] to 'default'.")
        yield Finding("queue", title, State.WARNING, words, advice, facts)
        return
    words = _(
        "%(broker)s, cluster %(cluster)s. Processes: %(workers)s; hints waiting: %(count)d."
    ) % {
        **facts,
        "count": sum(facts["hints"].values()),
    }
    yield Finding("queue", title, State.OK, words, facts=facts)


def check_jobs() -> Iterator[Finding]:
    """Jobs that wait, by lane; jobs that nobody takes back; jobs set aside."""
    waiting = [
        {**row, "oldest_seconds": round(row.pop("oldest").total_seconds())}
        for row in _count_waiting()
    ]
    facts = {
        "waiting": waiting,
        "running": Job.objects.filter(state=JobState.RUNNING).count(),
        "expired": Job.objects.expired().count(),
        "quarantined": Job.objects.filter(state=JobState.QUARANTINED).count(),
    }
    title = _("Jobs")
    for row in waiting:
        words = ngettext(
            "Lane %(lane)s: %(jobs)d job waits, the oldest for %(oldest_seconds)d s.",
            "Lane %(lane)s: %(jobs)d jobs wait, the oldest for %(oldest_seconds)d s.",
            row["jobs"],
        )
        yield Finding("jobs", title, State.OK, words % row, facts=row)
    words = _("Running: %(running)d.") % facts
    yield Finding("jobs", title, State.OK, words, facts=facts)
    if facts["expired"]:
        words = _("Left by their workers, and nobody took them back: %(expired)d.") % facts
        advice = _("Start a worker, which sweeps: %(command)s") % {"command": START_WORKER}
        yield Finding("jobs", title, State.WARNING, words, advice, facts)
    if facts["quarantined"]:
        words = _("Set aside because they killed their workers: %(quarantined)d.") % facts
        advice = _("Look at them in the admin, under Jobs; change the text or narrate it again.")
        yield Finding("jobs", title, State.WARNING, words, advice, facts)


def check_workers() -> Iterator[Finding]:
    """Each row, with its silence; rows of the dead are forgotten when their machine's worker
    starts again.
    """
    title = _("Workers")
    alive = set(Worker.objects.alive().values_list("pk", flat=True))
    silent = []
    for worker in Worker.objects.with_silence().order_by("node", "lane", "pid"):
        row = _describe_worker(worker)
        if worker.pk not in alive:
            silent.append(row)
            continue
        words = _("%(node)s, process %(pid)d, %(lane)s: heard of %(silent_seconds)d s ago.") % row
        other = row["facts"].get("version", narration.__version__) != narration.__version__
        state = State.WARNING if other else State.OK
        advice = _("It runs another version than we do: restart it.") if other else ""
        yield Finding("workers", title, state, words, advice, row)
    if silent:
        words = ngettext(
            "%(count)d worker has fallen silent.",
            "%(count)d workers have fallen silent.",
            len(silent),
        ) % {"count": len(silent)}
        advice = _("If its machine is in use, look whether its service runs.")
        yield Finding("workers", title, State.WARNING, words, advice, {"silent": silent})


def check_lanes() -> Iterator[Finding]:
    """Lanes that have an engine or a job, and nobody who works; lanes that rest."""
    needed = set(conf.get_lanes()) | set(Job.objects.active().values_list("lane", flat=True))
    served = Worker.objects.get_served_lanes()
    for lane in sorted(needed):
        title, facts = _("Lane %(lane)s") % {"lane": lane}, {"lane": lane}
        if lane in served:
            yield Finding("lane", title, State.OK, _("A worker serves it."), facts=facts)
            continue
        yield Finding(
            "lane", title, State.BROKEN, _("No worker serves it."), advise_start(lane), facts
        )
    for row in Lane.objects.filter(paused_until__gt=Now()).order_by("name"):
        yield _describe_rest(row)


def advise_start(lane: str) -> str:
    """The command that starts a worker for a lane."""
    cluster = queue_facts.find_cluster(lane)
    is_default = cluster == queue_facts.get_default_cluster_name()
    command = START_WORKER if is_default else f"Q_CLUSTER_NAME={cluster} {START_WORKER}"
    return _("Start one: %(command)s") % {"command": command}


def _describe_rest(row: Lane) -> Finding:
    until = row.paused_until.isoformat(timespec="seconds") if row.paused_until else ""
    facts = {"lane": row.name, "until": until, "failures": row.failures, "code": row.error_code}
    words = _("It rests until %(until)s after %(failures)d equal failures (%(code)s).") % facts
    advice = _(
        "Mend the cause (%(code)s); the page Work tells it in words. It then goes on by itself."
    )
    advice %= {"code": row.error_code}
    title = _("Lane %(lane)s") % {"lane": row.name}
    return Finding("lane_rests", title, State.WARNING, words, advice, facts)


def _count_waiting() -> list[dict[str, Any]]:
    waited = ExpressionWrapper(Now() - F("queued_at"), output_field=DurationField())
    rows = Job.objects.due().annotate(waited=waited).values("lane").order_by("lane")
    counted = rows.annotate(jobs=Count("pk"), oldest=Max("waited"))
    return [dict(row) for row in counted]


def _describe_worker(worker: Any) -> dict[str, Any]:
    return {
        "node": worker.node,
        "lane": worker.lane,
        "pid": worker.pid,
        "is_cluster": worker.lane == CLUSTER_LANE,
        "silent_seconds": round(worker.silent_for.total_seconds()),
        "facts": worker.facts,
    }
