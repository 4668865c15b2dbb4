"""Recordings that a cloned voice imitates: taken in, checked, levelled, kept in private."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from narration import storage
from narration.audio.checking import Checks, check_recording, normalise
from narration.audio.codec import encode_flac
from narration.audio.uploads import decode_upload
from narration.exceptions import ConflictError, UploadRefused
from narration.models import (
    Narration,
    ReferenceRecording,
    Segment,
    Voice,
    VoiceLatents,
    get_actor_name,
)
from narration.permissions import get_actor
from narration.pipeline import latents
from narration.pipeline.events import record
from narration.pipeline.requests import request_refreshes

#: More make no voice better.
MOST_RECORDINGS = 10

#: Why a file is not taken.
REFUSALS = {
    "upload_too_big": gettext_lazy("This file is too big: half a minute of speech is enough."),
    "upload_unknown": gettext_lazy(
        "This is no sound we can read: send WAV, FLAC, MP3, OGG, M4A or WebM."
    ),
    "upload_unreadable": gettext_lazy("This file is damaged, or holds no sound we can read."),
    "upload_too_long": gettext_lazy(
        "This is longer than three minutes: cut out the best half minute."
    ),
    "upload_too_slow": gettext_lazy("Reading this file took too long; save it as WAV and try it."),
    "upload_silent": gettext_lazy("There is no sound in this file."),
    "recording_silent": gettext_lazy(
        "Nobody is heard in this recording: check the microphone and come closer."
    ),
    "recording_too_short": gettext_lazy(
        "Less than three seconds of speech: record ten to thirty seconds."
    ),
}
#: What should be better, with what to do.
ADVICE = {
    "clipping": gettext_lazy("Loud places are cut off: turn the input level down, record again."),
    "noise": gettext_lazy("There is noise behind the voice: find a quieter room."),
    "quiet": gettext_lazy("It is very quiet, and so is full of hiss: come closer."),
    "short": gettext_lazy("It is short: ten to thirty seconds of speech imitate better."),
    "long": gettext_lazy("It is longer than needed: thirty seconds of speech are enough."),
    "pauses": gettext_lazy("More than half of it is silence: cut out the pauses."),
    "narrow": gettext_lazy("It sounds like a telephone: record with a better microphone."),
}


@dataclass(frozen=True, slots=True)
class Prepared:
    """A recording that may be kept: levelled FLAC, its length, what was found."""

    name: str
    content: bytes
    duration_ms: int
    checks: Checks


def prepare(name: str, content: bytes) -> Prepared:
    """Decode, check and level a file; takes seconds. ``UploadRefused`` in plain words."""
    try:
        upload = decode_upload(content)
    except UploadRefused as error:
        raise _refuse(error.code, name) from error
    checks = check_recording(upload)
    if checks.refusal:
        raise _refuse(checks.refusal, name)
    levelled = normalise(upload.waveform)
    return Prepared(name[:200], encode_flac(levelled), levelled.duration_ms, checks)


def add_recordings(voice: Voice, prepared: Sequence[Prepared], *, user: Any = None) -> list[str]:
    """Give a cloned voice more to imitate: from now on it sounds otherwise.

    Returns the names of the files: to ``forget`` where the caller's transaction fails later on.
    ``ConsentError`` when its person does not consent (any more), ``ConflictError`` for a recording
    it has already, or that was given with another consent.
    """
    files = [storage.write("references", str(voice.uid), "flac", each.content) for each in prepared]
    try:
        with transaction.atomic():
            Voice.objects.filter(pk=voice.pk).demand_consent(None, lock=True)
            for each, file in zip(prepared, files, strict=True):
                _require_own(voice, file)
                ReferenceRecording.objects.create(
                    voice=voice,
                    name=each.name,
                    file=file.name,
                    sha256=file.sha256,
                    size=file.size,
                    duration_ms=each.duration_ms,
                    checks={"advice": list(each.checks.advice), **each.checks.measures},
                    added_by=get_actor(user),
                    added_by_name=get_actor_name(user),
                )
            _note_change(voice, "recordings_added", len(files), user)
    except BaseException as error:
        forget([file.name for file in files])
        if isinstance(error, IntegrityError):
            raise ConflictError(_("The voice has this recording already."), code="same") from error
        raise
    return [file.name for file in files]


def remove_recording(recording: ReferenceRecording, *, user: Any = None) -> None:
    """Imitate it no more: the file is deleted, and what was computed from it."""
    voice = recording.voice
    stale = VoiceLatents.objects.filter(voice=voice)
    with transaction.atomic():
        # Locked: who learns the voice has stored what it learnt, or waits and finds this one gone.
        Voice.objects.select_for_update().filter(pk=voice.pk).first()
        names = [recording.file, *stale.values_list("file", flat=True)]
        stale.delete()
        recording.delete()
        _note_change(voice, "recording_removed", 1, user)
    forget(names)
    latents.sweep_local()


def forget(names: Sequence[str]) -> None:
    """Delete files that no row names; one that a row names (any more, or of others) stays."""
    for name in names:
        if not ReferenceRecording.objects.filter(file=name).exists():
            storage.delete(name)


def explain_refusal(code: str) -> str:
    """A code of ``UploadRefused`` in plain words."""
    return str(REFUSALS.get(code, REFUSALS["upload_unreadable"]))


def list_advice(recording: ReferenceRecording) -> list[str]:
    """What should be better about a recording, with what to do."""
    return [str(ADVICE[code]) for code in recording.checks.get("advice", ()) if code in ADVICE]


def _refuse(code: str, name: str) -> UploadRefused:
    return UploadRefused(f"{name}: {explain_refusal(code)}", code=code)


def _require_own(voice: Voice, file: storage.StoredFile) -> None:
    others = ReferenceRecording.objects.filter(sha256=file.sha256)
    if others.exclude(voice__consent=voice.consent_id).exists():
        words = _("This recording was given with another consent, to another voice.")
        raise ConflictError(words, code="other_consent")
    if voice.recordings.count() >= MOST_RECORDINGS:
        words = _("A voice has at most %(count)d recordings.") % {"count": MOST_RECORDINGS}
        raise ConflictError(words, code="too_many")


def _note_change(voice: Voice, event: str, count: int, user: Any) -> None:
    """All it says is out of date: its version tells requests, and plans are made again."""
    voice.save()
    ref = f"narration.voice:{voice.uid}"
    record(event, actor=user, object_ref=ref, data={"count": count})
    spoken = Segment.objects.filter(voice=voice).values("narration")
    request_refreshes(list(Narration.objects.filter(pk__in=spoken)), user=user)
