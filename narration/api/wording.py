"""How things are said, by scope: lexicon, policies, and what a change of them would do."""

from __future__ import annotations

from typing import Any

from django.db import IntegrityError, models, transaction
from django.utils.translation import gettext as _

from narration import permissions
from narration.api.narrations import find_narration
from narration.api.scopes import is_scope
from narration.exceptions import ConflictError, NarrationNotFound, NotAllowed
from narration.manifests import build_media_url
from narration.models import Job, LexiconEntry, Narration, Segment, SpeechPolicy, Voice
from narration.pipeline import blast, explain, plans, previews, quotas, requests
from narration.pipeline.blast import BlastRadius
from narration.pipeline.casting import NO_AMENDMENT, Amendment
from narration.pipeline.changes import Change, EntryChange, PolicyChange, VoiceChange
from narration.pipeline.events import record
from narration.sources import INSTALLATION, get_source, get_sources

#: A plan of 300 sentences takes 0.1 to 0.3 s: more of them do not belong into a request.
REFRESHED_AT_ONCE = 8
_PERMISSIONS = ("narration.change_lexiconentry", "narration.change_speechpolicy")


def build_blast_radius(change: Change, *, user: Any = None) -> BlastRadius:
    """What a change would do, from stored plans; nothing is written and no engine is asked."""
    _require_scopes(change, user)
    return blast.build_blast_radius(change)


def apply_change(change: Change, *, user: Any = None) -> BlastRadius:
    """Make a change and refresh exactly the plans it reaches; what it did.

    Narrations whose published track speaks otherwise now are out of date, told once. The refresh
    of every plan is asked for in the transaction that makes the change, so that whatever dies
    afterwards it is done; the first ``REFRESHED_AT_ONCE`` are done here at once.
    ``ConflictError`` when somebody changed the row meanwhile or there is one for the same already.
    """
    _require_scopes(change, user)
    planned = blast.list_planned(change)
    radius = blast.build_blast_radius(change)
    narrations = [reached.narration for reached in radius.narrations]
    with transaction.atomic():
        try:
            with transaction.atomic():
                change.save()
        except IntegrityError as error:
            words = _("There is an entry for this word already.")
            if not isinstance(change, EntryChange):
                words = _("Somebody changed this meanwhile. Look at it again.")
            raise ConflictError(words, code="duplicate_entry") from error
        record("wording_changed", actor=user, data=_describe(change, radius))
        # What was planned while we counted was planned without the change.
        since = {pk for pk, at in blast.list_planned(change).items() if at != planned.get(pk)}
        since -= {narration.pk for narration in narrations}
        jobs = requests.request_refreshes(
            [*narrations, *Narration.objects.filter(pk__in=since)], user=user
        )
    for narration in narrations[:REFRESHED_AT_ONCE]:
        if narration.pk in jobs:
            plans.refresh_plan(narration)
            requests.end_refresh(jobs[narration.pk])
    return radius


def change_entry(
    entry: LexiconEntry, *, before: LexiconEntry | None = None, removes: bool = False
) -> EntryChange:
    """The change that stores (or removes) an entry, saved before or new.

    With ``before``, the row as it was looked at, it is refused when the row is another by then.
    Without, an entry of a scope that is gone may be moved: nothing there says it any more.
    """
    if before is None and entry.pk:
        before = LexiconEntry.objects.filter(pk=entry.pk).first()
        if before is not None and not is_scope(before.scope_key):
            before = None
    return EntryChange(entry, before, removes)


def change_policy(policy: SpeechPolicy, *, before: SpeechPolicy | None = None) -> PolicyChange:
    """The change that stores a policy; ``before`` as for an entry."""
    if before is None or before.pk is None:
        before = SpeechPolicy.objects.filter(scope_key=policy.scope_key).first()
    return PolicyChange(policy, before)


def change_voice(voice: Voice) -> VoiceChange:
    """The change that stores a voice."""
    return VoiceChange(voice)


