"""Narrations beside their states, in a number of queries that does not grow with the page."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from django.db.models import QuerySet, prefetch_related_objects

from narration import api


@dataclass(frozen=True, slots=True)
class DescribedNarration:
    """What ``NarrationSerializer`` shows; ``work`` is None for who may only listen."""

    uid: UUID
    source: str
    object_id: str
    language: str
    is_published: bool
    duration_ms: int
    work: api.NarrationState | None


def filter_narrations(
    user: Any,
    *,
    source: str = "",
    object_id: str = "",
    language: str = "",
    state: str = "",
    **_paging: Any,
) -> QuerySet[Any]:
    """The narrations ``user`` may listen to, narrowed; by ``state``, those they may narrate."""
    narrations = api.list_narrations(user=user)
    if source:
        app, _separator, model = source.partition(".")
        narrations = narrations.filter(content_type__app_label=app, content_type__model=model)
    if object_id:
        narrations = narrations.filter(object_id=object_id)
    if language:
        narrations = narrations.filter(language=language)
    return _filter_by_state(narrations, user, state) if state else narrations


def describe(narrations: Iterable[Any], user: Any) -> list[DescribedNarration]:
    """These rows beside their states, in their order."""
    rows = list(narrations)
    prefetch_related_objects(rows, "source_object", "content_type")
    states = _get_states(rows)
    mine = api.list_narrations(user=user, action="narrate").filter(pk__in=[row.pk for row in rows])
    narratable = set(mine.values_list("pk", flat=True))
    flagged = api.count_flagged(row for row in rows if row.pk in narratable)
    for key, count in flagged.items():
        if key in states:
            states[key] = replace(states[key], flagged=count)
    return [_describe(row, states.get(row.pk), row.pk in narratable) for row in rows]


def _filter_by_state(narrations: QuerySet[Any], user: Any, state: str) -> QuerySet[Any]:
    """A state is read from several rows, so the narrowed list is gone through as a whole."""
    rows = list(narrations)
    shown = zip(rows, describe(rows, user), strict=True)
    keys = [row.pk for row, each in shown if each.work is not None and each.work.status == state]
    return narrations.filter(pk__in=keys)


def _describe(row: Any, state: Any, is_narratable: bool) -> DescribedNarration:
    track = row.published_track
    return DescribedNarration(
        uid=row.uid,
        source=f"{row.content_type.app_label}.{row.content_type.model}",
        object_id=row.object_id,
        language=row.language,
        is_published=track is not None,
        duration_ms=track.duration_ms if track is not None else 0,
        work=state if is_narratable else None,
    )


def _get_states(rows: list[Any]) -> dict[int, Any]:
    """States by narration; the objects of each model are asked for at once."""
    by_type: dict[int, list[Any]] = defaultdict(list)
    for row in rows:
        if row.source_object is not None:
            by_type[row.content_type_id].append(row)
    found = {}
    for group in by_type.values():
        objects = {row.object_id: row.source_object for row in group}
        states = api.states_for(objects.values())
        for row in group:
            found[row.pk] = states.get(row.source_object.pk, {}).get(row.language)
    return found
