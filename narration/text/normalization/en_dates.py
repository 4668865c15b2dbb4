"""English dates and times.

Numbers alone are ambiguous: "3/4/2025" is March in America and April in Britain. A day above
twelve decides; otherwise the month comes first, but for regions that put the day first.
"""

from __future__ import annotations

import re
from functools import partial

from narration.text.normalization import numerals
from narration.text.normalization.en_words import GRAMMAR
from narration.text.normalization.fragments import Rule
from narration.text.normalization.grammar import Grammar
from narration.text.normalization.rules import clock_rule, compile_rule, date_words, full_year

_NAMES, _NUMBERS = date_words(GRAMMAR, {"sept": 9})
_MONTH = _NAMES.title()  # "may" and "march" are verbs too
_HALF = r"(?:\s?(?P<half>[ap]\.?m\b\.?|[AP]M\b))"
_SLASHED = r"(?<![\w/.,-])(\d{1,2})/(\d{1,2})/(\d{4}|\d{2})(?![\w/-]|[.,]\d)"
_ISO = r"(?<![\w-])(\d{4})-(\d{2})-(\d{2})"
_CLOCK = r"(?P<h>\d{1,2}):(?P<m>\d{2})(?::(?P<s>[0-5]\d)(?:\.\d{1,9})?)?"


def date_rules(*, is_day_first: bool) -> list[Rule]:
    """Dates in digits, dates with names of months, and both ends of a span of days."""
    day, year = r"(?P<d>\d{1,2})(?:st|nd|rd|th)?", r"(?P<y>[12]\d{3})"
    # The full stop of "Dec." belongs to it unless it may end the sentence.
    stop = r"(?:(?<=[A-Z][a-z]{2})|(?<=Sept))\.(?=\s?\d)|\.(?=,)"
    named = rf"(?P<m>{_MONTH})\b(?:{stop})?"
    return [
        *_iso_rules(),
        compile_rule(_SLASHED, partial(_say_slashed, is_day_first)),
        *_span_rules(named, day),
        compile_rule(
            rf"(?<![\w.,]){day}\s(?:of\s)?{named}(?:,?\s{year}(?!\d))?(?!\w)", _say_day_first
        ),
        compile_rule(rf"(?<!\w){named}\s{day}(?:,?\s{year})?(?![\w:])(?!\.\d)", _say_named),
        compile_rule(rf"(?<!\w)(?P<m>{_MONTH})\.?\s{year}(?!\w)", _say_month_year),
    ]


def _iso_rules() -> list[Rule]:
    """ "2020-01-01", alone or before a time: "2020-01-01T10:00:00Z"."""
    zone = r"(?P<zone>\s?Z(?!\w)|[+-]\d\d:?\d\d(?!\d))?"
    return [
        compile_rule(rf"{_ISO}(?=T\d\d:\d\d|(?![\w-]))", _say_iso),
        Rule(re.compile(rf"{_ISO}(?P<at>T){_CLOCK}"), lambda _: "at", "at"),
        Rule(re.compile(rf"(?<=\dT)(?P<all>{_CLOCK}{zone})(?!\w)"), _say_stamp, "all"),
    ]


def _span_rules(named: str, day: str) -> list[Rule]:
    """ "May 3-5" and "3-5 May": the dash says to, the day on its far side is a day too."""
    other = r"(?P<other>\d{1,2})(?:st|nd|rd|th)?"
    return [
        Rule(
            re.compile(rf"(?<!\w){named}\s{day}(?P<rest>\s?[-–]\s?{other})(?![\w:/-]|\.\d)"),
            _say_rest,
            "rest",
        ),
        Rule(
            re.compile(rf"(?<![\w.,/-])(?P<rest>{other}\s?[-–]\s?){day}\s(?:of\s)?{named}(?!\w)"),
            _say_first,
            "rest",
        ),
    ]


def _say_rest(match: re.Match[str]) -> str | None:
    return f"to {numerals.ordinal_en(int(match['other']))}" if _is_rising(match) else None


def _say_first(match: re.Match[str]) -> str | None:
    if int(match["other"]) >= int(match["d"]):
        return None
    return f"the {numerals.ordinal_en(int(match['other']))} to"


def _is_rising(match: re.Match[str]) -> bool:
    return int(match["d"]) < int(match["other"]) <= 31


def say_day(day: int, of_month: int, year: int | None = None) -> str | None:
    """ "March twelfth, twenty twenty"; None for what is no day."""
    if not (1 <= of_month <= 12 and 1 <= day <= 31):
        return None
    spoken = f"{GRAMMAR.months[of_month - 1]} {numerals.ordinal_en(day)}"
    return spoken if year is None else f"{spoken}, {numerals.year_en(year)}"


def _say_iso(match: re.Match[str]) -> str | None:
    year, of_month, day = map(int, match.groups())
    return say_day(day, of_month, year)


