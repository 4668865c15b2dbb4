"""The player's page: its controls, without JavaScript, and what of a manifest it trusts."""

import json
import re

import pytest

from tests.player.conftest import MANIFEST, render_player
from tests.player.test_player import press_play, stand_at

pytestmark = pytest.mark.browser


@pytest.mark.parametrize("width", [320, 1280])
def test_controls_are_named_large_enough_and_fit(open_page, width):
    page = open_page(viewport={"width": width, "height": 700})
    page.click("summary >> text=Settings and keys")
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    small = page.evaluate(
        """[...document.querySelectorAll(
             'narration-player :is(button, select, input, summary, a)')]
           .filter((each) => each.checkVisibility())
           .map((each) => [each.outerHTML.slice(0, 80), each.closest('.nr-player__check') ?? each])
           .map(([html, each]) => [html, each.getBoundingClientRect()])
           .filter(([, box]) => box.width < 24 || box.height < 24)
           .map(([html]) => html)"""
    )
    assert small == []
    unnamed = page.evaluate(
        """[...document.querySelectorAll('narration-player :is(button, input)')]
           .filter((each) => each.checkVisibility() && !each.ariaLabel && !each.labels?.length
                             && !each.textContent.trim()).length"""
    )
    assert unnamed == 0


def test_without_javascript_there_is_sound_and_transcript(chromium, site, lesson):
    context = chromium.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(f"{site.url}/lesson.html")
    assert page.is_visible("audio[controls]")
    assert not page.is_visible("[data-part=controls]")
    assert not page.is_visible("text=Settings and keys")
    page.click("summary >> text=Transcript")
    assert page.is_visible(".nr-transcript >> text=Sound is motion that has found a listener.")
    assert page.is_visible("text=Read by a synthetic voice: Ada")
    kinds = page.eval_on_selector_all("audio > *", "all => all.map((e) => e.type || e.kind)")
    context.close()
    assert kinds == ["audio/ogg; codecs=opus", "audio/mpeg", "captions"]


def test_text_of_the_manifest_is_never_markup(open_page, site, lesson):
    hostile = json.loads(json.dumps(lesson.manifest))
    hostile["segments"][0]["text"] = "<img src=x onerror=alert(1)> & more"
    site.pages[MANIFEST] = json.dumps(hostile).encode()
    page = open_page()
    press_play(page)
    stand_at(page, 700)
    assert page.text_content("[data-part=line]") == hostile["segments"][0]["text"]
    assert page.query_selector("[data-part=line] img") is None


def test_the_player_has_no_inline_script_or_style(lesson):
    html = render_player(lesson)
    assert not re.search(r"\son\w+=|style=|<script(?![^>]*src=)", html)
