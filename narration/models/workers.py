"""Worker rows as a set: who lives, which lanes they serve, who may be forgotten."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from django.db import models
from django.db.models import DurationField, Exists, ExpressionWrapper, F, OuterRef, Q
from django.db.models.functions import Now

from narration import conf
from narration.queue.supervisor import is_alive

if TYPE_CHECKING:
    from narration.models.work import Worker  # noqa: F401 - the queryset's type

#: Not a lane of work: the row of a supervised cluster, whose facts name the lanes it serves.
CLUSTER_LANE = "cluster"
#: A container's name never comes back: rows of its processes are kept no longer than this.
FORGET_AFTER = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class EngineAtWork:
    """An engine in a worker's process, as that told; ``facts`` are those of
    ``narration.speaking.describe_warm``.
    """

    node: str
    lane: str
    pid: int
    alias: str
    facts: Mapping[str, Any]


class WorkerQuerySet(models.QuerySet["Worker"]):
    def alive(self) -> WorkerQuerySet:
        """Heard of within a lease, by the database's clock, and not about to stop.

        A worker that is silent for longer loses its jobs, so it may as well count as gone.
        """
        silence = timedelta(seconds=conf.get_configuration().lease_seconds)
        is_stopping = Q(facts__stopping=True)
        # Not exclude(): to SQL, facts without the key are neither equal nor unequal.
        stopping = self.model.objects.filter(is_stopping).values("pk")
        return self.filter(heartbeat_at__gte=Now() - silence).exclude(pk__in=stopping)

    def with_silence(self) -> WorkerQuerySet:
        """With ``silent_for``: how long ago the last heartbeat was, by the database's clock."""
        silence = ExpressionWrapper(Now() - F("heartbeat_at"), output_field=DurationField())
        return self.annotate(silent_for=silence)

    def list_engines(self) -> list[EngineAtWork]:
        """The engines of every live worker; once each, though a worker has a row per lane."""
        found: dict[tuple[str, int, str], EngineAtWork] = {}
        for row in self.alive().exclude(lane=CLUSTER_LANE).order_by("node", "pid", "heartbeat_at"):
            for facts in row.facts.get("engines", ()):
                alias = str(facts.get("alias", ""))
                key = (row.node, row.pid, alias)
                found[key] = EngineAtWork(row.node, row.lane, row.pid, alias, facts)
        return sorted(found.values(), key=lambda each: (each.alias, each.node, each.pid))

    def get_served_lanes(self) -> set[str]:
        """The lanes that some live worker, or some live cluster, takes jobs of."""
        lanes: set[str] = set()
        for lane, facts in self.alive().values_list("lane", "facts"):
            lanes |= set(facts.get("lanes", ())) if lane == CLUSTER_LANE else {lane}
        return lanes

    def register(self, node: str, lane: str, pid: int, facts: dict[str, Any]) -> None:
        """A process begins; a row of another one that had the same number is taken over."""
        self.update_or_create(
            node=node,
            lane=lane,
            pid=pid,
            defaults={"started_at": Now(), "heartbeat_at": Now(), "facts": facts},
        )

    def beat(self, node: str, lane: str, pid: int, facts: dict[str, Any]) -> bool:
        """A process lives; False when it has no row (any more)."""
        mine = self.filter(node=node, lane=lane, pid=pid)
        return bool(mine.update(heartbeat_at=Now(), facts=facts))

    def vouch(self, node: str, pids: Iterable[int]) -> None:
        """These processes of a machine live, says who watches over them."""
        self.filter(node=node, pid__in=list(pids)).update(heartbeat_at=Now())

    def remove_dead(self, node: str) -> int:
        """Forget the processes of this machine that are gone, and whoever is silent for a day on
        machines that may never come back; how many.

        Not those that a running job names: by them the sweep knows that it must be taken back.
        """
        from narration.models.work import Job, JobState

        running = Job.objects.filter(worker=OuterRef("pk"), state=JobState.RUNNING)
        idle = self.filter(~Exists(running))
        here = idle.filter(node=node).values_list("pk", "pid")
        dead = [pk for pk, pid in here if not is_alive(pid)]
        lost = idle.filter(heartbeat_at__lt=Now() - FORGET_AFTER).values_list("pk", flat=True)
        _count, deleted = self.filter(pk__in=[*dead, *lost]).delete()
        return deleted.get("narration.Worker", 0)
