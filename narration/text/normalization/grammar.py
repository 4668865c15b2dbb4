"""What a language brings to normalization: words, tables and ways to count."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property

from narration.text.normalization.fragments import LETTER
from narration.text.tables import words as table_words

Gendered = Callable[[str, bool], str]


@dataclass(frozen=True)
class Currency:
    """Names of a currency and of its hundredth, each singular and plural."""

    one: str
    many: str
    cent: str
    cents: str
    is_feminine: bool = False


@dataclass(frozen=True)
class Grammar:
    """One language's tables; keys of ``words`` are the same in every language."""

    code: str
    thousands: str
    decimal: str
    words: Mapping[str, str]
    cardinal: Gendered
    digits: Callable[[str], str]
    year: Callable[[int], str]
    is_feminine: Callable[[str], bool]
    months: tuple[str, ...]
    letters: Mapping[str, str]
    letter_joint: str
    letter_plural: str
    spoken_capitals: frozenset[str]
    abbreviations: Mapping[str, str]
    units: Mapping[str, tuple[str, str]]
    currencies: Mapping[str, Currency]
    symbols: Mapping[str, str]
    operators: Mapping[str, str]
    fractions: Mapping[str, str]
    neutral: frozenset[str] = frozenset()
    denominators: Callable[[int, bool], str] = lambda _below, _many: ""

    @cached_property
    def number(self) -> str:
        """Pattern of an unsigned number as this language writes it, without groups."""
        sep, dec = re.escape(self.thousands), re.escape(self.decimal)
        plain = rf"\d+(?:[{dec}.]\d+)?"
        spaced = (
            rf"\d{{1,3}}(?:{_THIN}\d{{3}}){{1,4}}|[1-9](?:\d?(?:\s\d{{3}}){{2,4}}|\d{{0,2}}\s000)"
        )
        return (
            rf"(?:\d{{1,3}}(?:{sep}\d{{3}})+(?!\d)(?:{dec}\d+)?"
            rf"|(?:{spaced})(?!\d|\s\d{{3}}|[.-]\d)(?:{dec}\d+)?|{plain})"
        )

    def say_number(self, written: str, is_feminine: bool = False) -> str:
        """Say a number as ``number`` matches it, with an optional sign."""
        written = _SPACES.sub("", written)
        sign = self.words["minus"] + " " if written[0] in "-−" else ""
        whole, point, part = self._split(written.lstrip("-−+"))
        spoken = sign + self.cardinal(whole, is_feminine and not part)
        if not part:
            return spoken
        joint = self.words["point" if point == self.decimal else "dot"]
        return f"{spoken} {joint} {self._say_decimals(part)}"

    def value(self, written: str) -> float:
        """Give the number's value, to choose between singular and plural."""
        whole, _, part = self._split(_SPACES.sub("", written).lstrip("-−+")[:40])
        return float(f"{whole or 0}.{part or 0}")

    def say_short_year(self, digits: str) -> str:
        """Say the last two digits of a year behind a whole one: "1990-91", "2005-06"."""
        zero = self.words["year_zero"]
        said = self.cardinal(str(int(digits)), False)
        return f"{zero} {said}" if digits[0] == "0" and zero else said

    def _split(self, written: str) -> tuple[str, str, str]:
        grouped = re.fullmatch(
            rf"(\d{{1,3}}(?:{re.escape(self.thousands)}\d{{3}})+)(\D?)(\d*)", written
        )
        if grouped:
            return grouped[1].replace(self.thousands, ""), grouped[2], grouped[3]
        whole, point, part = re.fullmatch(r"(\d*)(\D?)(.*)", written, re.DOTALL).groups()  # type: ignore[union-attr]
        return whole or "0", point, re.sub(r"\D", "", part)

    def _say_decimals(self, part: str) -> str:
        """English reads decimals digit by digit, Portuguese up to two as a number."""
        is_pair = self.code == "pt" and len(part) <= 2 and part[0] != "0"
        return self.cardinal(part, False) if is_pair else self.digits(part)

    def spell(self, letters: str) -> str:
        """Name letters one by one: "GPU" → "G-P-U", "gê pê u"."""
        return self.letter_joint.join(self.letters.get(char, char) for char in letters.upper())

    def say_letter(self, letter: str) -> str:
        """Name one letter."""
        return self.letters.get(letter.upper(), letter)

    def say_capitals(self, written: str) -> str:
        """Say a word in capitals: by letters, or as the word it is."""
        is_word = written in self.spoken_capitals or len(written) > _LONGEST_ACRONYM
        if is_word or (len(written) > _SHORT and _is_pronounceable(written)):
            return written
        return self.spell(written)

    def say_identifier(self, written: str) -> str:
        """Say a name from code, a host or a path: its parts split at case, digits and marks."""
        if written == _CONFIGURATION:
            return self.spell(written)
        return " ".join(self._say_part(part) for part in _PARTS.findall(written))

    def say_mixed(self, written: str) -> str:
        """Say letters and digits in one word: "MP3", "H2O", "python3"; "f22b25e" one by one."""
        if _HEXADECIMAL.fullmatch(written):
            return " ".join(self._say_part(char) for char in written)
        return " ".join(self._say_part(part) for part in _RUNS.findall(written))

    def _say_part(self, part: str) -> str:
        if part.isdecimal():
            return self.cardinal(part, False)
        if part.lower() in _CODE_WORDS:
            return _CODE_WORDS[part.lower()]
        if part.lower() in _LOWER_ACRONYMS:
            return self.say_capitals(part.upper())
        if part.isupper() and len(part) > 1:
            # Constants are words in capitals: INSTALLED_APPS.
            is_word = len(part) > _SHORT and re.search("[AEIOU]", part)
            spoken = self.say_capitals(part)
            # In lower case it is not taken for an acronym when it is read again.
            return (part if spoken == part else part.lower()) if is_word else spoken
        return self.letters.get(part.upper(), part) if len(part) == 1 else part


