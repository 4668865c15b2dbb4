"""``manage.py narration_worker``: a supervised queue cluster that narrates."""

from __future__ import annotations

import signal
import socket
import time
from typing import Any

from django.core.management.base import BaseCommand
from django.db import close_old_connections
from django.db.models.functions import Now

from narration import conf, runner
from narration.models import Worker
from narration.queue.supervisor import Supervisor, build_cluster_command


class Command(BaseCommand):
    """Keep one cluster running until SIGTERM or SIGINT; leaves no process behind."""

    help = (
        "Runs the queue cluster under a supervisor: restarts it when part of it dies, sweeps jobs."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        """Run until told to stop."""
        self._next_sweep = 0.0
        supervisor = Supervisor(
            build_cluster_command(),
            on_start=self._register,
            on_stopping=self._mark_stopping,
            on_tick=self._sweep_when_due,
        )
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: supervisor.stop())
        supervisor.run()

    def _register(self, pid: int) -> None:
        Worker.objects.update_or_create(
            node=socket.gethostname(),
            lane=runner.CLUSTER_LANE,
            pid=pid,
            defaults={"started_at": Now(), "heartbeat_at": Now(), "facts": {}},
        )
        self._next_sweep = 0.0  # what died with the last cluster is taken back at once

    def _mark_stopping(self, pid: int) -> None:
        """Tell the cluster's workers to give up between two sentences."""
        Worker.objects.filter(node=socket.gethostname(), lane=runner.CLUSTER_LANE, pid=pid).update(
            facts={"stopping": True}
        )

    def _sweep_when_due(self) -> None:
        if time.monotonic() < self._next_sweep:
            return
        self._next_sweep = time.monotonic() + conf.get_configuration().sweep_seconds
        close_old_connections()
        try:
            runner.sweep()
        except Exception as error:  # noqa: BLE001 - a database that is away comes back
            self.stderr.write(f"The sweep failed and is tried again: {error}")