def can_edit_wording(scope_key: str, *, user: Any) -> bool:
    """Whether ``user`` may change how things are said in a scope."""
    if user is None:
        return True
    if user.is_active and user.is_staff and user.has_perms(_PERMISSIONS):
        return is_scope(scope_key)
    return scope_key != INSTALLATION and any(
        source.can_edit_scope(user, scope_key) for source in get_sources()
    )


def list_entries(scope_key: str, *, user: Any) -> models.QuerySet[LexiconEntry]:
    """A scope's own entries, by grapheme."""
    _require_scope(scope_key, user)
    return LexiconEntry.objects.filter(scope_key=scope_key).order_by("language", "grapheme", "pk")


def get_policy(scope_key: str, *, user: Any) -> SpeechPolicy:
    """A scope's own policy, unsaved and empty where it has none."""
    _require_scope(scope_key, user)
    found = SpeechPolicy.objects.filter(scope_key=scope_key).first()
    return found or SpeechPolicy(scope_key=scope_key)


def get_scope_chain(scope_key: str) -> list[str]:
    """The scope and the wider ones around it, nearest first."""
    for source in get_sources():
        obj = source.find_in_scope(scope_key).first() if scope_key else None
        if obj is not None:
            chain = list(source.get_scope_chain(obj))
            return chain[chain.index(scope_key) :] if scope_key in chain else [scope_key, ""]
    return [scope_key, INSTALLATION] if scope_key else [INSTALLATION]


def get_scope_language(scope_key: str) -> str:
    """The main language of what stands in a scope; "" where nothing does."""
    for source in get_sources():
        obj = source.find_in_scope(scope_key).first() if scope_key else None
        if obj is not None:
            return next(iter(source.get_languages(obj)), "")
    return ""


def get_own_scope(obj: models.Model) -> str:
    """The scope key that is the object's own: the nearest of its chain."""
    return str(get_source(obj).get_scope_chain(obj)[0])


def request_audition(
    text: str, *, language: str, scope_key: str, user: Any, change: Change | None = None
) -> Job:
    """Ask to hear ``text`` as a scope says it, with a change that is not made yet.

    The job goes before every narration. ``NarrationError`` when there is nothing to say.
    """
    _require_scope(scope_key, user)
    amendment: Amendment = change or NO_AMENDMENT
    chain = get_scope_chain(scope_key)
    segment = previews.plan_preview(text, language, chain, amendment)
    actor = permissions.get_actor(user)
    quotas.check_preview(chain, actor=actor, characters=len(segment.spoken.text))
    return previews.request_preview(segment, user=user, scope_key=quotas.get_quota_scope(chain))


def find_audition_url(job: Job) -> str:
    """Where the sound of an audition is served to its requester; "" while it is not made."""
    rendition = previews.find_preview_sound(job)
    return build_media_url("renditions", rendition.storage_name) if rendition else ""


def explain_sentence(
    obj: models.Model, *, language: str, number: int, user: Any = None
) -> explain.Explanation:
    """Why sentence ``number`` (from 1) of the newest plan is said like that."""
    if not permissions.can(user, "narrate", obj):
        raise NotAllowed(_("You may not do this."))
    narration = find_narration(obj, language=language)
    segment = (
        Segment.objects.filter(narration=narration, position=number - 1)
        .select_related("voice")
        .first()
    )
    if narration is None or segment is None:
        raise NarrationNotFound(_("There is no such sentence."))
    return explain.explain_segment(narration, obj, segment)


def _require_scopes(change: Change, user: Any) -> None:
    if isinstance(change, VoiceChange):
        if user is not None and not user.has_perm("narration.change_voice"):
            raise NotAllowed(_("You may not change voices."))
        return
    for key in change.scope_keys:
        _require_scope(key, user)


def _require_scope(scope_key: str, user: Any) -> None:
    if not can_edit_wording(scope_key, user=user):
        raise NotAllowed(_("You may not change how things are said here."))


def _describe(change: Change, radius: BlastRadius) -> dict[str, Any]:
    """Numbers and scopes; no lesson text."""
    return {
        "kind": type(change).__name__,
        "scopes": sorted(change.scope_keys),
        "narrations": len(radius.narrations),
        "sentences": radius.sentences,
        "utterances": radius.utterances,
    }
