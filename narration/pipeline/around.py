"""What holds in a scope from the wider ones, so that it can be said the same elsewhere."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from narration.audio.gaps import build_gaps
from narration.models import CaseRule, LexiconEntry, LexiconState, SpeechPolicy
from narration.pipeline.incoming import ENTRY_FIELDS, ENTRY_IDENTITY, Item, read_wording
from narration.pipeline.lexicons import build_lexicon, load_entries
from narration.text.policy import build_rules

#: Entries of wider scopes that an import may bring.
MOST_AROUND = 20_000


def dump_around(wider: Sequence[str]) -> dict[str, Any]:
    """What the ``wider`` scopes (nearest first) say together, as one wording.

    Rules and gaps are complete: another site may have others.
    """
    policies = {row.scope_key: row for row in SpeechPolicy.objects.filter(scope_key__in=wider)}
    casting: dict[str, dict[str, str]] = {}
    gaps: dict[str, int] = {}
    rules: dict[str, str] = {}
    for policy in (policies[key] for key in reversed(wider) if key in policies):
        gaps |= policy.gaps
        rules |= policy.rules
        for language, cast in policy.casting.items():
            casting[language] = {**casting.get(language, {}), **cast}
    entries = _Shadows()
    for entry in build_lexicon(load_entries(wider), wider).entries:
        if not entries.cover(entry):
            entries.add(entry)
    return {
        "lexicon": dump_entries(entries),
        "policy": {
            "casting": casting,
            "gaps": asdict(build_gaps(gaps)),
            "rules": asdict(build_rules(rules)),
        },
    }


def dump_entries(entries: Iterable[LexiconEntry]) -> list[dict[str, Any]]:
    """Entries as plain data, in an order of their own."""
    rows = [{name: getattr(entry, name) for name in ENTRY_FIELDS} for entry in entries]
    return sorted(rows, key=lambda row: [str(row[name]) for name in ENTRY_FIELDS])


def build_entry(item: Item, value: Mapping[str, Any]) -> LexiconEntry:
    """The row of an item, in no scope."""
    return LexiconEntry(**dict(zip(ENTRY_IDENTITY, item[1:], strict=True)), **value)


def list_missing(
    own: Mapping[Item, Any],
    around: Mapping[Item, Any],
    wider: Sequence[str],
    is_used: Callable[[str], bool] | None = None,
) -> dict[Item, Any]:
    """What a scope with its ``own`` wording needs, so that it is said here as ``around`` it there.

    Words that only have an entry here get one of their own that leaves them as they are written,
    unless they are not used.
    """
    here = read_wording(dump_around(wider), most=10**9)
    nearer = _Shadows(_iter_entries(own))
    missing: dict[Item, Any] = {}
    for item, value in around.items():
        is_entry = item[0] == "entry"
        if here.get(item) == value or item in own:
            continue
        if not (is_entry and nearer.cover(build_entry(item, value))):
            missing[item] = value
    for entry in _iter_entries(around):
        nearer.add(entry)
    for item, value in here.items():
        if item[0] == "entry" and item not in around and item not in own:
            entry = build_entry(item, value)
            if not nearer.cover(entry) and (is_used is None or is_used(entry.grapheme)):
                missing[item] = {**value, "alias": entry.grapheme, "phoneme": ""}
    return missing


def _iter_entries(items: Mapping[Item, Any]) -> Iterable[LexiconEntry]:
    return (build_entry(item, value) for item, value in items.items() if item[0] == "entry")


class _Shadows:
    """Entries of nearer scopes, and which entries of wider ones never speak because of them."""

    def __init__(self, entries: Iterable[LexiconEntry] = ()):
        self._found: dict[tuple[str, str], list[LexiconEntry]] = defaultdict(list)
        for entry in entries:
            self.add(entry)

    def __iter__(self) -> Any:
        return (entry for entries in self._found.values() for entry in entries)

    def add(self, entry: LexiconEntry) -> None:
        """One more, if it speaks at all."""
        if entry.state == LexiconState.ACTIVE:
            self._found[self._name(entry)].append(entry)

    def cover(self, far: LexiconEntry) -> bool:
        """Whether one of them always speaks where ``far`` would."""
        theirs = far.language.lower()
        for near in self._found.get(self._name(far), ()):
            mine = near.language.lower()
            speaks = theirs == mine or theirs.startswith(f"{mine}-")
            if speaks and near.engine in {"", far.engine}:
                return True
        return False

    @staticmethod
    def _name(entry: LexiconEntry) -> tuple[str, str]:
        ignores_case = entry.case_rule == CaseRule.ANY
        return (entry.grapheme.lower() if ignores_case else entry.grapheme, str(entry.case_rule))
