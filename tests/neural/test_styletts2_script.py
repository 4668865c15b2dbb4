"""English text as the symbols StyleTTS2 reads, each word with its own."""

from __future__ import annotations

import pytest

from narration.engines.hygiene import find_words
from narration.engines.styletts2.script import number_symbols, write_script
from narration.exceptions import UnsupportedUtterance


def read_words(text):
    script = write_script(text)
    return [script.symbols[start:end] for start, end in script.words]


def test_punctuation_stays_between_the_words_it_is_not_part_of():
    script = write_script("Yes, she said — isn't it?")
    assert script.symbols == "jˈɛs , ʃiː sˈɛd — ˌɪzənt ɪɾ ?"
    assert read_words("Yes, she said — isn't it?") == ["jˈɛs", "ʃiː", "sˈɛd", "", "ˌɪzənt", "ɪɾ"]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Dr. Smith's dog", ["dˈɑːktɚ", "smˈɪθz", "dˈɑːɡ"]),
        ("3.5 percent", ["θɹˈiː pˈɔɪnt fˈaɪv", "pɚsˈɛnt"]),
        ("an MP3 player", ["ɐn", "ˈɛm pˈiː θɹˈiː", "plˈeɪɚ"]),
        ("R&D in NASA", ["ˈɑːɹ ænd dˈiː", "ɪn", "ˈɛn ˈeɪ ˈɛs ˈeɪ"]),
        ("a café in Łódź", ["ɐ", "kˈæfeɪ", "ɪn", "lˈɑːdz"]),
        ("well-known “quotes” (here)", ["wˈɛl nˈoʊn", "kwˈoʊts", "hˈɪɹ"]),
        ("12/03/2024, noon", ["dᵻsˈɛmbɚ θˈɜːd , twˈɛnti twˈɛnti fˈoːɹ", "nˈuːn"]),
    ],
)
def test_what_is_said_belongs_to_the_word_as_written(text, words):
    assert read_words(text) == words


@pytest.mark.parametrize(
    "text",
    [
        "well done 🎉 friend 👩‍💻",
        "half \ud83d a pair",
        "a \u200b\u200b b",
        "x\x1c y",
        "$$ is no word, and :: is none",
        "<speak><break time='60s'/>hello</speak> &amp; [[h@loU]]",
    ],
)
def test_every_word_has_a_span_in_order(text):
    script = write_script(text)
    assert len(script.words) == len(find_words(text))
    offsets = [offset for span in script.words for offset in span]
    assert offsets == sorted(offsets)
    assert offsets[-1] <= len(script.symbols)


@pytest.mark.parametrize("text", ["Привет 你好", "the letter α", "half ½", "2 ≤ ४"], ids=ascii)
def test_what_it_cannot_pronounce_is_refused_not_left_out(text):
    with pytest.raises(UnsupportedUtterance) as refused:
        write_script(text)
    assert refused.value.code == "unpronounceable"


def test_the_script_does_not_depend_on_what_was_read_before():
    texts = ["I read it now.", "I have read it.", "Lead is a metal; you lead.", "Dr. A. B. Sea"]
    scripts = [write_script(text) for text in texts]
    assert [write_script(text) for text in reversed(texts)][::-1] == scripts


def test_all_symbols_have_numbers_and_the_padding_comes_first():
    script = write_script("The quick brown fox, jumping: “over”; the lazy dog! Isn't it… no?")
    numbers = number_symbols(script.symbols)
    assert numbers[0] == 0
    assert len(numbers) == len(script.symbols) + 1
    assert 0 not in numbers[1:]


def test_the_package_s_own_front_end_still_loses_punctuation():
    """Else ours is needed for word timing and numbers alone."""
    from styletts2.phoneme import GruutPhonemizer
    from styletts2.text_utils import dicts

    phonemes = GruutPhonemizer().phonemize("Yes, she said.")
    assert [c for c in phonemes if c in ",."] == []
    assert {c for c in phonemes if c not in dicts} == {"|", "‖"}
