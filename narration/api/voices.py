"""Voices of persons: the consent, the recordings, what they speak, and their end.

``user`` needs Django's permissions on voices and consents; None is the system itself. Everybody
else gets ``NotAllowed``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils.translation import gettext as _

from narration import storage
from narration.api.wording import get_scope_chain
from narration.exceptions import (
    ConflictError,
    NarrationError,
    NarrationNotFound,
    NotAllowed,
    UploadRefused,
)
from narration.models import (
    Consent,
    Job,
    Narration,
    ReferenceRecording,
    Rendition,
    Segment,
    SpeechPolicy,
    Track,
    Voice,
    VoiceKind,
    get_actor_name,
)
from narration.permissions import get_actor
from narration.pipeline import consents, references
from narration.pipeline.events import record
from narration.pipeline.references import Prepared
from narration.sources import get_source

#: Who may add, change and end voices of persons. Hearing their recordings needs the first two.
MANAGE = ("narration.add_voice", "narration.change_voice")
CONSENT = ("narration.add_consent", "narration.change_consent")
EVIDENCE_BYTES = 20 * 1024 * 1024
#: How many places a list of uses names; the numbers are of all.
NAMED = 50


@dataclass(frozen=True, slots=True)
class Evidence:
    """A file that proves a consent: a scan, a mail, a recording."""

    name: str
    content: bytes


@dataclass(frozen=True, slots=True)
class Use:
    """A text that a voice is cast in or heard in: its title, where it is read.

    ``sentences`` are cast with it now, ``spoken`` of them have sound; ``is_published`` when
    learners hear it now.
    """

    title: str
    url: str
    language: str
    sentences: int
    spoken: int
    is_published: bool


@dataclass(frozen=True, slots=True)
class Uses:
    """What a voice is used in. ``policies`` are scopes that cast it, "" the whole site.

    ``narrations`` counts the texts it is cast in, ``spoken`` those with sound of it.
    """

    policies: tuple[str, ...] = ()
    texts: tuple[Use, ...] = ()
    narrations: int = 0
    spoken: int = 0
    published: int = 0
    waiting: int = 0
    withdrawn: tuple[Track, ...] = field(default=())


@dataclass(frozen=True, slots=True)
class Revocation:
    """What ends together: consents that renew each other, and the voices that speak by them.

    ``speaking`` are voices that go on by another consent that holds, of a person of that name.
    """

    consents: tuple[Consent, ...]
    voices: tuple[Voice, ...]
    speaking: tuple[Voice, ...]


def can_manage_voices(user: Any) -> bool:
    """Whether ``user`` may add and end voices of persons, and hear their recordings."""
    if user is None:
        return True
    is_staff = user.is_active and user.is_staff
    return bool(is_staff and user.has_perms((*MANAGE, *CONSENT)))


def create_cloned_voice(
    voice: Voice,
    consent: Consent,
    recordings: Sequence[tuple[str, bytes]],
    *,
    user: Any,
    evidence: Evidence | None = None,
) -> Voice:
    """Store a consent, the voice it is for and what it imitates: all of it or nothing.

    ``voice`` and ``consent`` are unsaved rows. ``UploadRefused`` for a recording of no use,
    ``ConflictError`` with the code "same_name" for a name that was given meanwhile,
    ``ValidationError`` by field for the rest.
    """
    _require(user)
    prepared = [references.prepare(name, content) for name, content in recordings]
    if not prepared:
        raise UploadRefused(_("Add at least one recording."), code="recording_missing")
    voice.kind, voice.engine_voice = VoiceKind.CLONED, ""
    recorded: list[str] = []
    with _forgetting(consent, evidence, recorded):
        try:
            with transaction.atomic():
                if not Consent.objects.filter(uid=consent.uid).exists():
                    save_consent(consent, user=user)
                voice.consent = consent
                voice.full_clean()
                voice.save()
                recorded += references.add_recordings(voice, prepared, user=user)
                ref = f"narration.voice:{voice.uid}"
                record("voice_cloned", actor=user, object_ref=ref)
        except IntegrityError as error:
            if _is_taken(voice.name):
                words = _("There is a voice of this name already.")
                raise ConflictError(words, code="same_name") from error
            raise
    return voice


def save_consent(consent: Consent, *, user: Any, evidence: Evidence | None = None) -> Consent:
    """Record a person's word, new; ``ValidationError`` where it is half a word."""
    _require(user)
    with _forgetting(consent, evidence):
        consent.recorded_by = get_actor(user)
        consent.recorded_by_name = get_actor_name(user)
        consent.full_clean()
        with transaction.atomic():
            consent.save(force_insert=True)
            record("consent_recorded", actor=user, object_ref=consents.name_consent(consent))
    return consent


