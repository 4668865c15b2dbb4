"""The lexicon as text knows it: graphemes that are said in a way of their own.

Words are those of the W3C's Pronunciation Lexicon Specification: a grapheme has an alias, which
is normalised like any text, or a phoneme, which reaches the engine as ``[[phoneme]]``.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

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
    _compiled: dict[str, Finder] = field(default_factory=dict, compare=False, repr=False)

    def get_rules(self, language: str) -> tuple[Rule, ...]:
        """The rule that reads this lexicon's words in a language; none where it has no words."""
        finder = self._get_finder(language)
        return (Rule(finder, finder.say, name=LEXICON),) if finder.entries else ()

    def find(self, text: str, language: str) -> Iterator[tuple[int, int, Pronunciation]]:
        """Where which pronunciation would speak in ``text``."""
        finder = self._get_finder(language)
        position = 0
        while match := finder.search(text, position):
            yield (*match.span(), finder.get_entry(match))
            position = match.end()

    def _get_finder(self, language: str) -> Finder:
        if language not in self._compiled:
            mine = (entry for entry in self.pronunciations if entry.speaks(language))
            self._compiled[language] = Finder(mine)
        return self._compiled[language]


class Finder:
    """Finds the leftmost entry in a text, of those at one place the first in order.

    A pattern of all entries would try each of them at every character. Instead a dictionary
    tells from the word that begins at a place which entries may match there, and only those are
    tried: twenty thousand entries cost a text no more than a handful.
    """

    def __init__(self, entries: Iterable[Pronunciation]) -> None:
        self.entries = _order(entry for entry in entries if entry.grapheme.strip())
        self._sources = list(map(_build_part, self.entries))
        places = reversed(list(enumerate(self._sources)))
        self._by_source = {source: at for at, source in places}
        # Entries by how they begin: whole words by their first word or mark, others by all of
        # their first word, which may begin inside of one of the text.
        self._whole: dict[str, list[int]] = {}
        self._parts: dict[str, list[int]] = {}
        for at in sorted(self._by_source.values()):
            self._enter(at, self.entries[at])
        self._lengths = sorted({len(start) for start in self._parts})
        self._patterns: dict[int, re.Pattern[str]] = {}
        self._said: dict[int, str] = {}

    def _enter(self, at: int, entry: Pronunciation) -> None:
        for form in {unicodedata.normalize(name, entry.grapheme) for name in ("NFC", "NFD")}:
            start = _fold(form.split()[0])
            if entry.whole_words:
                chunk = _CHUNK.match(start)
                self._whole.setdefault(chunk[0] if chunk else start[:1], []).append(at)
            else:
                self._parts.setdefault(start, []).append(at)

    def search(self, text: str, position: int = 0) -> re.Match[str] | None:
        """The first match from ``position`` on, as a pattern of all entries would find it."""
        folded = _fold(text)
        for chunk in _CHUNK.finditer(folded, position):
            places = range(chunk.start(), chunk.end()) if self._parts else (chunk.start(),)
            for place in places:
                whole = self._whole.get(chunk[0], ()) if place == chunk.start() else ()
                if (whole or self._parts) and (found := self._match(text, folded, place, whole)):
                    return found
        return None

    def _match(
        self, text: str, folded: str, place: int, whole: Sequence[int]
    ) -> re.Match[str] | None:
        candidates = list(whole)
        for length in self._lengths:
            candidates += self._parts.get(folded[place : place + length], ())
        for at in sorted(candidates):
            if found := self._get_pattern(at).match(text, place):
                return found
        return None

    def _get_pattern(self, at: int) -> re.Pattern[str]:
        if at not in self._patterns:
            self._patterns[at] = re.compile(self._sources[at])
        return self._patterns[at]

    def get_entry(self, match: re.Match[str]) -> Pronunciation:
        """The entry that a match of this finder is of."""
        return self.entries[self._by_source[match.re.pattern]]

    def say(self, match: re.Match[str]) -> str:
        """What an engine is given for a match; an alias is normalised when it is first met."""
        at = self._by_source[match.re.pattern]
        if at not in self._said:
            self._said[at] = self.entries[at].say()
        return self._said[at]


NO_LEXICON = Lexicon()
# What a grapheme begins with: a word, or a mark.
_CHUNK = re.compile(r"\w+|[^\w\s]")


@lru_cache(maxsize=8)
def _fold(text: str) -> str:
    """Letters that differ in case only become one; every character stays at its place."""
    return text.lower() if text.isascii() else "".join(map(_fold_letter, text))


@lru_cache(maxsize=4096)
def _fold_letter(char: str) -> str:
    return char.lower()[0].upper()[0].lower()[0]


def _order(entries: Iterable[Pronunciation]) -> list[Pronunciation]:
    """Longest grapheme first, exact case before any case, then the nearest scope."""
    distinct: dict[tuple[str, bool], Pronunciation] = {}
    for entry in entries:
        name = entry.grapheme.lower() if entry.ignores_case else entry.grapheme
        distinct.setdefault((name, entry.ignores_case), entry)
    return sorted(distinct.values(), key=lambda entry: (-len(entry.grapheme), entry.ignores_case))


def _build_part(entry: Pronunciation) -> str:
    """The pattern of one entry; accents match composed and decomposed alike."""
    forms = {unicodedata.normalize(name, entry.grapheme): name for name in ("NFD", "NFC")}
    bodies = [r"\s+".join(map(re.escape, form.split())) for form in sorted(forms)]
    body = bodies[0] if len(bodies) == 1 else f"(?:{'|'.join(bodies)})"
    if entry.whole_words:
        before = r"(?<!\w)" if _is_word(entry.grapheme[0]) else ""
        after = (
            rf"(?!\w|{_ACCENT})"
            if _is_word(unicodedata.normalize("NFC", entry.grapheme)[-1])
            else ""
        )
        body = f"{before}{body}{after}"
    return f"(?i:{body})" if entry.ignores_case else body


# Marks that combine with the letter before them, so that the word is not over yet.
_ACCENT = "[\u0300-\u036f]"


def _is_word(char: str) -> bool:
    return char.isalnum() or char == "_"
