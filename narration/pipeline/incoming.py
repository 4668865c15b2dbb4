"""Wording that strangers wrote down: read into rows that could be stored, or refused in words."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from narration.exceptions import NarrationError
from narration.models import LexiconEntry, Override, OverrideKind, SpeechPolicy

#: What tells two entries of a scope apart, and what one entry says.
ENTRY_IDENTITY = ("language", "grapheme", "case_rule", "engine")
ENTRY_VALUES = ("alias", "phoneme", "whole_words", "state")
ENTRY_FIELDS = ("language", "grapheme", "alias", "phoneme", "case_rule", "whole_words", "engine",
                "state")  # fmt: skip
POLICY_FIELDS = ("casting", "gaps", "rules")
#: Overrides that are words. Recordings and voices belong to the site they were made on.
KINDS = (OverrideKind.SPOKEN, OverrideKind.SILENCE, OverrideKind.PAUSE, OverrideKind.TAKE)
MOST_ENTRIES = 5_000
MOST_OVERRIDES = 20_000
LONGEST_VALUE = 5_000
_UNSTORABLE = re.compile("[\0\ud800-\udfff]")
_TEXT_KEY = re.compile("[0-9a-f]{1,64}")

#: What decides one thing: ("entry", language, grapheme, …), ("rules", name), ("casting", …).
Item = tuple[Any, ...]


class WordingError(NarrationError):
    """Data that is no wording; the message names what and where."""

    code = "bad_wording"


def read_wording(
    data: Any, *, most: int = MOST_ENTRIES, left_out: list[str] | None = None
) -> dict[Item, Any]:
    """What ``dump_wording`` gives, item by item; ``WordingError`` where it is something else.

    Phonemes for an engine that is not here are left out, and told in ``left_out``.
    """
    fields = require(data, dict, "wording")
    entries = require(fields.get("lexicon", []), list, "lexicon")
    if len(entries) > most:
        words = _("The lexicon has %(count)d entries; %(limit)d are allowed.")
        raise WordingError(words % {"count": len(entries), "limit": most})
    found: dict[Item, Any] = {}
    for at, given in enumerate(entries, 1):
        entry = _read_entry(require(given, dict, f"lexicon[{at}]"), at, left_out)
        if entry is None:
            continue
        item = identify(entry)
        if item in found:
            words = _("Lexicon entry %(number)d (“%(word)s”) is there twice.")
            raise WordingError(words % {"number": at, "word": entry.grapheme})
        found[item] = {name: getattr(entry, name) for name in ENTRY_VALUES}
    return found | _read_policy(require(fields.get("policy", {}), dict, "policy"))


def identify(entry: LexiconEntry) -> Item:
    """What an entry decides."""
    return ("entry", *(getattr(entry, name) for name in ENTRY_IDENTITY))


def _read_entry(
    given: Mapping[str, Any], at: int, left_out: list[str] | None
) -> LexiconEntry | None:
    """An entry that could be saved. Its constraints are those of ``clean``: no query is made."""
    for name in ENTRY_FIELDS:
        kind = bool if name == "whole_words" else str
        if name in given and not isinstance(given[name], kind):
            words = _("Lexicon entry %(number)d: “%(name)s” is of the wrong kind.")
            raise WordingError(words % {"number": at, "name": name})
    fields = {name: _require_storable(given[name]) for name in ENTRY_FIELDS if name in given}
    entry = LexiconEntry(scope_key="", **fields)
    is_field = True
    try:
        entry.clean_fields(exclude=["uid", "scope_key", "updated_by"])
        is_field = False
        entry.clean()
    except ValidationError as error:
        words = _("Lexicon entry %(number)d (“%(word)s”): %(problem)s")
        problem = "; ".join(error.messages)
        found = {"number": at, "word": entry.grapheme[:80], "problem": problem}
        is_engine = not is_field and set(error.message_dict) <= {"engine", "phoneme"}
        if left_out is None or not is_engine:
            raise WordingError(words % found) from error
        left_out.append(words % found)
        return None
    return entry


def _read_policy(given: Mapping[str, Any]) -> dict[Item, Any]:
    policy = SpeechPolicy(**{name: given.get(name) or {} for name in POLICY_FIELDS})
    for cast in policy.casting.values() if isinstance(policy.casting, dict) else ():
        if isinstance(cast, dict) and not all(isinstance(name, str) for name in cast.values()):
            raise WordingError(_("The policy: a casting names its voices."))
    try:
        policy.clean_fields(exclude=["uid", "scope_key"])
    except ValidationError as error:
        words = _("The policy: %(problem)s")
        raise WordingError(words % {"problem": "; ".join(error.messages)}) from error
    return list_policy_items(policy)


def list_policy_items(policy: SpeechPolicy | None) -> dict[Item, Any]:
    """What a policy decides, item by item."""
    if policy is None:
        return {}
    return {
        **{
            ("casting", _require_storable(language), role): _require_storable(name)
            for language, cast in policy.casting.items()
            for role, name in cast.items()
        },
        **{("gaps", name): value for name, value in policy.gaps.items()},
        **{("rules", name): value for name, value in policy.rules.items()},
    }


def read_overrides(rows: Any) -> dict[Item, Any]:
    """What ``dump_overrides`` gives, item by item; ``WordingError`` names a wrong one."""
    given = require(rows, list, "overrides")
    if len(given) > MOST_OVERRIDES:
        words = _("There are %(count)d overrides; %(limit)d are allowed.")
        raise WordingError(words % {"count": len(given), "limit": MOST_OVERRIDES})
    found: dict[Item, Any] = {}
    for at, row in enumerate(given, 1):
        item, value = _read_override(require(row, dict, f"overrides[{at}]"), at)
        found[item] = value
    return found


def _read_override(row: Mapping[str, Any], at: int) -> tuple[Item, str]:
    key, occurrence, kind = (row.get(name) for name in ("text_key", "occurrence", "kind"))
    value = row.get("value", "")
    is_good = (
        isinstance(key, str)
        and _TEXT_KEY.fullmatch(key)
        and type(occurrence) is int
        and -1 <= occurrence < 2**31
        and kind in [str(known) for known in KINDS]
        and isinstance(value, str)
        and len(value) <= LONGEST_VALUE
        and (kind != OverrideKind.SPOKEN or value.strip())
        and (kind not in {OverrideKind.PAUSE, OverrideKind.TAKE} or _is_number(value))
    )
    if not is_good:
        words = _("Override %(number)d is of no kind that can be imported.")
        raise WordingError(words % {"number": at})
    return ("override", key, occurrence, kind), str(_require_storable(value))


def _is_number(value: str) -> bool:
    return value.isascii() and value.isdecimal() and int(value[:12]) <= 60_000 and len(value) < 12


def list_override_items(rows: Any) -> dict[Item, Any]:
    """What stored overrides decide, item by item."""
    return {("override", row.text_key, row.occurrence, str(row.kind)): row.value for row in rows}


def build_override(item: Item, value: str, **fields: Any) -> Override:
    """The row of an item."""
    _kind, text_key, occurrence, kind = item
    return Override(text_key=text_key, occurrence=occurrence, kind=kind, value=value, **fields)


def require(value: Any, kind: type, name: str) -> Any:
    """The value, of this kind; ``WordingError`` says what it must be."""
    if isinstance(value, kind):
        return value
    words = (
        _("“%(name)s” must be a JSON object.")
        if kind is dict
        else _("“%(name)s” must be a JSON list.")
    )
    raise WordingError(words % {"name": name})


def _require_storable(value: Any) -> Any:
    if isinstance(value, str) and _UNSTORABLE.search(value):
        raise WordingError(_("There is a character that cannot be stored."))
    return value
