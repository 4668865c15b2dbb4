"""Small things many tests need."""

from __future__ import annotations

from pathlib import Path

from narration import api, runner
from narration.models import Job, Narration, Rendition, Track

LONG_LESSON = Path(__file__).parent.parent / "courses" / "demo" / "en" / "sound-in-numbers.md"


def work(lane: str = "cpu") -> int:
    """Work off a lane in this process; real engine processes, no queue between."""
    return runner.run_lane(lane, seconds=120)


def narrate(obj, *, language: str = "en", **kwargs) -> Job:
    """Request, work, and the job as it ended."""
    job = api.request_narration(obj, language=language, **kwargs)
    work()
    job.refresh_from_db()
    return job


def count_sound() -> tuple[int, int]:
    """How many renditions and tracks there are."""
    return Rendition.objects.count(), Track.objects.count()


def get_narration(obj, language: str = "en") -> Narration:
    """Its narration, which must be there."""
    narration = api.find_narration(obj, language=language)
    assert narration is not None
    return narration
