"""A dash between two numbers: from one to the other, or the joint of a number that names.

Only a dash between spaces, the minus sign itself and a term of an equation subtract; everything
else that ends up between digits is never "minus".
"""

from __future__ import annotations

import re
from functools import partial

from narration.text.normalization.fragments import Rule
from narration.text.normalization.grammar import Grammar
from narration.text.normalization.quantities import say_money
from narration.text.normalization.rules import compile_rule, fixed

_DASH = r"\s?[-–—]\s?"
_YEAR = r"(?:1[5-9]|20)\d\d"


def money_range_rule(grammar: Grammar) -> Rule:
    """ "$5-10", "$5–$10", "R$ 2–3 mil": the currency is said once, at the end."""
    number, scale = grammar.number, grammar.words["scales"]
    signs = "|".join(re.escape(sign) for sign in sorted(grammar.currencies, key=len, reverse=True))
    return compile_rule(
        rf"(?<!\w)(?P<sign>{signs})\s?(?P<from>{number}){_DASH}(?:(?P=sign)\s?)?"
        rf"(?P<n>{number})(?:\s?(?P<scale>{scale})(?!\w))?(?![\w-]|\s?=)",
        partial(_say_money_range, grammar),
    )


def _say_money_range(grammar: Grammar, match: re.Match[str]) -> str:
    currency, first = grammar.currencies[match["sign"]], match["from"]
    if re.search(r"[.,]\d\d$", first) and not match["scale"]:
        said = say_money(grammar, match["sign"], first, None)
    else:
        said = grammar.say_number(first, currency.is_feminine)
    last = say_money(grammar, match["sign"], match["n"], match["scale"])
    return f"{said} {grammar.words['to']} {last}"


def year_range_rules(grammar: Grammar) -> list[Rule]:
    """ "1990-91" and "2019/20": the second is short for a year of the same century."""
    edge = r"(?<![\w.,/-])"
    return [
        compile_rule(
            rf"{edge}(?P<from>{_YEAR})(?:{_DASH}|/)(?P<to>\d\d)(?![\w/-]|[.,]\d|\s?[=%°])",
            partial(_say_season, grammar),
        ),
        compile_rule(
            rf"{edge}(?P<from>{_YEAR})/(?P<to>{_YEAR})(?![\w/-])", partial(_say_season, grammar)
        ),
    ]


def _say_season(grammar: Grammar, match: re.Match[str]) -> str | None:
    first, last = match["from"], match["to"]
    if int(last) <= int(first[-len(last) :]) and last != "00":
        return None
    said = grammar.year(int(last)) if len(last) > 2 else grammar.say_short_year(last)
    return f"{grammar.year(int(first))} {grammar.words['to']} {said}"


def number_range_rule(grammar: Grammar) -> Rule:
    """ "1.5-2.5", "1,000–2,000": rising numbers with points and commas."""
    number = grammar.number
    return compile_rule(
        rf"(?<![\w.,/-])(?P<from>{number})[-–](?P<to>{number})(?![\w/-]|[.,]\d|\s?=)",
        partial(_say_range, grammar),
    )


def _say_range(grammar: Grammar, match: re.Match[str]) -> str | None:
    first, last = match["from"], match["to"]
    if first.isdecimal() and last.isdecimal():
        return None  # others know years, scores and telephones
    if grammar.value(first) >= grammar.value(last):
        return None
    return f"{grammar.say_number(first)} {grammar.words['to']} {grammar.say_number(last)}"


def joint_rules(grammar: Grammar) -> list[Rule]:
    """What is left between digits: minus in sums, else a joint that is not said."""
    minus = grammar.words["minus"]
    return [
        fixed(r"(?<=\d)[-–](?=\d{1,12}\s?[=+*/×])|(?<=[=+*/×]\s\d)[-–](?=\d)", minus),
        fixed(r"(?<=\d)\s*−\s*(?=\d)|(?<=[\d)]\s)[-–−](?=\s[\d(])|(?<=\s)−(?=\s)", minus),
        Rule(
            re.compile(r"(?P<a>\d{1,9})(?P<dash>[-–—])(?=(?P<b>\d{1,9}))"),
            lambda match: grammar.words["to"] if int(match["a"]) < int(match["b"]) else "",
            "dash",
        ),
    ]
