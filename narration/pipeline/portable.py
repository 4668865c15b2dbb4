"""Wording that travels: a scope's lexicon and policy, an object's overrides, as plain data."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction

from narration.exceptions import NarrationError
from narration.models import (
    LexiconEntry,
    Narration,
    Override,
    OverrideKind,
    SpeechPolicy,
    Voice,
    get_actor_name,
)
from narration.permissions import get_actor

ENTRY_FIELDS = (
    "language", "grapheme", "alias", "phoneme", "case_rule", "whole_words", "engine", "state",
)  # fmt: skip
POLICY_FIELDS = ("casting", "gaps", "rules")
#: Overrides that are words. Recordings and voices belong to the site they were made on.
KINDS = (OverrideKind.SPOKEN, OverrideKind.SILENCE, OverrideKind.PAUSE, OverrideKind.TAKE)
MOST_ENTRIES = 20_000


class WordingError(NarrationError):
    """Data that is no wording; the message names what and where."""

    code = "bad_wording"


def dump_wording(scope_key: str) -> dict[str, Any]:
    """A scope's own lexicon and policy; nothing of the wider scopes."""
    entries = LexiconEntry.objects.filter(scope_key=scope_key)
    policy = SpeechPolicy.objects.filter(scope_key=scope_key).first()
    rows = [{name: getattr(entry, name) for name in ENTRY_FIELDS} for entry in entries]
    return {
        "lexicon": sorted(rows, key=lambda row: [str(row[name]) for name in ENTRY_FIELDS]),
        "policy": {name: getattr(policy, name) for name in POLICY_FIELDS} if policy else {},
    }


def load_wording(scope_key: str, data: Any, *, user: Any) -> list[str]:
    """Add a scope's wording to what it has; what could not be taken, in words.

    Entries replace those with the same grapheme. Voices that are not here are left out of the
    casting. Plans are not refreshed. ``WordingError`` when the data is not what ``dump_wording``
    gives; then nothing is written.
    """
    fields = _require(data, dict, "wording")
    entries = _require(fields.get("lexicon", []), list, "lexicon")
    if len(entries) > MOST_ENTRIES:
        raise WordingError(f"The lexicon has {len(entries)} entries; {MOST_ENTRIES} are allowed.")
    with transaction.atomic():
        for at, entry in enumerate(entries, 1):
            _load_entry(scope_key, _require(entry, dict, f"lexicon entry {at}"), at, user)
        return _load_policy(scope_key, _require(fields.get("policy", {}), dict, "policy"))


def _load_entry(scope_key: str, given: Mapping[str, Any], at: int, user: Any) -> None:
    fields = {name: given[name] for name in ENTRY_FIELDS if name in given}
    entry = LexiconEntry(scope_key=scope_key, **fields)
    try:
        entry.full_clean(exclude=["uid", "updated_by"], validate_unique=False)
        entry.clean()
    except (ValidationError, TypeError, AttributeError) as error:
        words = "; ".join(error.messages) if isinstance(error, ValidationError) else str(error)
        raise WordingError(f"Lexicon entry {at} (“{entry.grapheme}”): {words}") from error
    same = {name: getattr(entry, name) for name in ("language", "grapheme", "case_rule", "engine")}
    LexiconEntry.objects.update_or_create(
        scope_key=scope_key,
        **same,
        defaults={
            **{name: getattr(entry, name) for name in ENTRY_FIELDS if name not in same},
            "updated_by": get_actor(user),
            "updated_by_name": get_actor_name(user),
        },
    )


def _load_policy(scope_key: str, given: Mapping[str, Any]) -> list[str]:
    fields = {name: given[name] for name in POLICY_FIELDS if given.get(name)}
    if not fields:
        return []
    policy = SpeechPolicy.objects.filter(scope_key=scope_key).first()
    policy = policy or SpeechPolicy(scope_key=scope_key)
    before = {name: getattr(policy, name) for name in POLICY_FIELDS}
    for name, value in fields.items():
        setattr(policy, name, value)
    try:
        policy.full_clean(exclude=["uid"], validate_unique=False)
    except ValidationError as error:
        raise WordingError(f"The policy: {'; '.join(error.messages)}") from error
    policy.casting, notes = _keep_known_voices(policy.casting)
    if {name: getattr(policy, name) for name in POLICY_FIELDS} != before:
        policy.save()
    return notes


def _keep_known_voices(casting: dict[str, dict[str, str]]) -> tuple[dict[str, Any], list[str]]:
    names = {name for cast in casting.values() for name in cast.values()}
    known = set(
        Voice.objects.filter(name__in=names, retired_at=None).values_list("name", flat=True)
    )
    kept = {
        language: {role: name for role, name in cast.items() if name in known}
        for language, cast in casting.items()
    }
    notes = [f"There is no voice “{name}” here: left out of the casting." for name in names - known]
    return {language: cast for language, cast in kept.items() if cast}, sorted(notes)


def dump_overrides(narration: Narration | None) -> list[dict[str, Any]]:
    """An object's overrides in one language, those that are words."""
    rows = Override.objects.filter(narration=narration, kind__in=KINDS) if narration else ()
    found = [
        {
            "text_key": row.text_key,
            "occurrence": row.occurrence,
            "kind": row.kind,
            "value": row.value,
        }
        for row in rows
    ]
    return sorted(found, key=lambda row: [str(value) for value in row.values()])


def load_overrides(narration: Narration, rows: Iterable[Any], *, user: Any) -> None:
    """Add overrides to those a narration has; ``WordingError`` names a wrong one."""
    with transaction.atomic():
        for at, given in enumerate(_require(rows, list, "overrides"), 1):
            row = _require(given, dict, f"override {at}")
            identity = {name: row.get(name) for name in ("text_key", "occurrence", "kind")}
            value = row.get("value", "")
            if identity["kind"] not in KINDS or not isinstance(value, str):
                raise WordingError(f"Override {at} is of no kind that can be imported.")
            override = Override(narration=narration, value=value, **identity)
            try:
                override.clean_fields(exclude=["narration", "by", "rendition"])
            except ValidationError as error:
                raise WordingError(f"Override {at}: {'; '.join(error.messages)}") from error
            Override.objects.update_or_create(
                narration=narration,
                **identity,
                defaults={
                    "value": value,
                    "by": get_actor(user),
                    "by_name": get_actor_name(user),
                },
            )


def _require(value: Any, kind: type, name: str) -> Any:
    if not isinstance(value, kind):
        raise WordingError(f"The {name} must be a JSON {'object' if kind is dict else 'list'}.")
    return value
