"""English: tables, dates, times, ordinals."""

from __future__ import annotations

import re
from collections.abc import Callable

from narration.text.normalization import numerals
from narration.text.normalization.addresses import address_rules
from narration.text.normalization.code import code_rules
from narration.text.normalization.contacts import contact_rules
from narration.text.normalization.fragments import Rule
from narration.text.normalization.grammar import Currency, Grammar
from narration.text.normalization.rules import (
    abbreviation_rule,
    capitals_rule,
    chain,
    clock_rule,
    compile_rule,
    date_words,
    fixed,
    named,
    number_rules,
    quantity_rules,
    roman_rule,
    second_roman_rule,
    symbol_rules,
    title_rule,
)
from narration.text.normalization.science import chemical_rules, formula_rules

_MONTHS = "January February March April May June July August September October November December"
_CAPITALS = (
    "NASA NATO UNESCO UNICEF JSON YAML RAM ROM LAN WAN SIM PIN REST CRUD AJAX ASCII CORS DOS LINUX"
    " OPEC LASER RADAR SCUBA COVID NOT AND OR ALL NO YES NEVER ALWAYS ONLY MUST DO IS IT ARE THE"
    " YOU NOTE TIP WARNING TODO BIG NEW OK GET PUT POST HEAD SAME ANY ONE TWO THIS THAT WILL CAN"
    " README GIT"
)
_ABBREVIATIONS = {
    "Dr.": "Doctor", "Mr.": "Mister", "Mrs.": "Missus", "Ms.": "Miz", "Prof.": "Professor",
    "Gen.": "General",
    "Capt.": "Captain", "Sgt.": "Sergeant", "Rev.": "Reverend", "Gov.": "Governor",
    "Sen.": "Senator",
    "St.": "Saint", "e.g.": "for example", "eg.": "for example", "i.e.": "that is",
    "ie.": "that is", "etc.": "et cetera", "etc": "et cetera", "vs.": "versus", "vs": "versus",
    "cf.": "compare", "approx.": "approximately", "ca.": "circa", "c. ": "circa ",
    "et al.": "and others", "a.m.": "A-M", "p.m.": "P-M", "B.C.": "B-C", "A.D.": "A-D",
    "B.C.E.": "B-C-E", "C.E.": "C-E", "Ph.D.": "P-H-D", "PhD": "P-H-D", "U.S.": "U-S",
    "U.K.": "U-K",
    "U.S.A.": "U-S-A", "Inc.": "Incorporated", "Ltd.": "Limited", "Jr.": "Junior",
    "Ctrl": "Control", "Mac OS": "Mac O-S", "macOS": "Mac O-S", "iOS": "i O-S",
    "km/h": "kilometres per hour",
    "m/s": "metres per second", "w/o": "without", "and/or": "and or", "C++": "C plus plus",
    "C#": "C sharp", "F#": "F sharp", ".NET": "dot net", "Node.js": "Node J-S", "I/O": "I-O",
    "24/7": "twenty-four seven", "pH": "P-H", "Rd.": "Road", "Ave.": "Avenue",
    "1D": "one D", "2D": "two D", "3D": "three D",
}  # fmt: skip
_BEFORE_NUMBERS = {
    "Fig": "Figure", "Figs": "Figures", "Eq": "Equation", "Eqs": "Equations", "p": "page",
    "pp": "pages", "Ch": "Chapter", "Chap": "Chapter", "Sec": "Section", "Sect": "Section",
    "Vol": "Volume", "No": "number", "Nos": "numbers", "Art": "Article", "Tab": "Table",
    "c": "circa", "ver": "version", "v": "version",
}  # fmt: skip
_UNITS = {
    "km": "kilometre", "cm": "centimetre", "mm": "millimetre", "nm": "nanometre", "m": "metre",
    "µm": "micrometre", "kg": "kilogram", "mg": "milligram", "g": "gram", "lb": "pound",
    "lbs": "pound", "oz": "ounce", "t": "tonne", "ml": "millilitre", "mL": "millilitre",
    "l": "litre", "L": "litre", "ms": "millisecond", "µs": "microsecond", "ns": "nanosecond",
    "s": "second", "sec": "second", "min": "minute", "h": "hour", "hrs": "hour", "Hz": "hertz",
    "kHz": "kilohertz", "MHz": "megahertz", "GHz": "gigahertz", "B": "byte", "kB": "kilobyte",
    "KB": "kilobyte", "MB": "megabyte", "GB": "gigabyte", "TB": "terabyte", "KiB": "kibibyte",
    "MiB": "mebibyte", "GiB": "gibibyte", "W": "watt", "kW": "kilowatt", "MW": "megawatt",
    "V": "volt", "mV": "millivolt", "J": "joule", "kJ": "kilojoule", "N": "newton", "Pa": "pascal",
    "kPa": "kilopascal", "mA": "milliampere", "kWh": "kilowatt hour", "px": "pixel",
    "°": "degree", "º": "degree", "mi": "mile", "ft": "foot", "dB": "decibel", "ha": "hectare",
    "kcal": "kilocalorie", "¢": "cent",
}  # fmt: skip
_FIXED_UNITS = {
    "%": "percent", "‰": "per thousand", "hertz": "hertz", "kHz": "kilohertz", "Hz": "hertz",
    "MHz": "megahertz", "GHz": "gigahertz", "°C": "degrees Celsius", "ºC": "degrees Celsius",
    "° C": "degrees Celsius", "°F": "degrees Fahrenheit", "m/s": "metres per second",
    "km/h": "kilometres per hour", "mph": "miles per hour", "m/s²": "metres per second squared",
    "m²": "square metres", "m2": "square metres", "km²": "square kilometres",
    "km2": "square kilometres", "cm²": "square centimetres", "m³": "cubic metres",
    "m3": "cubic metres", "cm³": "cubic centimetres", "kg/m³": "kilograms per cubic metre",
    "g/cm³": "grams per cubic centimetre", "Mbps": "megabits per second",
    "Mbit/s": "megabits per second",
    "Gbit/s": "gigabits per second", "MB/s": "megabytes per second", "kbps": "kilobits per second",
    "fps": "frames per second", "ppm": "parts per million", "bpm": "beats per minute",
    "ft": "feet",
}  # fmt: skip
_SYMBOLS = {
    "&": "and", "%": "percent", "+": "plus", "=": "equals", "≤": "is at most", "≥": "is at least",
    "≠": "is not equal to", "≈": "is about", "±": "plus or minus", "→": "to", "⇒": "implies",
    "←": "from", "↔": "to and from", "°": "degrees", "§": "section", "©": "copyright", "€": "euros",
    "£": "pounds", "$": "dollars", "¥": "yen", "∞": "infinity", "√": "square root of", "π": "pi",
    "²": "squared", "³": "cubed", "½": "one half", "¼": "one quarter", "¾": "three quarters",
    "@": "at", "∑": "sum", "∈": "in", "∀": "for all", "∃": "there is",
}  # fmt: skip
_OPERATORS = {
    "**": "to the power of", "==": "equals", "!=": "is not equal to", "<=": "is at most",
    ">=": "is at least", "->": "arrow", "=>": "arrow", "&&": "and", "||": "or", "//": "slash slash",
    "++": "plus plus", "+=": "plus equals", "-=": "minus equals", ">>>": "greater than three times",
    ">>": "greater than twice", "<<": "less than twice", "...": "dot dot dot", "::": "colon colon",
    "+": "plus", "-": "minus", "*": "times", "/": "slash", "%": "percent sign", "=": "equals",
    "<": "less than", ">": "greater than", "@": "at", "#": "hash", "$": "dollar", "&": "and",
    "|": "pipe", "~": "tilde", "^": "caret", "\\": "backslash", "_": "underscore",
    "!": "exclamation mark",
    "?": "question mark", ".": "dot", ",": "comma", ":": "colon", ";": "semicolon",
    '"': "quotation mark", "'": "single quote", "`": "backtick", "(": "open parenthesis",
    ")": "close parenthesis", "[": "open bracket", "]": "close bracket", "{": "open brace",
    "}": "close brace", "[]": "square brackets", "()": "parentheses", "{}": "curly braces",
    '"""': "three quotation marks", "{{": "two open braces", "}}": "two close braces",
    "{%": "open brace percent", "%}": "percent close brace", "</": "less than slash",
}  # fmt: skip


