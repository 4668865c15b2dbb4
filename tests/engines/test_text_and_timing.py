"""Text hygiene and word timing: offsets always point into the text as it was given."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from narration.engines.hygiene import clean_text, find_words, is_speakable
from narration.engines.timing import time_words


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        ("plain text", "plain text"),
        ("be\0fore", "before"),
        ("tab\tand\nline\u00a0end", "tab and line end"),
        ("zero\u200bwidth\ufeff soft\u00adhyphen", "zerowidth softhyphen"),
        ("\u202eabc\u202c", "abc"),
        ("half \ud83d pair", "half  pair"),
        ("می\u200cخواهم", "می\u200cخواهم"),
        ("क\u094d\u200dष", "क\u094d\u200dष"),
        ("a\u200db", "ab"),
        ("👩\u200d💻", "👩💻"),
        ("Olá, vovô!", "Olá, vovô!"),
    ],
)
def test_drops_what_cannot_be_heard_and_keeps_what_spells(text, clean):
    assert clean_text(text).text == clean


@given(st.text())
def test_every_kept_character_knows_where_it_stood(text):
    cleaned = clean_text(text)
    assert len(cleaned.text) == len(cleaned.origins)
    assert list(cleaned.origins) == sorted(set(cleaned.origins))
    for character, origin in zip(cleaned.text, cleaned.origins, strict=True):
        assert text[origin] == character or (character == " " and text[origin].isspace())
    assert "\0" not in cleaned.text


@pytest.mark.parametrize(
    ("text", "speakable"),
    [("a", True), ("7", True), ("é", True), ("", False), ("😀", False), ("…!", False)],
)
def test_only_letters_and_digits_are_speech(text, speakable):
    assert is_speakable(text) is speakable


def test_words_begin_at_their_first_mark_and_end_where_the_next_begins():
    words = time_words("one 299.792 two", [(0, 0), (4, 100), (8, 300), (10, 500), (12, 900)], 1000)
    assert [(w.spoken_start, w.spoken_end) for w in words] == [(0, 3), (4, 11), (12, 15)]
    assert [(w.start_ms, w.end_ms) for w in words] == [(0, 100), (100, 900), (900, 1000)]


def test_words_without_a_mark_share_the_time_by_their_length():
    words = time_words("aa bbbb c", [(0, 0), (8, 600)], 700)
    assert [(w.start_ms, w.end_ms) for w in words] == [(0, 200), (200, 600), (600, 700)]


@given(
    st.text(alphabet="ab \n", max_size=40),
    st.lists(st.tuples(st.integers(0, 60), st.integers(0, 3000))),
    st.integers(0, 2000),
)
def test_any_marks_give_ordered_timing_of_every_word_inside_the_sound(text, marks, duration):
    words = time_words(text, marks, duration)
    assert [(w.spoken_start, w.spoken_end) for w in words] == find_words(text)
    times = [time for w in words for time in (w.start_ms, w.end_ms)]
    assert times == sorted(times)
    assert all(0 <= time <= duration for time in times)
