"""Roman numerals behind the words that announce them."""

from __future__ import annotations

import re
from collections.abc import Callable

from narration.text.normalization.fragments import Rule
from narration.text.normalization.grammar import Grammar


def roman_rule(
    leads: str, value_of: Callable[[str], int | None], say: Callable[[int, str], str]
) -> Rule:
    """Read a Roman numeral behind one of ``leads``; ``say`` gets its value and the lead."""

    def say_roman(match: re.Match[str]) -> str | None:
        value = value_of(match["n"])
        return None if value is None else say(value, match["lead"].lower())

    pattern = rf"(?<!\w)(?P<lead>{leads})\s+(?P<n>[IVXLCDM]+)(?!\w)"
    return Rule(re.compile(pattern), say_roman, "n")


def second_roman_rule(
    leads: str, value_of: Callable[[str], int | None], say: Callable[[int, str], str]
) -> Rule:
    """The second of two: "séculos XV e XVI"."""

    def say_roman(match: re.Match[str]) -> str | None:
        value = value_of(match["n"])
        return None if value is None else say(value, match["lead"].lower())

    pattern = (
        rf"(?<!\w)(?P<lead>{leads})\s+[IVXLCDM]+\s?(?:,|e|and|a|ao|to|–|-)\s?"
        r"(?P<n>[IVXLCDM]+)(?!\w)"
    )
    return Rule(re.compile(pattern), say_roman, "n")


def title_rule(grammar: Grammar, value_of: Callable[[str], int | None]) -> Rule:
    """Behind any name two letters or more are a number: "Rocky II", "Super Bowl LVIII"."""

    def say_number(match: re.Match[str]) -> str | None:
        value = value_of(match["n"])
        return None if value is None else grammar.cardinal(str(value), False)

    name = r"(?!(?:An?|The|Um|Uma|O|Os|E)\b)[A-ZÀ-Ý][a-zà-ý]+"
    pattern = rf"(?<!\w){name}\s(?P<n>[IVX]{{2,}}|[LXIV]{{3,}})(?!\w)"
    return Rule(re.compile(pattern), say_number, "n")
