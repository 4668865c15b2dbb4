from __future__ import annotations

import re

import pytest
from django.contrib import admin
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from narration.admin import NarratedAdmin
from narration.models import Job, JobState
from tests.testapp.models import Note
from tests.views.rows import make_narration, make_track

LIST = "/admin/testapp/note/"


@pytest.fixture
def mine(staff):
    return Note.objects.create(title="Mine", body="It rained.", owner=staff)


@pytest.fixture
def notes(note, mine, staff):
    """Two of the staff user's own and one of somebody else."""
    return [mine, Note.objects.create(title="Second", body="It rained.", owner=staff), note]


def act(client, action, objects, **options):
    data = {"action": action, "_selected_action": [obj.pk for obj in objects]}
    return client.post(LIST, data, follow=True, **options)


def get_messages(response):
    return [str(message) for message in response.context["messages"]]


def get_page_url(note):
    return reverse("admin:testapp_note_change", args=[note.pk])


def test_the_list_shows_the_state_and_progress(client, staff, mine):
    narration = make_narration(mine)
    make_track(narration)
    client.force_login(staff)
    badge = re.search(r'<span class="nr-badge".*?</span>', client.get(LIST).content.decode())[0]
    assert 'data-status="published"' in badge
    Job.objects.create(
        narration=narration,
        request_key="k",
        lane="cpu",
        state=JobState.RUNNING,
        queued_at=timezone.now(),
        total=10,
        done=4,
    )
    page = client.get(LIST).content.decode()
    badge = re.search(r'<span class="nr-badge".*?</span>', page)[0]
    assert 'data-status="running"' in badge
    assert "4/10" in badge
    assert "narration/narration.css" in page


def test_the_queries_of_a_list_of_100_are_constant(client, staff):
    def add(number):
        for index in range(number):
            note = Note.objects.create(title=f"{index}", body="x", owner=staff)
            narration = make_narration(note)
            Job.objects.create(
                narration=narration, request_key=str(note.pk), lane="cpu", queued_at=timezone.now()
            )

    def count():
        with CaptureQueriesContext(connection) as queries:
            page = client.get(LIST).content.decode()
        return len(queries), page.count("nr-badge")

    client.force_login(staff)
    add(2)
    count()
    small, badges = count()
    assert badges == 2
    add(98)
    large, badges = count()
    assert badges == 100
    assert large == small
    assert large <= 10


def test_narrate_requests_what_the_user_may_narrate(client, staff, notes):
    client.force_login(staff)
    response = act(client, "narrate_selected", notes)
    asked = {job.narration.object_id for job in Job.objects.select_related("narration")}
    assert asked == {str(note.pk) for note in notes[:2]}
    assert {job.requested_by for job in Job.objects.all()} == {staff}
    assert get_messages(response) == [
        "2 narrations requested.",
        "1 was left out: you may not narrate it.",
    ]


def test_narrate_tells_why_it_could_not(client, staff, mine):
    mine.language = "fr"
    mine.save()
    client.force_login(staff)
    messages = get_messages(act(client, "narrate_selected", [mine]))
    assert messages[0] == "0 narrations requested."
    assert "'fr'" in messages[1]
    assert Job.objects.count() == 0


def test_cancel_ends_what_waits_for_the_users_own(client, staff, notes):
    jobs = [
        Job.objects.create(
            narration=make_narration(note),
            request_key=str(note.pk),
            lane="cpu",
            queued_at=timezone.now(),
        )
        for note in notes
    ]
    client.force_login(staff)
    response = act(client, "cancel_selected", notes)
    for job in jobs:
        job.refresh_from_db()
    assert [job.state for job in jobs] == ["cancelled", "cancelled", "queued"]
    assert get_messages(response)[0] == "2 jobs cancelled."
    assert "0 jobs cancelled." in get_messages(act(client, "cancel_selected", notes))


@pytest.mark.parametrize("action", ["narrate_selected", "cancel_selected"])
def test_who_may_only_look_is_offered_no_action(client, viewer, action):
    note = Note.objects.create(title="V", body="It rained.", owner=viewer)
    client.force_login(viewer)
    assert f'value="{action}"' not in client.get(LIST).content.decode()
    act(client, action, [note])
    assert Job.objects.count() == 0


def test_many_are_requested_at_once_in_few_queries(client, staff):
    notes = [Note.objects.create(title="n", body="It rained.", owner=staff) for _ in range(30)]
    client.force_login(staff)
    with CaptureQueriesContext(connection) as queries:
        act(client, "narrate_selected", notes)
    assert Job.objects.count() == 30
    assert len(queries) / 30 < 40


def test_the_page_has_a_panel_before_the_form(client, staff, mine):
    client.force_login(staff)
    response = client.get(get_page_url(mine))
    page = response.content.decode()
    panel = page.index('id="narration-panel-en"')
    form = page.index('id="note_form"')
    assert panel < form
    assert page.index("</form>", panel) < form  # no form inside another
    assert re.search(r'<script src="[^"]*htmx[^"]*\.js"', page)
    assert "allowEval" in page


def test_the_page_keeps_the_content_security_policy(client, staff, mine):
    client.force_login(staff)
    response = client.get(get_page_url(mine))
    page = response.content.decode()
    assert "unsafe" not in response.headers["Content-Security-Policy"]
    for attributes, body in re.findall(r"<script([^>]*)>(.*?)</script>", page, re.DOTALL):
        is_data = "application/json" in attributes
        assert is_data or not body.strip(), (attributes, body)
    panel = page[page.index('class="nr-panel') : page.index('id="note_form"')]
    assert not re.search(r'\sstyle=|\son[a-z]+=|hx-on|"js:', panel)


def test_the_panel_moves_while_a_job_works(client, staff, mine):
    client.force_login(staff)
    act(client, "narrate_selected", [mine])
    page = client.get(get_page_url(mine)).content.decode()
    url = re.search(r'hx-get="([^"]+)" hx-trigger="every', page)[1]
    partial = client.get(url, headers={"hx-request": "true"})
    assert partial.status_code == 200
    assert 'data-status="queued"' in partial.content.decode()


def test_there_is_no_panel_for_who_may_not_narrate_or_on_a_new_object(client, staff, note):
    client.force_login(staff)
    for url in (get_page_url(note), LIST + "add/"):
        response = client.get(url)
        assert response.status_code == 200
        assert "nr-panel" not in response.content.decode()


def test_without_htmx_the_page_has_the_panel_alone(client, staff, mine, monkeypatch):
    from narration.admin import narrated

    monkeypatch.setattr(narrated.apps, "is_installed", lambda name: name != "django_htmx")
    client.force_login(staff)
    page = client.get(get_page_url(mine)).content.decode()
    assert "nr-panel" in page
    assert "htmx.min.js" not in page


def test_a_hosts_own_actions_and_columns_stay(rf, admin_user):
    class HostAdmin(NarratedAdmin):
        actions = ["shout"]
        list_display = ["narration_state", "title"]

        @admin.action(description="Shout")
        def shout(self, request, queryset):
            """A host's own."""

    request = rf.get(LIST)
    request.user = admin_user
    host = HostAdmin(Note, admin.site)
    assert {"shout", "narrate_selected", "cancel_selected"} <= set(host.get_actions(request))
    assert host.get_list_display(request) == ["narration_state", "title"]
    assert HostAdmin.actions == ["shout"]
    assert host.check() == []
