"""Written text → spoken text, one module per language, every spoken word with its written span.

``read_prose`` and ``read_code`` give fragments, for callers that join several kinds of writing;
``normalize`` is the whole of it for plain prose. Nothing here raises for any text.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache

from narration.text.normalization import en, pt_br
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
_LANGUAGES = {"en": en, "pt": pt_br}
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
    module = _LANGUAGES.get(_primary(language))
    return _settle(text, module.RULES, first) if module else read_plainly(text, first)


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
    module = _LANGUAGES.get(_primary(language))
    return module.GRAMMAR.cardinal(str(number), False) if module else str(number)


def get_grammar(language: str) -> Grammar:
    """Give the tables of ``language``, or English ones for a language without its own."""
    return pt_br.GRAMMAR if _primary(language) == "pt" else en.GRAMMAR


@lru_cache(maxsize=64)
def _primary(language: str) -> str:
    return language.lower().replace("_", "-").split("-")[0]
