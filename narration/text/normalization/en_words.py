"""The words of English: abbreviations, units, symbols, and how they inflect."""

from __future__ import annotations

import re

from narration.text.normalization import numerals
from narration.text.normalization.grammar import Currency, Grammar

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
    "w/o": "without", "and/or": "and or", "C++": "C plus plus",
    "C#": "C sharp", "F#": "F sharp", ".NET": "dot net", "Node.js": "Node J-S", "I/O": "I-O",
    "24/7": "twenty-four seven", "pH": "P-H", "Rd.": "Road", "Ave.": "Avenue",
    "50/50": "fifty fifty", "1D": "one D", "2D": "two D", "3D": "three D",
}  # fmt: skip
BEFORE_NUMBERS = {
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
    "kcal": "kilocalorie", "¢": "cent", "mol": "mole", "mmol": "millimole", "eV": "electronvolt",
    "µg": "microgram", "µL": "microlitre", "Wh": "watt hour", "atm": "atmosphere",
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
    return {"foot": "feet", "kilowatt hour": "kilowatt hours", "watt hour": "watt hours"}.get(
        name, f"{name}s"
    )


def _singular(name: str) -> str:
    """Of a compound only what is counted inflects: "square metre", "mile per hour"."""
    counted, per, rest = name.partition(" per ")
    if name.startswith("hertz") or counted.endswith("hertz"):
        return name
    one = re.sub(r"^((?:square |cubic )?[a-z]+?)s\b", r"\1", counted)
    return ("foot" if one == "feet" else one) + per + rest


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
        "greater": "is greater than", "under": "less than", "above": "more than",
        "at_most": "at most", "at_least": "at least", "year_zero": "oh",
        "things": "month|year|day|week|hour|night|person|page|user|unit",
        "number": "number", "about": "about", "dash": "dash",
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
    | {key: (_singular(name), name) for key, name in _FIXED_UNITS.items()},
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
