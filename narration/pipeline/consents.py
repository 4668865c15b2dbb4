"""Consent ends: what imitates a person is silent at once, and then deleted.

The end is one transaction: the fact, the tracks that are withdrawn, the renditions that are set
aside. Jobs are stopped and files deleted afterwards, which may be cut off anywhere: until the
consent is settled, every sweep goes on with it.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from typing import Any

from django.db import transaction
from django.db.models import Q, QuerySet
from django.db.models.functions import Now
from django.utils.translation import gettext as _

from narration import storage
from narration.exceptions import ConflictError, ConsentError, NarrationError
from narration.models import (
    Consent,
    Event,
    Job,
    JobKind,
    JobState,
    Narration,
    ReferenceRecording,
    Rendition,
    RenditionState,
    Segment,
    Track,
    TrackFile,
    Voice,
    VoiceLatents,
    get_actor_name,
)
from narration.models.consents import FAULTS
from narration.permissions import get_actor
from narration.pipeline import latents
from narration.pipeline.castings import Castings
from narration.pipeline.events import build_event, record
from narration.pipeline.upkeep.clock import Deadline
from narration.signals import job_state_changed
from narration.sources import get_source
from narration.values import CLONED_PREFIX

logger = logging.getLogger(__name__)

#: Why a track was withdrawn and a job stopped; stored, so not translated.
REASONS = {
    "consent_revoked": "The person took back their consent to a voice in it.",
    "consent_expired": "The consent to a voice in it has expired.",
    "consent_scope": "The consent to a voice in it is for another course now.",
}
BATCH = 200


def revoke(consent: Consent, *, user: Any = None, reason: str = "") -> None:
    """Take a consent back, now and for good: its voices are silent when this returns.

    Whoever takes their word back means the voice, not one sheet of paper: what it renews and what
    renews it ends with it. Jobs are stopped and files deleted right after; what cannot be now is
    by the next sweeps. ``ConflictError`` when it has been taken back already.
    """
    with transaction.atomic():
        family = lock_family(consent)
        named = next(row for row in family if row.pk == consent.pk)
        if named.revoked_at is not None:
            raise ConflictError(_("It has been taken back already."), code="consent_ended")
        taken = [named, *(row for row in family if row is not named and row.ended_at is None)]
        for row in taken:
            _revoke_one(row, user, reason[:200], named)
    consent.refresh_from_db()
    for row in taken:
        row.refresh_from_db()
        settle_soon(row)


def lock_family(consent: Consent) -> list[Consent]:
    """All of ``ConsentQuerySet.family``, oldest first, until the transaction ends.

    Who stores a sound with one of them has done so, or waits and then finds it gone; and nobody
    renews any meanwhile, for who does locks the oldest first, as this does.
    """
    oldest = Consent.objects.family(consent).order_by("pk").values_list("pk", flat=True)[:1]
    Consent.objects.select_for_update().filter(pk__in=list(oldest)).first()
    return list(Consent.objects.family(consent).order_by("pk").select_for_update())


def _revoke_one(consent: Consent, user: Any, reason: str, named: Consent) -> None:
    facts = {
        "revoked_at": Now(),
        "revoked_by": get_actor(user),
        "revoked_by_name": get_actor_name(user),
        "revoked_reason": reason,
    }
    ended = {} if consent.ended_at is not None else _ended()
    Consent.objects.filter(pk=consent.pk).update(**facts, **ended)
    data = {"reason": reason, **({} if consent is named else {"with": name_consent(named)})}
    record("consent_revoked", actor=user, object_ref=name_consent(consent), data=data)
    _silence(consent, "consent_revoked", user)


def withdraw_beyond(consent: Consent, *, user: Any = None) -> int:
    """Withdraw the tracks in which its voices are heard outside its scope; in how many texts.

    A consent may be narrower than the one it renews.
    """
    beyond = []
    tracks = Track.objects.filter(voices__voice__consent=consent)
    for narration in Narration.objects.filter(pk__in=tracks.values("narration")).iterator(BATCH):
        obj = narration.source_object
        if not consent.covers(get_source(obj).get_scope_chain(obj) if obj is not None else ()):
            beyond.append(narration.pk)
    for start in range(0, len(beyond), BATCH):
        there = tracks.filter(narration__in=beyond[start : start + BATCH])
        _withdraw_tracks(there, REASONS["consent_scope"], user)
    return len(beyond)


def end_expired() -> int:
    """Put the end of those into effect that have expired; how many."""
    count = 0
    for consent in Consent.objects.due_to_end():
        with transaction.atomic():
            if Consent.objects.due_to_end().filter(pk=consent.pk).update(**_ended()):
                record("consent_expired", object_ref=name_consent(consent))
                _silence(consent, "consent_expired", None)
                count += 1
    return count


def sweep(seconds: float | None = None) -> int:
    """Notice what has expired, finish what was cut off, tidy this machine; how many were settled.

    Idempotent, and cheap where nothing is to do. Raises no ``NarrationError``.
    """
    deadline, count = Deadline(seconds), 0
    end_expired()
    for consent in [*Consent.objects.unsettled(), *_find_leftovers()]:
        if deadline.is_over:
            break
        count += settle_soon(consent, deadline)
    latents.sweep_local()
    return count


def settle_soon(consent: Consent, deadline: Deadline | None = None) -> bool:
    """``settle``, or leave it to the next sweep where the storage is away; whether it is done."""
    try:
        return settle(consent, deadline)
    except NarrationError as error:
        logger.warning("Consent %s is settled another time: %s", consent.uid, error)
        return False


def settle(consent: Consent, deadline: Deadline | None = None) -> bool:
    """Delete all that was made with a consent that has ended; whether all is gone.

    Goes on where it was cut off, and again without harm.
    """
    voices = _find_voices(consent)
    code = "consent_revoked" if consent.revoked_at else "consent_expired"
    with transaction.atomic():  # what was stored while the end was written
        _silence(consent, code, None)
    pks = list(voices.values_list("pk", flat=True))
    learnt = VoiceLatents.objects.filter(voice__consent=consent)
    _stop_jobs(pks, code, consent.revoked_by)
    for narration in Narration.objects.filter(pk__in=_find_planned(pks)).iterator(BATCH):
        _recount(narration)
    latents.sweep_local()
    for rows, clear in (
        (ReferenceRecording.objects.filter(voice__consent=consent), _delete_rows),
        (Rendition.objects.filter(voice__in=pks), _empty_renditions),
        (TrackFile.objects.filter(track__voices__voice__in=pks), _delete_track_files),
        (learnt, _delete_rows),  # last: by their names the rest is found after a cut
    ):
        while clear(rows):
            if deadline is not None and deadline.is_over:
                return False
    latents.sweep_local()
    with transaction.atomic():
        if Consent.objects.unsettled().filter(pk=consent.pk).update(settled_at=Now()):
            record("consent_settled", object_ref=name_consent(consent))
    return True


def _find_leftovers() -> QuerySet[Consent]:
    """Settled consents with something of theirs: a process that slept through the end wrote it."""
    settled = Consent.objects.filter(settled_at__isnull=False)
    voices = Voice.objects.filter(consent__in=settled)
    has_sound = ~Q(sha256="") | Q(state=RenditionState.OK)
    left: tuple[tuple[QuerySet[Any], str], ...] = (
        (Rendition.objects.filter(has_sound, voice__in=voices), "voice"),
        (TrackFile.objects.filter(track__voices__voice__in=voices), "track__voices__voice"),
        (ReferenceRecording.objects.filter(voice__in=voices), "voice"),
        (VoiceLatents.objects.filter(voice__in=voices), "voice"),
    )
    pks = {pk for rows, name in left for pk in rows.values_list(name, flat=True).distinct()}
    return settled.filter(voice__in=pks).distinct()


def name_consent(consent: Consent) -> str:
    """How events name it: not by the person."""
    return f"narration.consent:{consent.uid}"


def _ended() -> dict[str, Any]:
    return {"ended_at": Now()}


def _find_voices(consent: Consent) -> QuerySet[Voice, Any]:
    """Its voices, and whatever row calls the engine's imitation by its name."""
    learnt = VoiceLatents.objects.filter(voice__consent=consent).values_list("digest", flat=True)
    names = [f"{CLONED_PREFIX}{digest}" for digest in learnt]
    return Voice.objects.filter(Q(consent=consent) | Q(engine_voice__in=names))


