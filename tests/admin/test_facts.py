"""Every table is in the admin; what happened can be looked at and not be changed."""

from __future__ import annotations

import re

import pytest
from django.apps import apps
from django.contrib import admin
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from narration.models import (
    Consent,
    Event,
    Job,
    JobError,
    JobState,
    LexiconEntry,
    Rendition,
    SpeechPolicy,
    Voice,
    Worker,
)
from tests.views.rows import get_url, make_narration, make_rendition, make_track
from tests.voices.scenes import make_consent

MODELS = sorted(apps.get_app_config("narration").get_models(), key=lambda model: model.__name__)
EDITABLE = {Consent, LexiconEntry, SpeechPolicy, Voice}
#: Shown beside its job.
INLINE = {JobError}


def get_list_url(model):
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")


def get_page_url(row):
    name = f"admin:{row._meta.app_label}_{row._meta.model_name}_change"
    return reverse(name, args=[row.pk])


def make_job(narration, **changes):
    defaults = {"request_key": "k", "lane": "cpu", "queued_at": timezone.now()}
    return Job.objects.create(narration=narration, **{**defaults, **changes})


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__name__)
def test_every_table_is_registered(model):
    assert admin.site.is_registered(model) or model in INLINE


@pytest.mark.parametrize("model", [m for m in MODELS if m not in INLINE], ids=lambda m: m.__name__)
def test_every_list_opens(client, staff, track, model):
    client.force_login(staff)
    assert client.get(get_list_url(model)).status_code == 200
    can_add = client.get(get_list_url(model) + "add/").status_code == 200
    assert can_add == (model in EDITABLE)


@pytest.mark.parametrize(
    "model", [m for m in MODELS if m not in INLINE | EDITABLE], ids=lambda m: m.__name__
)
def test_facts_are_read_only_even_for_superusers(admin_user, rf, model):
    request = rf.get("/")
    request.user = admin_user
    model_admin = admin.site.get_model_admin(model)
    assert not model_admin.has_add_permission(request)
    assert not model_admin.has_change_permission(request)
    assert not model_admin.has_delete_permission(request)
    assert "delete_selected" not in model_admin.get_actions(request)
    for inline in model_admin.inlines:
        each = inline(model, admin.site)
        assert not each.has_add_permission(request, None)
        assert not each.has_change_permission(request)
        assert not each.has_delete_permission(request)


def test_a_rendition_can_be_heard(client, staff, track):
    client.force_login(staff)
    rendition = Rendition.objects.get()
    for url in (get_list_url(Rendition), get_page_url(rendition)):
        page = client.get(url).content.decode()
        player = re.search(r"<audio[^>]*>", page)[0]
        assert 'preload="none"' in player
        assert "controls" in player
        src = re.search(r'src="([^"]+)"', player)[1]
        response = client.get(src)
        assert response.status_code == 200
        assert b"".join(response.streaming_content)
        assert "It rained." in page
        assert "dummy:tone" in page


def test_a_track_can_be_heard_and_its_files_had(client, staff, track):
    client.force_login(staff)
    page = client.get(get_page_url(track)).content.decode()
    assert f'src="{get_url(track)}"' in page
    for name in ("mp3", "opus", "vtt"):
        assert f'href="{get_url(track, name)}?download=1"' in page


def test_a_job_shows_progress_and_errors_in_plain_words(client, staff, narration):
    client.force_login(staff)
    job = make_job(narration, total=10, done=4, state=JobState.PARTIAL)
    JobError.objects.create(job=job, text="A <b>hard</b> one", code="text_too_long")
    page = client.get(get_page_url(job)).content.decode()
    assert '<progress max="10" value="4">' in page
    assert "A &lt;b&gt;hard&lt;/b&gt; one" in page
    assert "too long for the voice" in page


def test_the_queries_of_the_lists_do_not_grow(client, staff, owner):
    from tests.testapp.models import Note

    def add(number):
        for index in range(number):
            note = Note.objects.create(title=f"{index}", body="x", owner=owner)
            narration = make_narration(note)
            make_track(narration)
            make_job(narration, request_key=str(note.pk))
            make_rendition(f"Note {note.pk}.")

    def count(model):
        with CaptureQueriesContext(connection) as queries:
            assert client.get(get_list_url(model)).status_code == 200
        return len(queries)

    client.force_login(staff)
    lists = [apps.get_model("narration", name) for name in ("rendition", "track", "job")]
    lists += [apps.get_model("narration", name) for name in ("trackfile", "narration")]
    add(2)
    before = [count(model) for model in lists] and [count(model) for model in lists]
    add(6)
    assert [count(model) for model in lists] == before


def cancel(client, *jobs):
    data = {"action": "cancel", "_selected_action": [job.pk for job in jobs]}
    return client.post(get_list_url(Job), data, follow=True)


def test_a_job_is_cancelled_by_who_may_narrate_its_object(client, staff, note, narration):
    note.owner = staff
    note.save()
    waiting = make_job(narration)
    ended = make_job(narration, request_key="e", state=JobState.DONE)
    client.force_login(staff)
    page = cancel(client, waiting, ended).content.decode()
    waiting.refresh_from_db()
    ended.refresh_from_db()
    assert (waiting.state, ended.state) == ("cancelled", "done")
    assert "1 job cancelled." in page
    assert "1 job left as it was" in page


def test_other_peoples_jobs_are_left_alone(client, staff, narration):
    job = make_job(narration)
    client.force_login(staff)
    cancel(client, job)
    job.refresh_from_db()
    assert job.state == "queued"


def test_who_may_only_look_is_offered_no_action(client, viewer, note, narration):
    note.owner = viewer
    note.save()
    job = make_job(narration)
    client.force_login(viewer)
    assert 'value="cancel"' not in client.get(get_list_url(Job)).content.decode()
    cancel(client, job)
    job.refresh_from_db()
    assert job.state == "queued"


def test_who_edited_a_word_is_remembered(client, staff):
    client.force_login(staff)
    data = {
        "scope_key": "",
        "language": "en",
        "grapheme": "SQL",
        "alias": "sequel",
        "phoneme": "",
        "case_rule": "exact",
        "engine": "",
        "state": "active",
    }
    response = client.post(get_list_url(LexiconEntry) + "add/", data)
    assert response.status_code == 302, response.context["errors"]
    entry = LexiconEntry.objects.get()
    assert (entry.updated_by, entry.updated_by_name) == (staff, "staff")


def test_a_consent_is_never_deleted(client, admin_user):
    client.force_login(admin_user)
    delete = reverse("admin:narration_consent_delete", args=[make_consent().pk])
    assert client.post(delete, {"post": "yes"}).status_code == 403


def test_a_voice_its_engine_does_not_know_is_refused(client, admin_user):
    client.force_login(admin_user)
    data = {
        "name": "Nobody",
        "engine": "dummy",
        "engine_voice": "nobody",
        "languages": '["en"]',
        "settings": "{}",
        "kind": "builtin",
    }
    response = client.post(get_list_url(Voice) + "add/", data)
    assert response.status_code == 200
    assert Voice.objects.count() == 0
    assert "nobody" in str(response.context["errors"])


def test_facts_without_rows_open_too(client, staff, db):
    client.force_login(staff)
    worker = Worker.objects.create(
        node="a", lane="cpu", pid=1, started_at=timezone.now(), heartbeat_at=timezone.now()
    )
    event = Event.objects.create(kind="published")
    for row in (worker, event):
        assert client.get(get_page_url(row)).status_code == 200
