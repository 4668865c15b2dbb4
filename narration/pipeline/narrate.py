"""The story of one job: plan, synthesize what is missing, stitch, offer; publish if asked."""

from __future__ import annotations

import logging

from django.db.models import Model

from narration.exceptions import ConflictError, NarrationError, StorageCorrupt
from narration.models import Job, Narration, Track
from narration.permissions import can
from narration.pipeline.plan import Plan
from narration.pipeline.plans import count_missing, refresh_plan
from narration.pipeline.publish import offer_draft, publish_draft
from narration.pipeline.renditions import check_sound
from narration.pipeline.stitch import find_track, stitch_track
from narration.pipeline.synthesize import Listener, synthesize_missing
from narration.sources import get_source

logger = logging.getLogger(__name__)

#: How often a text may change, or files be found damaged, under a running job before the job lets
#: the next one follow it.
ROUNDS = 5


def bring_up_to_date(narration: Narration, job: Job, listener: Listener) -> Track | None:
    """Make the track of the newest text; None when some sentence could not be spoken.

    The source is read again before the track is offered: a text that changed meanwhile is planned
    again, and only what changed is synthesized.
    """
    damage: StorageCorrupt | None = None
    for _round in range(ROUNDS):
        plan, version = refresh_plan(narration)
        if not plan.segments:
            raise NarrationError("There is nothing to speak in this text.", code="nothing_to_say")
        if not _synthesize(narration, plan, listener):
            return None
        try:
            with listener.busy():
                track = find_track(narration, plan) or stitch_track(narration, plan, version, job)
        except StorageCorrupt as error:
            logger.warning("Stitching found damage and starts over: %s.", error.code)
            damage = error
            with listener.busy():
                check_sound(segment.digest for segment in plan.segments)
            continue
        damage = None
        listener.check()
        if _is_newest(narration, version) and offer_draft(narration, track):
            return track
    if damage is not None:
        raise damage
    raise NarrationError(
        "The text kept changing while it was narrated.",
        code="text_keeps_changing",
        is_permanent=False,
    )


def _synthesize(narration: Narration, plan: Plan, listener: Listener) -> bool:
    """Synthesize, and keep the narration's counts true however it ends."""
    try:
        return synthesize_missing(plan, listener)
    finally:
        Narration.objects.filter(pk=narration.pk, plan_digest=plan.digest).update(
            **count_missing(plan)
        )


def publish_if_due(narration: Narration, job: Job) -> bool:
    """Publish a finished draft if learners read that text already or the request asked for it.

    A request publishes the text it was made for and no later one, and only while who made it may:
    somebody else's words, saved while the job waited, are not theirs to publish.
    """
    obj = narration.source_object
    if obj is None:
        return False
    if get_source(obj).get_public_version(obj, narration.language) == narration.source_version:
        publish_draft(narration.pk, user=job.requested_by)
        return True
    if not job.payload.get("publish"):
        return False
    if not _may_still_publish(job, obj):
        raise ConflictError("Who asked may no longer publish this.", code="not_allowed")
    publish_draft(narration.pk, user=job.requested_by, version=job.payload.get("version"))
    return True


def _may_still_publish(job: Job, obj: Model) -> bool:
    """Whether who asked may publish now; the system may, a person who is gone may not."""
    if job.requested_by is None:
        return not job.requested_by_name
    return can(job.requested_by, "publish", obj)


def _is_newest(narration: Narration, version: int) -> bool:
    obj = narration.source_object
    return obj is not None and get_source(obj).get_version(obj, narration.language) == version
