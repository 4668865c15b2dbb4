"""Asking for many narrations at once."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from django.contrib.contenttypes.models import ContentType
from django.db import models
from django.utils.translation import gettext as _

from narration.api.narrations import EDITION
from narration.exceptions import NarrationError, NotAllowed
from narration.models import Job, Narration, iter_chunks
from narration.pipeline import requests
from narration.sources import get_source


@dataclass(frozen=True, slots=True)
class Refusal:
    """An object that is not narrated in a language ("" for all), and why."""

    obj: models.Model
    language: str
    error: NarrationError


@dataclass(frozen=True, slots=True)
class Requested:
    """What became of a request for many: the jobs that serve it, and what was refused."""

    jobs: list[Job]
    refused: list[Refusal]


def request_narrations(
    objects: Iterable[models.Model],
    *,
    languages: Sequence[str] = (),
    user: Any = None,
    publish: bool = False,
    priority: int = 0,
) -> Requested:
    """Ask for many objects of one model at once, in these languages or in all they have.

    As ``request_narration`` for each, in a few dozen queries for a thousand. Nothing is raised:
    what was refused is told with its reason, and the rest is served.
    """
    rows = list(objects)
    result = Requested([], [])
    if not rows:
        return result
    source = get_source(rows[0])
    allowed = _find_allowed(rows, user, "publish" if publish else "narrate")
    stranger = NotAllowed(_("You may not do this."))
    result.refused.extend(Refusal(row, "", stranger) for row in rows if row.pk not in allowed)
    rows = [row for row in rows if row.pk in allowed]
    named = languages or sorted({tag for row in rows for tag in source.get_languages(row)})
    wishes = [wish for language in named for wish in _wish_all(rows, language)]
    outcomes = requests.request_jobs(wishes, user=user, publish=publish, priority=priority)
    for wish, outcome in zip(wishes, outcomes, strict=True):
        if isinstance(outcome, NarrationError):
            result.refused.append(Refusal(wish.obj, wish.narration.language, outcome))
        else:
            result.jobs.append(outcome)
    return result


def _find_allowed(rows: Sequence[models.Model], user: Any, action: str) -> set[Any]:
    """The keys of those objects on which ``user`` may do ``action``."""
    keys = [row.pk for row in rows]
    if user is None:
        return set(keys)
    visible = get_source(rows[0]).visible_to(user, action)
    return {
        pk
        for chunk in iter_chunks(keys)
        for pk in visible.filter(pk__in=chunk).values_list("pk", flat=True)
    }


def _wish_all(rows: Sequence[models.Model], language: str) -> list[requests.Wish]:
    """A wish for every object that has a text in this language; its narration made if need be."""
    versions = get_source(rows[0]).get_versions(rows, language)
    wanted = [row for row in rows if row.pk in versions]
    narrations = _get_or_create_all(wanted, language)
    return [requests.Wish(narrations[str(row.pk)], row, versions[row.pk]) for row in wanted]


def _get_or_create_all(rows: Sequence[models.Model], language: str) -> dict[str, Narration]:
    """Narrations by object key."""
    if not rows:
        return {}
    same: dict[str, Any] = {
        "content_type": ContentType.objects.get_for_model(rows[0]),
        "language": language,
        "edition": EDITION,
    }

    # Events name each by its type, which would be asked for one by one.
    rows_of = Narration.objects.filter(**same).select_related("content_type")

    def find() -> dict[str, Narration]:
        return {
            narration.object_id: narration
            for chunk in iter_chunks(str(row.pk) for row in rows)
            for narration in rows_of.filter(object_id__in=chunk)
        }

    found = find()
    new = [Narration(object_id=str(row.pk), **same) for row in rows if str(row.pk) not in found]
    if new:
        Narration.objects.bulk_create(new, batch_size=200, ignore_conflicts=True)
        found = find()
    return found
