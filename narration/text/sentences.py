"""Where sentences end: sentencex proposes, own lists per language merge and split.

The library knows many abbreviations but misses Portuguese ones ("cap. 4"), cuts before numbers
("jan. 1643") and overlooks stops after units ("3.14 m/s. It"), hence the second pass.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass

import sentencex

Span = tuple[int, int]

_CLOSERS = r"[\"'”’»)\]*_]*"
_OPENERS = r"(?:[—–]\s)?[\"'“‘«(\[¿¡*_]*"
_SMILE = r"(?:[ \t][:;]-?[()DP])?"
# Possessive and looking behind itself: a long run of stops is scanned once.
_STOP = re.compile(rf"(?P<stop>(?<![.!?…])[.!?…]++{_CLOSERS}+){_SMILE}(?=[ \t\n\r])")
_LOUD = ("!", "?", "…", "..")
_TRAILING_CLOSERS = re.compile(rf"{_CLOSERS}{_SMILE}$")
_NON_WORD_END = re.compile(r"\W+$")
_NO_BREAK_SPACES = ("\u00a0", "\u2007", "\u202f")
_UNSPEAKABLE = re.compile(r"[\ud800-\udfff\x00]")
_FULL_WIDTH_STOP = re.compile(r"[。！？]+[」』”’）]*")
_BREAK = re.compile(r"\n[^\S\n]*\n|[\u2028\u2029]")
_NEXT = re.compile(rf"[ \t\n\r]+{_OPENERS}(?P<word>\S{{1,40}})")
_LAST_TOKEN = re.compile(r"\S+$")
_NUMBERED_NEXT = re.compile(r"(?:\d|[IVXLCDM]+\b|[A-Z]\b)")
_DOTTED_CAPITALS = re.compile(r"^[\"'“‘«(\[]*(?:[A-Z]\.){2,}$")
_ROMAN = re.compile(r"[IVXLC]{2,}")
_LIST_NUMBER = re.compile(r"^(?:\d{1,3}|[A-Za-z])[.)]$")
# Further back than this no token or bracket matters; it keeps hostile text linear.
_REACH = 80
_LONGEST_ABBREVIATION = 5


@dataclass(frozen=True, slots=True)
class Customs:
    """What a language writes with a full stop that ends no sentence.

    ``never``: abbreviations that a sentence does not end with. ``numbered``: those only before a
    number. ``sometimes``: those that end a sentence when a word of ``starters`` or another
    capitalised word follows. ``starters``: words that betray a new sentence after an initial.
    """

    never: frozenset[str]
    numbered: frozenset[str]
    sometimes: frozenset[str]
    starters: frozenset[str]


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_EN = Customs(
    never=_words(
        "dr mr mrs ms mx prof rev hon gen col capt lt sgt st mt fr sr messrs mme e.g i.e eg ie cf"
        " viz vs approx ca ed eds resp incl excl est avg"
    ),
    numbered=_words(
        "no nos fig figs eq eqs p pp ch chap sec sect vol vols art ex tab app ver v c par"
        " jan feb mar apr jun jul aug sep sept oct nov dec"
    ),
    sometimes=_words("etc a.m p.m b.c a.d b.c.e c.e inc ltd co corp jr al u.s u.k ph.d m.sc b.sc"),
    starters=_words(
        "The It This That These Those He She They We You In On At But And So If When Then There"
        " What Why How For As Now Here After Before His Her Their Our Its Please Let However Use"
    ),
)
_PT = Customs(
    never=_words(
        "dr dra drs sr sra srs sras srta prof profa profs profas eng enga exmo exma v.exa il ilmo"
        " d st sto sta ex p.ex i.e e.g cf vs aprox av pe gen cel dep sen trad coord tel ref"
    ),
    numbered=_words(
        "cap caps p pp pg pgs pág págs art arts fig figs n nº no nos núm vol vols ed eq eqs sec"
        " seç séc sécs tab tabs r v c par jan fev mar abr mai jun jul ago set out nov dez"
    ),
    sometimes=_words("etc a.c d.c ltda s.a cia jr al"),
    starters=_words(
        "O A Os As Um Uma Ele Ela Eles Elas Isso Isto Esse Essa Este Esta Mas E Então Se Quando Em"
        " No Na Nos Nas Para Por Como Agora Aqui Você Vamos Depois Antes Não Já Há"
    ),
)
_CUSTOMS = {"en": _EN, "pt": _PT}


def cut_sentences(text: str, language: str) -> tuple[Span, ...]:
    """Give the (start, end) of each sentence of ``text``, trimmed, in order.

    Every non-space character lies in exactly one span. A blank line, U+2028 and U+2029 always
    end a sentence. ``language`` is BCP 47; an unknown one gets general rules. Linear time.
    """
    code = language.lower().replace("_", "-").split("-")[0] or "en"
    certain = {match.end() for match in _BREAK.finditer(text)}
    certain |= {match.end() for match in _FULL_WIDTH_STOP.finditer(text)}
    starts = _proposals(text, code)
    if customs := _CUSTOMS.get(code):
        stops = dict.fromkeys(starts, True)
        for match in _STOP.finditer(text):
            stops[match.end()] = match.end("stop") in starts or match.end() in starts
        starts = {cut for cut, known in stops.items() if _is_boundary(text, cut, known, customs)}
    return tuple(_merge_wordless(text, _trimmed(text, sorted(starts | certain)), certain))


def sentence_anchor(anchor: str, number: int) -> str:
    """Name the element of sentence ``number`` (from 1) of the passage at ``anchor``."""
    return f"{anchor}-{number}" if anchor else ""


def _proposals(text: str, code: str) -> set[int]:
    """Ask the library, and move its cuts before the white space that it counts to a sentence."""
    # It speaks UTF-8 and refuses lone surrogates; one stand-in keeps every offset.
    plain = _UNSPEAKABLE.sub("\N{REPLACEMENT CHARACTER}", text)
    found = sentencex.get_sentence_boundaries(code, plain)
    cuts = {_before_space(text, boundary["end_index"]) for boundary in found[:-1]}
    return {cut for cut in cuts if text[cut : cut + 1] not in _NO_BREAK_SPACES}


def _before_space(text: str, cut: int) -> int:
    while cut and text[cut - 1].isspace():
        cut -= 1
    return cut


def _is_boundary(text: str, cut: int, is_proposed: bool, customs: Customs) -> bool:
    """Judge a cut; only white space separates sentences, and never a no-break space."""
    following = _NEXT.match(text, cut)
    if not following:
        return False
    before = text[max(0, cut - _REACH) : cut]
    bare = _TRAILING_CLOSERS.sub("", before)
    word = following["word"]
    if bare.endswith(_LOUD):
        # Lower case goes on after a quoted question, and starts anew after a plain one.
        # but "— perguntou Ana" goes on with what was asked.
        is_told = following[0].lstrip()[0] in "—–" and word[0].islower()
        is_asked = before.endswith("?") and word[0].isalpha() and not is_told
        return is_asked or _opens(word) or _reads_as_code(word)
    token = _token(bare)
    is_alone = not bare[: -len(token)].strip() or bare[: -len(token)].rstrip()[-1] in ".!?…"
    return bare.endswith(".") and _is_end(token, word, is_proposed, customs, is_alone=is_alone)


#: One-word sentences that look like abbreviations.
_ANSWERS = {"no", "nos", "não", "sim"}
#: Behind these a capital begins a sentence, unless it names a day or a zone of time.
_HALVES = {"a.m", "p.m", "a.c", "d.c", "b.c"}
_AFTER_TIMES = _words(
    "Monday Tuesday Wednesday Thursday Friday Saturday Sunday GMT UTC EST PST CET EDT PDT"
)


def _is_end(
    token: str, word: str, is_proposed: bool, customs: Customs, *, is_alone: bool = False
) -> bool:
    """Tell whether the full stop of ``token`` ends a sentence before ``word``."""
    name = token.lower().lstrip("\"'“‘«([*_").rstrip(".")
    starts_anew = _NON_WORD_END.sub("", word) in customs.starters
    is_number = _NUMBERED_NEXT.match(word) and not starts_anew
    if name in customs.never or (name in customs.numbered and is_number):
        return False
    if _ROMAN.fullmatch(token.strip(".")):
        return _opens(word)
    if is_alone and name in _ANSWERS:
        return _opens(word)
    if name in _HALVES and word.strip(".,;:") not in _AFTER_TIMES:
        return _opens(word)
    if name in customs.sometimes or _DOTTED_CAPITALS.match(token):
        return _opens(word) and (name == "etc" or starts_anew)
    if len(name) == 1 and name.isalpha():
        return starts_anew
    if not is_proposed and name.isalpha() and len(name) <= _LONGEST_ABBREVIATION:
        return starts_anew
    return _opens(word) or _reads_as_code(word)


def _token(before: str) -> str:
    """Take the last token, joined with the one before in "p. ex." and "a. C."."""
    found = _LAST_TOKEN.search(before)
    token = found[0] if found else ""
    pair = re.search(r"(?:^|[\s(\[\"“])([^\W\d_]{1,2}\.)\s([^\W\d_]{1,2}\.)$", before)
    joined = (pair[1] + pair[2]) if pair else ""
    return joined if joined.lower().rstrip(".") in _JOINED else token


_JOINED = frozenset({"p.ex", "a.c", "d.c", "e.g", "i.e", "a.m", "p.m", "s.a", "v.exa", "ph.d"})


def _opens(word: str) -> bool:
    """Tell whether a sentence may start with ``word``: not in lower case, not a mere mark."""
    return word[0].isalnum() and not word[0].islower()


#: Commands that lessons begin sentences with.
_COMMANDS = _words(
    "npm npx pip git python python3 node docker curl wget cd ls sudo yarn make conda pytest django"
    " cargo go bash ssh grep brew apt pnpm uv"
)


def _reads_as_code(word: str) -> bool:
    """Sentences of lessons start with identifiers: ``print() shows …``, ``my_app is …``, eBay."""
    if word in _COMMANDS or re.match(r"[a-z]+[A-Z][a-z]", word):
        return True
    return bool(re.match(r"[a-z][\w.]*(?:\(\)?|_\w|\.\w)", word))


def _trimmed(text: str, starts: list[int]) -> Iterator[Span]:
    for start, end in zip([0, *starts], [*starts, len(text)], strict=True):
        piece = text[start:end]
        if body := piece.strip():
            left = start + len(piece) - len(piece.lstrip())
            yield left, left + len(body)


def _merge_wordless(text: str, spans: Iterator[Span], certain: set[int]) -> list[Span]:
    """Join what is no sentence: marks (":)", "—") to the one before, "1." to the one after."""
    breaks = sorted(certain)
    merged: list[Span] = []
    for start, end in spans:
        wordless = not any(char.isalnum() for char in text[start:end])
        if (
            merged
            and (wordless or _LIST_NUMBER.match(text[slice(*merged[-1])]))
            and not _is_between(breaks, merged[-1][1], start)
        ):
            merged[-1] = (merged[-1][0], end)
        else:
            merged.append((start, end))
    return merged


def _is_between(breaks: list[int], left: int, right: int) -> bool:
    place = bisect_left(breaks, left)
    return place < len(breaks) and breaks[place] <= right
