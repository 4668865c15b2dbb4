"""Finding narrations, asking for them, telling about them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, TypeVar

from django.apps import apps
from django.contrib.contenttypes.models import ContentType
from django.core.exceptions import ValidationError
from django.db import models, transaction
from django.db.models.functions import Now
from django.utils.translation import gettext as _

from narration import manifests, permissions
from narration.exceptions import (
    ConflictError,
    NarrationNotFound,
    NotAllowed,
    SourceError,
    UnsupportedUtterance,
)
from narration.models import (
    Job,
    JobState,
    Narration,
    Override,
    OverrideKind,
    Segment,
    Track,
    get_actor_name,
)
from narration.pipeline import doubts, licences, plans, requests
from narration.pipeline import publish as publication
from narration.pipeline.events import record
from narration.pipeline.states import (
    Estimate,
    NarrationState,
    SegmentState,
    Status,
    build_estimate,
    list_segment_states,
    load_states,
)
from narration.signals import job_state_changed
from narration.sources import get_source, get_sources
from narration.text import READING_VERSION

M = TypeVar("M", bound=models.Model)
EDITION = "main"


# Finding


def find_narration(obj: models.Model, *, language: str) -> Narration | None:
    """The narration of an object in a language, if there ever was one."""
    return (
        Narration.objects.filter(**_identify(obj), language=language, edition=EDITION)
        .select_related("draft_track", "published_track")
        .first()
    )


def get_object(*, source: str, object_id: str, user: Any, action: str) -> models.Model:
    """The object behind ``"app.model"`` and a key, if ``user`` may do ``action`` to it."""
    try:
        model = apps.get_model(source)
        found = get_source(model).visible_to(user, action).filter(pk=object_id).first()
    except (LookupError, ValueError, ValidationError, SourceError) as error:
        raise NarrationNotFound(_("There is no such object.")) from error
    if found is None:
        raise NarrationNotFound(_("There is no such object."))
    result: models.Model = found
    return result


def get_narration(*, uid: Any, user: Any, action: str = "listen") -> Narration:
    """A narration by its public id, if ``user`` may do ``action`` to its object."""
    narration = _get_by_uid(Narration.objects.select_related("draft_track", "published_track"), uid)
    if not permissions.can(user, action, narration.source_object):
        raise NarrationNotFound(_("There is no such narration."))
    return narration


def get_job(*, uid: Any, user: Any) -> Job:
    """A job by its public id, for who may narrate its object.

    A job without one, such as a preview, is its requester's.
    """
    job = _get_by_uid(Job.objects.select_related("narration"), uid)
    obj = job.narration.source_object if job.narration is not None else None
    is_mine = user is not None and job.requested_by_id in {user.pk} - {None}
    if not permissions.can(user, "narrate", obj) and not (obj is None and is_mine):
        raise NarrationNotFound(_("There is no such job."))
    return job


def list_narrations(*, user: Any, action: str = "listen") -> models.QuerySet[Narration]:
    """Narrations of every object on which ``user`` may do ``action``, in one query."""
    visible = models.Q(pk__in=[])
    for source in get_sources():
        key = models.functions.Cast("pk", models.CharField(max_length=64))
        keys = source.visible_to(user, action).annotate(narration_key=key).values("narration_key")
        content_type = ContentType.objects.get_for_model(source.model)
        visible |= models.Q(content_type=content_type, object_id__in=keys)
    return Narration.objects.filter(visible).select_related("draft_track", "published_track")


# Asking


def request_narration(
    obj: models.Model,
    *,
    language: str,
    user: Any = None,
    publish: bool = False,
    priority: int = 0,
) -> Job:
    """Ask for an object to be narrated in the background; returns the job that serves the request.

    Nothing is planned here. An equal request returns the job that waits or works already; a newer
    one waits behind it. With ``publish`` learners hear it as soon as it is made, else only where
    they read that very text already. ``UnsupportedUtterance`` when no voice speaks the language.
    """
    _get_source_for(obj, language)
    _require(user, "publish" if publish else "narrate", obj)
    return requests.request_job(
        get_or_create_narration(obj, language), obj, user=user, publish=publish, priority=priority
    )


def cancel_job(job_uid: Any, *, user: Any = None) -> Job:
    """Ask a job to end: a waiting one ends now, a running one between two sentences.

    What is stored already is kept. ``ConflictError`` when it has ended.
    """
    job = get_job(uid=job_uid, user=user)
    with transaction.atomic():
        waiting = Job.objects.filter(pk=job.pk, state=JobState.QUEUED)
        is_ended = waiting.update(
            state=JobState.CANCELLED, cancel_requested=True, finished_at=Now()
        )
        running = Job.objects.filter(pk=job.pk, state=JobState.RUNNING)
        if not is_ended and not running.update(cancel_requested=True):
            raise ConflictError(_("The job has ended already."), code="job_ended")
        record(
            "job_cancelled" if is_ended else "cancel_requested",
            narration=job.narration,
            job=job,
            actor=user,
        )
        if is_ended:  # a running one is announced by who runs it
            transaction.on_commit(lambda: _announce(job, JobState.CANCELLED))
    job.refresh_from_db()
    return job


def cancel_jobs(obj: models.Model, *, language: str = "", user: Any = None) -> int:
    """Cancel every active job of an object, in one language or all; how many there were."""
    _require(user, "narrate", obj)
    jobs = Job.objects.active().filter(narration__in=_narrations_of(obj, language))
    count = 0
    for job in jobs:
        try:
            cancel_job(job.uid, user=user)
        except ConflictError:
            continue  # it ended by itself meanwhile
        count += 1
    return count


def publish_narration(obj: models.Model, *, language: str, user: Any = None) -> Track:
    """Let learners read and hear the newest text; both are swapped in one transaction.

    ``ConflictError`` unless the draft speaks the newest text.
    """
    _require(user, "publish", obj)
    return publication.publish_draft(_get(obj, language).pk, user=user)


def withdraw_narration(
    obj: models.Model, *, language: str, user: Any = None, reason: str = ""
) -> None:
    """Learners no longer hear it; nothing is deleted."""
    _require(user, "publish", obj)
    narration = find_narration(obj, language=language)
    if narration is not None:
        publication.withdraw_published(narration.pk, user=user, reason=reason)


def retake_segment(obj: models.Model, *, language: str, position: int, user: Any = None) -> Segment:
    """Choose to hear a sentence differently; the next narration speaks its new take.

    ``UnsupportedUtterance`` when its engine says a text in one way only.
    """
    _require(user, "narrate", obj)
    narration = _get(obj, language)
    segment = _get_segment(narration, position)
    if not plans.supports_takes(segment.voice):
        raise UnsupportedUtterance(
            _("This voice says a sentence in one way only."), code="unsupported_take"
        )
    identity: dict[str, Any] = {
        "narration": narration,
        "text_key": segment.text_key,
        "occurrence": segment.occurrence,
        "kind": OverrideKind.TAKE,
    }
    Override.objects.update_or_create(
        **identity,
        defaults={
            "value": str(segment.take + 1),
            "by": permissions.get_actor(user),
            "by_name": get_actor_name(user),
        },
    )
    plans.refresh_plan(narration)
    return Segment.objects.get(narration=narration, position=position)


def accept_segment(obj: models.Model, *, language: str, position: int, user: Any = None) -> Segment:
    """Say that a sentence sounds fine whatever the quality gate doubts; holds for this sound."""
    _require(user, "narrate", obj)
    narration = _get(obj, language)
    segment = _get_segment(narration, position)
    doubts.accept(narration, segment, user)
    return segment


def refresh_plan(obj: models.Model, *, language: str) -> Narration:
    """Plan the newest text now, without an engine; call it when a text was saved."""
    _get_source_for(obj, language)
    narration = get_or_create_narration(obj, language)
    plans.refresh_plan(narration)
    return narration


def estimate_narration(obj: models.Model, *, language: str, user: Any = None) -> Estimate:
    """What a request would cost now, from the stored plan, made if need be; no engine is asked."""
    _require(user, "narrate", obj)
    source = _get_source_for(obj, language)
    narration = get_or_create_narration(obj, language)
    is_behind = (
        narration.source_version != source.get_version(obj, language)
        or narration.reading_version != READING_VERSION
    )
    if not narration.is_planned or is_behind or requests.is_refresh_due(narration):
        plans.refresh_plan(narration)
    plans.demand_consents(narration, obj)
    return build_estimate(narration)


# Telling


def get_track(obj: models.Model, *, language: str, user: Any, draft: bool = False) -> Track:
    """The track learners hear, or with ``draft`` the newest one, for who may narrate."""
    _require(user, "narrate" if draft else "listen", obj)
    narration = find_narration(obj, language=language)
    track = narration and (narration.draft_track if draft else narration.published_track)
    if not track or not permissions.may_sound(track):
        raise NarrationNotFound(_("There is no narration to hear."))
    return track


def get_manifest(
    obj: models.Model, *, language: str, user: Any, draft: bool = False
) -> dict[str, Any]:
    """The manifest of that track, with the URLs of its files."""
    return manifests.build_manifest(get_track(obj, language=language, user=user, draft=draft))


def states_for(
    objects: Iterable[M], *, language: str = ""
) -> Mapping[Any, Mapping[str, NarrationState]]:
    """State by object key and language, in as many queries for 100 objects as for one."""
    return load_states(list(objects), language=language, edition=EDITION)


def state_of(obj: models.Model, *, language: str) -> NarrationState:
    """The state of one object in one language."""
    states = states_for([obj], language=language)
    return states.get(obj.pk, {}).get(language, NarrationState(Status.NONE, language))


def filter_by_state(
    queryset: models.QuerySet[M], *, state: str, language: str = ""
) -> models.QuerySet[M]:
    """The objects of a queryset whose narration is in ``state`` (see ``Status``)."""
    rows = list(queryset)
    states = states_for(rows, language=language)
    empty = {language: NarrationState(Status.NONE, language)}
    keys = [
        row.pk for row in rows if any(s.status == state for s in states.get(row.pk, empty).values())
    ]
    return queryset.filter(pk__in=keys)


def list_unvoiced(obj: models.Model, *, language: str) -> list[str]:
    """Languages of phrases in the newest plan that no voice speaks; the main voice reads them."""
    narration = find_narration(obj, language=language)
    return list(narration.unvoiced) if narration is not None else []


def list_restrictions(obj: models.Model, *, language: str) -> list[str]:
    """What holds for its newest track where a voice forbids commercial use, in the reader's
    language; [] where none does.
    """
    narration = find_narration(obj, language=language)
    track = narration and (narration.draft_track or narration.published_track)
    if not track or not track.manifest.get("non_commercial"):
        return []
    return licences.say_licences(track.licences)


def list_segments(obj: models.Model, *, language: str, user: Any) -> list[SegmentState]:
    """The sentences of the newest plan: written, spoken, and whether each has its sound."""
    _require(user, "narrate", obj)
    narration = find_narration(obj, language=language)
    return list_segment_states(narration) if narration is not None else []


def count_flagged(narrations: Iterable[Narration]) -> dict[int, int]:
    """Sentences that may sound wrong and nobody accepted, by narration key, in one query."""
    return doubts.count_flagged(narrations)


# Inside


def _identify(obj: models.Model) -> dict[str, Any]:
    if obj.pk is None:
        raise SourceError(_("Save the object first."), code="not_saved")
    return {"content_type": ContentType.objects.get_for_model(obj), "object_id": str(obj.pk)}


def _get_source_for(obj: models.Model, language: str) -> Any:
    source = get_source(obj)
    _identify(obj)
    if language not in source.get_languages(obj):
        words = _("There is no text in '%(language)s'.") % {"language": language}
        raise SourceError(words, code="no_such_language")
    return source


def _require(user: Any, action: str, obj: models.Model) -> None:
    if not permissions.can(user, action, obj):
        raise NotAllowed(_("You may not do this."))


def _get(obj: models.Model, language: str) -> Narration:
    narration = find_narration(obj, language=language)
    if narration is None:
        raise NarrationNotFound(_("This has never been narrated."))
    return narration


def get_or_create_narration(obj: models.Model, language: str) -> Narration:
    """The narration of an object in a language, made at its first use."""
    narration, _created = Narration.objects.get_or_create(
        **_identify(obj), language=language, edition=EDITION
    )
    return narration


def _get_segment(narration: Narration, position: int) -> Segment:
    segments = Segment.objects.filter(narration=narration, position=position)
    segment = segments.select_related("voice").first()
    if segment is None:
        raise NarrationNotFound(_("There is no such sentence."))
    return segment


def _announce(job: Job, state: str) -> None:
    job_state_changed.send_robust(sender=Job, job_uid=job.uid, state=str(state))


def _get_by_uid(queryset: models.QuerySet[M], uid: Any) -> M:
    try:
        found = queryset.filter(uid=uid).first()
    except (ValidationError, ValueError):
        found = None
    if found is None:
        raise NarrationNotFound(_("There is nothing here."))
    return found


def _narrations_of(obj: models.Model, language: str) -> models.QuerySet[Narration]:
    narrations = Narration.objects.filter(**_identify(obj))
    return narrations.filter(language=language) if language else narrations
