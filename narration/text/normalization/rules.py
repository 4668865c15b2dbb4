"""The ordered rules that every language shares, filled with a language's tables.

Earlier rules win: what reads as an address is never read as a number. Patterns begin behind a
look-behind, so that long runs of one character are scanned once.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from functools import partial

from narration.text.greek import build_names
from narration.text.normalization.fragments import LETTER, NO_LETTERS, Rule
from narration.text.normalization.grammar import Grammar

Say = Callable[[Grammar, "re.Match[str]"], str | None]

# An exponent is no number of its own.
NUMBER_EDGE = r"(?<![^\W_])(?<!\d[.,])(?<!\^)(?<!\^[-−{(])"
ADDRESS_END = r"[^\s<>\"'“”()\[\]{}.,;:!?*]"
ADDRESS = r"[^\s<>\"'“”()\[\]{}]*"
_HOURS, _MINUTES = 24, 60


def named(name: str, rules: Iterable[Rule]) -> list[Rule]:
    """Give rules the name that explanations call them by, where they have none of their own."""
    return [rule if rule.name else replace(rule, name=name) for rule in rules]


def compile_rule(pattern: str, say: Callable[[re.Match[str]], str | None], flags: int = 0) -> Rule:
    """Make a rule from a pattern's source."""
    return Rule(re.compile(pattern, flags), say)


def abbreviation_rule(grammar: Grammar) -> Rule:
    """Replace abbreviations; a full stop that also ends the text stays for the intonation."""
    table = grammar.abbreviations
    keys = sorted(table, key=len, reverse=True)
    pattern = rf"(?<![\w.])(?:{'|'.join(_spaced(key) for key in keys)})(?:(?<=\.)|(?!\w))"
    return Rule(
        re.compile(rf"(?P<all>{pattern})", re.IGNORECASE), partial(_say_abbreviation, table)
    )


def _spaced(key: str) -> str:
    return re.escape(key).replace(r"\ ", r"\s?")


def _say_abbreviation(table: Mapping[str, str], match: re.Match[str]) -> str | None:
    written = re.sub(r"\s+", " ", match[0])
    spoken = table.get(written) or table.get(written.lower()) or table.get(written.capitalize())
    spoken = spoken or table.get(re.sub(r"\.\s?(?=.)", ". ", written.lower()))
    if spoken and match[0].endswith(".") and not match.string[match.end() :].strip("\"'”’»)] "):
        return f"{spoken}."
    return spoken


def clock_rule(grammar: Grammar, pattern: str, say: Say) -> Rule:
    """Make a rule for times of day; ``say`` sees groups h, m and s that are in range."""

    def say_time(match: re.Match[str]) -> str | None:
        hour, minute = int(match["h"]), int(match["m"] or 0)
        return say(grammar, match) if hour <= _HOURS and minute < _MINUTES else None

    return replace(compile_rule(pattern, say_time), name="time")


#: So many characters tell whether a text is all in capitals.
_LOUD = 400


def capitals_rule(grammar: Grammar) -> Rule:
    """Acronyms: named by letters or said as words; a text all in capitals is only loud."""

    def say(match: re.Match[str]) -> str | None:
        text = match.string[:_LOUD]
        if len(text) > len(match[0]) + 4 and " " in text.strip() and text.isupper():
            return None
        spoken = grammar.say_capitals(match["name"])
        if not match["plural"]:
            return spoken
        return spoken + ("s" if spoken == match["name"] else grammar.letter_plural)

    return compile_rule(
        rf"(?<!['’])(?<![^\W{NO_LETTERS}])(?P<name>[A-ZÀ-Þ]{{2,}})(?P<plural>['’]?s)?(?!{LETTER}|\d|_)",
        say,
    )


#: Operators that prose names: "the operator ==".
_SPELLED_OPERATORS = ("==", "!=", "<=", ">=", "&&", "||", "->", "=>")


def symbol_rules(grammar: Grammar) -> list[Rule]:
    """Operators between numbers, slashes between words, and symbols that have a name."""
    words = grammar.words
    table = dict(grammar.symbols)
    greek = build_names(grammar.code)
    alone = "".join(re.escape(char) for char in table)
    spelled = "|".join(re.escape(key) for key in _SPELLED_OPERATORS)
    return [
        compile_rule(rf"(?<!\S)(?:{spelled})(?!\S)", lambda match: grammar.operators[match[0]]),
        compile_rule(
            r"(?<=\s)(?P<dash>--|-)(?=[A-Za-z](?!\w)|(?<=--)[a-z]{2})",
            lambda match: " ".join([words["dash"]] * len(match["dash"])),
        ),
        fixed(r"(?<!\S)#(?!\S)", grammar.operators["#"]),
        fixed(r"(?<!\w)#(?=[^\W\d])", "hashtag"),
        fixed(r"(?<=\d)!(?=\s*[=+*/)×-])", words["factorial"]),
        fixed(
            r"(?:(?<=\d[xyznmtk])|(?<=\b[xyznmtk])|(?<=\)))\s[-–−]\s(?=[\dxyz(])", words["minus"]
        ),
        compile_rule(
            r"(?<![Α-Ωα-ω])[ΑΒΓΔΘΛΞΠΣΦΨΩα-ω](?![Α-Ωα-ω])", lambda match: greek.get(match[0])
        ),
        fixed(r"(?<=[\d)])\s*[*×]\s*(?=[\d(])|×", words["times"]),
        fixed(r"(?<=[\d)])\s+/\s+(?=[\d(])|÷", words["divided_by"]),
        fixed(r"(?<=\d)\s?:\s?(?=\d)", words["ratio"]),
        fixed(r"(?<=\w)/(?=(?:month|year|day|hour|week|person|mês|ano|dia|hora)\b)", words["per"]),
        fixed(r"(?<=[A-Z]{2})/(?=[A-Z]{2})", ""),
        fixed(r"(?<=[^\W\d_])/(?=[^\W\d_])", words["or"]),
        fixed(r"(?<!\w)#(?=\d)", words["number"]),
        fixed(r"(?<!\w)~(?=\d)", words["about"]),
        compile_rule(rf"[{alone}]", lambda match: table[match[0]]),
    ]


def fixed(pattern: str, spoken: str) -> Rule:
    """Make a rule that always says the same."""
    return compile_rule(pattern, lambda _: spoken)


def date_words(
    grammar: Grammar, more: Mapping[str, int] | None = None
) -> tuple[str, Mapping[str, int]]:
    """Give the pattern of month names and their short forms, and the number of each."""
    numbers: dict[str, int] = dict(more or {})
    for index, month in enumerate(grammar.months):
        numbers[month.lower()] = numbers[month[:3].lower()] = index + 1
    names = sorted(numbers, key=len, reverse=True)
    return rf"(?:{'|'.join(names)})", numbers


#: Two digits of a year below this one belong to our century.
_PIVOT = 70


def full_year(written: str) -> int:
    """Give the year that "2025" or "25" stands for."""
    year = int(written)
    if len(written) > 2:
        return year
    return year + (2000 if year < _PIVOT else 1900)


def chain(*groups: Iterable[Rule]) -> tuple[Rule, ...]:
    """Put groups of rules in order."""
    return tuple(rule for group in groups for rule in group)
