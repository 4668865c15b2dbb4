"""From text to the symbols StyleTTS2 reads, and which of them belong to which written word.

gruut (MIT) pronounces. Its espeak lexicon and rules give what espeak-ng would, which is what the
model was trained on, without espeak-ng's licence or process. The package's own front end takes
gruut's other lexicon and turns every comma and full stop into marks the model has no symbol for.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from narration.engines.hygiene import clean_text, find_words
from narration.exceptions import UnsupportedUtterance

LANGUAGE = "en-us"
LETTER_A = "ˈeɪ"
#: Punctuation that has a symbol. Straight quotes have one too, but the package drops them.
PUNCTUATION = frozenset(";:,.!?¡¿—…«»“”")
PLAIN_WORD = re.compile(r"[A-Za-z]+(?:['.-][A-Za-z]+)*'?")
PIECE = re.compile(r"[A-Za-z]+(?:'[A-Za-z]+)*|\d+|[&@+%=]")
SPOKEN_SIGNS = {"&": "and", "@": "at", "+": "plus", "%": "percent", "=": "equals"}
#: Letters without a decomposition, and signs gruut does not know.
RESPELLED = {
    "ß": "ss", "æ": "ae", "Æ": "AE", "œ": "oe", "Œ": "OE", "ø": "o", "Ø": "O", "ł": "l", "Ł": "L",
    "đ": "d", "Đ": "D", "ð": "th", "Ð": "Th", "þ": "th", "Þ": "Th", "ı": "i", "’": "'", "ʼ": "'",
    "…": "...", "–": "—",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Script:
    """What is read: the symbols, and ``(start, end)`` in them for every word of the text.

    ``words`` follows ``find_words`` of the text as it was given; a word without a symbol (an
    emoji, a bracket) has an empty span where it would be.
    """

    symbols: str
    words: tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True)
class _Sound:
    """Some symbols, and the index of the written word they belong to."""

    symbols: str
    word: int
    is_punctuation: bool = False


def write_script(text: str) -> Script:
    """The script of an English text; ``UnsupportedUtterance`` (``unpronounceable``)."""
    clean = clean_text(text)
    spans = find_words(clean.text)
    words = [_spell(clean.text[start:end]) for start, end in spans]
    sounds = [sound for sound in _pronounce(words) if sound.symbols]
    if all(sound.is_punctuation for sound in sounds):
        raise UnsupportedUtterance("There is nothing to say in this text.", code="nothing_to_say")
    placed = _place(sounds, len(words))
    begins = [clean.origins[start] for start, _ in spans]
    return Script(" ".join(sound.symbols for sound in sounds), _cover(text, begins, placed))


def _spell(word: str) -> str:
    """In ASCII letters where a word can be: gruut skips what it does not know without a word."""
    spelled = "".join(_spell_character(c) for c in word)
    if stranger := next((c for c in spelled if not c.isascii() and c.isalnum()), None):
        raise UnsupportedUtterance(
            f"styletts2 cannot pronounce '{stranger}' in '{word}': write it as it is said.",
            code="unpronounceable",
        )
    return spelled


def _spell_character(character: str) -> str:
    if character in RESPELLED:
        return RESPELLED[character]
    base = "".join(
        c for c in unicodedata.normalize("NFKD", character) if unicodedata.category(c)[0] != "M"
    )
    # ½ would come out as "1⁄2".
    is_letter = base.isascii() and (base.isalpha() or len(base) <= 1)
    return base if is_letter else character


def _pronounce(words: list[str]) -> Iterator[_Sound]:
    """The sounds of the words, pronounced together: some depend on their neighbours."""
    graph, root = _get_processor()(" ".join(words), lang=LANGUAGE)
    starts = _find_starts(words)
    text, cursor = " ".join(words), 0
    for node in _iter_written(graph, root):
        at = text.find(node.text, cursor)
        cursor = max(at, cursor)
        index = max((i for i, start in enumerate(starts) if start <= cursor), default=0)
        yield from (
            _Sound(symbols, index, is_punctuation)
            for symbols, is_punctuation in _iter_sounds(graph, node, words[index])
        )
        cursor += len(node.text)


def _find_starts(words: list[str]) -> list[int]:
    starts, at = [], 0
    for word in words:
        starts.append(at)
        at += len(word) + 1
    return starts


def _iter_written(graph: Any, root: Any) -> Iterator[Any]:
    """The words as written: gruut hangs what they are said as below them."""
    from gruut.const import WordNode

    for child in graph.successors(root.node):
        node = graph.nodes[child]["data"]
        if isinstance(node, WordNode):
            yield node
        else:
            yield from _iter_written(graph, node)


def _iter_sounds(graph: Any, node: Any, word: str) -> Iterator[tuple[str, bool]]:
    """Symbols below a written word, and whether they are punctuation."""
    from gruut.const import WordNode

    for leaf in _iter_leaves(graph, node):
        text = str(getattr(leaf, "text", "") or node.text).strip()
        if not isinstance(leaf, WordNode):
            yield _keep_punctuation(text), True
            continue
        bare = text.rstrip("".join(PUNCTUATION))
        if PLAIN_WORD.fullmatch(bare):
            yield _read_phonemes(leaf, word), False
        else:
            yield from ((symbols, False) for symbols in _say_in_pieces(bare, word))
        yield _keep_punctuation(text[len(bare) :]), True


def _iter_leaves(graph: Any, node: Any) -> Iterator[Any]:
    children = list(graph.successors(node.node))
    if not children:
        yield node
    for child in children:
        yield from _iter_leaves(graph, graph.nodes[child]["data"])


def _say_in_pieces(text: str, word: str) -> Iterator[str]:
    """Letters, numbers and signs one after the other: gruut would leave out all but letters."""
    from gruut.const import WordNode

    pieces = [SPOKEN_SIGNS.get(piece, piece) for piece in PIECE.findall(text)]
    if not pieces:
        return
    graph, root = _get_processor()(" ".join(pieces), lang=LANGUAGE)
    for leaf in _iter_leaves(graph, root):
        if isinstance(leaf, WordNode):
            yield _read_phonemes(leaf, word)


def _read_phonemes(leaf: Any, word: str) -> str:
    if leaf.text.upper() == "A" and sum(c.isalnum() for c in word) > 1:
        # A letter of an abbreviation: gruut's espeak lexicon knows it as the article only.
        return LETTER_A
    symbols = "".join(c for c in "".join(leaf.phonemes or ()) if c in _get_symbols())
    if not symbols:
        raise UnsupportedUtterance(
            f"styletts2 cannot pronounce '{word}': write it as it is said.", code="unpronounceable"
        )
    return symbols


def _keep_punctuation(text: str) -> str:
    return "".join(c for c in text if c in PUNCTUATION)


def _place(sounds: list[_Sound], count: int) -> list[tuple[int, int]]:
    """Each word's span among the symbols, which a space separates; punctuation is not its own."""
    spans: list[tuple[int, int] | None] = [None] * count
    at = 0
    for sound in sounds:
        end = at + len(sound.symbols)
        if not sound.is_punctuation:
            known = spans[sound.word]
            spans[sound.word] = (known[0] if known else at, end)
        at = end + 1
    last, placed = 0, []
    for span in spans:
        placed.append(span or (last, last))
        last = placed[-1][1]
    return placed


def _cover(
    text: str, begins: list[int], placed: list[tuple[int, int]]
) -> tuple[tuple[int, int], ...]:
    """A span for every word as given: those of invisible characters alone are empty."""
    by_begin = dict(zip(begins, placed, strict=True))
    covered, last = [], 0
    for start, end in find_words(text):
        span = next((by_begin[i] for i in range(start, end) if i in by_begin), (last, last))
        covered.append(span)
        last = span[1]
    return tuple(covered)


@lru_cache(maxsize=1)
def _get_processor() -> Any:
    from gruut.text_processor import TextProcessor

    return TextProcessor(default_lang=LANGUAGE, model_prefix="espeak")


@lru_cache(maxsize=1)
def _get_symbols() -> dict[str, int]:
    """The package's table of symbols."""
    from styletts2.text_utils import dicts

    return dict(dicts)


def number_symbols(symbols: str) -> list[int]:
    """As the model numbers them, after the padding it was trained to begin with."""
    table = _get_symbols()
    return [0, *(table[symbol] for symbol in symbols)]
