"""The ordered rules that every language shares, filled with a language's tables.

Earlier rules win: what reads as an address is never read as a number. Patterns begin behind a
look-behind, so that long runs of one character are scanned once.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from functools import partial

from narration.text.normalization.fragments import LETTER, NO_LETTERS, Rule
from narration.text.normalization.grammar import Grammar

Say = Callable[[Grammar, "re.Match[str]"], str | None]

_EDGE = r"(?<![\w@.+\-])"
_NUMBER_EDGE = r"(?<![^\W_])(?<!\d[.,])"
_ADDRESS_END = r"[^\s<>\"'“”()\[\]{}.,;:!?*]"
_ADDRESS = r"[^\s<>\"'“”()\[\]{}]*"
_DOMAINS = "com|org|net|io|edu|gov|dev|app|info|br|pt|uk|ai|co"
_FILES = (
    "py|md|html?|css|js|ts|json|txt|csv|pdf|png|jpe?g|svg|ya?ml|toml|ini|cfg|sh|sql|zip|exe|doc"
    "|mp3|xml"
)
_LONGEST_PATH = 30
_HOURS, _MINUTES = 24, 60


def compile_rule(pattern: str, say: Callable[[re.Match[str]], str | None], flags: int = 0) -> Rule:
    """Make a rule from a pattern's source."""
    return Rule(re.compile(pattern, flags), say)


def address_rules(grammar: Grammar) -> list[Rule]:
    """Smileys, citations, e-mail and web addresses, file names, identifiers."""
    say_address = partial(_say_address, grammar)
    say_path = partial(_say_path, grammar)
    return [
        compile_rule(r"(?<!\w)[:;=8]-?[)(DPpOo|\]\[/\\](?!\w)|<3(?!\w)|\^_\^", _say_nothing),
        compile_rule(r"^\[[ xX]\](?=\s)", _say_nothing),
        compile_rule(r"([=*_~#+<>|-])\1{2,}|(?<=\w)\((?:e?s|[ao]s?)\)", _say_nothing),
        compile_rule(r"(?<=\w)\s?\[\d{1,3}(?:[,–-]\s?\d{1,3})*\]", _say_nothing),
        compile_rule(rf"{_EDGE}[\w.+-]{{1,64}}@[\w-]+(?:\.[\w-]+)+", partial(_say_email, grammar)),
        compile_rule(rf"(?<!\w)(?:https?|ftp)://{_ADDRESS}{_ADDRESS_END}/?", say_address),
        compile_rule(rf"{_EDGE}www\.{_ADDRESS}{_ADDRESS_END}/?", say_address),
        compile_rule(
            rf"{_EDGE}(?:[a-z0-9-]+\.)+(?:{_DOMAINS})(?![\w-])(?:/{_ADDRESS}{_ADDRESS_END})?/?",
            say_address,
        ),
        compile_rule(rf"(?<![\w@.+\-/~])[\w\-/~]*[\w\-]\.(?:{_FILES})(?!\w)", say_path),
        compile_rule(rf"(?<![\w.])\.(?:{_FILES})(?!\w)", partial(_say_name, grammar)),
        compile_rule(
            r"(?<![\w./~])(?:~|\.{1,2})?/?[^\W\d][\w.-]*/(?:[\w.-]+/)+(?:[\w.-]*\w)?", say_path
        ),
        compile_rule(r"(?<![\w./~])(?:~|\.{1,2})?/[\w.-]+(?:/[\w.-]+)*/?", say_path),
        compile_rule(r"(?<![\w.])[^\W\d]\w*(?:\.[^\W\d]\w*)*\(\)", partial(_say_name, grammar)),
        compile_rule(r"(?<![\w.])\w*[^\W_]_+[^\W_]\w*(?:\.\w+)*", partial(_say_name, grammar)),
        compile_rule(r"(?<!\w)__?[^\W_]+(?:_+[^\W_]+)*_*", partial(_say_name, grammar)),
        compile_rule(r"(?<![\w.])[a-z]\w+(?:\.[a-z]\w+)+(?!\w)", partial(_say_name, grammar)),
    ]


def _say_nothing(_: re.Match[str]) -> str:
    return ""


def _say_email(grammar: Grammar, match: re.Match[str]) -> str:
    user, _, host = match[0].partition("@")
    return f"{_say_name_text(grammar, user)} {grammar.words['at']} {_say_name_text(grammar, host)}"