def shorten_consent(consent: Consent, expires_at: datetime, *, user: Any) -> None:
    """Bring its end nearer; the database refuses what would extend it."""
    _require(user)
    with transaction.atomic():
        Consent.objects.filter(pk=consent.pk).update(expires_at=expires_at)
        facts = {"expires_at": expires_at.isoformat()}
        record(
            "consent_shortened", actor=user, object_ref=consents.name_consent(consent), data=facts
        )


def renew_consent(
    old: Consent, new: Consent, *, user: Any, evidence: Evidence | None = None
) -> int:
    """Store the same person's new word, and let all voices of the old one speak by it; how many.

    ``new`` is an unsaved row. Before the old one ends: what has ended is deleted. Where the new one
    is narrower, tracks outside its scope are withdrawn. ``ConflictError`` for what cannot be
    renewed, ``ValidationError`` by field where the new one is half a word.
    """
    _require(user)
    if old.person != new.person:
        raise ConflictError(_("The new consent is another person's."), code="other_person")
    new.renews = old
    with _forgetting(new, evidence), transaction.atomic():
        consents.lock_family(old)
        check_renewable(old)
        save_consent(new, user=user)
        if not Consent.objects.live().filter(pk=new.pk).exists():
            raise ConflictError(_("The new consent has ended already."), code="new_ended")
        count = Voice.objects.filter(consent=old).update(consent=new)
        facts = {"to": consents.name_consent(new), "voices": count}
        facts["withdrawn"] = consents.withdraw_beyond(new, user=user)
        record("consent_renewed", actor=user, object_ref=consents.name_consent(old), data=facts)
    return count


def check_renewable(consent: Consent) -> None:
    """``ConflictError`` unless it holds and some voice speaks by it."""
    if not Consent.objects.live().filter(pk=consent.pk).exists():
        words = _("It has ended, and what was made with it is deleted: nothing can be renewed.")
        raise ConflictError(words, code="consent_ended")
    if not Voice.objects.filter(consent=consent).exists():
        words = _("No voice speaks by it: there is nothing to renew.")
        raise ConflictError(words, code="no_voice")


def revoke_consent(consent: Consent, *, user: Any = None, reason: str = "") -> None:
    """Take a consent back, now and for good: see ``narration.pipeline.consents.revoke``."""
    _require(user)
    consents.revoke(consent, user=user, reason=reason)


def foresee_revocation(consent: Consent) -> Revocation:
    """What ends when this consent is taken back, and what does not."""
    family = list(Consent.objects.family(consent).with_fault().order_by("pk"))
    rows = [row for row in family if row.pk == consent.pk or row.ended_at is None]
    same = Voice.objects.select_related("consent").exclude(consent=None)
    namesakes = Consent.objects.live().filter(person=consent.person)
    return Revocation(
        consents=tuple(rows),
        voices=tuple(same.filter(consent__in=rows)),
        speaking=tuple(same.filter(consent__in=namesakes).exclude(consent__in=family)),
    )


def add_recordings(voice: Voice, recordings: Sequence[tuple[str, bytes]], *, user: Any) -> None:
    """Give a cloned voice more to imitate, as names and contents of files."""
    _require(user)
    if voice.kind != VoiceKind.CLONED:
        raise ConflictError(_("Only a cloned voice imitates recordings."), code="not_cloned")
    prepared: list[Prepared] = [references.prepare(name, content) for name, content in recordings]
    references.add_recordings(voice, prepared, user=user)


def remove_recording(recording: ReferenceRecording, *, user: Any) -> None:
    """Imitate it no more, and delete it."""
    _require(user)
    references.remove_recording(recording, user=user)


def get_recording(uid: Any, *, user: Any) -> ReferenceRecording:
    """A recording, for who manages voices; to everybody else there is none."""
    if not can_manage_voices(user):
        raise NarrationNotFound("There is no such recording.")
    try:
        found = ReferenceRecording.objects.filter(uid=uid).first()
    except (ValidationError, ValueError):
        found = None
    if found is None:
        raise NarrationNotFound("There is no such recording.")
    return found


def list_uses(voices: Sequence[Voice]) -> Uses:
    """What these voices are used in, now."""
    pks, names = [voice.pk for voice in voices], {voice.name for voice in voices}
    segments = Segment.objects.filter(voice__in=pks)
    cast = Narration.objects.filter(pk__in=segments.values("narration"))
    tracks = Track.objects.filter(voices__voice__in=pks)
    published = Narration.objects.filter(published_track__in=tracks.values("pk"))
    heard_in = tracks.filter(withdrawn_at=None).values("narration")
    spoken = Narration.objects.filter(
        Q(pk__in=_find_spoken(segments).values("narration")) | Q(pk__in=heard_in)
    )
    heard = set(published.values_list("pk", flat=True))
    return Uses(
        policies=tuple(_iter_policies(names)),
        texts=tuple(
            _describe(narration, pks, is_published=narration.pk in heard)
            for narration in (cast | spoken).order_by("-pk")[:NAMED]
        ),
        narrations=cast.count(),
        spoken=spoken.count(),
        published=len(heard),
        waiting=Job.objects.active().filter(narration__in=cast).count(),
        withdrawn=tuple(
            tracks.exclude(withdrawn_at=None)
            .select_related("narration__content_type")
            .distinct()
            .order_by("-withdrawn_at")[:NAMED]
        ),
    )


