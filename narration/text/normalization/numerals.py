"""Numbers in words: num2words, with what it lacks.

It joins with commas an engine would pause at, overflows in Portuguese from 10**15 and knows no
feminine ("duas"). All functions take and give plain text.
"""

from __future__ import annotations

import re
from functools import lru_cache

from num2words import num2words

from narration.text.tables import words as table_words

# Longer numbers (identifiers, card numbers) are read digit by digit, which people do too.
_LONGEST_CARDINAL = 12
_ENGLISH_DIGITS = table_words("zero one two three four five six seven eight nine")
_PORTUGUESE_DIGITS = table_words("zero um dois três quatro cinco seis sete oito nove")
_FEMININE = {"um": "uma", "dois": "duas"}
_GREAT = frozenset(["milhão", "milhões", "bilhão", "bilhões"])


def digits_en(digits: str) -> str:
    """Read each digit: "007" → "zero zero seven"."""
    return " ".join(_ENGLISH_DIGITS[int(digit)] for digit in digits)


def digits_pt(digits: str) -> str:
    """Read each digit: "007" → "zero zero sete"."""
    return " ".join(_PORTUGUESE_DIGITS[int(digit)] for digit in digits)


def cardinal_en(digits: str, is_feminine: bool = False) -> str:  # noqa: ARG001 — one signature
    """Read a run of digits as a number; as digits where it starts with 0 or is very long."""
    return digits_en(digits) if _is_identifier(digits) else _words(int(digits), "en", "cardinal")


def cardinal_pt(digits: str, is_feminine: bool = False) -> str:
    """Read a run of digits as a number: "202" → "duzentos e dois", or "duzentas e duas"."""
    if _is_identifier(digits):
        return digits_pt(digits)
    spoken = _words(int(digits), "pt_BR", "cardinal")
    return feminine(spoken) if is_feminine else spoken


def ordinal_en(number: int) -> str:
    """Give the ordinal: 21 → "twenty-first"."""
    return _words(number, "en", "ordinal")


def ordinal_pt(number: int, is_feminine: bool = False) -> str:
    """Give the ordinal: 2 → "segundo" or "segunda"."""
    spoken = _words(number, "pt_BR", "ordinal")
    return re.sub(r"o\b", "a", spoken) if is_feminine else spoken


def year_en(number: int) -> str:
    """Read a year: 1905 → "nineteen oh five", 2026 → "twenty twenty-six"."""
    return _words(number, "en", "year").replace("oh-", "oh ")


_PARTS_PT = {2: "meio", 3: "terço"}
_GREAT_PARTS_PT = {100: "centésimo", 1000: "milésimo"}


def denominator_pt(below: int, is_plural: bool) -> str:
    """Give the name of a part: 8 → "oitavo", 12 → "doze avos", 100 → "centésimos"."""
    named = _PARTS_PT.get(below) or _GREAT_PARTS_PT.get(below)
    if named is None and below > 10:
        return f"{_words(below, 'pt_BR', 'cardinal')} avos"
    return (named or ordinal_pt(below)) + "s" * is_plural


def feminine(spoken: str) -> str:
    """Turn a Portuguese cardinal feminine up to the thousands: millions keep their gender."""
    words = spoken.split(" ")
    last_great = max((i for i, word in enumerate(words) if word in _GREAT), default=-1)
    return " ".join(
        word if i <= last_great else _feminine_word(word) for i, word in enumerate(words)
    )


def _feminine_word(word: str) -> str:
    if word.endswith(("centos", "zentos", "hentos")):
        return word[:-2] + "as"
    return _FEMININE.get(word, word)


def _is_identifier(digits: str) -> bool:
    return len(digits) > _LONGEST_CARDINAL or (len(digits) > 1 and int(digits[0]) == 0)


@lru_cache(maxsize=4096)
def _words(number: int, language: str, form: str) -> str:
    spoken = str(num2words(number, lang=language, to=form)).replace(",", "")
    return spoken.replace("catorze", "quatorze")


_ROMAN = {"I": 1, "V": 5, "X": 10, "L": 50, "C": 100, "D": 500, "M": 1000}
_WELL_FORMED = re.compile(r"^M{0,3}(?:CM|CD|D?C{0,3})(?:XC|XL|L?X{0,3})(?:IX|IV|V?I{0,3})$")


def read_roman(numeral: str) -> int | None:
    """Give the value of a well-formed Roman numeral in capitals, else None."""
    if not numeral or not _WELL_FORMED.match(numeral):
        return None
    values = [_ROMAN[letter] for letter in numeral]
    pairs = zip(values, [*values[1:], 0], strict=True)
    return sum(-value if value < following else value for value, following in pairs)
