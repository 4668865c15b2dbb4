"""The page *Work* and the notices in a real Chromium: they change without being reloaded."""

from __future__ import annotations

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from narration.models import Job, JobState
from tests.chromium import open_as_admin
from tests.modelled import here, published, small  # noqa: F401
from tests.testapp.models import Note
from tests.views.rows import make_narration

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.browser,
    pytest.mark.xdist_group("cluster"),
]


@pytest.fixture
def page(live_server, admin_user, monkeypatch):
    """Signed in as the administrator; whatever the console complains of fails the test."""
    # Playwright's loop lives in this thread; the database is asked between its calls only.
    monkeypatch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
    with open_as_admin(live_server) as opened:
        yield opened


def make_job(user, title="The river", **changes):
    note = Note.objects.create(title=title, body="It rained.", owner=user)
    defaults = {"request_key": title, "lane": "cpu", "queued_at": timezone.now()}
    return Job.objects.create(
        narration=make_narration(note), requested_by=user, **{**defaults, **changes}
    )


def test_the_page_work_moves_by_itself(live_server, admin_user, page):
    page.goto(f"{live_server.url}/admin/narration/work/")
    expect(page.get_by_text("Nothing waits.")).to_be_visible()
    make_job(admin_user)
    expect(page.get_by_role("link", name="The river")).to_be_visible(timeout=20_000)
    page.get_by_role("button", name="Cancel The river").click()
    expect(page.get_by_text("what was made is kept")).to_be_visible()
    assert Job.objects.get().state == "cancelled"


def test_a_notice_is_dismissed_where_it_stands(live_server, admin_user, page):
    ended = {"state": JobState.DONE, "finished_at": timezone.now()}
    make_job(admin_user, **ended)
    page.goto(f"{live_server.url}/")
    notice = page.get_by_text("The narration of “The river” is ready.")
    expect(notice).to_be_visible()
    page.evaluate("window.isSamePage = true")
    page.get_by_role("button", name="Dismiss").click()
    expect(notice).to_have_count(0)
    assert page.evaluate("window.isSamePage")
    page.reload()
    expect(notice).to_have_count(0)


@pytest.mark.parametrize("width", [1280, 320])
def test_terms_are_read_and_accepted_with_the_keyboard(live_server, page, here, width):  # noqa: F811
    page.set_viewport_size({"width": width, "height": 800})
    page.goto(f"{live_server.url}/admin/narration/speechmodel/")
    fits = "document.documentElement.scrollWidth <= document.documentElement.clientWidth"
    assert page.evaluate(fits)
    page.get_by_role("link", name="Read and accept").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_text("What it says may not be sold.")).to_be_visible()
    assert page.evaluate(fits)
    name = page.get_by_label("Who accepts, person and institution")
    name.fill("Ada Lovelace")
    name.press("Enter")
    expect(page.get_by_text("Ada Lovelace accepted TEST-1.0.")).to_be_visible()