def find_silent_voices(policy: SpeechPolicy) -> dict[str, str]:
    """Voices a policy casts that may not speak where it holds, with the reason in plain words."""
    names = {name for cast in policy.casting.values() for name in cast.values()}
    return consents.find_faults(names, get_scope_chain(policy.scope_key))


def list_castable_voices(scope_chain: Sequence[str]) -> list[Voice]:
    """Voices that texts in these scopes may be cast with now, by name."""
    rows = Voice.objects.filter(retired_at=None).exclude(kind=VoiceKind.HUMAN)
    faults = consents.find_faults([voice.name for voice in rows], scope_chain)
    return [voice for voice in rows if voice.name not in faults]


def list_casting_faults(casting: Mapping[str, Mapping[str, str]]) -> list[str]:
    """What a casting names that cannot be cast anywhere, in plain words, each once."""
    names = {name for roles in casting.values() for name in roles.values() if "\0" not in name}
    voices = {voice.name: voice for voice in Voice.objects.filter(name__in=names)}
    wanted = {(name, tag): None for tag, roles in casting.items() for name in roles.values()}
    faults = (_find_casting_fault(voices.get(name), name, tag) for name, tag in wanted)
    return list(dict.fromkeys(fault for fault in faults if fault))


def _find_casting_fault(voice: Voice | None, name: str, language: str) -> str:
    told = {"voice": name, "language": language}
    if voice is None:
        return _("There is no voice '%(voice)s'.") % told
    if voice.retired_at is not None:
        return _("The voice '%(voice)s' is retired.") % told
    if voice.kind == VoiceKind.HUMAN:
        return _("'%(voice)s' is a person's own recordings and says nothing else.") % told
    try:
        speaks = voice.speaks(language)
    except NarrationError as error:
        return f"{name}: {error}"
    return "" if speaks else _("The voice '%(voice)s' does not speak '%(language)s'.") % told


def list_advice(recording: ReferenceRecording) -> list[str]:
    """What should be better about a recording, with what to do."""
    return references.list_advice(recording)


def _iter_policies(names: set[str]) -> Any:
    for policy in SpeechPolicy.objects.order_by("scope_key"):
        cast = {name for roles in policy.casting.values() for name in roles.values()}
        if cast & names:
            yield policy.scope_key


def _find_spoken(segments: QuerySet[Segment]) -> QuerySet[Segment]:
    """Those whose sound is there."""
    sound = Rendition.objects.usable().filter(digest=OuterRef("utterance_digest"))
    return segments.filter(Exists(sound))


def _describe(narration: Narration, voices: list[int], *, is_published: bool) -> Use:
    obj = narration.source_object
    source = get_source(obj) if obj is not None else None
    segments = Segment.objects.filter(narration=narration, voice__in=voices)
    return Use(
        title=source.get_title(obj, narration.language) if source else str(narration),
        url=source.get_url(obj, narration.language) if source else "",
        language=narration.language,
        sentences=segments.count(),
        spoken=_find_spoken(segments).count(),
        is_published=is_published,
    )


@contextmanager
def _forgetting(
    consent: Consent, evidence: Evidence | None, recorded: Sequence[str] = ()
) -> Iterator[None]:
    """Keep the evidence; where the rows are not stored after all, no file stays without one."""
    stored = _store_evidence(consent, evidence)
    try:
        yield
    except BaseException:
        references.forget(recorded)
        if stored:
            storage.delete(stored)
        raise


def _store_evidence(consent: Consent, evidence: Evidence | None) -> str:
    """Keep the file in private; its storage name, "" where there is none."""
    if evidence is None:
        return ""
    if len(evidence.content) > EVIDENCE_BYTES:
        raise UploadRefused(_("The evidence is bigger than 20 MB."), code="upload_too_big")
    file = storage.write("evidence", str(consent.uid), "bin", evidence.content)
    consent.evidence_file, consent.evidence_sha256 = file.name, file.sha256
    consent.evidence_size, consent.evidence_name = file.size, evidence.name[:200]
    return file.name


def _require(user: Any) -> None:
    if not can_manage_voices(user):
        raise NotAllowed("You may not manage voices.")


def _is_taken(name: str) -> bool:
    return Voice.objects.filter(name=name).exists()
