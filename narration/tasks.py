"""What the queue calls by dotted name: ids in, nothing out."""

from __future__ import annotations

from narration import runner


def run_lane(lane: str) -> None:
    """Work off the waiting jobs of a lane."""
    runner.run_lane(lane)


def sweep() -> None:
    """Take back what dead workers held, and ring for what waits."""
    runner.sweep()
