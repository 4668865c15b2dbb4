from __future__ import annotations

import json
import re
from itertools import pairwise

import pytest

from narration.audio.captions import (
    build_metadata_vtt,
    build_transcript,
    build_webvtt,
    format_timestamp,
)
from narration.values import Cue, CueWord, Role

STAMP = r"(\d{2,}):([0-5]\d):([0-5]\d)\.(\d{3})"
TIMING = re.compile(rf"{STAMP} --> {STAMP}")
ENTITY = re.compile(r"&(?!(?:amp|lt|gt);)")

LONG = (
    "Água é uma substância química composta por hidrogênio e oxigênio, essencial para todas as "
    "formas conhecidas de vida, e cobre cerca de setenta e um por cento da superfície da Terra."
)


def parse(document):
    """A strict reader of our own: (id, start, end, lines) of each cue."""
    assert document.startswith("WEBVTT")
    assert document.endswith("\n")
    assert "\r" not in document
    assert not re.search(r"[\x00-\x08\x0b-\x1f]", document)
    head, *blocks = document.removesuffix("\n").split("\n\n")
    assert head.count("\n") == 0
    assert "-->" not in head
    cues = []
    for block in blocks:
        lines = block.split("\n")
        assert all(lines)
        if lines[0].startswith("NOTE "):
            assert "-->" not in block
            continue
        name, timing, *text = lines
        assert "-->" not in name
        found = TIMING.fullmatch(timing)
        assert found
        numbers = [int(group) for group in found.groups()]
        start, end = (
            ((h * 60 + m) * 60 + s) * 1000 + ms for h, m, s, ms in (numbers[:4], numbers[4:])
        )
        assert start < end
        assert text
        assert not any("-->" in line for line in text)
        cues.append((name, start, end, text))
    names = [cue[0] for cue in cues]
    assert len(set(names)) == len(names)
    return cues


def captions(*cues):
    found = parse(build_webvtt(cues, language="pt-BR"))
    for _, _, _, lines in found:
        assert len(lines) <= 2
        for line in lines:
            assert not re.search("[<>]", line)
            assert not ENTITY.search(line)
    starts = [start for _, start, _, _ in found]
    assert starts == sorted(starts)
    return found


def unescape(line):
    return line.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")


def test_a_short_sentence_is_one_cue():
    assert captions(Cue(12, "p1-1", "It rained.", 500, 1730)) == [("12", 500, 1730, ["It rained."])]


def test_language_and_title_are_told():
    document = build_webvtt([], language="pt-BR", title="Chuva --> & rio\nfim")
    assert document == "WEBVTT Chuva --&gt; &amp; rio fim\n\nNOTE Language: pt-BR\n"
    parse(document)


@pytest.mark.parametrize(
    "text",
    [
        "if a < b && b > c: <script>alert(1)</script>",
        "00:00:01.000 --> 00:00:02.000",
        "a\n\nb\r\nc\td",
        "nul \x00 and escape \x1b here",
        "NOTE this is no comment",
        "STYLE",
        "line\u2028separator\x85next",
    ],
)
def test_hostile_text_stays_text(text):
    (found,) = captions(Cue(0, "", text, 0, 1000))
    said = " ".join(unescape(line) for line in found[3])
    assert said.split() == re.sub(r"[\x00\x1b]", " ", text).split()


def test_a_long_sentence_is_shown_in_balanced_parts_that_lose_nothing():
    found = captions(Cue(3, "p1-1", LONG, 1000, 12_000))
    assert len(found) > 1
    assert [name for name, *_ in found] == [f"3.{n + 1}" for n in range(len(found))]
    lines = [line for *_, text in found for line in text]
    assert " ".join(lines) == LONG
    assert max(map(len, lines)) <= 42
    assert min(map(len, lines)) >= 20
    assert (found[0][1], found[-1][2]) == (1000, 12_000)
    for before, after in pairwise(found):
        assert before[2] == after[1]


