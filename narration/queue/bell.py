"""The bell: tells a lane that there is work. The job row is the truth; this is only a hint."""

from __future__ import annotations

import logging

from django.conf import settings
from django.db import transaction
from django_q.tasks import async_task

logger = logging.getLogger(__name__)

TASK = "narration.tasks.run_lane"


def ring_on_commit(lane: str) -> None:
    """Ring once the job is really there; a rollback rings nothing."""
    transaction.on_commit(lambda: ring(lane))


def ring(lane: str) -> None:
    """Send the hint; a broken broker loses no work, because the sweeper rings again."""
    # A cluster named like the lane serves it alone; without one the default cluster does.
    cluster = lane if lane in settings.Q_CLUSTER.get("ALT_CLUSTERS", {}) else None
    try:
        async_task(TASK, lane, task_name=f"narrate-{lane}", cluster=cluster)
    except Exception:
        logger.exception("The queue for lane '%s' could not be told; the sweeper will.", lane)
