"""Plain numbers: ranges, versions, years, numbers with the gender of what they count."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import partial

from narration.text.normalization.fragments import Rule
from narration.text.normalization.grammar import Grammar
from narration.text.normalization.quantities import NOUN, counts_feminine
from narration.text.normalization.ranges import joint_rules, number_range_rule
from narration.text.normalization.rules import NUMBER_EDGE, compile_rule


def number_rules(grammar: Grammar) -> list[Rule]:
    """Ranges, versions, plain numbers with the noun's gender, words mixed with digits."""
    say_version = partial(_say_version, grammar)
    return [
        number_range_rule(grammar),
        compile_rule(
            r"(?<![\w.,/])(\d{1,4})\s?[–—]\s?(\d{1,4})(?![\w/])|(?<![\w.,/-])(\d{1,4})-(\d{1,4})(?![\w/]|-\d)",
            partial(_say_range, grammar),
        ),
        compile_rule(r"(?<![\w.,])(?:v\d+(?:\.\d+)+|\d+(?:\.\d+){2,})(?!\w)", say_version),
        Rule(
            re.compile(rf"(?<!\w)(?:{_RELEASED})\s(?P<n>\d+\.\d+)(?!\w|\.\d|,\d)"),
            say_version,
            "n",
        ),
        *joint_rules(grammar),
        compile_rule(
            rf"(?:(?<![\w)])[-−])?{NUMBER_EDGE}{grammar.number}(?![^\W_])",
            partial(_say_plain, grammar),
        ),
        compile_rule(
            r"(?<![^\W_])[^\W_]*?(?:\d[^\W\d_]|[^\W\d_]\d)[^\W_]*", partial(_say_mixed, grammar)
        ),
        compile_rule(r"\d+", lambda match: grammar.cardinal(match[0], False)),
    ]


def _say_range(grammar: Grammar, match: re.Match[str]) -> str | None:
    left, right = (part for part in match.groups() if part)
    if "-" in match[0] and (int(left) >= int(right) or abs(len(left) - len(right)) > 1):
        return None
    is_years = all(_is_year(part) for part in (left, right))
    is_feminine = counts_feminine(grammar, match)
    say = (lambda part: grammar.year(int(part))) if is_years else _cardinal_of(grammar, is_feminine)
    return f"{say(left)} {grammar.words['to']} {say(right)}"


def _cardinal_of(grammar: Grammar, is_feminine: bool) -> Callable[[str], str]:
    return lambda digits: grammar.cardinal(digits, is_feminine)


def _is_year(digits: str) -> bool:
    return len(digits) == 4 and 1000 <= int(digits) <= 2099


# What comes in releases: behind these "3.10" is no decimal.
_RELEASED = (
    "Python|Django|Ubuntu|Debian|Java|PHP|Ruby|Node|Go|Rust|Perl|Swift|Kotlin|Windows|Android|iOS"
    "|macOS|Git|HTML|CSS|PostgreSQL|MySQL|SQLite|[Vv]ersion|[Vv]ersions|[Rr]elease|[Vv]ersão"
    "|[Vv]ersões"
)


def _say_version(grammar: Grammar, match: re.Match[str]) -> str | None:
    written = match["n"] if "n" in match.re.groupindex else match[0]
    if grammar.thousands == "." and re.fullmatch(r"\d{1,3}(?:\.\d{3})+", written):
        return None
    parts = written.lstrip("v").split(".")
    before = match.string[max(0, match.start() - 20) : match.start()]
    named = before.rstrip().lower().endswith(grammar.words["version"])
    word = grammar.words["version"] + " " if written.startswith("v") and not named else ""
    return word + f" {grammar.words['dot']} ".join(grammar.cardinal(part, False) for part in parts)


def _say_plain(grammar: Grammar, match: re.Match[str]) -> str:
    written = match[0]
    noun = NOUN.match(match.string, match.end())
    if written.isdecimal() and _is_year(written) and _reads_as_year(grammar, match, noun):
        return grammar.year(int(written))
    return grammar.say_number(written, counts_feminine(grammar, match))


def _reads_as_year(grammar: Grammar, match: re.Match[str], noun: re.Match[str] | None) -> bool:
    """In doubt a four-digit number is a year, unless it counts the plural noun that follows."""
    lead = re.search(r"([^\W\d_]+)\s+$", match.string[max(0, match.start() - 20) : match.start()])
    is_counted = bool(noun and len(noun[1]) > 3 and noun[1].endswith("s"))
    if lead and lead[1].lower() in grammar.words["year_leads"].split():
        return not (is_counted and lead[1].lower() == "of")
    return int(match[0]) >= 1500 and not is_counted


def _say_mixed(grammar: Grammar, match: re.Match[str]) -> str:
    return grammar.say_mixed(match[0])