def _plural(name: str) -> str:
    return {"foot": "feet", "kilowatt hour": "kilowatt hours"}.get(name, f"{name}s")


_CENTS = ("cent", "cents")
GRAMMAR = Grammar(
    code="en",
    thousands=",",
    decimal=".",
    words={
        "minus": "minus", "point": "point", "dot": "dot", "slash": "slash", "at": "at",
        "port": "port", "to": "to", "and": "and", "of": "", "over": "over", "times": "times",
        "labels": "", "tilde": "tilde", "backslash": "backslash", "colon": "colon",
        "factorial": "factorial", "by": "by", "per": "per", "ratio": "to",
        "plus": "plus", "power": "to the power of",
        "squared": "squared", "cubed": "cubed", "applied_to": "of",
        "divided_by": "divided by", "less": "is less than", "or": "or",
        "greater": "is greater than", "number": "number", "about": "about", "dash": "dash",
        "version": "version", "scales": "thousand|million|billion|trillion|bn|k|m|M|B",
        "k": "thousand", "m": "million", "M": "million", "B": "billion", "bn": "billion",
        "year_leads": "in since from by until before after during around circa of year",
    },
    cardinal=numerals.cardinal_en,
    digits=numerals.digits_en,
    year=numerals.year_en,
    is_feminine=lambda _: False,
    months=tuple(_MONTHS.split()),
    letters={},
    letter_joint="-",
    letter_plural="'s",
    spoken_capitals=frozenset(_CAPITALS.split()),
    abbreviations=_ABBREVIATIONS,
    units={key: (name, _plural(name)) for key, name in _UNITS.items()}
    | {key: (name, name) for key, name in _FIXED_UNITS.items()},
    currencies={
        "R$": Currency("real", "reais", "centavo", "centavos"),
        "US$": Currency("dollar", "dollars", *_CENTS),
        "$": Currency("dollar", "dollars", *_CENTS),
        "€": Currency("euro", "euros", *_CENTS),
        "£": Currency("pound", "pounds", "penny", "pence"),
        "¥": Currency("yen", "yen", "sen", "sen"),
    },
    symbols=_SYMBOLS,
    operators=_OPERATORS,
    fractions={
        "1/2": "one half", "1/3": "one third", "2/3": "two thirds", "1/4": "one quarter",
        "3/4": "three quarters", "1/2||added": "a half", "1/4||added": "a quarter",
    },
    denominators=lambda below, many: numerals.ordinal_en(below) + "s" * many,
)  # fmt: skip


