"""What the queue calls by dotted name: ids in, nothing out."""

from __future__ import annotations

from narration import runner
from narration.pipeline import upkeep as storage_upkeep

#: How long upkeep may hold a worker of the queue.
UPKEEP_SECONDS = 20.0


def run_lane(lane: str) -> None:
    """Work off the waiting jobs of a lane."""
    runner.run_lane(lane)


def sweep() -> None:
    """Take back what dead workers held, and ring for what waits."""
    runner.sweep()


def upkeep() -> None:
    """Look after stored sound for a while; the rest waits for the next time."""
    storage_upkeep.run_some(UPKEEP_SECONDS)
