"""Publish: swap the pair of text and track that learners see and hear, in one transaction."""

from __future__ import annotations

from typing import Any

from django.db import transaction
from django.db.models.functions import Now
from django.utils.translation import gettext as _

from narration.exceptions import ConflictError
from narration.models import Narration, Track, Voice, get_actor_name
from narration.permissions import get_actor
from narration.pipeline.events import record
from narration.signals import narration_published
from narration.sources import get_source


def offer_draft(narration: Narration, track: Track) -> bool:
    """Make ``track`` the draft if it still speaks the newest plan; whether it does."""
    with transaction.atomic():
        _demand_consents(narration, track)
        updated = Narration.objects.filter(pk=narration.pk, plan_digest=track.plan_digest).update(
            draft_track=track, missing=0, failed=0
        )
    return updated == 1


def publish_draft(narration_pk: int, *, user: Any = None, version: int | None = None) -> Track:
    """Swap text and track for learners; ``ConflictError`` if the draft is not the newest text.

    With ``version`` only that one of the text is published, whatever was saved since.
    ``ConsentError`` if somebody is heard in it who does not consent.
    """
    with transaction.atomic():
        _demand_consents_of_draft(narration_pk)
        narration = (
            Narration.objects.select_for_update(of=("self",))
            .select_related("draft_track")
            .get(pk=narration_pk)
        )
        track = narration.draft_track
        obj = narration.source_object
        if obj is None or track is None or not narration.has_current(track):
            raise ConflictError(
                _("No narration of the newest text is ready to publish."), code="no_draft"
            )
        source = get_source(obj)
        newest = source.get_version(obj, narration.language)
        if newest != narration.source_version or version not in (None, newest):
            raise ConflictError(
                _("The text has changed since it was narrated."), code="text_changed"
            )
        source.publish_version(obj, narration.language, newest, user)
        Narration.objects.filter(pk=narration.pk).update(published_track=track)
        Track.objects.filter(pk=track.pk).update(
            published_at=Now(),
            published_by=get_actor(user),
            published_by_name=get_actor_name(user),
            withdrawn_at=None,
            withdrawn_reason="",
        )
        record("published", narration=narration, actor=user, data={"track": str(track.uid)})
        _announce(narration, track)
    return track


def withdraw_published(narration_pk: int, *, user: Any = None, reason: str = "") -> None:
    """Learners no longer hear it; the track stays, for who may narrate."""
    with transaction.atomic():
        narration = Narration.objects.select_for_update(of=("self",)).get(pk=narration_pk)
        if narration.published_track_id is None:
            return
        Track.objects.filter(pk=narration.published_track_id).update(
            withdrawn_at=Now(), withdrawn_reason=reason[:200]
        )
        Narration.objects.filter(pk=narration.pk).update(published_track=None)
        record("withdrawn", narration=narration, actor=user, data={"reason": reason[:200]})


def _demand_consents_of_draft(narration_pk: int) -> None:
    """Before the narration is locked: who takes a consent away locks it before narrations."""
    narration = Narration.objects.select_related("draft_track").get(pk=narration_pk)
    if narration.draft_track is not None:
        _demand_consents(narration, narration.draft_track)


def _demand_consents(narration: Narration, track: Track) -> None:
    voices = Voice.objects.filter(tracks__track=track).needing_consent()
    obj = narration.source_object
    if obj is not None and voices.exists():
        chain = get_source(obj).get_scope_chain(obj)
        Voice.objects.filter(pk__in=voices.values("pk")).demand_consent(chain, lock=True)


def _announce(narration: Narration, track: Track) -> None:
    uids = {"narration_uid": narration.uid, "track_uid": track.uid}
    transaction.on_commit(lambda: narration_published.send_robust(sender=Narration, **uids))
