"""What stands upright in formulas: units behind numbers, words, simple fractions."""

from __future__ import annotations

import re

from narration.text.normalization import get_grammar, normalize

_POWERS = {"^2": "²", "^3": "³"}
_SCALES = {"C": "Celsius", "F": "Fahrenheit"}
_DEGREES = (r"\circ", r"\degree", "°", "}")
_MARKS = re.compile(r"[.,;:!?]+$")


def say_unit(words: str, before: str, language: str) -> str:
    """The unit of the number ``before``: "m/s", "kg"; "" for what is none."""
    unit = re.sub(r"\\[,;: ]|\s+", "", words)
    if unit in _SCALES and before in _DEGREES:
        return _SCALES[unit]
    if not before[:1].isdigit():
        return ""
    for written, plain in _POWERS.items():
        unit = unit.replace(written, plain)
    grammar = get_grammar(language)
    is_one = before == "1"
    if unit in grammar.units:
        return grammar.units[unit][0 if is_one else 1]
    above, _, below = unit.partition("/")
    if above in grammar.units and below in grammar.units:
        one, many = grammar.units[above]
        return f"{one if is_one else many} {grammar.words['per']} {grammar.units[below][0]}"
    return ""


def say_words(words: str, language: str) -> str:
    """Words as they are read in a sentence; molecules without the marks of their indices."""
    plain = re.sub(r"\\[,;: ]|~", " ", words).replace("_", "")
    if plain.strip().isalpha():
        return plain.strip()
    return _MARKS.sub("", normalize(plain, language).text)


def say_fraction(above: str, below: str, language: str) -> str:
    """ "one half", "três quartos"; "" where a part is no small number."""
    numbers = [re.fullmatch(r"\{?(\d{1,2})\}?", part) for part in (above, below)]
    if not all(numbers):
        return ""
    first, second = (int(number[1]) for number in numbers if number)
    if not 0 < first < second <= 10:
        return ""
    if get_grammar(language).code == "pt" and (first, second) == (1, 2):
        return "um meio"
    return normalize(f"{first}/{second}", language).text