def test_parts_change_when_their_first_word_is_spoken():
    words, at = [], 1000
    for match in re.finditer(r"\S+", LONG):
        words.append(CueWord(match.start(), match.end(), at, at + 90))
        at += 100 if match.start() < 40 else 333
    found = captions(Cue(0, "", LONG, 1000, at, words=tuple(words)))
    starts = {LONG[word.start : word.end]: word.start_ms for word in words}
    for _, start, _, lines in found[1:]:
        assert start == starts[lines[0].split()[0]]


def test_without_word_times_parts_take_their_share():
    text = "aaaa " * 34
    found = captions(Cue(0, "", text.strip(), 0, 10_000))
    assert len(found) == 3
    assert found[1][1] == pytest.approx(10_000 * 80 / 169, abs=900)


def test_a_word_longer_than_a_line_is_cut_and_whole():
    url = "https://example.org/" + "a" * 150
    found = captions(Cue(0, "", url, 0, 4000))
    assert "".join(line for *_, lines in found for line in lines) == url


def test_a_no_break_space_does_not_break():
    text = "Esta frase chega bem perto do fim com 1\u00a0500 quilômetros por hora agora."
    lines = [line for *_, lines in captions(Cue(0, "", text, 0, 4000)) for line in lines]
    assert any("1 500" in line for line in lines)


def test_silent_and_empty_cues_have_no_caption():
    assert captions(Cue(0, "", "Unheard.", 900, 900), Cue(1, "", " \n", 0, 900)) == []


def test_a_long_text_in_no_time_still_has_rising_times():
    captions(Cue(0, "", LONG, 5, 6))


@pytest.mark.parametrize(
    ("ms", "text"),
    [(0, "00:00:00.000"), (3_599_999, "00:59:59.999"), (360_000_001, "100:00:00.001")],
)
def test_timestamps(ms, text):
    assert format_timestamp(ms) == text


def test_highlight_names_the_element_and_the_characters():
    words = (CueWord(0, 2, 500, 700), CueWord(3, 9, 700, 700), CueWord(3, 9, 710, 1200))
    cues = [Cue(4, "p2-1", "It rained.", 500, 1300, words=words), Cue(5, "", "x", 1300, 1400)]
    found = parse(build_metadata_vtt(cues))
    selector = {"type": "FragmentSelector", "value": "p2-1"}
    assert [(name, start, end) for name, start, end, _ in found] == [
        ("4", 500, 1300),
        ("4.1", 500, 700),
        ("4.3", 710, 1200),
    ]
    payloads = [json.loads("".join(lines)) for *_, lines in found]
    assert payloads[0] == {"selector": selector, "group": "sentence"}
    span = {"type": "TextPositionSelector", "start": 3, "end": 9}
    assert payloads[2] == {"selector": {**selector, "refinedBy": span}, "group": "word"}


def test_a_hostile_anchor_survives_the_highlight():
    (found,) = parse(build_metadata_vtt([Cue(0, "a-->\n\nb", "x", 0, 9)]))
    assert json.loads(found[3][0])["selector"]["value"] == "a-->\n\nb"


def test_the_transcript_reads_like_the_lesson():
    def cue(position, anchor, text, role=Role.BODY):
        return Cue(position, anchor, text, 0, 0, role)

    cues = [
        cue(0, "n-t-1", "Rain", Role.TITLE),
        cue(1, "n-p1-1", "It rained."),
        cue(2, "n-p1-2", "The  river\nrose."),
        cue(3, "n-p2-1", "It rained."),
        cue(4, "n-l1-1", "One.", Role.LIST_ITEM),
        cue(5, "n-l1-2", "Still one.", Role.LIST_ITEM),
        cue(6, "n-l2-1", "Two.", Role.LIST_ITEM),
        cue(7, "", "Alone."),
        cue(8, "", "Alone too."),
        cue(9, "", "  "),
    ]
    assert build_transcript(cues) == (
        "Rain\n\nIt rained. The river rose.\n\nIt rained.\n\n"
        "- One. Still one.\n- Two.\n\nAlone.\n\nAlone too.\n"
    )


def test_no_cues_are_an_empty_transcript():
    assert build_transcript([]) == ""