def _say_slashed(is_day_first: bool, match: re.Match[str]) -> str | None:
    first, second = int(match[1]), int(match[2])
    year = full_year(match[3])
    if is_day_first:
        return say_day(first, second, year) or say_day(second, first, year)
    return say_day(second, first, year) or say_day(first, second, year)


def _say_day_first(match: re.Match[str]) -> str | None:
    day, of_month = int(match["d"]), _NUMBERS[match["m"].lower()]
    if not 1 <= day <= 31:
        return None
    before = match.string[max(0, match.start() - 4) : match.start()]
    is_told = before.lower() == "the " or before.endswith(("-", "–"))
    said = f"{'' if is_told else 'the '}{numerals.ordinal_en(day)} of"
    year = f", {numerals.year_en(int(match['y']))}" if match["y"] else ""
    return f"{said} {GRAMMAR.months[of_month - 1]}{year}"


def _say_named(match: re.Match[str]) -> str | None:
    year = int(match["y"]) if match["y"] else None
    return say_day(int(match["d"]), _NUMBERS[match["m"].lower()], year)


def _say_month_year(match: re.Match[str]) -> str:
    month = GRAMMAR.months[_NUMBERS[match["m"].lower()] - 1]
    return f"{month} {numerals.year_en(int(match['y']))}"


def time_rules() -> list[Rule]:
    """Times of day, spans between two of them, and how long something took."""
    hour = r"\d{1,2}(?::\d\d)?"
    dash = r"\s?(?P<dash>[-–—])\s?"
    half = r"(?:\s?(?:[ap]\.?m\b\.?|[AP]M\b))"
    return [
        Rule(re.compile(rf"(?<![\w:.,]){hour}{half}?{dash}{hour}{half}"), lambda _: "to", "dash"),
        Rule(
            re.compile(rf"(?<![\w:.,])\d{{1,2}}:\d\d{dash}(?=\d{{1,2}}:\d\d(?![\w:]))"),
            lambda _: "to",
            "dash",
        ),
        clock_rule(GRAMMAR, rf"(?<![\w:.,]){_CLOCK}{_HALF}?(?![\w:])", _say_time),
        clock_rule(GRAMMAR, rf"(?<![\w:.,])(?P<h>\d{{1,2}})(?P<m>)(?P<s>){_HALF}", _say_time),
        compile_rule(
            r"(?<![\w:.,])(?P<h>\d{1,3})\s?h\s?(?P<m>[0-5]?\d)\s?(?:m(?:in)?\b)(?:\s?(?P<s>[0-5]?\d)\s?s\b)?",
            _say_length,
        ),
        compile_rule(
            r"(?<![\w:.,])(?P<h>)(?P<m>\d{1,3})m(?:in)?\s?(?P<s>[0-5]?\d)\s?s(?!\w)", _say_length
        ),
    ]


def _say_length(match: re.Match[str]) -> str:
    parts = []
    for key, name in (("h", "hour"), ("m", "minute"), ("s", "second")):
        if match[key]:
            number = int(match[key])
            many = "" if number == 1 else "s"
            parts.append(f"{GRAMMAR.cardinal(str(number), False)} {name}{many}")
    return " ".join(parts)


def _say_stamp(match: re.Match[str]) -> str | None:
    """The time of a machine's timestamp; hours from Greenwich only where they are not zero."""
    hour, minute = int(match["h"]), int(match["m"])
    if hour > 24 or minute >= 60:
        return None
    spoken = _say_clock(hour, minute, match["s"] if int(match["s"] or 0) else "")
    zone = (match["zone"] or "").strip()
    if zone == "Z":
        return f"{spoken} U-T-C"
    if not zone or not int(zone[1:3]):
        return spoken
    sign = GRAMMAR.words["plus" if zone[0] == "+" else "minus"]
    return f"{spoken} U-T-C {sign} {GRAMMAR.cardinal(str(int(zone[1:3])), False)}"


def _say_time(_grammar: Grammar, match: re.Match[str]) -> str:
    half = match["half"]
    spoken = _say_clock(int(match["h"]), int(match["m"] or 0), match["s"], has_half=bool(half))
    is_last = bool(half) and half.endswith(".") and not match.string[match.end() :].strip()
    return f"{spoken} {half[0].upper()}-M{'.' * is_last}" if half else spoken


def _say_clock(hour: int, minute: int, seconds: str, *, has_half: bool = False) -> str:
    spoken = GRAMMAR.cardinal(str(hour), False)
    if minute:
        spoken += f" {'oh ' if minute < 10 else ''}{GRAMMAR.cardinal(str(minute), False)}"
    elif not has_half:
        spoken += " o'clock" if hour <= 12 else " hundred"
    if seconds:
        spoken += f" and {GRAMMAR.cardinal(str(int(seconds)), False)} seconds"
    return spoken
