"""Hostile texts cost in proportion to their length, and nothing of them is lost."""

import time

import pytest

from narration.markup import render
from narration.text import cut_sentences, normalize

UNITS = {
    "[": lambda n: "[" * n,
    "[{": lambda n: "[{" * (n // 2),
    "![": lambda n: "![" * (n // 2),
    "^[": lambda n: "^[" * (n // 2),
    "[^": lambda n: "[^1]: a\n\n" + "[^" * (n // 2),
    "strong": lambda n: "*" * (n // 2) + "a" + "*" * (n // 2),
    "spans": lambda n: "[a" * (n // 2) + "]{.silent}" * (n // 20),
    "cells": lambda n: "|a" * (n // 8) + "|\n" + "|-" * (n // 8) + "|\n" + "|b" * (n // 4) + "|\n",
    "stops": lambda n: "a" * 100 + "." * n,
    "digits": lambda n: "1" * n,
    "www": lambda n: "www." * (n // 4),
    "names": lambda n: "a-" * (n // 2),
}


def measure(work) -> float:
    """CPU time: what else runs on the machine counts less."""
    started = time.process_time()
    work()
    return time.process_time() - started


def read_all(text: str) -> None:
    render(text, "en")
    cut_sentences(text, "en")
    normalize(text, "en")


@pytest.mark.parametrize("name", UNITS)
def test_time_grows_with_the_length_only(name):
    """Eight times the text may take some thirty times the time, where squares take sixty-four."""
    small, large = (UNITS[name](n) for n in (3000, 24_000))
    # A busy machine may spoil one measurement, not three; what grows with squares spoils them all.
    assert any(
        measure(lambda: read_all(large)) < 30 * max(measure(lambda: read_all(small)), 0.02)
        for _ in range(3)
    )


@pytest.mark.parametrize("text", ["[" * 30_000, "[a" * 9000 + "](b)" * 9000, "^[" * 9000 + "x"])
def test_nothing_is_lost_where_the_parser_stops_looking(text):
    shown = render(text, "en").html
    assert shown.count("[") + shown.count("<a ") + shown.count("footnote") >= text.count("[") // 2


def test_a_long_lesson_is_far_from_the_limits():
    text = "A [link](http://a.b) and [SQL]{say=sequel} and ![cat](c.png) in one.\n" * 2000
    html = render(text, "en").html
    assert (html.count("<a "), html.count("<img "), html.count("{say")) == (2000, 2000, 0)
