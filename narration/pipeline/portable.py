"""Wording that travels: a scope's lexicon and policy, an object's overrides, as plain data."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from narration.models import (
    LexiconEntry,
    Narration,
    Override,
    SpeechPolicy,
    Voice,
    get_actor_name,
)
from narration.permissions import get_actor
from narration.pipeline.around import (
    MOST_AROUND,
    build_entry,
    dump_around,
    dump_entries,
    list_missing,
)
from narration.pipeline.incoming import (
    ENTRY_FIELDS,
    ENTRY_IDENTITY,
    KINDS,
    POLICY_FIELDS,
    Item,
    WordingError,
    build_override,
    identify,
    list_override_items,
    list_policy_items,
    read_overrides,
    read_wording,
)
from narration.pipeline.merging import Merge, keep_base, keep_known, load_base, merge

__all__ = [
    "Loaded",
    "WordingError",
    "dump_around",
    "dump_overrides",
    "dump_wording",
    "load_overrides",
    "load_wording",
]
#: Conflicts told one by one.
TOLD = 20
BATCH = 200


@dataclass(frozen=True, slots=True)
class Loaded:
    """What came of loading: how many items were (or would be) written, and the rest in words."""

    written: int = 0
    notes: tuple[str, ...] = ()


def dump_wording(scope_key: str) -> dict[str, Any]:
    """A scope's own lexicon and policy; nothing of the wider scopes."""
    entries = LexiconEntry.objects.filter(scope_key=scope_key)
    policy = SpeechPolicy.objects.filter(scope_key=scope_key).first()
    return {
        "lexicon": dump_entries(entries),
        "policy": {name: getattr(policy, name) for name in POLICY_FIELDS} if policy else {},
    }


def load_wording(
    scope_key: str,
    data: Any,
    *,
    user: Any,
    around: Any = None,
    wider: Sequence[str] = (),
    is_used: Callable[[str], bool] | None = None,
    is_new: bool = False,
    force: bool = False,
    dry_run: bool = False,
) -> Loaded:
    """Add a scope's wording to what it has.

    What was changed here since the last import stays, and is told, unless ``force``. Voices that
    are not here are left out. ``around`` is what held from wider scopes where the data comes
    from: in a scope that ``is_new`` what the ``wider`` scopes here say otherwise is written into
    the scope itself, words that ``is_used`` does not know aside. Plans are not refreshed.
    ``WordingError`` when the data is not what ``dump_wording`` gives; then nothing is written.
    """
    notes: list[str] = []
    files = read_wording(data, left_out=notes)
    before = load_base(scope_key) if files or around else {}
    if around is not None:
        theirs = read_wording(around, most=MOST_AROUND, left_out=notes)
        missing = list_missing(files, theirs, wider, is_used)
        taken = missing if is_new else keep_known(missing, before)
        notes += _tell_others(len(missing) - len(taken))
        files = taken | files
    if not files:
        return Loaded(0, tuple(notes))
    files, unknown = _keep_known_voices(files)
    rows = {identify(row): row for row in LexiconEntry.objects.filter(scope_key=scope_key)}
    policy = SpeechPolicy.objects.filter(scope_key=scope_key).first()
    found = merge(_list_here(rows, policy), files, before, force=force)
    if not dry_run:
        with transaction.atomic():
            _write_entries(scope_key, found, rows, user)
            _write_policy(scope_key, found, policy)
            keep_base(scope_key, before, found, user)
    return Loaded(len(found.writes), (*notes, *unknown, *_tell(found.conflicts)))


def _list_here(rows: Mapping[Item, LexiconEntry], policy: SpeechPolicy | None) -> dict[Item, Any]:
    names = [name for name in ENTRY_FIELDS if name not in ENTRY_IDENTITY]
    entries = {item: {name: getattr(row, name) for name in names} for item, row in rows.items()}
    return entries | list_policy_items(policy)


def _tell_others(count: int) -> list[str]:
    if not count:
        return []
    words = ngettext(
        "%(count)d thing is said otherwise on this whole site than where the files come from.",
        "%(count)d things are said otherwise on this whole site than where the files come from.",
        count,
    )
    return [words % {"count": count}]


