"""What both engines said, as a learner hears and sees it in a real Chromium, wide and narrow."""

from __future__ import annotations

import time

import pytest

from narration import api
from tests.browser.test_walk import AUDIO, LIT
from tests.neural.stage import LANGUAGES, get_page

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.browser,
    pytest.mark.cluster,
    pytest.mark.xdist_group("cluster"),
]

WORD = "[...(CSS.highlights.get('narration-word') ?? [])].map(String).join('')"
FITS = "document.documentElement.scrollWidth <= document.documentElement.clientWidth"
SIZES = ((1280, 900), (320, 700))


def test_sentences_and_words_light_up_as_they_are_said(stage, live_server, request):
    stage.accept()
    lessons = {alias: stage.write_lesson(language) for alias, language in LANGUAGES.items()}
    with stage.cluster():
        jobs = [stage.request(lesson, LANGUAGES[alias]) for alias, lesson in lessons.items()]
        assert [stage.finish(job).state for job in jobs] == ["done", "done"]
    # Not before: while it lives, its event loop disturbs whoever waits for processes.
    browser = request.getfixturevalue("chromium")
    for alias, lesson in lessons.items():
        segments = api.get_manifest(lesson, language=LANGUAGES[alias], user=None)["segments"]
        for size, scheme in zip(SIZES, ("light", "dark"), strict=True):
            page, complaints = open_page(browser, size, scheme)
            page.goto(f"{live_server.url}{get_page(lesson)}")
            assert page.evaluate(FITS), (alias, size)
            assert page.locator("[data-synthetic-voice]").is_visible()
            heard = play(page)
            assert [lit for _text, lit in heard] == [text for text, _lit in heard]
            said = [text for text, _lit in heard if text]
            # A busy machine may pass over a short one while it plays: all of them are sought below.
            assert said
            assert said == [s["text"] for s in segments if s["text"] in said]
            assert look_at(page, LIT, list_times(segments)) == [s["text"] for s in segments]
            assert look_at(page, WORD, list_words(segments)) == [
                w for w, *_ in list_words(segments)
            ]
            assert page.evaluate(FITS), (alias, size)
            page.screenshot(path=stage.folder / f"{alias}-{size[0]}.png", full_page=True)
            assert complaints == []
            page.context.close()


def open_page(browser, size, scheme):
    viewport = {"width": size[0], "height": size[1]}
    page = browser.new_context(viewport=viewport, color_scheme=scheme).new_page()
    complaints: list[str] = []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("console", lambda m: m.type == "error" and complaints.append(m.text))
    return page, complaints


def play(page):
    """Play to the end: each sentence the page says it reads, "" between two, and what is lit."""
    listener = f"event => heard.push([event.detail.text, {LIT}])"
    page.evaluate(f"window.heard = []; addEventListener('narration:segment', {listener})")
    page.focus("[data-part=play]")
    page.keyboard.press("Enter")
    wait_for(page, f"{AUDIO}.ended", True, seconds=60)
    return page.evaluate("heard")


def list_times(segments):
    """Each sentence, and when it is read."""
    return [(s["text"], s["start_ms"], s["end_ms"]) for s in segments]


def list_words(segments):
    """Each timed word, and when it is said."""
    return [(s["text"][a:b], begins, ends) for s in segments for a, b, begins, ends in s["words"]]


def look_at(page, lit, times):
    """What is lit in the middle of each of these times."""
    seen = []
    for wanted, begins, ends in times:
        page.evaluate(f"{AUDIO}.currentTime = {(begins + ends) / 2000}")
        seen.append(wait_for(page, lit, wanted))
    return seen


def wait_for(page, question, wanted, *, seconds=10):
    """The page's last answer: the wanted one, unless it never comes."""
    until = time.monotonic() + seconds
    while (answer := page.evaluate(question)) != wanted and time.monotonic() < until:
        page.wait_for_timeout(25)
    return answer
