"""Who may do what: always asked of the host's source, at every request."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.contrib.auth.models import AnonymousUser
from django.db.models import Model

from narration.digests import build_preview_key
from narration.exceptions import ConsentError
from narration.models import (
    Job,
    JobKind,
    Narration,
    Rendition,
    Segment,
    Track,
    TrackFile,
    Voice,
)
from narration.signing import build_storage_name
from narration.sources import get_source

#: How many narrations that say the same sentence are asked before a listener is refused.
MAXIMUM_ASKED = 50


def can(user: Any, action: str, obj: Model | None) -> bool:
    """Whether ``user`` may do ``action`` to ``obj``; ``user=None`` is the system and may."""
    if obj is None:
        return False
    if user is None:
        return True
    return get_source(obj).visible_to(user, action).filter(pk=obj.pk).exists()


def get_actor(user: Any) -> Any:
    """The user to store as the actor of a change; None for the system and for strangers."""
    return None if user is None or isinstance(user, AnonymousUser) else user


def can_hear(user: Any, narration: Narration, *, is_published: bool) -> bool:
    """Published sound is for who may listen; drafts are for who may narrate."""
    return can(user, "listen" if is_published else "narrate", narration.source_object)


def may_sound(track: Track) -> bool:
    """Whether every person who is heard in a track, or imitated, lets it sound now."""
    voices = Voice.objects.filter(tracks__track=track).needing_consent()
    if not voices.exists():
        return True
    obj = track.narration.source_object
    try:
        voices.demand_consent(get_source(obj).get_scope_chain(obj) if obj is not None else ())
    except ConsentError:
        return False
    return True


def find_track_file(token: str, extension: str, user: Any) -> TrackFile | None:
    """The file behind a media URL if this user may have it now."""
    try:
        name = build_storage_name("tracks", token, extension)
    except ValueError:
        return None
    file = TrackFile.objects.select_related("track__narration").filter(storage_name=name).first()
    if file is None:
        return None
    narration = file.track.narration
    is_published = narration.published_track_id == file.track_id
    if not can_hear(user, narration, is_published=is_published) or not may_sound(file.track):
        return None
    return file


def find_rendition(token: str, user: Any) -> Rendition | None:
    """A rendition for who narrates a text that says it or asked to hear it, and for staff."""
    try:
        name = build_storage_name("renditions", token, "flac")
    except ValueError:
        return None
    rendition = Rendition.objects.usable().filter(storage_name=name).first()
    if rendition is None or not _has_consent(rendition):
        return None
    if user.has_perm("narration.view_rendition") and user.is_staff:
        return rendition
    key = build_preview_key(rendition.digest, user.pk)
    if Job.objects.filter(kind=JobKind.PREVIEW, request_key=key, requested_by=user.pk).exists():
        return rendition
    spoken_in = Segment.objects.filter(utterance_digest=rendition.digest).values("narration")
    narrations = Narration.objects.filter(pk__in=spoken_in)[:MAXIMUM_ASKED]
    objects = (narration.source_object for narration in narrations)
    return rendition if any(_may_hear_in(user, obj, rendition) for obj in objects) else None


def _may_hear_in(user: Any, obj: Model | None, rendition: Rendition) -> bool:
    """Who narrates a text hears what is said in it by voices that may speak there."""
    if obj is None or not can(user, "narrate", obj):
        return False
    return _has_consent(rendition, get_source(obj).get_scope_chain(obj))


def _has_consent(rendition: Rendition, scope_chain: Sequence[str] | None = None) -> bool:
    """Whether the voice may speak in these scopes; without any, whether it may speak at all."""
    try:
        Voice.objects.filter(pk=rendition.voice_id).demand_consent(scope_chain)
    except ConsentError:
        return False
    return True
