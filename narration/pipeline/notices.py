"""Who asked is told how it ended: once on their pages, and once by e-mail where a setting says so.

Previews and plans tell nobody: who asked for one is looking at it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.contrib.auth import get_user_model
from django.db import transaction
from django.db.models import F, OuterRef, Q, QuerySet, Subquery, prefetch_related_objects
from django.db.models.functions import Now
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from narration.models import ACTIVE_STATES, Event, Job, JobKind, JobState
from narration.pipeline.plainly import advise
from narration.pipeline.states import explain_job
from narration.sources import get_source

#: How long somebody who was away is told.
DAYS = 3
#: How many jobs one look takes in; more are told at the next.
MOST = 500
#: How many narrations a group names.
NAMED = 5
ENDED_BADLY = (JobState.PARTIAL, JobState.FAILED, JobState.QUARANTINED)
#: Outcomes in the order they are told, with what a notice looks like (``data-kind``).
KINDS = {"failed": "bad", "cancelled": "warn", "ready": "ok"}


@dataclass(frozen=True, slots=True)
class Told:
    """One job that ended: what it narrated and why it ended so."""

    title: str
    url: str
    source: str
    object_id: str
    language: str
    reason: str
    advice: str


@dataclass(frozen=True, slots=True)
class Notice:
    """Jobs that ended alike, as one message. ``named`` are the newest of them."""

    outcome: str
    kind: str
    text: str
    named: tuple[Told, ...]
    uids: tuple[Any, ...]

    @property
    def left(self) -> int:
        """How many are not named."""
        return len(self.uids) - len(self.named)


def find_untold(user: Any) -> QuerySet[Job]:
    """Ended narrations of ``user`` in the last days that no page has told of, newest first.

    Not those they cancelled themselves, nor those an equal job made needless.
    """
    # The first of these events is by who wished it; the last is by who asked for the job.
    ends = Event.objects.filter(job=OuterRef("pk"), kind__in=("cancel_requested", "job_cancelled"))
    own = Q(state=JobState.CANCELLED, canceller=F("requested_by"))
    return (
        Job.objects.filter(
            requested_by=user,
            kind=JobKind.NARRATE,
            noticed_at=None,
            finished_at__gte=Now() - timedelta(days=DAYS),
        )
        .exclude(state__in=ACTIVE_STATES)
        .exclude(error_code="superseded")
        .annotate(canceller=Subquery(ends.order_by("pk").values("actor")[:1]))
        .exclude(own & Q(canceller__isnull=False))
        .select_related("narration")
        .order_by("-finished_at")
    )


def list_notices(user: Any) -> list[Notice]:
    """One notice for each way of ending; one query where there is nothing to tell."""
    if user is None or not user.is_authenticated:
        return []
    return build_notices(list(find_untold(user)[:MOST]))


def dismiss(user: Any, uids: Iterable[Any]) -> int:
    """Tell no more of these jobs of ``user``."""
    mine = Job.objects.filter(requested_by=user, uid__in=list(uids)[:MOST], noticed_at=None)
    return mine.exclude(state__in=ACTIVE_STATES).update(noticed_at=Now())


def build_notices(jobs: Sequence[Job]) -> list[Notice]:
    """Group ended jobs by outcome, what needs somebody first; names the newest of each group."""
    groups = {outcome: [j for j in jobs if _get_outcome(j) == outcome] for outcome in KINDS}
    narrations = [
        job.narration for group in groups.values() for job in group[:NAMED] if job.narration
    ]
    prefetch_related_objects(narrations, "source_object", "content_type")
    return [_build_notice(outcome, group) for outcome, group in groups.items() if group]


def summarise(outcome: str, count: int, title: str, reason: str) -> str:
    """One sentence for a group; a single job is named, with its reason."""
    if count == 1:
        return _summarise_one(outcome, title, reason)
    if outcome == "ready":
        words = ngettext("%(count)d narration is ready.", "%(count)d narrations are ready.", count)
    elif outcome == "cancelled":
        words = ngettext(
            "%(count)d narration was cancelled.", "%(count)d narrations were cancelled.", count
        )
    else:
        words = ngettext(
            "%(count)d narration could not be finished.",
            "%(count)d narrations could not be finished.",
            count,
        )
    return words % {"count": count}


def take_for_mail(user: Any) -> list[Job]:
    """The ended jobs a mail to ``user`` tells of now, marked as mailed; none while some of theirs
    still wait or work, so that a thousand requests are one mail.

    The user's row is locked, so that two jobs ending together are not mailed twice.
    """
    with transaction.atomic():
        get_user_model()._default_manager.select_for_update().get(pk=user.pk)  # noqa: SLF001
        active = Job.objects.active().filter(requested_by=user, kind=JobKind.NARRATE)
        if active.exists():
            return []
        mailed = _load_mailed(user)
        jobs = [job for job in find_untold(user)[:MOST] if str(job.uid) not in mailed]
        if jobs:
            _record_mail("requester_mailed", user, jobs)
    return jobs


def give_back_mail(user: Any, jobs: Sequence[Job]) -> None:
    """A mail did not leave: the next one tells of these jobs too."""
    with transaction.atomic():
        _record_mail("mail_failed", user, jobs)


def _load_mailed(user: Any) -> set[str]:
    events = Event.objects.filter(
        kind__in=("requester_mailed", "mail_failed"),
        actor=user,
        at__gte=Now() - timedelta(days=DAYS + 1),
    )
    mailed: set[str] = set()
    for kind, data in events.order_by("pk").values_list("kind", "data"):
        uids = set(data.get("jobs", ()))
        mailed = mailed | uids if kind == "requester_mailed" else mailed - uids
    return mailed


def _record_mail(kind: str, user: Any, jobs: Sequence[Job]) -> None:
    Event.objects.create(
        kind=kind,
        actor=user,
        actor_name=user.get_username(),
        data={"jobs": [str(job.uid) for job in jobs]},
    )


def _get_outcome(job: Job) -> str:
    if job.state == JobState.DONE:
        return "ready"
    return "failed" if job.state in ENDED_BADLY else "cancelled"


def _build_notice(outcome: str, jobs: Sequence[Job]) -> Notice:
    named = tuple(_tell(job) for job in jobs[:NAMED])
    first = named[0]
    return Notice(
        outcome=outcome,
        kind=KINDS[outcome],
        text=summarise(outcome, len(jobs), first.title, first.reason),
        named=named,
        uids=tuple(job.uid for job in jobs),
    )


def _tell(job: Job) -> Told:
    """What is told of a job; an object that is gone has no page."""
    narration = job.narration
    obj = narration.source_object if narration is not None else None
    reason = explain_job(job.error_code) if job.error_code else ""
    if narration is None or obj is None:
        title = _("something that was deleted")
        return Told(title, "", "", "", "", reason, advise(job.error_code))
    source = get_source(obj)
    return Told(
        title=source.get_title(obj, narration.language),
        url=source.get_url(obj, narration.language),
        source=obj._meta.label_lower,
        object_id=str(obj.pk),
        language=narration.language,
        reason=reason,
        advice=advise(job.error_code),
    )


def _summarise_one(outcome: str, title: str, reason: str) -> str:
    if outcome == "ready":
        return _("The narration of “%(title)s” is ready.") % {"title": title}
    if outcome == "cancelled":
        return _("The narration of “%(title)s” was cancelled.") % {"title": title}
    if not reason:
        return _("The narration of “%(title)s” could not be finished.") % {"title": title}
    words = _("The narration of “%(title)s” could not be finished: %(reason)s")
    return words % {"title": title, "reason": reason}
