"""Previews: one utterance made ahead of everything else, for an author who wants to hear it."""

from __future__ import annotations

from typing import Any

from django.contrib.auth import get_user_model
from django.db import IntegrityError, transaction
from django.db.models.functions import Now
from django.utils.translation import gettext as _

from narration import conf, digests, logs, permissions
from narration.audio.gaps import DEFAULT_GAPS
from narration.exceptions import ConflictError, NarrationError
from narration.models import ACTIVE_STATES, Job, JobKind, JobState, Rendition, Voice, get_actor_name
from narration.pipeline.casting import Amendment, Casting, cast_voice, load_casting
from narration.pipeline.events import record
from narration.pipeline.licences import Permits
from narration.pipeline.plan import Plan, PlannedSegment, build_plan
from narration.pipeline.renditions import keep
from narration.pipeline.synthesize import Listener, synthesize_missing
from narration.queue import bell
from narration.values import Passage, Role, Run, SpokenForm, Utterance

#: Before every narration; lowest goes first.
PRIORITY = -100
MAX_CHARACTERS = 400
#: Previews a person may have waiting: they go before everybody's narrations.
MAX_WAITING = 3


def plan_preview(
    text: str, language: str, scope_chain: list[str], amendment: Amendment
) -> PlannedSegment:
    """The first segment of ``text`` as this scope would say it under a change.

    ``NarrationError`` when there is nothing to say.
    """
    casting: Casting = load_casting(scope_chain, language, amendment=amendment)
    passage = Passage(Role.BODY, (Run(text[:MAX_CHARACTERS]),))
    plan = build_plan([passage], language=language, casting=casting)
    if not plan.segments:
        raise NarrationError("There is nothing to speak in this text.", code="nothing_to_say")
    plan.segments[0].cast.demand_consent()
    return plan.segments[0]


def request_preview(segment: PlannedSegment, *, user: Any, scope_key: str = "") -> Job:
    """The job that makes this utterance for ``user``; done at once where its sound is there.

    ``ConflictError`` while too many of theirs are waiting, ``LicenceNotAccepted`` when nobody has
    accepted the terms of the voice's model.
    """
    Permits().require([segment.cast.facts])
    actor = permissions.get_actor(user)
    key = digests.build_preview_key(segment.digest, getattr(actor, "pk", None))
    job = Job.objects.filter(
        kind=JobKind.PREVIEW, request_key=key, state__in=(*ACTIVE_STATES, JobState.DONE)
    ).first()
    is_there = bool(Rendition.objects.find_digests(keep([segment.digest])))
    if job is None or (job.state == JobState.DONE and not is_there):
        with transaction.atomic():
            if not is_there:
                check_waiting(actor)
            job = _create_job(segment, key, user, scope_key=scope_key, is_done=is_there)
    if job.state == JobState.QUEUED:
        bell.ring_on_commit(job.lane)
    return job


def check_waiting(actor: Any) -> None:
    """``ConflictError`` while as many of a person's previews wait as may.

    In the transaction that adds one: requests that come together are counted one after the other.
    """
    if actor is not None:
        get_user_model().objects.select_for_update().filter(pk=actor.pk).first()
    mine = Job.objects.active().filter(kind=JobKind.PREVIEW, requested_by=actor)
    if mine.count() >= MAX_WAITING:
        raise ConflictError(_("Wait until what you asked to hear is made."), code="too_many")


def find_preview_sound(job: Job) -> Rendition | None:
    """What a preview job made, if it did."""
    digest = job.payload.get("digest", "")
    return Rendition.objects.usable().filter(digest=digest).first()


def make_preview(job: Job, listener: Listener) -> bool:
    """Make the utterance of a preview job; whether it has its sound now."""
    segment = _unpack(job.payload)
    return synthesize_missing(Plan((segment,), "", Casting({}, DEFAULT_GAPS, ())), listener)


def _create_job(
    segment: PlannedSegment, key: str, user: Any, *, scope_key: str, is_done: bool
) -> Job:
    state = JobState.DONE if is_done else JobState.QUEUED
    try:
        with transaction.atomic():
            job = Job.objects.create(
                kind=JobKind.PREVIEW,
                request_key=key,
                scope_key=scope_key,
                lane=_choose_lane(segment.voice.engine),
                state=state,
                priority=PRIORITY,
                payload=_pack(segment),
                requested_by=permissions.get_actor(user),
                requested_by_name=get_actor_name(user),
                request_id=logs.get_request_id(),
                queued_at=Now(),
                finished_at=Now() if is_done else None,
            )
            record("preview_requested", job=job, actor=user)
    except IntegrityError:
        return Job.objects.get(kind=JobKind.PREVIEW, request_key=key, state=JobState.QUEUED)
    job.refresh_from_db()
    return job


def _choose_lane(engine: str) -> str:
    """The lane the site keeps for previews, else where the engine works."""
    return conf.get_configuration().preview_lane or conf.get_engine(engine).lane


def _pack(segment: PlannedSegment) -> dict[str, Any]:
    return {
        "digest": segment.digest,
        "engine": segment.voice.engine,
        "voice": segment.voice.pk,
        "scope_chain": list(segment.cast.scope_chain),
        "settings": dict(segment.voice.settings),
        "text": segment.spoken.text,
        "language": segment.language,
        "take": segment.utterance.take,
    }


def _unpack(payload: dict[str, Any]) -> PlannedSegment:
    voice = Voice.objects.get(pk=payload["voice"])
    # A voice may be heard with settings that are not saved.
    voice.settings = payload["settings"]
    cast = cast_voice(voice, payload.get("scope_chain", ()))
    utterance: Utterance = cast.build_utterance(
        payload["text"], payload["language"], payload["take"]
    )
    return PlannedSegment(
        passage=0,
        role=Role.BODY,
        language=payload["language"],
        anchor="",
        anchor_offset=0,
        display_text=payload["text"],
        spoken=SpokenForm(payload["text"]),
        text_key="",
        occurrence=0,
        cast=cast,
        utterance=utterance,
        digest=cast.build_digest(utterance),
    )