def _silence(consent: Consent, code: str, user: Any) -> None:
    """Nothing sounds and nothing is stored any more: a few statements, however much there is."""
    voices = list(_find_voices(consent).values_list("pk", flat=True))
    _withdraw_tracks(Track.objects.filter(voices__voice__in=voices), REASONS[code], user)
    Rendition.objects.filter(voice__in=voices, state=RenditionState.OK).update(
        state=RenditionState.QUARANTINED
    )


def _withdraw_tracks(tracks: QuerySet[Track], reason: str, user: Any) -> None:
    chosen = Q(draft_track__in=tracks.values("pk")) | Q(published_track__in=tracks.values("pk"))
    rows = list(Narration.objects.filter(chosen).order_by("pk"))
    Track.objects.filter(pk__in=tracks.values("pk"), withdrawn_at=None).update(
        withdrawn_at=Now(), withdrawn_reason=reason
    )
    for field in ("draft_track", "published_track"):
        Narration.objects.filter(**{f"{field}__in": tracks.values("pk")}).update(**{field: None})
    events = (
        build_event("withdrawn", narration=row, actor=user, data={"reason": reason}) for row in rows
    )
    Event.objects.bulk_create(events, batch_size=BATCH)


def _find_planned(voices: list[int]) -> QuerySet[Segment, Any]:
    return Segment.objects.filter(voice__in=voices).values("narration").distinct()


