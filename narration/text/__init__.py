"""From written to spoken language: pure functions over text, free of Django."""

from narration.text.clauses import cut_clauses
from narration.text.cuts import Cut, cut_runs, get_leading_pause
from narration.text.lexicon import NO_LEXICON, Lexicon, Pronunciation
from narration.text.normalization import has_rules, normalize
from narration.text.sentences import cut_sentences, sentence_anchor
from narration.text.spoken import build_spoken, cut_parts, read_runs, say_runs

#: Raised when the same text would be cut or read otherwise: plans made before are made anew.
READING_VERSION = 3

__all__ = [
    "NO_LEXICON",
    "READING_VERSION",
    "Cut",
    "Lexicon",
    "Pronunciation",
    "build_spoken",
    "cut_clauses",
    "cut_parts",
    "cut_runs",
    "cut_sentences",
    "get_leading_pause",
    "has_rules",
    "normalize",
    "read_runs",
    "say_runs",
    "sentence_anchor",
]
