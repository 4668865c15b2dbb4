"""Who asked is told how it ended: once on their pages, and once by e-mail where a setting says so.

Previews and plans tell nobody: who asked for one is looking at it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.contrib.auth import get_user_model
from django.db import transaction
from django.db.models import (
    Count,
    F,
    Max,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    prefetch_related_objects,
)
from django.db.models.functions import Now
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from narration.models import ACTIVE_STATES, Event, Job, JobKind, JobState
from narration.pipeline.explanations import explain_job
from narration.pipeline.plainly import advise
from narration.sources import get_source

#: How long somebody who was away is told.
DAYS = 3
#: How many jobs one mail takes in; more are told by the next.
MOST = 5000
#: How many narrations a group names.
NAMED = 5
OUTCOMES: dict[str, str] = {
    JobState.DONE: "ready",
    JobState.PARTIAL: "failed",
    JobState.FAILED: "failed",
    JobState.QUARANTINED: "failed",
    JobState.CANCELLED: "cancelled",
}
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
    """``count`` jobs that ended alike, the last one at ``until``; ``named`` are the newest."""

    outcome: str
    kind: str
    text: str
    count: int
    until: datetime
    named: tuple[Told, ...]

    @property
    def left(self) -> int:
        """How many are not named."""
        return self.count - len(self.named)


@dataclass(frozen=True, slots=True)
class _Group:
    count: int
    until: datetime
    newest: Sequence[Job]


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
    untold = find_untold(user)
    rows = untold.order_by().values("state").annotate(jobs=Count("pk"), until=Max("finished_at"))
    found = [(OUTCOMES[row["state"]], row["jobs"], row["until"]) for row in rows]
    groups = {}
    for outcome in {outcome for outcome, _jobs, _until in found}:
        counts = [(jobs, until) for each, jobs, until in found if each == outcome]
        groups[outcome] = _Group(
            count=sum(jobs for jobs, _until in counts),
            until=max(until for _jobs, until in counts),
            newest=list(untold.filter(state__in=_list_states(outcome))[:NAMED]),
        )
    return _build_notices(groups)


def dismiss(user: Any, outcome: str, until: datetime) -> int:
    """Tell ``user`` no more of jobs that ended so, up to that moment; how many there were."""
    mine = Job.objects.filter(requested_by=user, state__in=_list_states(outcome), noticed_at=None)
    return mine.filter(finished_at__lte=until).update(noticed_at=Now())


def group_jobs(jobs: Sequence[Job]) -> list[Notice]:
    """Notices about these jobs, of which the newest come first."""
    groups: dict[str, list[Job]] = {}
    for job in jobs:
        groups.setdefault(OUTCOMES[job.state], []).append(job)
    return _build_notices(
        {
            outcome: _Group(len(rows), rows[0].finished_at or timezone.now(), rows[:NAMED])
            for outcome, rows in groups.items()
        }
    )


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
        jobs = [job for job in find_untold(user)[:MOST] if job.pk not in mailed]
        if jobs:
            _record_mail("requester_mailed", user, jobs)
    return jobs


def give_back_mail(user: Any, jobs: Sequence[Job]) -> None:
    """A mail did not leave: the next one tells of these jobs too."""
    with transaction.atomic():
        _record_mail("mail_failed", user, jobs)


def _load_mailed(user: Any) -> set[int]:
    events = Event.objects.filter(
        kind__in=("requester_mailed", "mail_failed"),
        actor=user,
        at__gte=Now() - timedelta(days=DAYS + 1),
    )
    mailed: set[int] = set()
    for kind, data in events.order_by("pk").values_list("kind", "data"):
        keys = set(data.get("jobs", ()))
        mailed = mailed | keys if kind == "requester_mailed" else mailed - keys
    return mailed


def _record_mail(kind: str, user: Any, jobs: Sequence[Job]) -> None:
    Event.objects.create(
        kind=kind,
        actor=user,
        actor_name=user.get_username(),
        data={"jobs": [job.pk for job in jobs]},
    )


def _list_states(outcome: str) -> list[str]:
    return [state for state, each in OUTCOMES.items() if each == outcome]


def _build_notices(groups: Mapping[str, _Group]) -> list[Notice]:
    """In the order of ``KINDS``; all titles are read at once."""
    narrations = [job.narration for group in groups.values() for job in group.newest]
    present = [narration for narration in narrations if narration is not None]
    prefetch_related_objects(present, "source_object", "content_type")
    return [_build_notice(each, groups[each]) for each in KINDS if each in groups]


def _build_notice(outcome: str, group: _Group) -> Notice:
    named = tuple(_tell(job) for job in group.newest)
    title, reason = (named[0].title, named[0].reason) if named else ("", "")
    return Notice(
        outcome=outcome,
        kind=KINDS[outcome],
        text=summarise(outcome, group.count, title, reason),
        count=group.count,
        until=group.until,
        named=named,
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
