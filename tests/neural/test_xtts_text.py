"""Text by the library's own cleaning: what it makes of all its languages, and of ours."""

import re
import sys

import pytest
from TTS.tts.layers.xtts.tokenizer import VoiceBpeTokenizer, multilingual_cleaners

from narration.engines.xtts.languages import ALL_TAGS, LANGUAGES, get_language, list_tags
from narration.engines.xtts.text import encode, list_speakable
from narration.exceptions import UnsupportedUtterance

SENTENCES = {
    "ar": "كان هناك 50 جنديًا.",
    "cs": "Bylo tam 50 vojáků.",
    "de": "Es gab 50 Soldaten.",
    "en": "There were 50 soldiers.",
    "es": "Había 50 soldados.",
    "fr": "Il y avait 50 soldats.",
    "hi": "यहाँ सैनिक थे।",
    "hu": "50 katona volt.",
    "it": "C'erano 50 soldati.",
    "ja": "兵士が50人いました。",
    "ko": "50 명의 병사가 있었다.",
    "nl": "Er waren 50 soldaten.",
    "pl": "Było 50 żołnierzy.",
    "pt": "Havia 50 soldados.",
    "ru": "Там было 50 солдат.",
    "tr": "50 asker vardı.",
    "zh-cn": "有50名士兵",
}


@pytest.fixture(scope="module")
def tokenizer(xtts_models):
    return VoiceBpeTokenizer(vocab_file=xtts_models / "xtts_v2" / "vocab.json")


def test_limits_are_the_librarys(tokenizer):
    """Fails when the package declares others: then ours follow, and ``sound_version`` need not."""
    ours = {language.code.partition("-")[0]: language.limit for language in LANGUAGES}
    assert ours == tokenizer.char_limits


def test_all_seventeen_languages_can_be_prepared_here(tokenizer):
    codes = [language.code for language in LANGUAGES]
    assert len(codes) == 17
    assert list_speakable(tokenizer, [*codes, "tlh"]) == codes


@pytest.mark.parametrize("code", SENTENCES)
def test_a_sentence_of_every_language_becomes_known_tokens(tokenizer, code):
    tokens = encode(tokenizer, SENTENCES[code], code, 400)
    vocabulary = tokenizer.tokenizer
    assert tokens[0] == vocabulary.token_to_id(f"[{code}]")
    unknown = tokens.count(vocabulary.token_to_id("[UNK]"))
    assert unknown <= len(tokens) / 10
    if code not in {"ja", "zh-cn"}:  # figures are left to the model, and tones are figures
        assert not re.search(r"\d", tokenizer.decode(tokens).replace(code, ""))


def test_languages_that_need_other_packages_are_left_out_without_them(tokenizer, monkeypatch):
    """Chinese and Japanese: when this fails, the package brings what they need."""
    for name in ("pypinyin", "cutlet"):
        monkeypatch.setitem(sys.modules, name, None)
    fresh = VoiceBpeTokenizer()
    fresh.tokenizer = tokenizer.tokenizer
    assert list_speakable(fresh, ["en", "zh-cn", "ja", "ko"]) == ["en", "ko"]


# What our normalization leaves, as ``narration.text`` says it.
@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("The doctor waits at three point five metres, twenty-one percent of it.", "en"),
        ("It costs twelve dollars and fifty cents, about the year nineteen ninety-nine.", "en"),
        ("A doutora espera a três vírgula cinco metros: vinte e um por cento.", "pt"),
        ("São doze reais e cinquenta centavos no século vinte e um.", "pt"),
    ],
)
def test_words_are_not_expanded_a_second_time(text, code):
    assert multilingual_cleaners(text, code) == text.lower()


def test_more_tokens_than_the_model_has_places_for_are_refused(tokenizer):
    with pytest.raises(UnsupportedUtterance) as error:
        encode(tokenizer, "9" * 30 + " " + "8" * 30, "en", 40)
    assert error.value.code == "text_too_long"
    assert "at most 40 tokens" in error.value.message


def test_no_figures_in_hindi(tokenizer):
    """When this fails, the package reads them out: the reference need not tell any more."""
    with pytest.raises(UnsupportedUtterance, match="write them in words"):
        encode(tokenizer, "50 सैनिक थे।", "hi", 400)


def test_numbers_no_library_can_say_are_refused_by_name(tokenizer):
    with pytest.raises(UnsupportedUtterance) as error:
        encode(tokenizer, "9" * 400, "en", 400)
    assert error.value.code == "unfit_text"


@pytest.mark.parametrize("text", ["你好", "♩ ♫"])
def test_what_is_not_in_the_vocabulary_at_all_is_nothing_to_say(tokenizer, text):
    with pytest.raises(UnsupportedUtterance) as error:
        encode(tokenizer, text, "en", 400)
    assert error.value.code == "nothing_to_say"


def test_tags_and_codes_agree():
    assert len(ALL_TAGS) == len(set(ALL_TAGS))
    assert get_language("pt-br").code == get_language("pt-PT").code == "pt"
    assert list_tags(["zh-cn", "en", "tlh"]) == ("en", "en-GB", "en-US", "zh", "zh-CN")
    with pytest.raises(KeyError):
        get_language("pt_BR")
