"""Portuguese dates and times."""

from __future__ import annotations

import re

from narration.text.normalization.fragments import Rule
from narration.text.normalization.grammar import Grammar
from narration.text.normalization.pt_br_words import GRAMMAR
from narration.text.normalization.rules import clock_rule, compile_rule, date_words, full_year

_MONTH, _NUMBERS = date_words(GRAMMAR)
_SHORT = "|".join(name[:3] for name in GRAMMAR.months)
_ISO = r"(?<![\w-])(\d{4})-(\d{2})-(\d{2})"
_CLOCK = r"(?P<h>\d{1,2}):(?P<m>\d{2})(?::(?P<s>[0-5]\d)(?:[.,]\d{1,9})?)?"


def date_rules() -> list[Rule]:
    """Dates in digits, and those with short names of months."""
    return [
        *_iso_rules(),
        compile_rule(
            r"(?<![\w/.,-])(\d{1,2})/(\d{1,2})/(\d{4}|\d{2})(?![\w/-]|[.,]\d)", _say_slashed
        ),
        compile_rule(r"(?<![\w.])(\d{1,2})\.(\d{1,2})\.([12]\d{3})(?![\w]|\.\d)", _say_slashed),
        compile_rule(r"(?<![\w/])(\d{2})/([12]\d{3})(?![\w/])", _say_month_year),
        Rule(
            re.compile(
                r"(?:(?i:\b(?P<lead>dia|até|desde|data|em)\s)|(?<![\w/.,]))"
                r"(?P<date>(?!24/7|50/50)(?P<d>\d{1,2})/(?P<m>\d{1,2}))(?![\w/]|\s?%)"
            ),
            _say_day_month,
            "date",
        ),
        compile_rule(rf"(?<![\w.,])1(?=\s+de\s+(?:{_MONTH})(?!\w))", lambda _: "primeiro"),
        compile_rule(
            rf"(?<![\w.,])(?:(?P<d>\d{{1,2}})\s(?:de\s)?)?(?P<m>{_SHORT})\."
            r"(?:\s(?:de\s)?(?P<y>[12]\d{3})(?!\w)|(?<=\d \w\w\w\.))",
            _say_short,
            re.IGNORECASE,
        ),
    ]


def _iso_rules() -> list[Rule]:
    """ "2020-01-01", alone or before a time: "2020-01-01T10:00:00Z"."""
    zone = r"(?P<zone>\s?Z(?!\w)|[+-]\d\d:?\d\d(?!\d))?"
    return [
        compile_rule(rf"{_ISO}(?=T\d\d:\d\d|(?![\w-]))", _say_iso),
        Rule(
            re.compile(rf"{_ISO}(?P<at>T){_CLOCK}"),
            lambda match: "à" if int(match["h"]) == 1 else "às",
            "at",
        ),
        Rule(re.compile(rf"(?<=\dT)(?P<all>{_CLOCK}{zone})(?!\w)"), _say_stamp, "all"),
    ]


def _say_day(day: int, of_month: int, year: int) -> str | None:
    if not (1 <= of_month <= 12 and 1 <= day <= 31):
        return None
    spoken = "primeiro" if day == 1 else GRAMMAR.cardinal(str(day), False)
    return f"{spoken} de {GRAMMAR.months[of_month - 1]} de {GRAMMAR.year(year)}"


def _say_iso(match: re.Match[str]) -> str | None:
    year, of_month, day = map(int, match.groups())
    return _say_day(day, of_month, year)


def _say_slashed(match: re.Match[str]) -> str | None:
    """The day comes first, unless only the second can be one."""
    first, second, year = int(match[1]), int(match[2]), full_year(match[3])
    return _say_day(first, second, year) or _say_day(second, first, year)


def _say_month_year(match: re.Match[str]) -> str | None:
    of_month, year = map(int, match.groups())
    if not 1 <= of_month <= 12:
        return None
    return f"{GRAMMAR.months[of_month - 1]} de {GRAMMAR.year(year)}"


def _say_short(match: re.Match[str]) -> str:
    spoken = GRAMMAR.months[_NUMBERS[match["m"].lower()] - 1]
    day = f"{GRAMMAR.cardinal(str(int(match['d'])), False)} de " if match["d"] else ""
    year = f" de {GRAMMAR.year(int(match['y']))}" if match["y"] else ""
    return day + spoken + year


def _say_day_month(match: re.Match[str]) -> str | None:
    """ "15/11" is a day; so is "5/4" behind a word that asks for one."""
    day, of_month = int(match["d"]), int(match["m"])
    if not (1 <= of_month <= 12 and 1 <= day <= 31) or not (match["lead"] or day > of_month):
        return None
    spoken = "primeiro" if day == 1 else GRAMMAR.cardinal(str(day), False)
    return f"{spoken} de {GRAMMAR.months[of_month - 1]}"


def time_rules() -> list[Rule]:
    """Times of day, and spans between two of them."""
    time = r"\d{1,2}(?::\d\d|\s?h(?:\d\d)?(?:min)?)"
    return [
        Rule(
            re.compile(rf"(?<![\w:.,]){time}(?P<dash>\s?[-–—]\s?)(?={time}(?![\w:]))"),
            _say_dash,
            "dash",
        ),
        compile_rule(
            r"(?<=\bdas\s)(?P<from>\d{1,2})\s?[-–—]\s?(?P<to>\d{1,2})\s?h(?!\w)", _say_hours
        ),
        clock_rule(
            GRAMMAR,
            r"(?<![\w:.,])(?P<h>\d{1,2})[:h](?P<m>\d{2})(?::(?P<s>[0-5]\d))?(?:m(?:in)?)?(?![\w:])",
            _say_time,
        ),
        clock_rule(GRAMMAR, r"(?<![\w:.,])(?P<h>\d{1,2})\s?h(?P<m>)(?P<s>)s?(?!\w)", _say_time),
    ]


def _say_dash(match: re.Match[str]) -> str:
    last = re.match(r"\d+", match.string[match.end("dash") : match.end("dash") + 2])
    return "à" if last and int(last[0]) == 1 else "às"


def _say_hours(match: re.Match[str]) -> str:
    first, last = (GRAMMAR.cardinal(match[key], True) for key in ("from", "to"))
    return f"{first} às {last} horas"


def _say_stamp(match: re.Match[str]) -> str | None:
    """The time of a machine's timestamp; hours from Greenwich only where they are not zero."""
    if int(match["h"]) > 24 or int(match["m"]) >= 60:
        return None
    seconds = match["s"] if int(match["s"] or 0) else ""
    spoken = _say_clock(int(match["h"]), int(match["m"]), seconds)
    zone = (match["zone"] or "").strip()
    if zone == "Z":
        return f"{spoken} u tê cê"
    if not zone or not int(zone[1:3]):
        return spoken
    sign = GRAMMAR.words["plus" if zone[0] == "+" else "minus"]
    return f"{spoken} u tê cê {sign} {GRAMMAR.cardinal(str(int(zone[1:3])), False)}"


def _say_time(_grammar: Grammar, match: re.Match[str]) -> str:
    return _say_clock(int(match["h"]), int(match["m"] or 0), match["s"])


def _say_clock(hour: int, minute: int, seconds: str | None) -> str:
    spoken = f"{GRAMMAR.cardinal(str(hour), True)} {'hora' if hour == 1 else 'horas'}"
    if minute:
        unit = "minuto" if minute == 1 else "minutos"
        spoken += f" e {GRAMMAR.cardinal(str(minute), False)} {unit}"
    if seconds:
        spoken += f" e {GRAMMAR.cardinal(str(int(seconds)), False)} segundos"
    return spoken
