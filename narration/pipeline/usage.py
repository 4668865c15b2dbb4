"""Usage by day: what was made, for whom, in which voice."""

from __future__ import annotations

from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import F
from django.utils import timezone

from narration.models import Job, Rendition, UsageDay, Voice


def record_usage(job: Job, voice: Voice, rendition: Rendition) -> None:
    """Add one synthesis to today's row of its requester, course and voice, in one query if it is
    there.

    Of jobs without a requester there may be two rows, because to SQL two unknown ones differ: the
    older one counts on.
    """
    identity: dict[str, Any] = {
        "day": timezone.localdate(),
        "user": job.requested_by_id,
        "scope_key": job.scope_key,
        "voice": voice.pk,
    }
    made = {
        "made": 1,
        "characters": len(rendition.spoken_text),
        "audio_ms": rendition.duration_ms,
        "engine_ms": rendition.engine_ms,
    }
    while not _add(identity, made):
        try:
            with transaction.atomic():
                UsageDay.objects.create(
                    day=identity["day"],
                    user_id=identity["user"],
                    scope_key=job.scope_key,
                    voice=voice,
                )
        except IntegrityError:
            continue  # another worker has just begun this day


def _add(identity: dict[str, Any], made: dict[str, int]) -> bool:
    rows = UsageDay.objects.filter(**identity).order_by("pk").values("pk")[:1]
    sums = {name: F(name) + value for name, value in made.items()}
    return bool(UsageDay.objects.filter(pk__in=rows).update(**sums))
