"""The walk of the product in a real Chromium, with a real queue worker behind the pages."""

from __future__ import annotations

import pytest

from courses import api as courses
from courses.models import Visibility
from narration import api
from narration.models import Rendition
from tests.clusters import build_environment, supervised

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.browser,
    pytest.mark.cluster,
    pytest.mark.xdist_group("cluster"),
]

PASSWORD = "a-password-for-tests"
TEXT = """The river begins in the *hills*. It is cold there, and clear.

## Downstream

It grows. The river meets **two** others, and carries boats.
"""
EDITED = TEXT.replace("It is cold there, and clear.", "It is clear there, and very cold.")
AUDIO = "document.querySelector('narration-player audio')"
LIT = "[...(CSS.highlights.get('narration-sentence') ?? [])].map(String).join('')"


@pytest.fixture
def lesson(django_user_model):
    author = django_user_model.objects.create_user("author", password=PASSWORD)
    course = courses.create_course(
        author, title="Rivers", language="en", visibility=Visibility.PUBLIC
    )
    text = courses.create_lesson(course, title="The source")
    text.save_revision(
        markdown=TEXT, title="The source", author=author, expected_version=text.version
    )
    return text.lesson


def open_page(browser, complaints):
    page = browser.new_context(viewport={"width": 1280, "height": 900}).new_page()
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("console", lambda m: m.type == "error" and complaints.append(m.text))
    return page


def sign_in(page, live_server):
    page.goto(f"{live_server.url}/login/")
    page.fill("[name=username]", "author")
    page.fill("[name=password]", PASSWORD)
    page.press("[name=password]", "Enter")
    page.wait_for_selector("text=Sign out")


def wait_for_status(page, status):
    page.wait_for_selector(f".nr-panel__body[data-status={status}]", timeout=60_000)


def test_an_author_edits_narrates_and_publishes_and_a_learner_hears_it(
    live_server, chromium, lesson, settings
):
    path = f"/courses/{lesson.course.slug}/{lesson.slug}/"
    slow = {"ms_per_character": 40}
    settings.NARRATION = {
        **settings.NARRATION,
        "ENGINES": {"dummy": {**settings.NARRATION["ENGINES"]["dummy"], "OPTIONS": slow}},
    }
    environment = build_environment(settings, settings_module="config.settings.test", **slow)
    complaints: list[str] = []
    with supervised(environment):
        page = open_page(chromium, complaints)
        sign_in(page, live_server)
        page.goto(f"{live_server.url}{path}edit")
        page.click("#narration-narrate-en")
        wait_for_status(page, "ready")
        before = Rendition.objects.count()

        page.fill("textarea[name=markdown]", EDITED)
        page.click("form.editor button[type=submit]:has-text('Save')")
        page.wait_for_load_state()
        assert "1 of 5" in page.inner_text(".nr-panel__body")
        page.click("#narration-narrate-en")
        wait_for_status(page, "ready")
        assert Rendition.objects.count() == before + 1
        page.click("#narration-publish-en")
        wait_for_status(page, "published")
        page.wait_for_selector("#publication:has-text('Version 2, the newest.')")

    learner = open_page(chromium, complaints)
    learner.goto(f"{live_server.url}{path}")
    assert "very cold" in learner.inner_text("main")
    assert learner.evaluate("CSS.highlights.size") == 0
    heard = listen(learner, api.get_manifest(lesson, language="en", user=None)["segments"])
    assert heard == [
        "The river begins in the hills.",
        "It is clear there, and very cold.",
        "Downstream",
        "It grows.",
        "The river meets two others, and carries boats.",
    ]
    assert complaints == []


def listen(page, segments) -> list[str]:
    """Play to the end; at every look the lit text must be the sentence whose cue is playing."""
    page.click("[data-part=play]")
    heard: list[str] = []
    for _look in range(600):
        now, lit, is_over = page.evaluate(f"[{AUDIO}.currentTime * 1000, {LIT}, {AUDIO}.ended]")
        if is_over:
            return heard
        playing = [s["text"] for s in segments if s["start_ms"] + 80 < now < s["end_ms"] - 80]
        if playing:
            assert lit == playing[0], now
            if heard[-1:] != playing:
                heard += playing
        page.wait_for_timeout(25)
    raise AssertionError("the lesson did not come to its end")


def test_without_javascript_a_learner_has_native_audio_and_the_transcript(
    live_server, chromium, lesson, settings
):
    from tests.helpers import narrate

    narrate(lesson, publish=True)
    context = chromium.new_context(
        java_script_enabled=False, viewport={"width": 320, "height": 700}
    )
    page = context.new_page()
    page.goto(f"{live_server.url}/courses/{lesson.course.slug}/{lesson.slug}/")
    audio = page.query_selector("audio[controls]")
    assert audio is not None
    assert audio.is_visible()
    assert "It is cold there, and clear." in page.text_content(".nr-transcript")
    source = page.query_selector("audio source[type='audio/mpeg']").get_attribute("src")
    answer = context.request.get(f"{live_server.url}{source}", headers={"Range": "bytes=0-99"})
    assert (answer.status, len(answer.body())) == (206, 100)