def _say_address(grammar: Grammar, match: re.Match[str]) -> str:
    """Say host, port and a short path; the rest is for clicking, not for hearing."""
    bare = re.sub(r"^\w+://", "", match[0]).removeprefix("www.")
    place = re.split(r"[?#]", bare, maxsplit=1)[0].rstrip("/")
    host, _, path = place.partition("/")
    name, _, port = host.partition(":")
    spoken = _say_name_text(grammar, name)
    if port.isdecimal():
        spoken += f" {grammar.words['port']} {grammar.cardinal(port, False)}"
    if 0 < len(path) <= _LONGEST_PATH:
        spoken += f" {grammar.words['slash']} {_say_path_text(grammar, path)}"
    return spoken


def _say_path(grammar: Grammar, match: re.Match[str]) -> str:
    return _say_path_text(grammar, match[0])


def _say_path_text(grammar: Grammar, path: str) -> str:
    slash = f" {grammar.words['slash']} "
    parts = [_say_name_text(grammar, part) for part in path.strip("/").split("/") if part]
    return (slash.lstrip() if path.startswith("/") else "") + slash.join(parts)


def _say_name(grammar: Grammar, match: re.Match[str]) -> str:
    return _say_name_text(grammar, match[0])


def _say_name_text(grammar: Grammar, name: str) -> str:
    dot = f" {grammar.words['dot']} "
    lead = dot.lstrip() if name.startswith(".") and name.strip(".") else ""
    return lead + dot.join(filter(None, map(grammar.say_identifier, name.split("."))))


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


def quantity_rules(grammar: Grammar) -> list[Rule]:
    """Money, percentages, units, fractions; each may be a range or carry a sign."""
    number = grammar.number
    signed = rf"(?:(?<![\w)])[-−+])?{number}"
    units = "|".join(re.escape(unit) for unit in sorted(grammar.units, key=len, reverse=True))
    money = "|".join(re.escape(sign) for sign in sorted(grammar.currencies, key=len, reverse=True))
    scale = grammar.words["scales"]
    ranged = rf"{_NUMBER_EDGE}(?:(?P<from>{signed})\s?[-–—]\s?)?(?P<n>{signed})"
    say_money = partial(_say_money, grammar)
    return [
        compile_rule(
            rf"(?<!\w)(?P<sign>{money})\s?(?P<n>{number})(?:\s?(?P<scale>{scale})(?!\w))?",
            say_money,
        ),
        compile_rule(rf"{_NUMBER_EDGE}(?P<n>{number})(?P<scale>)\s?(?P<sign>[€£])", say_money),
        compile_rule(rf"{ranged}\s?(?P<unit>%)", partial(_say_quantity, grammar)),
        compile_rule(rf"{ranged}\s?(?P<unit>{units})(?![\w/²³])", partial(_say_quantity, grammar)),
        compile_rule(r"(?<![\w/.,])(\d{1,2})/(\d{1,2})(?![\w/])", partial(_say_fraction, grammar)),
    ]


def _say_money(grammar: Grammar, match: re.Match[str]) -> str:
    currency = grammar.currencies[match["sign"]]
    written = match["n"]
    if scale := match["scale"]:
        spoken = grammar.say_number(written)
        joint = "" if scale == "mil" else grammar.words["of"]
        return f"{spoken} {grammar.words.get(scale, scale)} {joint}{currency.many}"
    whole, _, cents = written.partition(grammar.decimal)
    if len(cents) != 2:
        name = currency.one if grammar.value(written) == 1 else currency.many
        joint = grammar.words["of"] if re.fullmatch(r"\d+(\D?000){2,}", written) else ""
        return f"{grammar.say_number(written, currency.is_feminine)} {joint}{name}"
    parts = []
    if grammar.value(whole):
        name = currency.one if grammar.value(whole) == 1 else currency.many
        parts.append(f"{grammar.say_number(whole, currency.is_feminine)} {name}")
    if int(cents) or not parts:
        name = currency.cent if int(cents) == 1 else currency.cents
        parts.append(f"{grammar.cardinal(str(int(cents)), False)} {name}")
    return f" {grammar.words['and']} ".join(parts)


def _say_quantity(grammar: Grammar, match: re.Match[str]) -> str:
    one, many = grammar.units[match["unit"]]
    is_feminine = grammar.is_feminine(many.split()[0])
    value = grammar.value(match["n"])
    is_one = value == 1 if grammar.code == "en" else 0 < value < 2
    spoken = f"{grammar.say_number(match['n'], is_feminine)} {one if is_one else many}"
    if match["from"]:
        first = grammar.say_number(match["from"], is_feminine)
        spoken = f"{first} {grammar.words['to']} {spoken}"
    return spoken


def _say_fraction(grammar: Grammar, match: re.Match[str]) -> str:
    if spoken := grammar.fractions.get(match[0]):
        return spoken
    above, below = (grammar.cardinal(part, False) for part in match.groups())
    return f"{above} {grammar.words['over']} {below}"


