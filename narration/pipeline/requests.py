"""Requests: the job row that serves one, made once however often it is asked for."""

from __future__ import annotations

from typing import Any

from django.db import IntegrityError, models, transaction
from django.db.models.functions import Now

from narration import digests, permissions
from narration.models import (
    ACTIVE_STATES,
    Job,
    JobKind,
    JobState,
    Narration,
    Override,
    get_actor_name,
)
from narration.pipeline.casting import load_casting
from narration.pipeline.events import record
from narration.queue import bell
from narration.sources import get_source

#: Plans before sound: what is out of date is known before anything is made.
REFRESH_PRIORITY = -50


def request_job(
    narration: Narration, obj: models.Model, *, user: Any, publish: bool, priority: int
) -> Job:
    """The job that serves this request: the one that waits or works already, or a new one."""
    source = get_source(obj)
    casting = load_casting(source.get_scope_chain(obj), narration.language)
    versions: tuple[int | str, ...] = (
        source.get_version(obj, narration.language),
        *casting.versions,
        *_list_overrides(narration),
    )
    key = digests.build_request_key(narration.pk, versions, publish=publish)
    with transaction.atomic():
        job = _find_active(key)
        if job is None:
            job = _create_job(narration, key, casting.lane, priority, user, {"publish": publish})
        bell.ring_on_commit(job.lane)
    return job


def request_refresh(narration: Narration, *, user: Any) -> None:
    """Have a plan refreshed in the background; asked twice it is done once."""
    obj = narration.source_object
    if obj is None:
        return
    lane = load_casting(get_source(obj).get_scope_chain(obj), narration.language).lane
    key = digests.build_request_key(narration.pk, ("refresh",), publish=False)
    waiting = Job.objects.filter(kind=JobKind.ESTIMATE, request_key=key, state=JobState.QUEUED)
    with transaction.atomic():
        if not waiting.exists():
            _create_job(narration, key, lane, REFRESH_PRIORITY, user, {}, JobKind.ESTIMATE)
        bell.ring_on_commit(lane)


def is_refresh_due(narration: Narration) -> bool:
    """Whether its plan waits to be refreshed since some wording changed."""
    return Job.objects.active().filter(narration=narration, kind=JobKind.ESTIMATE).exists()


def _list_overrides(narration: Narration) -> list[str]:
    """Changes whenever an author's word is added, changed or taken back."""
    words = Override.objects.filter(narration=narration).order_by("pk")
    return [f"{pk}:{value}" for pk, value in words.values_list("pk", "value")]


def _find_active(key: str) -> Job | None:
    active = Job.objects.filter(kind=JobKind.NARRATE, request_key=key, state__in=ACTIVE_STATES)
    return active.exclude(cancel_requested=True).order_by("-state").first()


def _create_job(
    narration: Narration,
    key: str,
    lane: str,
    priority: int,
    user: Any,
    payload: dict[str, Any],
    kind: JobKind = JobKind.NARRATE,
) -> Job:
    try:
        with transaction.atomic():
            job = Job.objects.create(
                kind=kind,
                narration=narration,
                request_key=key,
                lane=lane,
                priority=priority,
                payload=payload,
                requested_by=permissions.get_actor(user),
                requested_by_name=get_actor_name(user),
                queued_at=Now(),
            )
            if kind == JobKind.NARRATE:
                record("requested", narration=narration, job=job, actor=user)
    except IntegrityError:
        # Somebody asked for the same in this moment: theirs serves both.
        return Job.objects.get(kind=kind, request_key=key, state=JobState.QUEUED)
    job.refresh_from_db()
    return job
