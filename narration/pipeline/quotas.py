"""Quotas: how much a person, a course and a single run may have spoken. Kept in the database.

``SpeechPolicy.quotas`` of the nearest scope that names a limit holds; without one there is none.
What a request is refused for is known before anything is spoken.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django.db import transaction
from django.db.models import Sum
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from narration.exceptions import QuotaExceeded
from narration.models import Job, JobKind, JobState, SpeechPolicy, UsageDay
from narration.sources import INSTALLATION, get_source

#: In a running job's payload: how many characters it will have spoken when it ends.
RESERVED = "characters_until"

_TOO_MANY_YOURS = _(
    "You have %(limit)d narrations waiting, as many as you may: ask again when some are made."
)
_TOO_MANY_HERE = _(
    "%(limit)d narrations of this course are waiting, as many as may: ask again when some are made."
)
_TOO_MUCH_YOURS = _(
    "You may have %(limit)d characters spoken a day, and this would be more: go on tomorrow."
)
_TOO_MUCH_HERE = _(
    "This course may have %(limit)d characters spoken a day, and this would be more:"
    " go on tomorrow."
)


def get_quota_scope(scope_chain: Sequence[str]) -> str:
    """The scope whose quotas count a job: the widest below the installation, such as a course."""
    return next((key for key in reversed(scope_chain) if key != INSTALLATION), INSTALLATION)


def merge_quotas(policies: Sequence[SpeechPolicy]) -> dict[str, int]:
    """The limits of a scope from its policies, nearest first."""
    merged: dict[str, int] = {}
    for policy in reversed(policies):
        merged.update(policy.quotas)
    return merged


class QuotaCheck:
    """Whether a person may ask for more: counted once, however many they ask for together.

    Belongs into the transaction that creates the jobs: requests that come together are counted one
    after the other.
    """

    def __init__(self, actor: Any):
        self._actor = actor
        rows = SpeechPolicy.objects.exclude(quotas={}).order_by("pk").select_for_update()
        self._policies = {policy.scope_key: policy for policy in rows}
        self._waiting: dict[str, int] = {}
        self._is_day_open: set[tuple[str, tuple[str, ...]]] = set()

    def allow(self, scope_chain: Sequence[str], scope_key: str) -> None:
        """Count one more narration; ``QuotaExceeded`` when it may not be asked for now."""
        named = tuple(key for key in scope_chain if key in self._policies)
        if not named:
            return
        limits = merge_quotas([self._policies[key] for key in named])
        counted = []
        if self._actor is not None and "queued_jobs_per_user" in limits:
            mine = self._count("", requested_by=self._actor)
            _refuse_beyond(limits["queued_jobs_per_user"], mine + 1, _TOO_MANY_YOURS)
            counted.append("")
        if "queued_jobs" in limits:
            here = self._count(f"scope {scope_key}", scope_key=scope_key)
            _refuse_beyond(limits["queued_jobs"], here + 1, _TOO_MANY_HERE)
            counted.append(f"scope {scope_key}")
        if (scope_key, named) not in self._is_day_open:
            _check_day(limits, actor=self._actor, scope_key=scope_key, characters=1)
            self._is_day_open.add((scope_key, named))
        for key in counted:
            self._waiting[key] += 1

    def _count(self, key: str, **narrowed: Any) -> int:
        if key not in self._waiting:
            jobs = Job.objects.active().filter(kind=JobKind.NARRATE, **narrowed)
            self._waiting[key] = jobs.count()
        return self._waiting[key]


def check_preview(scope_chain: Sequence[str], *, actor: Any, characters: int) -> None:
    """``QuotaExceeded`` when a preview of so many characters is more than today allows."""
    _check_day(
        load_limits(scope_chain),
        actor=actor,
        scope_key=get_quota_scope(scope_chain),
        characters=characters,
    )


def check_run(job: Job, characters: int) -> None:
    """``QuotaExceeded`` when what a planned job is about to speak is more than it may.

    What it may is reserved until it ends, so that jobs side by side share a day.
    """
    obj = job.narration.source_object if job.narration is not None else None
    if obj is None or not characters:
        return
    chain = get_source(obj).get_scope_chain(obj)
    limits = load_limits(chain)
    if characters > limits.get("characters_a_run", characters):
        words = f"{characters} characters, and a run may speak {limits['characters_a_run']}."
        raise QuotaExceeded(words, code="quota_run")
    with transaction.atomic():
        _wait_for_others(chain)
        actor, scope_key = job.requested_by, job.scope_key
        _check_day(limits, actor=actor, scope_key=scope_key, characters=characters, own=job.pk)
        mine = Job.objects.filter(pk=job.pk, lease_token=job.lease_token)
        until = mine.values_list("characters", flat=True).first()
        mine.update(payload={**job.payload, RESERVED: (until or 0) + characters})


def _wait_for_others(scope_chain: Sequence[str]) -> None:
    """Jobs that begin together are measured one after the other (SQLite has one writer anyway)."""
    rows = SpeechPolicy.objects.filter(scope_key__in=scope_chain).order_by("pk")
    list(rows.select_for_update().values_list("pk", flat=True))


def load_limits(scope_chain: Sequence[str]) -> dict[str, int]:
    """The limits that hold in a scope, nearest first; one query."""
    found = {row.scope_key: row for row in SpeechPolicy.objects.filter(scope_key__in=scope_chain)}
    return merge_quotas([found[key] for key in scope_chain if key in found])


def _check_day(
    limits: Mapping[str, int],
    *,
    actor: Any,
    scope_key: str,
    characters: int,
    own: int = 0,
) -> None:
    today = UsageDay.objects.filter(day=timezone.localdate())
    running = Job.objects.filter(kind=JobKind.NARRATE, state=JobState.RUNNING).exclude(pk=own)
    if actor is not None and "characters_a_day_per_user" in limits:
        spoken = _sum(today.filter(user=actor)) + _sum_reserved(running.filter(requested_by=actor))
        limit = limits["characters_a_day_per_user"]
        _refuse_beyond(limit, spoken + characters, _TOO_MUCH_YOURS, code="quota_day")
    if "characters_a_day" in limits:
        spoken = _sum(today.filter(scope_key=scope_key))
        spoken += _sum_reserved(running.filter(scope_key=scope_key))
        limit = limits["characters_a_day"]
        _refuse_beyond(limit, spoken + characters, _TOO_MUCH_HERE, code="quota_day")


def _sum_reserved(jobs: Any) -> int:
    """What running jobs may still speak; as many rows as there are workers' seats."""
    rows = jobs.values_list("payload", "characters")
    return sum(max(payload.get(RESERVED, 0) - spoken, 0) for payload, spoken in rows)


def _sum(days: Any) -> int:
    return int(days.aggregate(total=Sum("characters"))["total"] or 0)


def _refuse_beyond(limit: int, count: int, words: Any, code: str = "quota_queue") -> None:
    if count > limit:
        raise QuotaExceeded(str(words) % {"limit": limit}, code=code)
