"""The lexicon as text knows it: graphemes that are said in a way of their own.

Words are those of the W3C's Pronunciation Lexicon Specification: a grapheme has an alias, which
is normalised like any text, or a phoneme, which reaches the engine as ``[[phoneme]]``.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from narration.text.normalization import normalize
from narration.text.normalization.fragments import Rule

#: Name of the rule, as explanations give it.
LEXICON = "lexicon"


@dataclass(frozen=True, slots=True)
class Pronunciation:
    """One entry. ``key`` is what its owner knows it by; exactly one of alias and phoneme is given.

    ``language`` "en" also serves "en-GB"; ``whole_words`` never matches inside a word.
    """

    grapheme: str
    language: str
    alias: str = ""
    phoneme: str = ""
    ignores_case: bool = False
    whole_words: bool = True
    key: str = ""

    def speaks(self, language: str) -> bool:
        """Whether it holds for texts in ``language``."""
        mine, theirs = self.language.lower(), language.lower()
        return theirs == mine or theirs.startswith(f"{mine}-")

    def say(self) -> str:
        """What an engine is given for the grapheme."""
        return f"[[{self.phoneme}]]" if self.phoneme else normalize(self.alias, self.language).text


@dataclass(frozen=True)
class Lexicon:
    """Pronunciations in order of precedence: the first of two for one grapheme wins."""

    pronunciations: tuple[Pronunciation, ...] = ()
    _compiled: dict[str, tuple[Rule, ...]] = field(default_factory=dict, compare=False, repr=False)

    def get_rules(self, language: str) -> tuple[Rule, ...]:
        """The rule that reads this lexicon's words in a language; none where it has no words."""
        if language not in self._compiled:
            mine = [entry for entry in self.pronunciations if entry.speaks(language)]
            self._compiled[language] = (_compile(mine),) if mine else ()
        return self._compiled[language]

    def find(self, text: str, language: str) -> Iterator[tuple[int, int, Pronunciation]]:
        """Where which pronunciation would speak in ``text``."""
        mine = _order(entry for entry in self.pronunciations if entry.speaks(language))
        if mine:
            for match in _build_pattern(mine).finditer(text):
                yield (*match.span(), mine[(match.lastindex or 1) - 1])


NO_LEXICON = Lexicon()


def _compile(entries: Iterable[Pronunciation]) -> Rule:
    ordered = _order(entries)
    said: Mapping[int, str] = {at: entry.say() for at, entry in enumerate(ordered)}
    return Rule(
        _build_pattern(ordered),
        lambda match: said[(match.lastindex or 1) - 1],
        name=LEXICON,
    )


def _order(entries: Iterable[Pronunciation]) -> list[Pronunciation]:
    """Longest grapheme first, exact case before any case, then the nearest scope."""
    distinct: dict[tuple[str, bool], Pronunciation] = {}
    for entry in entries:
        name = entry.grapheme.lower() if entry.ignores_case else entry.grapheme
        distinct.setdefault((name, entry.ignores_case), entry)
    return sorted(distinct.values(), key=lambda entry: (-len(entry.grapheme), entry.ignores_case))


def _build_pattern(entries: Sequence[Pronunciation]) -> re.Pattern[str]:
    """One group an entry, so that ``lastindex`` tells which one matched."""
    return re.compile("|".join(f"({_build_part(entry)})" for entry in entries))


def _build_part(entry: Pronunciation) -> str:
    words = (re.escape(word) for word in entry.grapheme.split())
    body = r"\s+".join(words)
    if entry.whole_words:
        before = r"(?<!\w)" if _is_word(entry.grapheme[0]) else ""
        after = r"(?!\w)" if _is_word(entry.grapheme[-1]) else ""
        body = f"{before}{body}{after}"
    return f"(?i:{body})" if entry.ignores_case else body


def _is_word(char: str) -> bool:
    return char.isalnum() or char == "_"
