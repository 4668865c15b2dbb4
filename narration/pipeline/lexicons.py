"""The lexicon of a scope as its rows stand, each engine given what it takes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from narration.models import CaseRule, LexiconEntry, LexiconState
from narration.text import Lexicon, Pronunciation
from narration.values import EngineFacts


@dataclass(frozen=True)
class ScopedLexicon:
    """Active entries of a scope chain in order of precedence: nearest scope, then own engine."""

    entries: tuple[LexiconEntry, ...] = ()
    _built: dict[tuple[str, str], Lexicon] = field(default_factory=dict, compare=False, repr=False)

    def get(self, engine: str, facts: EngineFacts) -> Lexicon:
        """What an engine, by its alias, is given: aliases, and phonemes of its own alphabet."""
        key = (engine, facts.phoneme_alphabet)
        if key not in self._built:
            fitting = (entry for entry in self.entries if _fits(entry, engine, facts))
            self._built[key] = Lexicon(tuple(build_pronunciation(entry) for entry in fitting))
        return self._built[key]

    @property
    def versions(self) -> tuple[int, ...]:
        """Integers that change when an entry is added, changed or taken away."""
        saved = (entry.updated_at for entry in self.entries if entry.updated_at)
        newest = max((int(at.timestamp() * 1e6) for at in saved), default=0)
        return (len(self.entries), newest)


NO_ENTRIES = ScopedLexicon()


def load_entries(scope_chain: Sequence[str]) -> list[LexiconEntry]:
    """The active entries of a scope, in one query, unordered."""
    return list(LexiconEntry.objects.filter(scope_key__in=scope_chain, state=LexiconState.ACTIVE))


def build_lexicon(entries: Iterable[LexiconEntry], scope_chain: Sequence[str]) -> ScopedLexicon:
    """Entries in order of precedence; those of other scopes and inactive ones are left out."""
    nearness = {key: at for at, key in enumerate(scope_chain)}
    active = (
        entry
        for entry in entries
        if entry.state == LexiconState.ACTIVE and entry.scope_key in nearness
    )
    ordered = sorted(
        active, key=lambda e: (nearness[e.scope_key], e.engine == "", -len(e.language), e.pk or 0)
    )
    return ScopedLexicon(tuple(_leave_as_written(ordered)))


def _leave_as_written(entries: Iterable[LexiconEntry]) -> Iterator[LexiconEntry]:
    """Without the words that a scope leaves as they are written: whose alias is the word itself.

    Such an entry silences those of wider scopes for its word, and says nothing else.
    """
    silent: dict[tuple[str, str], list[LexiconEntry]] = {}
    for entry in entries:
        ignores_case = entry.case_rule == CaseRule.ANY
        name = entry.grapheme.lower() if ignores_case else entry.grapheme
        nearer = silent.setdefault((name, str(entry.case_rule)), [])
        if entry.alias == entry.grapheme:
            nearer.append(entry)
        elif not any(_silences(near, entry) for near in nearer):
            yield entry


def _silences(near: LexiconEntry, far: LexiconEntry) -> bool:
    return near.engine in {"", far.engine} and build_pronunciation(near).speaks(far.language)


def build_pronunciation(entry: LexiconEntry) -> Pronunciation:
    """The entry as text knows it; its ``key`` is the row's public id."""
    return Pronunciation(
        grapheme=entry.grapheme,
        language=entry.language,
        alias=entry.alias,
        phoneme=entry.phoneme,
        ignores_case=entry.case_rule == CaseRule.ANY,
        whole_words=entry.whole_words,
        key=str(entry.uid),
    )


def _fits(entry: LexiconEntry, engine: str, facts: EngineFacts) -> bool:
    if entry.engine not in {"", engine}:
        return False
    return not entry.phoneme or bool(facts.phoneme_alphabet)
