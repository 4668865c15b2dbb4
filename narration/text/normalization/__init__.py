"""Written text → spoken text, one module per language, every spoken word with its written span.

``read_prose`` and ``read_code`` give fragments, for callers that join several kinds of writing;
``normalize`` is the whole of it for plain prose. Nothing here raises for any text.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache

from narration.text.normalization import en, en_words, pt_br, pt_br_words
from narration.text.normalization.fragments import (
    Fragment,
    Rule,
    assemble,
    read_fragments,
    read_plainly,
    trace_back,
)
from narration.text.normalization.grammar import Grammar
from narration.values import SpokenForm

_MOST_READINGS = 4
# Where English is spoken and the day stands before the month.
_DAY_FIRST = re.compile(r"en[-_](?:GB|UK|AU|NZ|IE|ZA|IN)(?:[-_].*)?", re.IGNORECASE)
_LANGUAGES = {"en": en, "pt": pt_br}
_GRAMMARS = {"en": en_words.GRAMMAR, "pt": pt_br_words.GRAMMAR}
# What a lexicon gave the engine is no writing any more; authors' own brackets are gone by then.
_PHONEME = Rule(re.compile(r"\[\[[^\]]+\]\]"), lambda match: match[0])


def normalize(text: str, language: str) -> SpokenForm:
    """Say ``text`` in words; ``language`` is BCP 47, an unknown one passes through cleaned.

    Spans are offsets into ``text``. Saying the result again changes nothing.
    """
    return assemble(read_prose(text, language))


def has_rules(language: str) -> bool:
    """Whether numbers, dates and symbols of ``language`` are put into words here."""
    return _primary(language) in _LANGUAGES


def read_prose(text: str, language: str, first: Sequence[Rule] = ()) -> list[Fragment]:
    """Read prose as ordered fragments with offsets into ``text``; ``first`` are rules of yours."""
    rules = _find_rules(language)
    return _settle(text, rules, first) if rules else read_plainly(text, first)


def _settle(text: str, rules: Sequence[Rule], first: Sequence[Rule]) -> list[Fragment]:
    """Read until reading again changes nothing.

    Once is enough for what people write; words glued to numbers ("etc5") come free only then.
    ``first`` is read once: an alias may hold its own grapheme.
    """
    fragments = read_fragments(text, (*first, *rules))
    rules = (_PHONEME, *rules)
    for _ in range(_MOST_READINGS):
        form = assemble(fragments)
        if form.text == text:
            break
        again = read_fragments(form.text, rules)
        if assemble(again).text == form.text:
            break
        fragments = trace_back(again, form)
    return fragments


def read_code(text: str, language: str, first: Sequence[Rule] = ()) -> list[Fragment]:
    """Read a stretch of code inside a sentence; only its commas are pauses."""
    module = _LANGUAGES.get(_primary(language))
    if not module:
        return read_plainly(text, first)
    fragments = read_fragments(text, (*first, *module.CODE_RULES))
    return [
        part for part in fragments if not part.is_mark or (part.text == "," and not part.is_soft)
    ]


def say_cardinal(number: int, language: str) -> str:
    """Say a whole number in words; languages without a grammar keep its digits."""
    grammar = _GRAMMARS.get(_primary(language))
    return grammar.cardinal(str(number), False) if grammar else str(number)


def get_grammar(language: str) -> Grammar:
    """Give the tables of ``language``, or English ones for a language without its own."""
    return _GRAMMARS.get(_primary(language), en_words.GRAMMAR)


@lru_cache(maxsize=64)
def _find_rules(language: str) -> tuple[Rule, ...]:
    if _DAY_FIRST.fullmatch(language):
        return en.DAY_FIRST_RULES
    module = _LANGUAGES.get(_primary(language))
    return module.RULES if module else ()


@lru_cache(maxsize=64)
def _primary(language: str) -> str:
    return language.lower().replace("_", "-").split("-")[0]
