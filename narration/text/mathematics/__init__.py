"""A small reader of TeX: what fits its grammar is said in words, anything else is "formula".

Grammar: sequences of atoms (letters, numbers, commands, groups), each with optional indices and
powers; fractions, roots, relations, sums, integrals, limits, functions, absolute values, sets,
accents, units, Greek letters. A wrong reading is worse than none, so one unknown command gives up
the whole formula.
"""

from __future__ import annotations

import re
from functools import lru_cache

from narration.text.mathematics.reader import Reader, UnreadableError
from narration.text.mathematics.vocabulary import ENGLISH, PORTUGUESE
from narration.text.normalization import get_grammar

_WORDS = "text|textrm|textit|textbf|mathrm|mathbf|mathit|mathsf|operatorname|mbox|mathop"
_TOKEN = re.compile(
    rf"\\(?:{_WORDS})\s*\{{[^{{}}]{{0,200}}\}}|\\[A-Za-z]+|\\.|\d+(?:[.,]\d+)*|\s+|.", re.DOTALL
)
_LONE_BAR = re.compile(r"(?<!\|)\|(?!\|)")
# Portuguese prepositions melt with the article of a set's name.
_MELTED = {"a os": "aos", "de os": "dos", "em os": "nos"}
_LONGEST = 400


@lru_cache(maxsize=1024)
def read_mathematics(tex: str, language: str) -> str:
    """Say a TeX formula (without its dollar signs) in words, or "formula" when it cannot be read.

    Portuguese and English; other languages get English words. Never raises.
    """
    vocabulary = PORTUGUESE if get_grammar(language).code == "pt" else ENGLISH
    if len(tex) > _LONGEST:
        return vocabulary.formula
    plain = tex.replace("{,}", ",")
    if not _LONE_BAR.search(plain):
        plain = plain.replace("||", r"\|")
    tokens = [token for token in _TOKEN.findall(plain) if token.strip()]
    try:
        spoken = Reader(tokens, vocabulary, language).read_all()
    except UnreadableError:
        return vocabulary.formula
    if vocabulary is PORTUGUESE:
        spoken = re.sub(r"\b(?:a|de|em) os\b", lambda match: _MELTED[match[0]], spoken)
    return re.sub(r"\s+(?=,)", "", spoken).strip(" ,") or vocabulary.formula
