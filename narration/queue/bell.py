"""The bell: tells a lane that there is work. The job row is the truth; this is only a hint."""

from __future__ import annotations

import logging

from django.conf import settings
from django.db import transaction
from django_q.brokers import get_broker
from django_q.tasks import async_task

logger = logging.getLogger(__name__)

TASK = "narration.tasks.run_lane"
#: So many workers are woken for many jobs at once. One hint would wake one, and the others would
#: sleep until the next sweep; who finds nothing left to do goes back to sleep.
MAX_RINGS = 8


def ring_on_commit(lane: str, jobs: int = 1) -> None:
    """Ring for so many jobs once they are really there; a rollback rings nothing."""

    def ring_for_each() -> None:
        for _ in range(min(jobs, MAX_RINGS)):
            ring(lane)

    transaction.on_commit(ring_for_each)


def ring_unless_ringing(lane: str) -> None:
    """Ring again for what waits, but not on and on where nobody listens."""
    try:
        is_ringing = get_broker(_find_cluster(lane)).queue_size() >= MAX_RINGS
    except Exception:
        logger.exception("The queue for lane '%s' could not be looked at.", lane)
        return
    if not is_ringing:
        ring(lane)


def _find_cluster(lane: str) -> str | None:
    """A cluster named like the lane serves it alone; without one the default cluster does."""
    return lane if lane in settings.Q_CLUSTER.get("ALT_CLUSTERS", {}) else None


def ring(lane: str) -> None:
    """Send the hint; a broken broker loses no work, because the sweeper rings again."""
    cluster = _find_cluster(lane)
    try:
        async_task(TASK, lane, task_name=f"narrate-{lane}", cluster=cluster)
    except Exception:
        logger.exception("The queue for lane '%s' could not be told; the sweeper will.", lane)
