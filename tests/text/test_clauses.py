import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from narration.text import cut_clauses


def cut(text, limit):
    return [text[start:end] for start, end in cut_clauses(text, limit)]


def test_a_short_sentence_stays_whole():
    assert cut("  Short enough. ", 20) == ["Short enough."]


def test_a_semicolon_is_better_than_a_comma_and_a_comma_better_than_a_space():
    assert cut("alpha beta, gamma; delta, epsilon", 24) == ["alpha beta, gamma;", "delta, epsilon"]
    assert cut("alpha beta, gamma delta epsilon", 20) == ["alpha beta,", "gamma delta epsilon"]
    assert cut("alpha beta gamma delta", 12) == ["alpha beta", "gamma delta"]


def test_a_clause_starts_with_its_conjunction():
    assert cut("nós fomos para casa porque chovia", 25) == ["nós fomos para casa", "porque chovia"]


def test_a_word_longer_than_the_limit_is_cut_hard():
    assert cut("abcdefghij", 4) == ["abcd", "efgh", "ij"]


def test_a_limit_below_one_is_refused():
    with pytest.raises(ValueError, match="at least one"):
        cut_clauses("text", 0)


@given(st.text(alphabet="ab ,;:—.\n\t é", max_size=200), st.integers(1, 40))
@settings(max_examples=300, deadline=None)
def test_pieces_keep_the_limit_and_lose_nothing(text, limit):
    spans = cut_clauses(text, limit)
    assert all(0 < end - start <= limit for start, end in spans)
    assert "".join("".join(text[a:b].split()) for a, b in spans) == "".join(text.split())
    assert list(spans) == sorted(spans)