def _say_before_number(match: re.Match[str]) -> str:
    name = match["abbr"]
    spoken = _BEFORE_NUMBERS.get(name) or _BEFORE_NUMBERS.get(name.capitalize())
    spoken = spoken or _BEFORE_NUMBERS[name.lower()]
    return spoken.capitalize() if name[0].isupper() else spoken.lower()


def _date_rules() -> list[Rule]:
    month, numbers = date_words(GRAMMAR)
    month = month.title()  # "may" and "march" are verbs too

    def say_day(day: int, of_month: int, year: int | None = None) -> str | None:
        if not (1 <= of_month <= 12 and 1 <= day <= 31):
            return None
        spoken = f"{GRAMMAR.months[of_month - 1]} {numerals.ordinal_en(day)}"
        return spoken if year is None else f"{spoken}, {numerals.year_en(year)}"

    def say_iso(match: re.Match[str]) -> str | None:
        year, of_month, day = map(int, match.groups())
        return say_day(day, of_month, year)

    def say_slashed(match: re.Match[str]) -> str | None:
        day, of_month, year = map(int, match.groups())
        return say_day(day, of_month, year) or say_day(of_month, day, year)

    def say_day_first(match: re.Match[str]) -> str | None:
        day, of_month = int(match["d"]), numbers[match["m"].lower()]
        if not 1 <= day <= 31:
            return None
        has_article = match.string[max(0, match.start() - 4) : match.start()].lower() == "the "
        said = f"{'' if has_article else 'the '}{numerals.ordinal_en(day)} of"
        year = f", {numerals.year_en(int(match['y']))}" if match["y"] else ""
        return f"{said} {GRAMMAR.months[of_month - 1]}{year}"

    def say_named(match: re.Match[str]) -> str | None:
        year = int(match["y"]) if match["y"] else None
        of_month = numbers[match["m"].lower()]
        return say_day(int(match["d"]), of_month, year)

    def say_month_year(match: re.Match[str]) -> str:
        return (
            f"{GRAMMAR.months[numbers[match['m'].lower()] - 1]} {numerals.year_en(int(match['y']))}"
        )

    day, year = r"(?P<d>\d{1,2})(?:st|nd|rd|th)?", r"(?P<y>[12]\d{3})"
    # The full stop of "Dec." belongs to it unless it may end the sentence.
    named = rf"(?P<m>{month})\b(?:(?<=[A-Z][a-z]{{2}})\.(?=\s?\d)|\.(?=,))?"
    return [
        compile_rule(r"(?<![\w-])(\d{4})-(\d{2})-(\d{2})(?![\w-])", say_iso),
        compile_rule(r"(?<![\w/])(\d{1,2})/(\d{1,2})/(\d{4})(?![\w/])", say_slashed),
        compile_rule(
            rf"(?<![\w.,]){day}\s(?:of\s)?{named}(?:,?\s{year}(?!\d))?(?!\w)", say_day_first
        ),
        compile_rule(rf"(?<!\w){named}\s{day}(?:,?\s{year})?(?![\w:])(?!\.\d)", say_named),
        compile_rule(rf"(?<!\w)(?P<m>{month})\.?\s{year}(?!\w)", say_month_year),
    ]


