"""The common ground of every language: fragments of speech, and how they join.

A text is read as an ordered sequence of fragments: words to say and marks to pause at, each
with the written span it stands for. White space carries no meaning: fragments are words, and
marks attach to the word before them.
"""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from narration.values import SpokenForm, WordSpan


@dataclass(frozen=True, slots=True)
class Fragment:
    """``text`` to say for ``start:end``; ``is_mark`` attaches it to the word before.

    ``rule`` names the rule that says it, "" for words read as they are written.
    A soft mark is a comma that stands for a bracket or a dash: any written mark beside it wins,
    and the sentence never ends with it.
    """

    text: str
    start: int
    end: int
    is_mark: bool = False
    is_soft: bool = False
    rule: str = ""

    def moved(self, offset: int) -> Fragment:
        """The same fragment, ``offset`` characters further on."""
        return replace(self, start=self.start + offset, end=self.end + offset)


class Pattern(Protocol):
    """What finds the places of a rule: a compiled expression, or what searches like one."""

    def search(self, text: str, position: int = 0, /) -> re.Match[str] | None:
        """The first match from ``position`` on."""


@dataclass(frozen=True, slots=True)
class Rule:
    """Where ``pattern`` matches, ``say`` gives the spoken words, or None to leave it alone.

    ``group`` names the part that is replaced; the rest of the match is context. ``name`` tells
    authors what was read: "date", "money".
    """

    pattern: Pattern
    say: Callable[[re.Match[str]], str | None]
    group: int | str = 0
    name: str = ""


# Letters with the marks that combine with them; superscripts and circled digits are no letters.
_MARKS = "\u0300-\u036f\u0591-\u05c7\u064b-\u065f\u0900-\u0dff\u0e31-\u0e4e\ufe20-\ufe2f"
NO_LETTERS = (
    "\u00aa\u00ba\u00b2\u00b3\u00b9\u00bc-\u00be\u2070-\u2099\u2150-\u2189\u2460-\u24ff"
    "\u2776-\u2793"
)
LETTER = rf"(?:(?![{NO_LETTERS}])[^\W\d_])"
_INVISIBLE = "[\u00ad\u200b-\u200d\u2060\ufeff]"
_TOKEN = re.compile(
    rf"(?P<word>{LETTER}(?:{LETTER}|(?!\d)[{_MARKS}]|{_INVISIBLE}+(?={LETTER})"
    rf"|['’ʼ\-\u2010\u2011](?={LETTER}))*)"
    r"|(?P<mark>[.,;:?!…¿¡。，！？；：、]+)"
    r"|(?P<soft>(?<=\s)[(\[]|[)\]](?=\s|$)|\s[-–—]+\s|--+|—)"
)
_STRAIGHT = str.maketrans(
    {"’": "'", "ʼ": "'", "\u2010": "-", "\u2011": "-"}
    | dict.fromkeys("\u00ad\u200b\u200c\u200d\u2060\ufeff")
)
_FULL_WIDTH = str.maketrans("。，！？；：、", ".,!?;:,")
_TAIL = re.compile(r"[.,;:?!]+$")


def read_fragments(text: str, rules: Iterable[Rule]) -> list[Fragment]:
    """Apply ``rules`` in order, each to what the earlier ones left; the rest is read as written."""
    taken = bytearray(len(text))
    fragments: list[Fragment] = []
    for rule in rules:
        fragments += _apply(rule, text, taken)
    fragments += _read_rest(text, taken)
    return sorted(fragments, key=lambda fragment: fragment.start)


def _apply(rule: Rule, text: str, taken: bytearray) -> Iterator[Fragment]:
    position = 0
    while match := rule.pattern.search(text, position):
        start, end = match.span(rule.group)
        clash = taken.find(1, start, end)
        if clash >= 0:
            # Go on behind the part already read: a later match may still begin in there.
            free = taken.find(0, clash)
            position = max(free if free >= 0 else len(text), match.start() + 1)
            continue
        position = max(match.end(), match.start() + 1)
        if start < end and (spoken := rule.say(match)) is not None:
            taken[start:end] = b"\x01" * (end - start)
            yield Fragment(spoken, start, end, rule=rule.name)
            position = max(end, match.start() + 1)


