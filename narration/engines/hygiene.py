"""What an engine may be handed: text without traps, and where its words are."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

# Joiners spell words in Persian and in Indic scripts; every other invisible character only upsets
# engines (NUL even truncates the text).
JOINERS = "\u200c\u200d"

WORD = re.compile(r"\S+")


@dataclass(frozen=True, slots=True)
class CleanText:
    """Text fit to be spoken; ``origins[i]`` is where its character ``i`` stood in the original."""

    text: str
    origins: tuple[int, ...]


def clean_text(text: str) -> CleanText:
    """Drop what cannot be heard (categories C*) and make every white space a plain space."""
    kept = [(" " if c.isspace() else c, i) for i, c in enumerate(text) if _is_wanted(text, i)]
    return CleanText("".join(c for c, _ in kept), tuple(i for _, i in kept))


def is_speakable(text: str) -> bool:
    """Whether there is any letter or digit to say; emoji and punctuation alone are not speech."""
    return any(unicodedata.category(c)[0] in "LN" for c in text)


def find_words(text: str) -> list[tuple[int, int]]:
    """Offsets ``(start, end)`` of the words: what white space separates."""
    return [match.span() for match in WORD.finditer(text)]


def _is_wanted(text: str, i: int) -> bool:
    if text[i] in JOINERS:
        return _joins_letters(text, i)
    return text[i].isspace() or unicodedata.category(text[i])[0] != "C"


def _joins_letters(text: str, i: int) -> bool:
    """A joiner matters between letters or marks only, and never in the Latin script."""
    before, after = text[i - 1 : i], text[i + 1 : i + 2]
    return all(c and c > "\u02ff" and unicodedata.category(c)[0] in "LM" for c in (before, after))
