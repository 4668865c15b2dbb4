"""The tables of cases: what a careful narrator would say, and where sentences end."""

import hashlib
import re

import pytest

from narration.text import READING_VERSION, cut_sentences, normalize
from tests.text.cases import Case, bare, load_cases, load_sentences

TABLES = {
    "en": "en",
    "en_second": "en",
    "en_third": "en",
    "pt_br": "pt-BR",
    "pt_br_second": "pt-BR",
    "pt_br_third": "pt-BR",
    "pt_br_apart": "pt-BR",
}
CASES = [(case, language) for name, language in TABLES.items() for case in load_cases(name)]
SENTENCES = [
    (text, sentences, language)
    for language, name in (
        ("en", "en_sentences"),
        ("pt-BR", "pt_br_sentences"),
        ("pt-BR", "pt_br_sentences_apart"),
    )
    for text, sentences in load_sentences(name)
]


@pytest.mark.parametrize(("case", "language"), CASES, ids=[case.written for case, _ in CASES])
def test_it_is_said_as_a_careful_narrator_would(case, language):
    spoken = normalize(case.written, language)
    assert case.accepts(spoken.text), spoken.text
    assert not re.search(r"[^\w\s.,;:?!'’-]|\d|_", spoken.text)
    assert normalize(spoken.text, language).text == spoken.text
    assert [spoken.text[w.spoken_start : w.spoken_end] for w in spoken.words] == spoken.text.split()
    assert all(0 <= word.start < word.end <= len(case.written) for word in spoken.words)
    assert [word.start for word in spoken.words] == sorted(word.start for word in spoken.words)


@pytest.mark.parametrize(("text", "sentences", "language"), SENTENCES)
def test_sentences_end_where_a_reader_stops(text, sentences, language):
    assert [text[start:end] for start, end in cut_sentences(text, language)] == sentences


def test_the_reading_version_is_raised_when_a_reading_changes():
    """Plans remember by which version they were read; a stale one would tell wrong numbers."""
    said = "\n".join(normalize(case.written, language).text for case, language in CASES)
    cut = "\n".join(str(cut_sentences(text, language)) for text, _, language in SENTENCES)
    digest = hashlib.sha256(f"{said}\n{cut}".encode()).hexdigest()[:16]
    assert (READING_VERSION, digest) == (3, "b1d231a3bd790667"), "raise READING_VERSION"


def test_there_are_enough_cases_of_enough_kinds():
    for name in ("en", "pt_br"):
        cases = load_cases(name)
        assert len(cases) >= 200
        assert len({case.topic for case in cases}) >= 20
        assert len({case.written for case in cases}) == len(cases)
    for name in ("en_second", "pt_br_second"):
        assert len(load_cases(name)) >= 50


def test_the_tables_can_tell_wrong_from_right():
    case = Case("t", "I paid $5", ("i paid (only) [five|some] dollars",))
    assert case.accepts("I paid five dollars.")
    assert case.accepts("I paid only some dollars")
    assert not case.accepts("I paid five")
    assert not case.accepts("I paid five some dollars")
    assert bare("Twenty-one, “A”.") == " twenty one a"