def number_rules(grammar: Grammar) -> list[Rule]:
    """Ranges, versions, plain numbers with the noun's gender, words mixed with digits."""
    return [
        compile_rule(
            r"(?<![\w.,/])(\d{1,4})\s?[–—]\s?(\d{1,4})(?![\w/])|(?<![\w.,/-])(\d{1,4})-(\d{1,4})(?![\w/-])",
            partial(_say_range, grammar),
        ),
        compile_rule(r"(?<![\w.,])v?\d+(?:\.\d+){2,}(?![\w])", partial(_say_version, grammar)),
        compile_rule(
            rf"(?:(?<![\w)])[-−])?{_NUMBER_EDGE}{grammar.number}(?![^\W_])",
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
    say = (lambda part: grammar.year(int(part))) if is_years else _cardinal_of(grammar)
    return f"{say(left)} {grammar.words['to']} {say(right)}"


def _cardinal_of(grammar: Grammar) -> Callable[[str], str]:
    return lambda digits: grammar.cardinal(digits, False)


def _is_year(digits: str) -> bool:
    return len(digits) == 4 and 1100 <= int(digits) <= 2099


def _say_version(grammar: Grammar, match: re.Match[str]) -> str:
    parts = match[0].lstrip("v").split(".")
    word = grammar.words["version"] + " " if match[0].startswith("v") else ""
    return word + f" {grammar.words['dot']} ".join(grammar.cardinal(part, False) for part in parts)


_NOUN = re.compile(r"\s+([^\W\d_]+)")


def _say_plain(grammar: Grammar, match: re.Match[str]) -> str:
    written = match[0]
    noun = _NOUN.match(match.string, match.end())
    if written.isdecimal() and _is_year(written) and _reads_as_year(grammar, match, noun):
        return grammar.year(int(written))
    return grammar.say_number(written, bool(noun and grammar.is_feminine(noun[1].lower())))


def _reads_as_year(grammar: Grammar, match: re.Match[str], noun: re.Match[str] | None) -> bool:
    """In doubt a four-digit number is a year, unless it counts the plural noun that follows."""
    lead = re.search(r"([^\W\d_]+)\s+$", match.string[max(0, match.start() - 20) : match.start()])
    if lead and lead[1].lower() in grammar.words["year_leads"].split():
        return True
    return int(match[0]) >= 1500 and not (noun and len(noun[1]) > 3 and noun[1].endswith("s"))


def _say_mixed(grammar: Grammar, match: re.Match[str]) -> str:
    return grammar.say_mixed(match[0])


def clock_rule(grammar: Grammar, pattern: str, say: Say) -> Rule:
    """Make a rule for times of day; ``say`` sees groups h, m and s that are in range."""

    def say_time(match: re.Match[str]) -> str | None:
        hour, minute = int(match["h"]), int(match["m"] or 0)
        return say(grammar, match) if hour <= _HOURS and minute < _MINUTES else None

    return compile_rule(pattern, say_time)


def capitals_rule(grammar: Grammar) -> Rule:
    """Acronyms: named by letters or said as words; a text all in capitals is only loud."""

    def say(match: re.Match[str]) -> str | None:
        text = match.string
        if len(text) > len(match[0]) + 4 and " " in text.strip() and text.isupper():
            return None
        spoken = grammar.say_capitals(match["name"])
        return spoken + grammar.letter_plural if match["plural"] else spoken

    return compile_rule(
        rf"(?<!['’])(?<![^\W{NO_LETTERS}])(?P<name>[A-ZÀ-Þ]{{2,}})(?P<plural>['’]?s)?(?!{LETTER}|\d|_)",
        say,
    )


def roman_rule(
    leads: str, value_of: Callable[[str], int | None], say: Callable[[int, str], str]
) -> Rule:
    """Read a Roman numeral behind one of ``leads``; ``say`` gets its value and the lead."""

    def say_roman(match: re.Match[str]) -> str | None:
        value = value_of(match["n"])
        return None if value is None else say(value, match["lead"].lower())

    pattern = rf"(?<!\w)(?P<lead>{leads})\s+(?P<n>[IVXLCDM]+)(?!\w)"
    return Rule(re.compile(pattern), say_roman, "n")


def symbol_rules(grammar: Grammar) -> list[Rule]:
    """Operators between numbers, slashes between words, and symbols that have a name."""
    words = grammar.words
    table = dict(grammar.symbols)
    alone = "".join(re.escape(char) for char in table)
    return [
        _fixed(r"(?<=\d)\s*[-−]\s*(?=\d)|(?<=\s)−(?=\s)", words["minus"]),
        _fixed(r"(?<=[\d)])\s*[*×]\s*(?=[\d(])|×", words["times"]),
        _fixed(r"(?<=\d)x(?=\d)", words["by"]),
        _fixed(r"(?<=[\d)])\s+/\s+(?=[\d(])|÷", words["divided_by"]),
        _fixed(r"(?<=\s)<(?=\s)", words["less"]),
        _fixed(r"(?<=\s)>(?=\s)", words["greater"]),
        _fixed(r"(?<=\d):(?=\d)", words["to"]),
        _fixed(r"(?<=[^\W\d_])/(?=[^\W\d_])", words["or"]),
        _fixed(r"(?<!\w)#(?=\d)", words["number"]),
        _fixed(r"(?<!\w)~(?=\d)", words["about"]),
        compile_rule(rf"[{alone}]", lambda match: table[match[0]]),
    ]


def _fixed(pattern: str, spoken: str) -> Rule:
    return compile_rule(pattern, lambda _: spoken)


def code_rules(grammar: Grammar) -> tuple[Rule, ...]:
    """Read a stretch of code: a lone mark by its name, operators, names, numbers; no brackets."""
    table = grammar.operators
    longest_first = sorted(
        (key for key in table if len(key) > 1 and key not in {"()", "[]", "{}"}),
        key=len,
        reverse=True,
    )
    many = "|".join(re.escape(key) for key in longest_first)
    # Between these only white space tells an operator from a flag, a path or a bracket.
    single = "".join(
        re.escape(key) for key in table if len(key) == 1 and key not in "\"'`.,:;()[]{}<>"
    )
    dash, slash, dot = (grammar.words[key] for key in ("dash", "slash", "dot"))
    lookup: Callable[[re.Match[str]], str | None] = lambda match: table.get(match[0].strip())  # noqa: E731
    return (
        compile_rule(
            r"^\s*\S{1,3}\s*$", lambda match: None if match[0].strip().isalnum() else lookup(match)
        ),
        compile_rule(
            rf"(?<!\w)(?:https?)://{_ADDRESS}{_ADDRESS_END}", partial(_say_address, grammar)
        ),
        _fixed(r"(?<=<)/(?=\w)", slash),
        _fixed(r"(?:^|(?<=\s))--(?=\w)", f"{dash} {dash}"),
        _fixed(r"(?:^|(?<=\s))-(?=[^\W\d])", dash),
        compile_rule(rf"{many}", lookup),
        _fixed(r"(?<=\s)<(?=\s)", table["<"]),
        _fixed(r"(?<=\s)>(?=\s)", table[">"]),
        _fixed(r"(?<=[\w)]\s)/(?=\s[\w(])", grammar.words["divided_by"]),
        compile_rule(
            rf"(?<![\w.])[-]?{_NUMBER_EDGE}\d+\.\d+(?![\w.])", partial(_say_code_number, grammar)
        ),
        compile_rule(r"[^\W\d_]+['’](?:s|t|re|ll|ve|d|m)(?!\w)", lambda match: match[0]),
        compile_rule(
            r"(?<!\w)(?=[a-f]*\d)[0-9a-f]{6,}(?!\w)", lambda match: grammar.say_mixed(match[0])
        ),
        compile_rule(r"[^\W\d]\w*", lambda match: grammar.say_identifier(match[0])),
        compile_rule(r"\d+", lambda match: grammar.cardinal(match[0], False)),
        _fixed(r"\.(?=\w)", dot),
        _fixed(r"(?<=[^\s<])-(?=\S)", ""),
        compile_rule(rf"[{single}]", lookup),
    )


def _say_code_number(grammar: Grammar, match: re.Match[str]) -> str:
    whole, _, part = match[0].lstrip("-").partition(".")
    sign = grammar.words["minus"] + " " if match[0].startswith("-") else ""
    return f"{sign}{grammar.cardinal(whole, False)} {grammar.words['dot']} {grammar.digits(part)}"


def date_words(grammar: Grammar) -> tuple[str, Mapping[str, int]]:
    """Give the pattern of month names and their short forms, and the number of each."""
    numbers: dict[str, int] = {}
    for index, month in enumerate(grammar.months):
        numbers[month.lower()] = numbers[month[:3].lower()] = index + 1
    names = sorted(numbers, key=len, reverse=True)
    return rf"(?:{'|'.join(names)})", numbers


def chain(*groups: Iterable[Rule]) -> tuple[Rule, ...]:
    """Put groups of rules in order."""
    return tuple(rule for group in groups for rule in group)
