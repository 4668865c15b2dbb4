"""Usage by day: what was made, for whom, in which voice."""

from __future__ import annotations

from django.db.models import F
from django.utils import timezone

from narration.models import Job, Rendition, UsageDay, Voice


def record_usage(job: Job, voice: Voice, rendition: Rendition) -> None:
    """Add one synthesis to today's row of its requester, course and voice."""
    row, _created = UsageDay.objects.get_or_create(
        day=timezone.localdate(), user=job.requested_by, scope_key=job.scope_key, voice=voice
    )
    UsageDay.objects.filter(pk=row.pk).update(
        made=F("made") + 1,
        characters=F("characters") + len(rendition.spoken_text),
        audio_ms=F("audio_ms") + rendition.duration_ms,
        engine_ms=F("engine_ms") + rendition.engine_ms,
    )