def _say_time(grammar: Grammar, match: re.Match[str]) -> str:
    hour, minute = str(int(match["h"])), int(match["m"] or 0)
    half = match["half"]
    spoken = grammar.cardinal(hour, False)
    if minute:
        spoken += f" {'oh ' if minute < 10 else ''}{grammar.cardinal(str(minute), False)}"
    elif not half:
        spoken += " o'clock" if int(hour) <= 12 else " hundred"
    if match["s"]:
        spoken += f" and {grammar.cardinal(str(int(match['s'])), False)} seconds"
    is_last = bool(half) and half.endswith(".") and not match.string[match.end() :].strip()
    return f"{spoken} {half[0].upper()}-M{'.' * is_last}" if half else spoken


def _say_ordinal(match: re.Match[str]) -> str | None:
    digits = match[1].replace(",", "")
    return numerals.ordinal_en(int(digits)) if len(digits) <= 9 else None


def _say_decade(match: re.Match[str]) -> str:
    spoken = (
        numerals.year_en(int(match[1])) if len(match[1]) > 2 else GRAMMAR.cardinal(match[1], False)
    )
    return spoken[:-1] + "ies" if spoken.endswith("y") else spoken + "s"


_RULERS = frozenset(
    ["elizabeth", "henry", "louis", "pius", "charles", "george", "pedro", "john", "paul"]
)


