"""The ordered rules that every language shares, filled with a language's tables.

Earlier rules win: what reads as an address is never read as a number. Patterns begin behind a
look-behind, so that long runs of one character are scanned once.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from functools import partial

from narration.text.normalization.fragments import LETTER, NO_LETTERS, Rule
from narration.text.normalization.grammar import Grammar
from narration.text.tables import words as table_words

Say = Callable[[Grammar, "re.Match[str]"], str | None]

NUMBER_EDGE = r"(?<![^\W_])(?<!\d[.,])"
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


def quantity_rules(grammar: Grammar) -> list[Rule]:
    """Money, percentages, units, fractions; each may be a range or carry a sign."""
    number = grammar.number
    signed = rf"(?:(?<![\w)])[-−+])?{number}"
    units = "|".join(re.escape(unit) for unit in sorted(grammar.units, key=len, reverse=True))
    money = "|".join(re.escape(sign) for sign in sorted(grammar.currencies, key=len, reverse=True))
    scale = grammar.words["scales"]
    ranged = rf"{NUMBER_EDGE}(?:(?P<from>{signed})\s?[-–—]\s?)?(?P<n>{signed})"
    say_money = partial(_say_money, grammar)
    return [
        compile_rule(
            rf"(?<!\w)(?P<sign>{money})\s?(?P<n>{number})(?:\s?(?P<scale>{scale})(?!\w))?",
            say_money,
        ),
        compile_rule(rf"{NUMBER_EDGE}(?P<n>{number})(?P<scale>)\s?(?P<sign>[€£])", say_money),
        compile_rule(rf"{ranged}\s?(?P<unit>%)", partial(_say_quantity, grammar)),
        compile_rule(
            rf"{ranged}\s?(?P<unit>{units})(?:/(?P<per>{units}))?(?![\w/²³])",
            partial(_say_quantity, grammar),
        ),
        compile_rule(
            rf"(?<![\w/.,])(?P<whole>\d{{1,3}})\s?(?P<part>[{''.join(_VULGAR)}]|(?<=\s)\d/\d(?![\w/]))",
            partial(_say_mixed_fraction, grammar),
        ),
        compile_rule(
            rf"(?<![\w/.,])(?P<part>[{''.join(_VULGAR)}]|\d{{1,2}}/\d{{1,3}})(?![\w/])",
            partial(_say_fraction, grammar),
        ),
    ]


def _say_money(grammar: Grammar, match: re.Match[str]) -> str:
    currency = grammar.currencies[match["sign"]]
    written = match["n"]
    if scale := match["scale"]:
        spoken = grammar.say_number(written)
        joint = "" if scale == "mil" else grammar.words["of"]
        return f"{spoken} {grammar.words.get(scale, scale)} {joint}{currency.many}"
    if re.fullmatch(r"\d+[.,]\d\d", written):
        whole, cents = written[:-3], written[-2:]
    else:
        whole, _, cents = written.partition(grammar.decimal)
    if len(cents) != 2:
        name = currency.one if grammar.value(written) == 1 else currency.many
        joint = grammar.words["of"] if re.fullmatch(r"\d+(\D?000){2,}", written) else ""
        return f"{grammar.say_number(written, currency.is_feminine)} {joint}{name}"
    parts = []
    if grammar.value(whole):
        name = currency.one if grammar.value(whole) == 1 else currency.many
        joint = grammar.words["of"] if re.fullmatch(r"\d+(\D?000){2,}", whole) else ""
        parts.append(f"{grammar.say_number(whole, currency.is_feminine)} {joint}{name}")
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
    if per := match.groupdict().get("per"):
        spoken += f" {grammar.words['per']} {grammar.units[per][0]}"
    if match["from"]:
        first = grammar.say_number(match["from"], is_feminine)
        spoken = f"{first} {grammar.words['to']} {spoken}"
    return spoken


_VULGAR = {
    "½": "1/2", "⅓": "1/3", "⅔": "2/3", "¼": "1/4", "¾": "3/4", "⅕": "1/5", "⅖": "2/5", "⅗": "3/5",
    "⅘": "4/5", "⅙": "1/6", "⅚": "5/6", "⅛": "1/8", "⅜": "3/8", "⅝": "5/8", "⅞": "7/8",
}  # fmt: skip
_NOUN = re.compile(r"\s+([^\W\d_]+)")


def _say_fraction(grammar: Grammar, match: re.Match[str]) -> str:
    return _fraction_words(grammar, match["part"], is_feminine=_counts_feminine(grammar, match))


def _say_mixed_fraction(grammar: Grammar, match: re.Match[str]) -> str:
    is_feminine = _counts_feminine(grammar, match)
    whole = grammar.cardinal(match["whole"], is_feminine)
    part = _fraction_words(grammar, match["part"], is_feminine=is_feminine, is_added=True)
    return f"{whole} {grammar.words['and']} {part}"


def _fraction_words(
    grammar: Grammar, written: str, *, is_feminine: bool, is_added: bool = False
) -> str:
    plain = _VULGAR.get(written, written)
    special = (plain, "f" if is_feminine else "", "added" if is_added else "")
    for key in ("|".join(special), "|".join(special[:2]), plain):
        if spoken := grammar.fractions.get(key):
            return spoken
    above, below = map(int, plain.split("/"))
    said = grammar.cardinal(str(above), False)
    named = grammar.denominators(below, above != 1) if 0 < above < below else ""
    if named:
        return f"{said} {named}"
    return f"{said} {grammar.words['over']} {grammar.cardinal(str(below), False)}"


def _counts_feminine(grammar: Grammar, match: re.Match[str]) -> bool:
    """Whether the number counts a feminine noun; one that names something counts nothing."""
    before = match.string[max(0, match.start() - 30) : match.start()]
    lead = re.search(r"([^\W\d_]+)\s+$", before)
    is_name = before.endswith(("-", "–")) or match[0][0] in "-−"
    if is_name or (lead and lead[1].lower() in grammar.words["labels"].split()):
        return False
    noun = _NOUN.match(match.string, match.end())
    return bool(noun and grammar.is_feminine(noun[1].lower()))


def number_rules(grammar: Grammar) -> list[Rule]:
    """Ranges, versions, plain numbers with the noun's gender, words mixed with digits."""
    say_version = partial(_say_version, grammar)
    return [
        compile_rule(
            r"(?<![\w.,/])(\d{1,4})\s?[–—]\s?(\d{1,4})(?![\w/])|(?<![\w.,/-])(\d{1,4})-(\d{1,4})(?![\w/-])",
            partial(_say_range, grammar),
        ),
        compile_rule(r"(?<![\w.,])(?:v\d+(?:\.\d+)+|\d+(?:\.\d+){2,})(?!\w)", say_version),
        Rule(
            re.compile(rf"(?<!\w)(?:{_RELEASED})\s(?P<n>\d+\.\d+)(?!\w|\.\d|,\d)"),
            say_version,
            "n",
        ),
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
    is_feminine = _counts_feminine(grammar, match)
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
    noun = _NOUN.match(match.string, match.end())
    if written.isdecimal() and _is_year(written) and _reads_as_year(grammar, match, noun):
        return grammar.year(int(written))
    return grammar.say_number(written, _counts_feminine(grammar, match))


def _reads_as_year(grammar: Grammar, match: re.Match[str], noun: re.Match[str] | None) -> bool:
    """In doubt a four-digit number is a year, unless it counts the plural noun that follows."""
    lead = re.search(r"([^\W\d_]+)\s+$", match.string[max(0, match.start() - 20) : match.start()])
    is_counted = bool(noun and len(noun[1]) > 3 and noun[1].endswith("s"))
    if lead and lead[1].lower() in grammar.words["year_leads"].split():
        return not (is_counted and lead[1].lower() == "of")
    return int(match[0]) >= 1500 and not is_counted


def _say_mixed(grammar: Grammar, match: re.Match[str]) -> str:
    return grammar.say_mixed(match[0])


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


#: Operators that prose names: "the operator ==".
_SPELLED_OPERATORS = ("==", "!=", "<=", ">=", "&&", "||", "->", "=>")
_GREEK = dict(
    zip(
        "αβγδεζηθικλμνξοπρσςτυφχψωΑΒΓΔΘΛΞΠΣΦΨΩ",
        table_words(
            "alfa beta gama delta épsilon zeta eta teta iota capa lambda mi ni csi ômicron pi rô"
            " sigma sigma tau ípsilon fi qui psi ômega alfa beta gama delta teta lambda csi pi"
            " sigma fi psi ômega"
        ),
        strict=True,
    )
)


def symbol_rules(grammar: Grammar) -> list[Rule]:
    """Operators between numbers, slashes between words, and symbols that have a name."""
    words = grammar.words
    table = dict(grammar.symbols)
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
            r"(?<![Α-Ωα-ω])[ΑΒΓΔΘΛΞΠΣΦΨΩα-ω](?![Α-Ωα-ω])", lambda match: _GREEK.get(match[0])
        ),
        fixed(r"(?<=\d)\s*[-−]\s*(?=\d)|(?<=\s)−(?=\s)", words["minus"]),
        fixed(r"(?<=[\d)])\s*[*×]\s*(?=[\d(])|×", words["times"]),
        fixed(r"(?<=[\d)])\s+/\s+(?=[\d(])|÷", words["divided_by"]),
        fixed(r"(?<=\s)<(?=\s)", words["less"]),
        fixed(r"(?<=\s)>(?=\s)", words["greater"]),
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
