"""Events: written in the transaction of the change they tell of."""

from __future__ import annotations

from typing import Any

from narration.models import Event, Job, Narration, get_actor_name
from narration.permissions import get_actor


def record(
    kind: str,
    *,
    narration: Narration | None = None,
    job: Job | None = None,
    actor: Any = None,
    data: dict[str, Any] | None = None,
    object_ref: str = "",
) -> None:
    """Append one event; call it inside the transaction that makes it true. No lesson text in it.

    ``object_ref`` names what it is about where that is no narration.
    """
    event = build_event(kind, narration=narration, job=job, actor=actor, data=data)
    event.object_ref = event.object_ref or object_ref
    event.save(force_insert=True)


def build_event(
    kind: str,
    *,
    narration: Narration | None = None,
    job: Job | None = None,
    actor: Any = None,
    data: dict[str, Any] | None = None,
) -> Event:
    """An event that is not written yet, for many at once."""
    return Event(
        kind=kind,
        narration=narration,
        object_ref=str(narration) if narration is not None else "",
        job=job,
        actor=get_actor(actor),
        actor_name=get_actor_name(actor),
        data=data or {},
    )
