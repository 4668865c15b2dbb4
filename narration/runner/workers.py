"""Rows of the processes that work, and how they hear that they are to stop."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import threading
import time
from typing import Any

from django.db import DatabaseError, InterfaceError, connection

from narration.models import CLUSTER_LANE, Worker
from narration.queue.memory import measure_family
from narration.speaking import describe_warm, watch

#: How often a worker tells that it lives, in seconds.
HEARTBEAT_SECONDS = 10.0

_terminated = threading.Event()
_beats: dict[int, float] = {}
_rows: dict[int, Worker] = {}


def register_worker(lane: str) -> Worker:
    """The row of this process in a lane, beating."""
    node, pid = socket.gethostname(), os.getpid()
    if not Worker.objects.beat(node, lane, pid, _build_facts()):
        Worker.objects.register(node, lane, pid, _build_facts())
    worker = Worker.objects.get(node=node, lane=lane, pid=pid)
    _beats[worker.pk] = time.monotonic()
    _rows[worker.pk] = worker
    watch(tell_engines)
    return worker


def beat(worker: Worker | None) -> None:
    """Tell that this worker lives; writes at most every ``HEARTBEAT_SECONDS``."""
    now = time.monotonic()
    if worker is None or now - _beats.get(worker.pk, 0.0) < HEARTBEAT_SECONDS:
        return
    _beats[worker.pk] = now
    Worker.objects.beat(worker.node, worker.lane, worker.pid, _build_facts())


def tell_the_end() -> None:
    """Write down how a queue task leaves the engines; a database that is away learns it later."""
    with contextlib.suppress(DatabaseError, InterfaceError):
        tell_engines()


def tell_engines() -> None:
    """Write down now which engines are loaded; called when one comes or goes, in any thread."""
    is_visitor = connection.connection is None
    try:
        for worker in [row for row in _rows.values() if row.pid == os.getpid()]:
            Worker.objects.beat(worker.node, worker.lane, worker.pid, _build_facts())
    finally:
        if is_visitor:
            connection.close()


def listen_for_sigterm() -> None:
    """From now on SIGTERM means: give the job back between two sentences, and live on.

    Its default action would kill a worker in mid-sentence, and a cluster that lost a worker while
    it stops hangs. The cluster's main process ends its workers itself. Only the main thread of a
    process may set this; elsewhere nothing changes.
    """
    _terminated.clear()
    with contextlib.suppress(ValueError):
        signal.signal(signal.SIGTERM, lambda *_: _terminated.set())


def is_terminated() -> bool:
    """Whether this process was sent SIGTERM; asks no database."""
    return _terminated.is_set()


def is_stopping() -> bool:
    """Whether the supervisor of this process's cluster is stopping it (it leads our session)."""
    if is_terminated():
        return True
    rows = Worker.objects.filter(
        node=socket.gethostname(), lane=CLUSTER_LANE, pid=os.getsid(0), facts__stopping=True
    )
    return rows.exists()


def _build_facts() -> dict[str, Any]:
    family = measure_family(os.getpid())
    return {"rss": family.rss, "processes": family.processes, "engines": describe_warm()}
