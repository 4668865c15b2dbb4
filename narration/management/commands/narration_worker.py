"""``manage.py narration_worker``: a supervised queue cluster that narrates."""

from __future__ import annotations

import logging
import os
import platform
import signal
import socket
import time
from collections.abc import Callable
from typing import Any

from django.core.management.base import BaseCommand
from django.db import close_old_connections
from django.db.models import F

import narration
from narration import conf, runner
from narration.models import CLUSTER_LANE, Job, Worker
from narration.queue.facts import find_lanes, get_cluster_name
from narration.queue.memory import measure_family
from narration.queue.supervisor import (
    Supervisor,
    build_cluster_command,
    is_alive,
    iter_session,
    kill_orphans,
)

logger = logging.getLogger(__name__)

#: Seconds between two heartbeats of a cluster's row; a fraction of any sensible lease.
BEAT_SECONDS = 5.0


class Command(BaseCommand):
    """Keep one cluster running until SIGTERM or SIGINT; leaves no process behind."""

    help = (
        "Runs the queue cluster under a supervisor: restarts it when part of it dies, sweeps jobs."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        """Run until told to stop."""
        self._node = socket.gethostname()
        self._pid = 0
        self._next_sweep = self._next_beat = 0.0
        supervisor = Supervisor(
            build_cluster_command(),
            on_start=self._register,
            on_stopping=self._mark_stopping,
            on_tick=self._tick,
            on_killing=lambda pids: _attempt("spare the others", lambda: self._spare(pids)),
        )
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: supervisor.stop())
        supervisor.run()
        # What a killed worker held waits again, now and not after the next start.
        _attempt("hand back what was held", self._sweep)

    def _register(self, pid: int) -> None:
        self._pid = pid
        self._next_beat = time.monotonic() + BEAT_SECONDS
        self._next_sweep = 0.0  # what died with the last cluster is taken back at once
        _attempt("register the cluster", self._write_row)

    def _spare(self, pids: list[int]) -> None:
        """Who dies only because another one did has killed nobody: its jobs' claim counts not."""
        jobs = Job.objects.running_on(self._node).filter(worker__pid__in=pids, claims__gt=0)
        Job.objects.filter(pk__in=jobs.values("pk")).update(claims=F("claims") - 1)

    def _mark_stopping(self, _pid: int) -> None:
        """Tell the cluster's workers to give up between two sentences."""
        _attempt("tell the cluster's workers", lambda: self._beat(stopping=True))

    def _tick(self) -> None:
        now = time.monotonic()
        if now >= self._next_beat:
            self._next_beat = now + BEAT_SECONDS
            _attempt("write the heartbeat", self._beat)
        if now >= self._next_sweep:
            self._next_sweep = now + conf.get_configuration().sweep_seconds
            _attempt("sweep", self._sweep)

    def _beat(self, **more: Any) -> None:
        facts = {**self._build_facts(), **more}
        if not Worker.objects.beat(self._node, CLUSTER_LANE, self._pid, facts):
            # The database was away when the cluster started, or somebody deleted the row.
            Worker.objects.register(self._node, CLUSTER_LANE, self._pid, facts)
        # Its workers beat only while they work.
        Worker.objects.vouch(self._node, iter_session(self._pid))

    def _sweep(self) -> None:
        for pid, facts in Worker.objects.filter(node=self._node, lane=CLUSTER_LANE).values_list(
            "pid", "facts"
        ):
            if not is_alive(facts.get("supervisor", os.getpid())):
                kill_orphans(pid)
        runner.sweep()
        # Only now: by the rows of dead workers the sweep knows whose jobs to take back.
        Worker.objects.remove_dead(self._node)

    def _write_row(self) -> None:
        Worker.objects.register(self._node, CLUSTER_LANE, self._pid, self._build_facts())

    def _build_facts(self) -> dict[str, Any]:
        """What the row tells besides its columns; memory in bytes, of the supervisor and all it
        started.
        """
        family = measure_family(os.getpid())
        cluster = get_cluster_name()
        return {
            "cluster": cluster,
            "lanes": find_lanes(cluster, conf.get_lanes()),
            "supervisor": os.getpid(),
            "version": narration.__version__,
            "python": platform.python_version(),
            "processes": family.processes,
            "rss": family.rss,
        }


def _attempt(what: str, act: Callable[[], object]) -> None:
    """A database that is away comes back: no fault of it may end the supervisor."""
    close_old_connections()
    try:
        act()
    except Exception:
        logger.exception("Could not %s; tried again later.", what)
