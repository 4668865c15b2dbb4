"""Notices on pages: shown to who asked, dismissed by them."""

from __future__ import annotations

import pytest
from django.template import Context, Template
from django.utils import timezone

from narration.models import Job, JobState
from tests.views.rows import make_narration

pytestmark = pytest.mark.django_db
URL = "/narration/notices/dismiss/"


@pytest.fixture
def job(note, owner):
    return Job.objects.create(
        narration=make_narration(note),
        request_key="k",
        lane="cpu",
        state=JobState.DONE,
        requested_by=owner,
        queued_at=timezone.now(),
        finished_at=timezone.now(),
    )


def render(rf, user):
    request = rf.get("/here/?a=1")
    request.user = user
    template = Template("{% load narration_tags %}{% narration_notices %}")
    return template.render(Context({"request": request, "csrf_token": "token"}))


def read_form(html):
    from html.parser import HTMLParser

    found = {}

    class Reader(HTMLParser):
        def handle_starttag(self, tag, attrs):
            attrs = dict(attrs)
            if tag == "input":
                found[attrs["name"]] = attrs.get("value", "")

    Reader().feed(html)
    return found


def test_who_asked_is_told(rf, job, owner, stranger):
    html = render(rf, owner)
    assert "The narration of “A note” is ready." in html
    assert f"/narration/panel/testapp.note/{job.narration.object_id}/en/sentences/" in html
    assert render(rf, stranger).strip() == ""


def test_titles_are_escaped(rf, job, note, owner):
    note.title = "<script>"
    note.save()
    assert "<script>" not in render(rf, owner)


def test_pages_without_a_request_say_nothing(db):
    template = Template("{% load narration_tags %}{% narration_notices %}")
    assert template.render(Context({})).strip() == ""


def test_a_notice_is_dismissed_without_javascript(client, rf, job, owner):
    form = read_form(render(rf, owner))
    client.force_login(owner)
    answer = client.post(URL, form)
    assert (answer.status_code, answer.headers["Location"]) == (302, "/here/?a=1")
    job.refresh_from_db()
    assert job.noticed_at is not None
    assert render(rf, owner).strip() == ""


def test_htmx_gets_nothing_back(client, rf, job, owner):
    form = read_form(render(rf, owner))
    client.force_login(owner)
    answer = client.post(URL, form, headers={"HX-Request": "true"})
    assert (answer.status_code, answer.content) == (200, b"")


def test_others_dismiss_nothing(client, rf, job, owner, stranger):
    form = read_form(render(rf, owner))
    assert client.post(URL, form).headers["Location"].startswith("/login/")
    client.force_login(stranger)
    client.post(URL, form)
    assert "is ready" in render(rf, owner)


@pytest.mark.parametrize("until", ["", "never", "2026-99-99T00:00"])
def test_a_spoilt_form_is_refused(client, owner, until):
    client.force_login(owner)
    assert client.post(URL, {"outcome": "ready", "until": until}).status_code == 400


def test_it_leads_to_no_other_site(client, rf, job, owner):
    form = {**read_form(render(rf, owner)), "next": "https://elsewhere.example/"}
    client.force_login(owner)
    assert client.post(URL, form).headers["Location"] == "/"
