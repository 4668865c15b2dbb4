"""Files and a site that both go on: what an import may write, and what somebody decided here.

For every item there are three values: here, in the files, and in the files at the last import.
Of the last only digests are kept, in an event: without it (it may be scrubbed) whatever differs
counts as decided here, so that the worst that can happen is a conflict that is none.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from narration.models import Event
from narration.pipeline.events import record
from narration.pipeline.incoming import Item

KIND = "wording_imported"


@dataclass(slots=True)
class Merge:
    """What is to be written, what stays because it was decided here, and what to remember."""

    writes: dict[Item, Any] = field(default_factory=dict)
    conflicts: list[Item] = field(default_factory=list)
    base: dict[str, str] = field(default_factory=dict)


def merge(
    here: Mapping[Item, Any],
    files: Mapping[Item, Any],
    base: Mapping[str, str],
    *,
    force: bool = False,
) -> Merge:
    """Items of the files over those here; what only stands here stays."""
    found = Merge()
    for item, value in files.items():
        name, now = digest(item), digest(value)
        before = base.get(name)
        if item in here and here[item] == value:
            found.base[name] = now
        elif force or _is_untouched(here, item, before):
            found.writes[item] = value
            found.base[name] = now
        elif before is not None:
            found.base[name] = before
        if name not in found.base or (found.base[name] != now):
            found.conflicts.append(item)
    return found


def _is_untouched(here: Mapping[Item, Any], item: Item, before: str | None) -> bool:
    return digest(here[item]) == before if item in here else before is None


def keep_known(items: Mapping[Item, Any], base: Mapping[str, str]) -> dict[Item, Any]:
    """Those that the last import brought."""
    return {item: value for item, value in items.items() if digest(item) in base}


def digest(value: Any) -> str:
    """A short name of an item or a value: enough to tell whether it changed."""
    content = json.dumps(value, ensure_ascii=True, sort_keys=True)
    return hashlib.sha256(content.encode()).hexdigest()[:16]


def load_base(place: str) -> dict[str, str]:
    """What the last import wrote in a place (a scope key, or a narration)."""
    event = Event.objects.filter(kind=KIND, object_ref=place).order_by("-pk").first()
    items = event.data.get("items", {}) if event is not None else {}
    return items if isinstance(items, dict) else {}


def keep_base(place: str, before: Mapping[str, str], found: Merge, user: Any) -> None:
    """Remember it, where anything is new."""
    if found.base and dict(before) != found.base:
        record(KIND, actor=user, data={"items": found.base}, object_ref=place)