# Spaces that hold the groups of one number together.
_THIN = "[\u00a0\u2009\u202f]"
_SPACES = re.compile(r"\s+")
# In a path it is no "et cetera".
_CONFIGURATION = "etc"
_LONGEST_ACRONYM = 6
_SHORT = 3
# A commit's short name changes between letters and digits all the time; few other words do.
_HEXADECIMAL = re.compile(r"(?=(?:[a-f]*\d+[a-f]+){2}|(?:\d*[a-f]+\d+){2})[0-9a-f]{6,}")
_RUNS = re.compile(rf"{LETTER}+|\d+")
_PARTS = re.compile(rf"[A-ZÀ-Þ]+(?![a-zà-þ])|[A-ZÀ-Þ]?[a-zà-þ]+|{LETTER}+?|\d+")
_LOWER_ACRONYMS = frozenset(
    table_words(
        "html css js url urls sql api http https pdf png svg xml csv php txt md py jpg cfg src sh"
        " xls ppt yml exe cmd id ip dns ui db www br uk tv"
    )
)
# What people say for names that code cuts short.
_CODE_WORDS = {"str": "string", "ctrl": "control"}
# Two consonants that may meet inside or at the edge of a syllable; others betray an abbreviation.
_CLUSTERS = frozenset(
    table_words(
        "BL BR CH CK CL CR CT DR FL FR FT GL GN GR LD LF LK LM LP LT MB MN MP NC ND NG NK NS "
        "NT PH PL PR PT RC RD RG RK RL RM RN RP RS RT RV SC SH SK SL SM SN SP ST SW TH TR TW "
        "WH LL SS RR TT"
    )
)
_BAD_STARTS = re.compile(r"^(?:CK|CT|FT|L[DFKMPT]|M[BNP]|N[CDGKST]|R[CDGKLMNPSTV]|LL|SS|RR|TT|GN)")


def _is_pronounceable(capitals: str) -> bool:
    """Tell words shouted or made of initials ("UNESCO") from letters to be named ("IBGE")."""
    clusters = re.findall(r"[^AEIOUYÀ-Ý]{2,}", capitals)
    has_vowel_mix = bool(re.search(r"[AEIOUÀ-Ý]", capitals)) and not re.search(
        r"[AEIOU]{3}|^[AEIOU]+$", capitals
    )
    return (
        has_vowel_mix
        and all(cluster in _CLUSTERS for cluster in clusters)
        and not _BAD_STARTS.match(capitals)
    )
