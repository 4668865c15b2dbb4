import json
from pathlib import Path
from types import SimpleNamespace

import pytest
from django.template.loader import render_to_string
from django.test import override_settings
from django.utils import translation

from narration.templatetags.narration_tags import build_transcript
from tests.chromium import open_chromium
from tests.player.lesson import build_lesson
from tests.player.server import Site

MANIFEST = "/manifest.json"
PAGE = """<!doctype html><html lang="{language}"><head><meta charset="utf-8"><title>Lesson</title>
<link rel="icon" href="data:,"><meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="stylesheet" href="/static/narration/narration.css">
<link rel="stylesheet" href="/site.css"></head>
<body><main><h1>A shiver in the air</h1>{player}<article id="text">{text}</article>
<p><label>Notes <textarea id="notes"></textarea></label></p></main></body></html>"""


@pytest.fixture(scope="session")
def lesson():
    return build_lesson()


# A module's, not the session's: while it lives, its event loop keeps Django from the database.
@pytest.fixture(scope="module")
def chromium():
    with open_chromium("--no-first-run", "--autoplay-policy=user-gesture-required") as browser:
        yield browser


def render_player(lesson, language="en"):
    with translation.override(language):
        return render_to_string(
            "narration/player.html",
            {
                "manifest": lesson.manifest,
                "manifest_url": MANIFEST,
                "title": "A shiver in the air",
                "voices": "Ada",
                "language": "en",
                "scope": "#text",
                "transcript": build_transcript(lesson.manifest["segments"]),
            },
        )


@pytest.fixture
def site(lesson):
    page = PAGE.format(player=render_player(lesson), text=lesson.html, language="en")
    site = Site(
        {
            "/lesson.html": page.encode(),
            "/site.css": (Path(__file__).parent / "site.css").read_bytes(),
            MANIFEST: json.dumps(lesson.manifest).encode(),
            **{f"/media/{name}": body for name, body in lesson.files.items()},
        }
    )
    yield site
    site.close()


@pytest.fixture
def open_page(chromium, site):
    """Open a page of the site; at the end nothing may have been refused, thrown or logged."""
    contexts, complaints = [], []

    def open_it(path="/lesson.html", **options):
        context = chromium.new_context(**{"viewport": {"width": 1280, "height": 800}, **options})
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda message: complaints.append(message.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.goto(site.url + path)
        return page

    open_it.complaints = complaints
    yield open_it
    for context in contexts:
        context.close()
    assert complaints == []


@pytest.fixture
def routes():
    with override_settings(ROOT_URLCONF="tests.player.urls"):
        yield


def make_segment(position, **changes):
    facts = {
        "position": position,
        "anchor": f"p1-{position}",
        "role": "body",
        "display_text": "Divide by 2.",
        "spoken_text": "Divide by two.",
        "state": "ready",
        "error": "",
        "audio_url": "/media/sentence.flac",
        "duration_ms": 1200,
        "voice_name": "Ada",
        "take": 0,
        "supports_takes": False,
    }
    return SimpleNamespace(**{**facts, **changes})