def _keep_known_voices(files: Mapping[Item, Any]) -> tuple[dict[Item, Any], list[str]]:
    names = {value for item, value in files.items() if item[0] == "casting"}
    known = Voice.objects.filter(name__in=names, retired_at=None) if names else Voice.objects.none()
    unknown = names - set(known.values_list("name", flat=True))
    kept = {
        item: value for item, value in files.items() if item[0] != "casting" or value not in unknown
    }
    words = _("There is no voice “%(name)s” here: left out of the casting.")
    return kept, [words % {"name": name} for name in sorted(unknown)]


def _write_entries(
    scope_key: str, found: Merge, rows: Mapping[Item, LexiconEntry], user: Any
) -> None:
    by = {"updated_by": get_actor(user), "updated_by_name": get_actor_name(user)}
    new: list[LexiconEntry] = []
    for item, value in found.writes.items():
        if item[0] != "entry":
            continue
        row = rows.get(item)
        if row is None:
            row = build_entry(item, value)
            row.scope_key = scope_key
            new.append(row)
        for name, changed in {**value, **by}.items():
            setattr(row, name, changed)
        if row.pk:
            row.save()
    LexiconEntry.objects.bulk_create(new, batch_size=BATCH)


def _write_policy(scope_key: str, found: Merge, policy: SpeechPolicy | None) -> None:
    changes = {item: value for item, value in found.writes.items() if item[0] in POLICY_FIELDS}
    if not changes:
        return
    policy = policy or SpeechPolicy(scope_key=scope_key)
    for (field, *path), value in changes.items():
        values = getattr(policy, field)
        for name in path[:-1]:
            values = values.setdefault(name, {})
        values[path[-1]] = value
    policy.save()


def dump_overrides(narration: Narration | None) -> list[dict[str, Any]]:
    """An object's overrides in one language, those that are words."""
    names = ("text_key", "occurrence", "kind", "value")
    rows = Override.objects.filter(narration=narration, kind__in=KINDS) if narration else ()
    found = [{name: getattr(row, name) for name in names} for row in rows]
    return sorted(found, key=lambda row: [str(value) for value in row.values()])


def load_overrides(
    narration: Narration, rows: Any, *, user: Any, force: bool = False, dry_run: bool = False
) -> Loaded:
    """Add overrides to those a narration has, as ``load_wording`` does with words."""
    files = read_overrides(rows)
    if not files:
        return Loaded()
    stored = Override.objects.filter(narration=narration, kind__in=KINDS)
    before = load_base(str(narration))
    found = merge(list_override_items(stored), files, before, force=force)
    if not dry_run:
        with transaction.atomic():
            _write_overrides(narration, found, list(stored), user)
            keep_base(str(narration), before, found, user)
    return Loaded(len(found.writes), tuple(_tell(found.conflicts)))


def _write_overrides(
    narration: Narration, found: Merge, stored: Sequence[Override], user: Any
) -> None:
    by = {"by": get_actor(user), "by_name": get_actor_name(user)}
    rows = {item: row for row in stored for item in list_override_items([row])}
    new = []
    for item, value in found.writes.items():
        row = rows.get(item)
        if row is None:
            new.append(build_override(item, value, narration=narration, **by))
            continue
        for name, changed in {"value": value, **by}.items():
            setattr(row, name, changed)
        row.save(update_fields=["value", *by])
    Override.objects.bulk_create(new, batch_size=BATCH)


def _tell(conflicts: Sequence[Item]) -> list[str]:
    """What was decided here and stays, in words; many are counted."""
    told = [_tell_one(item) for item in conflicts[:TOLD]]
    rest = len(conflicts) - len(told)
    if rest:
        words = ngettext(
            "%(count)d more conflict of wording.", "%(count)d more conflicts of wording.", rest
        )
        told.append(words % {"count": rest})
    return told


def _tell_one(item: Item) -> str:
    if item[0] == "entry":
        words = _("“%(word)s” is pronounced otherwise here than in the files; it stays as it is.")
        return words % {"word": item[2]}
    if item[0] == "override":
        words = _("A sentence was decided otherwise here than in the files (%(kind)s); it stays.")
        return words % {"kind": item[3]}
    words = _("“%(name)s” is set otherwise here than in the files; it stays as it is.")
    return words % {"name": " · ".join(item[1:])}