def _recount(narration: Narration) -> None:
    """Its sentences in this voice have no sound any more."""
    planned = Segment.objects.filter(narration=narration)
    wanted = set(planned.values_list("utterance_digest", flat=True))
    missing = len(wanted - Rendition.objects.find_digests(wanted))
    Narration.objects.filter(pk=narration.pk).update(missing=missing)


def _stop_jobs(voices: list[int], code: str, user: Any) -> None:
    """End what waits to be spoken in these voices. What runs finds out at its next sentence."""
    waiting = Job.objects.filter(state=JobState.QUEUED)
    previews = waiting.filter(kind=JobKind.PREVIEW, payload__voice__in=voices)
    planned = waiting.filter(kind=JobKind.NARRATE, narration__in=_find_planned(voices))
    cast = _iter_cast(waiting.filter(kind=JobKind.NARRATE).exclude(pk__in=planned), voices)
    for job in [*previews, *planned.select_related("narration"), *cast]:
        _cancel(job, code, user)


def _iter_cast(jobs: QuerySet[Job], voices: list[int]) -> Iterable[Job]:
    """Those whose text was never planned with the voice, and would be now."""
    jobs = jobs.select_related("narration").prefetch_related("narration__source_object")
    rows = [job for job in jobs if job.narration is not None]
    chains = {}
    for job in rows:
        obj = job.narration.source_object if job.narration is not None else None
        if obj is not None:
            chains[job.pk] = tuple(get_source(obj).get_scope_chain(obj))
    castings = Castings(key for chain in chains.values() for key in chain)
    for job in rows:
        if job.pk in chains and job.narration is not None:
            try:
                casting = castings.get(chains[job.pk], job.narration.language)
            except NarrationError:
                continue  # its worker will say why
            if any(cast.voice.pk in voices for cast in casting.voices.values()):
                yield job


@transaction.atomic
def _cancel(job: Job, code: str, user: Any) -> None:
    ended = Job.objects.filter(pk=job.pk, state=JobState.QUEUED).update(
        state=JobState.CANCELLED, finished_at=Now(), error_code=code, error=str(FAULTS[code])
    )
    if ended:
        record("job_cancelled", narration=job.narration, job=job, actor=user, data={"code": code})
        transaction.on_commit(
            lambda: job_state_changed.send_robust(
                sender=Job, job_uid=job.uid, state=str(JobState.CANCELLED)
            )
        )


# Files before rows: what is cut off is found again. Each returns how many it met.


def _delete_rows(rows: QuerySet[Any]) -> int:
    files = dict(rows.order_by("pk").values_list("pk", "file")[:BATCH])
    _delete_files(files.values())
    rows.filter(pk__in=files).delete()
    return len(files)


def _delete_track_files(rows: QuerySet[Any]) -> int:
    files = dict(rows.order_by("pk").values_list("pk", "storage_name")[:BATCH])
    _delete_files(files.values())
    TrackFile.objects.filter(pk__in=files).delete()
    return len(files)


def _empty_renditions(rows: QuerySet[Any]) -> int:
    """The rows stay for the tracks that were stitched from them; without a checksum, no file."""
    left = rows.filter(state=RenditionState.QUARANTINED).exclude(sha256="")
    files = dict(left.order_by("pk").values_list("pk", "storage_name")[:BATCH])
    _delete_files(files.values())
    left.filter(pk__in=files).update(sha256="", size=0)
    return len(files)


def _delete_files(names: Iterable[str]) -> None:
    for name in names:
        storage.delete(name)


def find_faults(names: Iterable[str], scope_chain: Iterable[str]) -> dict[str, str]:
    """Voices, by name, that may not speak in these scopes, with the reason in plain words."""
    faults = {}
    chain = list(scope_chain)
    for voice in Voice.objects.filter(name__in=list(names)).needing_consent():
        try:
            Voice.objects.filter(pk=voice.pk).demand_consent(chain)
        except ConsentError as error:
            faults[voice.name] = str(FAULTS[error.code])
    return faults
