"""The lexicon finds what a plain expression of all its entries would find, however many."""

import re
import time
import unicodedata

from hypothesis import given, settings
from hypothesis import strategies as st

from narration.text import Lexicon, Pronunciation, normalize
from narration.text.lexicon import _build_part, _order
from narration.text.normalization import read_prose
from narration.text.normalization.fragments import assemble

ALPHABET = "aAbBſsSıiİKkßẞéÉ .+_-1'"
GRAPHEMES = st.text(ALPHABET, min_size=1, max_size=6).map(str.strip).filter(bool)
ENTRIES = st.lists(
    st.builds(
        Pronunciation,
        grapheme=GRAPHEMES,
        language=st.just("en"),
        alias=st.just("x"),
        ignores_case=st.booleans(),
        whole_words=st.booleans(),
    ),
    max_size=8,
)


def find_simply(entries, text):
    """All entries in one expression, the first alternative that matches wins."""
    ordered = _order(entries)
    if not ordered:
        return []
    pattern = re.compile("|".join(f"({_build_part(entry)})" for entry in ordered))
    return [(*m.span(), ordered[m.lastindex - 1]) for m in pattern.finditer(text)]


@given(ENTRIES, st.text(ALPHABET + "\n", max_size=40))
@settings(max_examples=1000, deadline=None)
def test_it_finds_what_one_expression_finds(entries, text):
    found = list(Lexicon(tuple(entries)).find(text, "en"))
    expected = find_simply(entries, text)
    assert [place[:2] for place in found] == [place[:2] for place in expected]
    for (*_, mine), (*_, theirs) in zip(found, expected, strict=True):
        assert _build_part(mine) == _build_part(theirs)


def say(text: str, *entries: Pronunciation) -> str:
    return assemble(read_prose(text, "en", Lexicon(entries).get_rules("en"))).text


def test_accents_match_however_they_are_typed():
    for form in ("NFC", "NFD"):
        entry = Pronunciation(unicodedata.normalize(form, "café"), "en", alias="coffee")
        for other in ("NFC", "NFD"):
            assert say(unicodedata.normalize(other, "A café here."), entry) == "A coffee here."
    assert say(unicodedata.normalize("NFD", "A café here."), Pronunciation("cafe", "en", "x")) == (
        normalize(unicodedata.normalize("NFD", "A café here."), "en").text
    )


def test_thousands_of_entries_cost_no_more_than_a_few():
    def measure(count: int) -> float:
        words = [Pronunciation(f"word{n}", "en", "x", ignores_case=n % 2 > 0) for n in range(count)]
        rules = Lexicon(tuple(words)).get_rules("en")
        started = time.process_time()
        for number in range(300):
            read_prose(
                f"Here is word{number} and some other words of sentence {number}.", "en", rules
            )
        return time.process_time() - started

    measure(10)
    assert measure(20_000) < 8 * measure(20)