def _read_rest(text: str, taken: bytearray) -> Iterator[Fragment]:
    """Read untouched text: words, marks, pauses; whatever else is there is not said."""
    position = 0
    while 0 <= (start := taken.find(0, position)) < len(text):
        position = taken.find(1, start)
        position = position if position >= 0 else len(text)
        for match in _TOKEN.finditer(text, start, position):
            yield _read_token(match)


def _read_token(match: re.Match[str]) -> Fragment:
    if match["word"]:
        return Fragment(match[0].translate(_STRAIGHT), *match.span())
    if match["soft"]:
        return Fragment(",", *match.span(), is_mark=True, is_soft=True)
    return Fragment(_canonical_mark(match[0]), *match.span(), is_mark=True)


def _canonical_mark(marks: str) -> str:
    plain = marks.translate(_FULL_WIDTH)
    if loud := [char for char in plain if char in "?!"]:
        return "?" if "?" in loud else "!"
    if plain.startswith(("...", "…", "..")):
        return "..."
    return plain[0] if plain[0] in ".,;:" else ""


def assemble(fragments: Sequence[Fragment]) -> SpokenForm:
    """Join fragments to a spoken form whose words cover every white-space separated token."""
    words: list[list[str]] = []  # [word, mark behind it, "soft" or ""]
    places: list[tuple[int, int]] = []
    for fragment in fragments:
        if fragment.is_mark:
            _attach(words, fragment)
            continue
        for word in fragment.text.split():
            bare = _TAIL.sub("", word)
            if not bare:
                continue
            words.append([bare, _canonical_mark(word[len(bare) :]) if bare != word else "", ""])
            places.append((fragment.start, fragment.end))
    if words and words[-1][2]:
        words[-1][1] = ""
    return _join([word + mark for word, mark, _ in words], places)


def _attach(words: list[list[str]], mark: Fragment) -> None:
    """Put a mark behind the last word: the first written one stays, a comma yields to others."""
    if not words or not mark.text:
        return
    present, softness = words[-1][1:]
    if present and (mark.is_soft or (present != "," and not softness)):
        return
    words[-1][1:] = [mark.text, "soft" if mark.is_soft else ""]


def _join(words: Sequence[str], places: Sequence[tuple[int, int]]) -> SpokenForm:
    spans: list[WordSpan] = []
    position = 0
    for word, (start, end) in zip(words, places, strict=True):
        spans.append(WordSpan(position, position + len(word), start, end))
        position += len(word) + 1
    return SpokenForm(" ".join(words), tuple(spans))


def trace_back(fragments: Iterable[Fragment], form: SpokenForm) -> list[Fragment]:
    """Let fragments of a spoken form stand for what its words stood for."""
    traced: list[Fragment] = []
    ends = [word.spoken_end for word in form.words]
    for fragment in fragments:
        first = min(bisect_right(ends, fragment.start), len(ends) - 1)
        last = min(bisect_left(ends, fragment.end), len(ends) - 1)
        start, end = form.words[first].start, form.words[last].end
        traced.append(replace(fragment, start=start, end=max(start, end)))
    return traced


def read_plainly(text: str, first: Iterable[Rule] = ()) -> list[Fragment]:
    """Read a language without rules: its own tokens, without emoji and control characters."""
    plain = Rule(re.compile(r"\S+"), lambda match: _drop_unspeakable(match[0]))
    return [part for part in read_fragments(text, (*first, plain)) if part.text]


def _drop_unspeakable(token: str) -> str:
    """Square brackets would reach an engine as phonemes, and nobody says them."""
    return "".join(char for char in token if char not in "[]" and not _is_unspeakable(char))


def _is_unspeakable(char: str) -> bool:
    category = unicodedata.category(char)
    return category in {"So", "Cc", "Cf", "Cs", "Co", "Cn", "Sk"} or "\ufe00" <= char <= "\ufe0f"
