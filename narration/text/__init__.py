"""From written to spoken language: pure functions over text, free of Django."""

from narration.text.clauses import cut_clauses
from narration.text.normalization import normalize
from narration.text.sentences import cut_sentences, sentence_anchor
from narration.text.spoken import build_spoken

__all__ = ["build_spoken", "cut_clauses", "cut_sentences", "normalize", "sentence_anchor"]
