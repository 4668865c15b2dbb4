"""Comparisons, with and without spaces around their sign: "x>=5", "p < 0.05", "(<50 words)".

A comparison that is lost says the contrary of what was written, so only what looks like a tag
or like a menu ("File > Open") is let go.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import partial

from narration.text.normalization.fragments import Rule
from narration.text.normalization.grammar import Grammar
from narration.text.normalization.rules import compile_rule

#: How "<div>", "</p>" and "List<int>" go on behind their first sign.
_TAG_END = re.compile(r"[/!?]?[A-Za-z][\w,.:-]{0,60}(?:\s[\w-]{1,40}=[^<>]{0,200})?\s?/?>")
_TAG_START = re.compile(r"<[/!?]?[A-Za-z][\w,.:-]{0,60}(?:\s[\w-]{1,40}=[^<>]{0,200})?\s?/?$")
_REACH = 320
_MENU = re.compile(r"[A-ZÀ-Ý][\w-]*[a-zà-ÿ.…]\s$")
_SIGNS = r"<=|>=|==|!=|=<|<|>|[≤≥≠]"
# Beside these words an operator is named and compares nothing.
_NAMED = "operators?|signs?|symbols?|operador(?:es)?|sina(?:l|is)|símbolos?"
_OPERAND = r"[\w(\[$€£√−\"“'+∞.-]"


def comparison_rules(grammar: Grammar) -> list[Rule]:
    """What stands between two operands, and what stands before a lone number."""
    symbols, words = grammar.symbols, grammar.words
    signs = {
        "<": words["less"], ">": words["greater"], "==": symbols["="], "!=": symbols["≠"],
        "<=": symbols["≤"], "=<": symbols["≤"], ">=": symbols["≥"], "≤": symbols["≤"],
        "≥": symbols["≥"], "≠": symbols["≠"],
    }  # fmt: skip
    bounds = {
        "<": words["under"], ">": words["above"], "<=": words["at_most"],
        ">=": words["at_least"], "≤": words["at_most"], "≥": words["at_least"],
    }  # fmt: skip
    return [
        Rule(
            re.compile(rf"(?i:\b(?:{_NAMED})\s)(?P<sign>{_SIGNS})(?=\s)"),
            lambda match: grammar.operators.get(match["sign"]),
            "sign",
        ),
        compile_rule(
            rf"(?<=\s)(?:{_SIGNS})(?=\s(?i:{_NAMED})\b)",
            lambda match: grammar.operators.get(match[0]),
        ),
        compile_rule(r"(?<=\w)\s?->\s?(?=\w)", lambda _: symbols["→"]),
        compile_rule(
            rf"(?<=[\w)\]%°²³!'\"”∞])\s?(?P<sign>{_SIGNS})\s?(?={_OPERAND})", partial(_say, signs)
        ),
        compile_rule(
            r"(?<![\w<>=)\]-])(?P<sign><=|>=|<|>|≤|≥)\s?(?=[\d$€£−-])", partial(_say, bounds)
        ),
    ]


def is_tag(text: str, start: int, sign: str) -> bool:
    """Whether the sign that begins at ``start`` opens or closes a tag or a type's parameter."""
    if sign == "<":
        return bool(_TAG_END.match(text, start + 1))
    return sign == ">" and bool(_TAG_START.search(text, max(0, start - _REACH), start))


def _say(words: Mapping[str, str], match: re.Match[str]) -> str | None:
    text, start, sign = match.string, match.start("sign"), match["sign"]
    if is_tag(text, start, sign) or (sign == ">" and _is_menu(text, match)):
        return None
    return words[sign]


def _is_menu(text: str, match: re.Match[str]) -> bool:
    """ "File > Open": names on both sides, and space."""
    start = match.start("sign")
    named = text[match.end() : match.end() + 1].isupper() and _MENU.search(
        text, max(0, start - 40), start
    )
    return bool(named) and not text[match.end() + 1 : match.end() + 2].isspace()
