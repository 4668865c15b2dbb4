"""English: what it reads in which order, ordinals, decades, rulers, streets and saints."""

from __future__ import annotations

import re

from narration.text.normalization import numerals
from narration.text.normalization.addresses import address_rules
from narration.text.normalization.code import code_rules
from narration.text.normalization.comparisons import comparison_rules
from narration.text.normalization.contacts import contact_rules
from narration.text.normalization.en_dates import date_rules, time_rules
from narration.text.normalization.en_words import BEFORE_NUMBERS, GRAMMAR
from narration.text.normalization.fragments import Rule
from narration.text.normalization.numbers import number_rules
from narration.text.normalization.quantities import quantity_rules
from narration.text.normalization.ranges import money_range_rule, year_range_rules
from narration.text.normalization.romans import roman_rule, second_roman_rule, title_rule
from narration.text.normalization.rules import (
    abbreviation_rule,
    capitals_rule,
    chain,
    compile_rule,
    fixed,
    named,
    symbol_rules,
)
from narration.text.normalization.science import chemical_rules, formula_rules
from narration.text.tables import words as table_words

_RULERS = table_words("Elizabeth Henry Louis Pius Charles George Pedro John Paul")
_LEADS = (
    r"[Cc]h\.|[Vv]ol\.|[Ss]ec\.|[Cc]hapter|[Pp]art|[Vv]olume|[Bb]ook|[Ss]ection|[Tt]ype|[Aa]ct"
    rf"|[Pp]hase|[Ww]ar|[Aa]ppendix|{'|'.join(_RULERS)}"
)
_PHONE_LEADS = "call|dial|phone|ring|text|press"


def _say_before_number(match: re.Match[str]) -> str:
    name = match["abbr"]
    spoken = BEFORE_NUMBERS.get(name) or BEFORE_NUMBERS.get(name.capitalize())
    spoken = spoken or BEFORE_NUMBERS[name.lower()]
    return spoken.capitalize() if name[0].isupper() else spoken.lower()


def _say_ordinal(match: re.Match[str]) -> str | None:
    digits = match[1].replace(",", "")
    return numerals.ordinal_en(int(digits)) if len(digits) <= 9 else None


def _say_decade(match: re.Match[str]) -> str:
    digits = match[1]
    is_year = len(digits) > 2
    spoken = numerals.year_en(int(digits)) if is_year else GRAMMAR.cardinal(digits, False)
    return spoken[:-1] + "ies" if spoken.endswith("y") else spoken + "s"


def _say_roman(value: int, lead: str) -> str:
    is_ruler = lead.capitalize() in _RULERS
    return f"the {numerals.ordinal_en(value)}" if is_ruler else GRAMMAR.cardinal(str(value), False)


def _say_height(match: re.Match[str]) -> str:
    feet, inches = (GRAMMAR.cardinal(match[unit], False) for unit in ("ft", "in"))
    return f"{feet} feet {inches} inches"


def _say_century(match: re.Match[str]) -> str | None:
    value = numerals.read_roman(match["n"])
    return None if value is None else numerals.ordinal_en(value)


def _say_street(match: re.Match[str]) -> str:
    """A full stop that also ends the text stays."""
    is_last = not match.string[match.end() :].strip("\"'”’»)] ")
    return f"Street{'.' * is_last}"


def _measure_rules() -> list[Rule]:
    height = r"(?<![\w.,])(?P<ft>\d{1,3})\s?ft\.?\s(?P<in>\d{1,2})\s?in(?:\.(?=\s[a-z])|\b)"
    return [compile_rule(height, _say_height), fixed(r"(?<=\d\s)K(?!\w)", "kelvin")]


def _abbreviation_rules() -> list[Rule]:
    abbreviated = "|".join(sorted(BEFORE_NUMBERS, key=len, reverse=True))
    return [
        # Behind a name and before anything but a name, St. is a street.
        Rule(
            re.compile(
                r"(?:(?<![.!?]\s)(?<!\w)[A-Z][a-z]+|\d(?:st|nd|rd|th))\s"
                r"(?P<st>St\.)(?=\W*$|[,;:)]|\s[a-z\d(])"
            ),
            _say_street,
            "st",
        ),
        Rule(
            re.compile(rf"(?<![\w.])(?P<abbr>{abbreviated})\.(?=\s?\d)", re.IGNORECASE),
            _say_before_number,
        ),
        abbreviation_rule(GRAMMAR),
    ]


def _ordinal_rules() -> list[Rule]:
    return [
        compile_rule(r"(?<![\w.,])(\d+(?:,\d{3})*)(?:st|nd|rd|th)(?!\w)", _say_ordinal),
    ]


def _roman_rules() -> list[Rule]:
    return [
        roman_rule(_LEADS, numerals.read_roman, _say_roman),
        second_roman_rule(_LEADS, numerals.read_roman, _say_roman),
        title_rule(GRAMMAR, numerals.read_roman),
        compile_rule(r"(?<!\w)(?P<n>[IVXL]+)(?=\s+(?:century|centuries)\b)", _say_century),
    ]


def _rules(*, is_day_first: bool) -> tuple[Rule, ...]:
    return chain(
        named("address", address_rules(GRAMMAR)),
        named("date", date_rules(is_day_first=is_day_first)),
        named("telephone", contact_rules(GRAMMAR, _PHONE_LEADS)),
        named("quantity", _measure_rules()),
        named("time", time_rules()),
        named("abbreviation", _abbreviation_rules()),
        named("ordinal", _ordinal_rules()),
        named("decade", [compile_rule(r"(?<![\w.,'’])['’]?(\d{4}|\d0)s(?!\w)", _say_decade)]),
        named("chemistry", chemical_rules(GRAMMAR)),
        named("date", year_range_rules(GRAMMAR)),
        named("quantity", [money_range_rule(GRAMMAR), *quantity_rules(GRAMMAR)]),
        named("Roman numeral", _roman_rules()),
        named("comparison", comparison_rules(GRAMMAR)),
        named("formula", formula_rules(GRAMMAR)),
        named("number", number_rules(GRAMMAR)),
        named("acronym", [capitals_rule(GRAMMAR)]),
        named("symbol", symbol_rules(GRAMMAR)),
    )


RULES = _rules(is_day_first=False)
#: For regions that write the day before the month: "en-GB".
DAY_FIRST_RULES = _rules(is_day_first=True)
CODE_RULES = code_rules(GRAMMAR)