def _say_roman(value: int, lead: str) -> str:
    is_ruler = lead in {
        "elizabeth",
        "henry",
        "louis",
        "pius",
        "charles",
        "george",
        "pedro",
        "john",
        "paul",
    }
    return f"the {numerals.ordinal_en(value)}" if is_ruler else GRAMMAR.cardinal(str(value), False)


_LEADS = (
    r"[Cc]h\.|[Vv]ol\.|[Ss]ec\.|[Cc]hapter|[Pp]art|[Vv]olume|[Bb]ook|[Ss]ection|[Tt]ype|[Aa]ct|[Pp]hase|[Ww]ar|[Aa]ppendix"
    "|Elizabeth|Henry|Louis|Pius|Charles|George|Pedro|John|Paul"
)
_HALF = r"(?:\s?(?P<half>[ap]\.?m\b\.?|[AP]M\b))"


def _say_height(match: re.Match[str]) -> str:
    feet, inches = (GRAMMAR.cardinal(match[unit], False) for unit in ("ft", "in"))
    return f"{feet} feet {inches} inches"


def _say_century(match: re.Match[str]) -> str | None:
    value = numerals.read_roman(match["n"])
    return None if value is None else numerals.ordinal_en(value)


def _rules() -> tuple[Rule, ...]:
    say_ordinal: Callable[[re.Match[str]], str | None] = _say_ordinal
    abbreviated = "|".join(sorted(_BEFORE_NUMBERS, key=len, reverse=True))
    return chain(
        named("address", address_rules(GRAMMAR)),
        named("date", _date_rules()),
        named("telephone", contact_rules(GRAMMAR, "call|dial|phone|ring|text|press")),
        named(
            "abbreviation",
            [
                compile_rule(
                    r"(?<![\w.,])(?P<ft>\d{1,3})\s?ft\.?\s(?P<in>\d{1,2})\s?in(?:\.(?=\s[a-z])|\b)",
                    _say_height,
                ),
                fixed(r"(?<=[a-z]\s)St\.(?=,|\s(?:in|at|and|is|was|on|by|to|from)\s)", "Street"),
                Rule(
                    re.compile(rf"(?<![\w.])(?P<abbr>{abbreviated})\.(?=\s?\d)", re.IGNORECASE),
                    _say_before_number,
                ),
                clock_rule(
                    GRAMMAR,
                    rf"(?<![\w:.,])(?P<h>\d{{1,2}}):(?P<m>\d{{2}})(?::(?P<s>[0-5]\d))?{_HALF}?(?![\w:])",
                    _say_time,
                ),
                clock_rule(
                    GRAMMAR, rf"(?<![\w:.,])(?P<h>\d{{1,2}})(?P<m>)(?P<s>){_HALF}", _say_time
                ),
                fixed(r"(?<=\d\s)K(?!\w)", "kelvin"),
                abbreviation_rule(GRAMMAR),
            ],
        ),
        [
            compile_rule(r"(?<![\w.,])(\d+(?:,\d{3})*)(?:st|nd|rd|th)(?!\w)", say_ordinal),
            compile_rule(r"(?<![\w.,'’])['’]?(\d{4}|\d0)s(?!\w)", _say_decade),
        ],
        named("chemistry", chemical_rules(GRAMMAR)),
        named("quantity", quantity_rules(GRAMMAR)),
        named(
            "Roman numeral",
            [
                roman_rule(_LEADS, numerals.read_roman, _say_roman),
                second_roman_rule(_LEADS, numerals.read_roman, _say_roman),
                title_rule(GRAMMAR, numerals.read_roman),
                compile_rule(r"(?<!\w)(?P<n>[IVXL]+)(?=\s+(?:century|centuries)\b)", _say_century),
            ],
        ),
        named("formula", formula_rules(GRAMMAR)),
        named("number", number_rules(GRAMMAR)),
        named("acronym", [capitals_rule(GRAMMAR)]),
        named("symbol", symbol_rules(GRAMMAR)),
    )


RULES = _rules()
CODE_RULES = code_rules(GRAMMAR)
