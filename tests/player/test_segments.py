"""The sentence list in Chromium: one sound at a time, usable at every width."""

import pytest
from django.template.loader import render_to_string

from narration.audio.codec import encode_flac
from narration.values import Waveform
from tests.player.conftest import make_segment
from tests.player.lesson import RATE, tone

pytestmark = pytest.mark.browser

FRAME = """<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Sentences</title>
<link rel="icon" href="data:,"><meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="stylesheet" href="/static/narration/narration.css"></head>
<body class="nr-page"><main class="nr-page__main"><h1>Sentences</h1>{}</main></body></html>"""


@pytest.fixture
def sentences(site, routes):
    segments = [
        make_segment(0, audio_url="/media/0.flac", supports_takes=True, take=1),
        make_segment(1, audio_url="/media/1.flac", display_text="Rain.", spoken_text="Rain."),
        make_segment(2, audio_url="", state="failed", error="Too long.", display_text="x" * 300),
    ]
    names = {"source": "testapp.note", "object_id": "1", "language": "en", "csrf_token": "t"}
    html = render_to_string("narration/segment_list.html", {**names, "segments": segments})
    site.pages["/sentences.html"] = FRAME.format(html).encode()
    flac = encode_flac(Waveform(tone(440, 0), RATE))
    site.pages |= {"/media/0.flac": flac, "/media/1.flac": flac}
    return site


def get_labels(page):
    return [each.get_attribute("aria-label") for each in page.locator("[data-play-segment]").all()]


def test_one_sentence_sounds_at_a_time(open_page, sentences):
    page = open_page("/sentences.html")
    assert get_labels(page) == ["Play sentence 1", "Play sentence 2"]
    assert not [path for path in sentences.requests if "flac" in path]
    page.click("[aria-label='Play sentence 1']")
    page.wait_for_selector("[aria-label='Pause sentence 1']")
    page.click("[aria-label='Play sentence 2']")
    page.wait_for_selector("[aria-label='Pause sentence 2']")
    assert get_labels(page) == ["Play sentence 1", "Pause sentence 2"]
    page.wait_for_selector("[aria-label='Play sentence 2']")  # it ends by itself


def test_what_cannot_be_played_is_said(open_page, sentences):
    page = open_page("/sentences.html")
    del sentences.pages["/media/0.flac"]
    page.click("[aria-label='Play sentence 1']")
    page.wait_for_selector("[role=alert] >> text=could not be played")
    assert "404" in open_page.complaints.pop()


@pytest.mark.parametrize("width", [320, 1280])
def test_the_list_fits_and_shows_what_differs(open_page, sentences, width):
    page = open_page("/sentences.html", viewport={"width": width, "height": 700})
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert page.locator(".nr-segment__spoken").count() == 2
    assert page.locator("#s0 mark").all_text_contents() == ["two."]
    assert page.is_visible("#s2 >> text=Too long.")
    assert page.locator("button >> text=Retake").count() == 1
