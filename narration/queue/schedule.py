"""What the queue does by the clock: the sweep, so that it needs no supervisor, and the upkeep."""

from __future__ import annotations

from typing import Any

from django.db import connections
from django_q.models import Schedule

#: Tasks by name with the minutes between two runs.
SCHEDULES = {"narration.tasks.sweep": 1, "narration.tasks.upkeep": 10}


def ensure_schedules(*, using: str = "default", **_signal: Any) -> None:
    """Write the schedules that are missing; one that somebody changed stays as it is.

    After migrating, if the queue's own tables are there already.
    """
    if Schedule._meta.db_table not in connections[using].introspection.table_names():
        return
    for task, minutes in SCHEDULES.items():
        Schedule.objects.using(using).get_or_create(
            func=task,
            defaults={
                "name": task.rpartition(".")[2] + " (narration)",
                "schedule_type": Schedule.MINUTES,
                "minutes": minutes,
            },
        )
