"""A voice is recorded in the page of a real Chromium, and the pages fit a telephone."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from narration.models import Voice
from tests.audio.test_uploads import build_speech, encode
from tests.chromium import open_as_admin
from tests.voices.scenes import make_consent, make_voice

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.browser,
    pytest.mark.xdist_group("cluster"),
]

FITS = "document.documentElement.scrollWidth <= document.documentElement.clientWidth"


@pytest.fixture
def page(live_server, admin_user, monkeypatch, tmp_path):
    """Signed in, before a microphone into which somebody speaks; complaints fail the test."""
    monkeypatch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
    speech = tmp_path / "speech.wav"
    speech.write_bytes(encode(build_speech(20.0), "wav", "pcm_s16le"))
    switches = (
        "--use-fake-ui-for-media-stream",
        "--use-fake-device-for-media-stream",
        f"--use-file-for-fake-audio-capture={speech}",
    )
    with open_as_admin(live_server, *switches, permissions=["microphone"]) as opened:
        yield opened


def test_a_voice_is_recorded_in_the_page(live_server, page):
    page.goto(f"{live_server.url}/admin/narration/voice/")
    page.get_by_role("link", name="Add a cloned voice").click()
    page.get_by_label("Name of the voice").fill("Ada")
    page.get_by_label("Engine").select_option("dummy")
    page.get_by_label("English (en)", exact=True).check()
    page.locator("[name=person]").fill("Ada Lovelace")
    page.locator("[name=evidence]").fill("A letter, in the safe.")
    page.get_by_role("button", name="Record now").press("Enter")
    expect(page.get_by_text("Recording: speak now.")).to_be_visible()
    expect(page.get_by_text("8 s", exact=True)).to_be_visible(timeout=30_000)
    page.get_by_role("button", name="Stop").press("Enter")
    expect(page.get_by_text("Added to the files above")).to_be_visible()
    page.get_by_role("button", name="Record the consent and add the voice").click()
    expect(page.get_by_text("The voice can be chosen now.")).to_be_visible(timeout=60_000)
    expect(page.get_by_text("recording-1.webm").first).to_be_visible()
    recording = Voice.objects.get().recordings.get()
    assert recording.checks["codec"] == "opus"
    assert recording.duration_ms > 6000


def test_the_pages_fit(live_server, page, tmp_path):
    voice = make_voice()
    old = voice.consent
    voice.consent = make_consent(renews=old)
    voice.save()
    make_voice("Another voice of somebody of this name", hertz=(444.0,))
    names = {
        "clone": "voice/clone/",
        "recordings": f"voice/{voice.pk}/recordings/",
        "uses": f"voice/{voice.pk}/uses/",
        "voice": f"voice/{voice.pk}/change/",
        "revoke": f"consent/{voice.consent.pk}/revoke/",
        "renew": f"consent/{voice.consent.pk}/renew/",
        "consent": f"consent/{voice.consent.pk}/change/",
        "renewed": f"consent/{old.pk}/renew/",
    }
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        for width in (320, 1280):
            page.set_viewport_size({"width": width, "height": 900})
            for name, path in names.items():
                page.goto(f"{live_server.url}/admin/narration/{path}")
                assert page.evaluate(FITS), (name, width)
                shot = tmp_path / f"{name}-{width}-{scheme}.png"
                page.screenshot(path=shot, full_page=True)


def test_a_consent_is_renewed_and_taken_back_in_the_page(live_server, page):
    voice = make_voice()
    page.goto(f"{live_server.url}/admin/narration/consent/{voice.consent.pk}/change/")
    page.get_by_role("link", name="Renew", exact=True).click()
    expect(page.get_by_text("Ada's voice")).to_be_visible()
    page.get_by_label("Expires at").fill("2126-01-31T10:00")
    record = page.get_by_role("button", name="Record the new consent")
    record.press("Enter")
    expect(page.get_by_text("Give the evidence")).to_be_visible()
    page.get_by_label("Evidence", exact=True).fill("A mail of hers.")
    record.press("Enter")
    expect(page.get_by_text("The voices speak by this consent now.")).to_be_visible()
    page.get_by_role("link", name="Take back", exact=True).click()
    expect(page.get_by_text("These end together:")).to_be_visible()
    page.get_by_role("button", name="Take the consent back").press("Enter")
    expect(page.get_by_text("Nothing is spoken in this voice any more")).to_be_visible()
