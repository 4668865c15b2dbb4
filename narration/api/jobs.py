"""Jobs after they were asked for: tried again, told of; lanes that are to go on."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext as _

from narration import conf, logs, permissions
from narration.api.narrations import get_job
from narration.exceptions import ConflictError, NarrationNotFound, NotAllowed
from narration.models import (
    ACTIVE_STATES,
    Job,
    JobKind,
    JobState,
    Lane,
    Segment,
    SynthesisFailure,
    get_actor_name,
)
from narration.pipeline import backlog, notices, previews, quotas, requests, waiting, warming
from narration.pipeline.events import record
from narration.pipeline.notices import Notice
from narration.queue import bell
from narration.sources import INSTALLATION

#: Who may do this may have a lane go on.
LANE_PERMISSION = "narration.change_job"


@dataclass(frozen=True, slots=True)
class Waiting:
    """Why a job waits: ``code`` for programs (``no_worker``, ``lane_rests``, ``tried_again``,
    ``narration_busy``, ``in_line``), ``reason`` in the reader's language.

    ``position`` is None while it is not in line, ``seconds`` where no speed was measured.
    """

    code: str
    reason: str
    position: int | None
    sentences_ahead: int
    seconds: int | None


def find_waiting(job: Job) -> Waiting | None:
    """Place of a job in its lane and why it waits; None when it does not."""
    row = backlog.find_waiting(job)
    if row is None:
        return None
    return Waiting(
        code=waiting.find_reason(row),
        reason=waiting.explain_waiting(row),
        position=row.position,
        sentences_ahead=row.sentences,
        seconds=None if row.seconds is None else round(row.seconds),
    )


def retry_job(uid: Any, *, user: Any = None) -> Job:
    """Ask again for what a job did not bring to a good end; the job that serves it now.

    Sentences that were set aside are tried again. Without ``user`` who asked first asks again.
    ``ConflictError`` while it waits or works, and when it ended well.
    """
    job = get_job(uid=uid, user=user)
    _require_again(job, user)
    if job.is_active:
        raise ConflictError(_("The job has not ended yet."), code="job_active")
    if job.state == JobState.DONE:
        raise ConflictError(
            _("The job ended well; there is nothing to try again."), code="job_done"
        )
    requester = job.requested_by if user is None else user
    with transaction.atomic():
        _forget_failures(job)
        again = _request_again(job, requester)
        if requester is not None and requester.pk == job.requested_by_id:
            Job.objects.filter(pk=job.pk, noticed_at=None).update(noticed_at=Now())
        record(
            "job_retried",
            narration=job.narration,
            job=job,
            actor=user,
            data={"again": str(again.uid)},
        )
    return again


def resume_lane(name: str, *, user: Any = None) -> None:
    """Let a resting lane try again now. One more equal failure, and it rests again."""
    if user is not None and not user.has_perm(LANE_PERMISSION):
        raise NotAllowed(_("You may not do this."))
    lane = Lane.objects.filter(name=name)
    if name not in conf.get_lanes() and not lane.exists():
        raise NarrationNotFound(_("There is no such lane."))
    with transaction.atomic():
        lane.update(paused_until=None)
        record("lane_resumed", actor=user, data={"lane": name})
        bell.ring_on_commit(name)


def request_warm(alias: str, *, user: Any = None) -> Job:
    """Have a worker load an engine ahead of use; the job that does it.

    ``ConfigurationError`` when there is no such alias, ``EngineError`` when its model is missing
    or nobody has accepted the terms.
    """
    if user is not None and not user.has_perm(LANE_PERMISSION):
        raise NotAllowed("You may not do this.")
    return warming.request_warming(alias, user=user)


def list_notices(user: Any) -> list[Notice]:
    """What ``user`` has not been told yet of the narrations they asked for; often one query."""
    return notices.list_notices(user)


def dismiss_notices(user: Any, *, outcome: str, until: datetime) -> int:
    """``user`` has read a notice (its ``outcome`` and ``until``); how many jobs it told of."""
    return notices.dismiss(user, outcome, until)


def _require_again(job: Job, user: Any) -> None:
    """Who asked for a job may have lost the right to narrate its object since."""
    if job.narration is None:
        return
    action = "publish" if job.payload.get("publish") else "narrate"
    obj = job.narration.source_object
    if obj is None or not permissions.can(user, action, obj):
        raise NarrationNotFound(_("There is no such job."))


def _forget_failures(job: Job) -> None:
    """Sentences of this job, and of the newest plan of its narration, are tried anew."""
    failed = Q(digest__in=job.errors.values("utterance_digest"))
    if job.narration_id is not None:
        planned = Segment.objects.filter(narration=job.narration_id)
        failed |= Q(digest__in=planned.values("utterance_digest"))
    if digest := job.payload.get("digest"):
        failed |= Q(digest=digest)
    SynthesisFailure.objects.filter(failed).delete()


def _request_again(job: Job, user: Any) -> Job:
    """A narration is asked for as it is now; what else there is, as it was."""
    if job.kind == JobKind.NARRATE and job.narration is not None:
        obj = job.narration.source_object
        if obj is None:
            raise NarrationNotFound(_("There is no such job."))
        return requests.request_job(
            job.narration,
            obj,
            user=user,
            publish=bool(job.payload.get("publish")),
            priority=job.priority,
        )
    active = Job.objects.filter(kind=job.kind, request_key=job.request_key, state__in=ACTIVE_STATES)
    again = active.exclude(cancel_requested=True).first()
    if again is None:
        _refuse_preview(job, user)
        again = _copy_job(job, user)
    bell.ring_on_commit(again.lane)
    return again


def _refuse_preview(job: Job, user: Any) -> None:
    """A preview asked for again counts like one asked for the first time."""
    if job.kind != JobKind.PREVIEW:
        return
    actor = permissions.get_actor(user)
    previews.check_waiting(actor)
    chain = list(dict.fromkeys([job.scope_key, INSTALLATION]))
    length = len(str(job.payload.get("text", "")))
    quotas.check_preview(chain, actor=actor, characters=length)


def _copy_job(job: Job, user: Any) -> Job:
    try:
        with transaction.atomic():
            again = Job.objects.create(
                kind=job.kind,
                narration=job.narration,
                payload=job.payload,
                request_key=job.request_key,
                scope_key=job.scope_key,
                request_id=logs.get_request_id(),
                lane=job.lane,
                priority=job.priority,
                turn=job.turn,
                requested_by=permissions.get_actor(user),
                requested_by_name=get_actor_name(user),
                queued_at=Now(),
            )
    except IntegrityError:  # somebody asked for the same in this moment: theirs serves both
        return Job.objects.get(kind=job.kind, request_key=job.request_key, state=JobState.QUEUED)
    again.refresh_from_db()
    return again
