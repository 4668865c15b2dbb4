"""The page *Work*: what it shows, what its buttons do, and for whom."""

from __future__ import annotations

import datetime as dt

import pytest
from django.apps import apps
from django.contrib.auth.models import Permission
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from narration.models import Event, Job, JobError, JobKind, JobState, Lane, Narration, Worker
from tests.testapp.models import Note
from tests.views.rows import make_narration

pytestmark = pytest.mark.django_db
URL = "/admin/narration/work/"


@pytest.fixture
def mine(note, staff):
    note.owner = staff
    note.title = "The river"
    note.save()
    return make_narration(note)


def make_job(narration, **changes):
    now = timezone.now()
    defaults = {"request_key": "k", "lane": "cpu", "queued_at": now, "started_at": now}
    if changes.get("state") not in (None, "queued", "running"):
        defaults["finished_at"] = now
    return Job.objects.create(narration=narration, **{**defaults, **changes})


def make_worker(lane="cpu", **changes):
    now = timezone.now()
    defaults = {"node": "speaker-1", "pid": 4711, "started_at": now, "heartbeat_at": now}
    return Worker.objects.create(lane=lane, **{**defaults, **changes})


def read(client, **options):
    answer = client.get(URL, **options)
    assert answer.status_code == 200
    return " ".join(answer.content.decode().split())


def post(client, path=""):
    answer = client.post(f"{URL}{path}", follow=True)
    assert answer.redirect_chain == [(URL, 302)]
    return [str(message) for message in answer.context["messages"]]


def test_it_is_linked_where_people_look_for_it(client, viewer):
    client.force_login(viewer)
    for page in ("/admin/", "/admin/narration/", "/admin/narration/job/"):
        assert f'href="{URL}"' in client.get(page).content.decode()


def test_it_is_no_table_and_no_permission():
    assert not [m for m in apps.get_models(include_auto_created=True) if m.__name__ == "Work"]
    assert not Permission.objects.filter(codename__endswith="_work").exists()


def test_it_is_for_who_may_see_jobs(client, django_user_model, owner):
    plain = django_user_model.objects.create_user("plain", password="x", is_staff=True)
    client.force_login(plain)
    assert client.get(URL).status_code == 403
    assert f'href="{URL}"' not in client.get("/admin/").content.decode()
    client.force_login(owner)
    assert client.get(URL).status_code == 302


def test_an_empty_site_says_so(client, viewer):
    client.force_login(viewer)
    page = read(client)
    for words in (
        "No worker is alive",
        "Nothing is being narrated.",
        "Nothing waits.",
        "Nothing failed in the last 7 days.",
        "No worker was heard of today.",
    ):
        assert words in page


def test_it_shows_workers_lanes_queue_and_progress(client, staff, mine):
    make_worker(facts={"rss": 200 * 2**20})
    make_worker(node="gone", heartbeat_at=timezone.now() - dt.timedelta(hours=2))
    make_job(mine, state=JobState.RUNNING, total=10, done=4, synthesized=4)
    Narration.objects.filter(pk=mine.pk).update(missing=6)
    other = make_narration(Note.objects.create(title="Snow", body="x", owner=staff))
    make_job(other, request_key="o")
    client.force_login(staff)
    page = read(client)
    assert "200.0 MB" in page
    assert "4711" in page
    assert "alive</span>" in page
    assert "silent</span>" in page
    assert '<progress max="10" value="4"' in page
    assert "The river" in page
    assert "1st: one worker on cpu, 6 sentences ahead" in page
    assert "No worker is alive" not in page


def test_a_failure_is_told_with_its_sentences_and_what_to_do(client, staff, mine):
    job = make_job(mine, state=JobState.PARTIAL, error_code="partial")
    for number in range(5):
        JobError.objects.create(job=job, text=f"A <b>hard</b> one {number}", code="text_too_long")
    client.force_login(staff)
    page = read(client)
    assert "Some sentences could not be spoken, so nothing was published." in page
    assert "Reword the sentences named here, or try again." in page
    assert "A &lt;b&gt;hard&lt;/b&gt; one 2" in page
    assert "one 3" not in page
    assert "and 2 more" in page
    assert "too long for the voice" in page


def test_failures_that_were_taken_up_or_are_old_are_not_shown(client, staff, mine):
    make_job(mine, state=JobState.FAILED, error_code="internal")
    make_job(mine, request_key="later", state=JobState.DONE)
    old = make_narration(Note.objects.create(title="Old", body="x", owner=staff))
    ago = timezone.now() - dt.timedelta(days=8)
    make_job(old, state=JobState.FAILED, finished_at=ago)
    client.force_login(staff)
    assert "Nothing failed" in read(client)


def test_htmx_gets_the_changing_part_alone(client, viewer):
    client.force_login(viewer)
    part = read(client, headers={"HX-Request": "true"})
    assert part.startswith('<div class="nr-work"')
    assert "<html" not in part
    assert f'hx-get="{URL}"' in part


def test_it_keeps_the_content_security_policy(client, staff, mine):
    make_job(mine)
    client.force_login(staff)
    answer = client.get(URL)
    page = answer.content.decode()
    assert "unsafe" not in answer.headers["Content-Security-Policy"]
    assert " style=" not in page
    assert "<style" not in page
    assert "onclick" not in page


def test_a_job_is_tried_again(client, staff, mine):
    job = make_job(mine, state=JobState.QUARANTINED, error_code="kills_worker")
    client.force_login(staff)
    assert post(client, f"retry/{job.uid}/") == ["It waits to be tried again."]
    assert Job.objects.filter(narration=mine, state="queued", requested_by=staff).count() == 1
    assert "Nothing failed" in read(client)
    assert post(client, f"retry/{job.uid}/") == ["It waits to be tried again."]
    assert Job.objects.count() == 2


def test_a_job_is_cancelled(client, staff, mine):
    job = make_job(mine)
    client.force_login(staff)
    [words] = post(client, f"cancel/{job.uid}/")
    assert "what was made is kept" in words
    job.refresh_from_db()
    assert job.state == "cancelled"
    assert post(client, f"cancel/{job.uid}/") == ["The job has ended already."]


def test_all_that_failed_is_tried_again_but_what_is_others(client, staff, mine, owner):
    make_job(mine, state=JobState.FAILED)
    second = make_narration(Note.objects.create(title="Snow", body="x", owner=staff))
    make_job(second, request_key="2", state=JobState.PARTIAL)
    theirs = make_narration(Note.objects.create(title="Hail", body="x", owner=owner))
    make_job(theirs, request_key="3", state=JobState.FAILED)
    client.force_login(staff)
    words = post(client, "retry/")
    assert words[0] == "2 jobs are tried again."
    assert words[1].startswith("1 job left as it was")
    assert set(Job.objects.active().values_list("narration", flat=True)) == {mine.pk, second.pk}


def test_other_peoples_jobs_are_left_alone(client, staff, owner):
    theirs = make_narration(Note.objects.create(title="Hail", body="x", owner=owner))
    failed = make_job(theirs, state=JobState.FAILED)
    waiting = make_job(theirs, request_key="w", kind=JobKind.ESTIMATE)
    client.force_login(staff)
    refusal = ["It is not there any more, or not yours to narrate."]
    assert post(client, f"retry/{failed.uid}/") == refusal
    assert post(client, f"cancel/{waiting.uid}/") == refusal
    assert Job.objects.active().count() == 1


def test_a_resting_lane_tries_again(client, staff):
    until = timezone.now() + dt.timedelta(minutes=10)
    Lane.objects.create(name="cpu", failures=3, error_code="engine_not_started", paused_until=until)
    make_worker()
    client.force_login(staff)
    page = read(client)
    assert "The lane rests until" in page
    assert "Try now" in page
    assert post(client, "lane/cpu/") == ["The lane cpu tries again."]
    assert Lane.objects.get().paused_until is None
    assert Event.objects.filter(kind="lane_resumed", actor=staff).exists()
    assert "The lane rests until" not in read(client)


@pytest.mark.parametrize("path", ["retry/", "retry/{uid}/", "cancel/{uid}/", "lane/cpu/"])
def test_who_may_only_look_changes_nothing(client, viewer, note, path):
    note.owner = viewer
    note.save()
    narration = make_narration(note)
    state = JobState.QUEUED if "cancel" in path else JobState.FAILED
    job = make_job(narration, state=state)
    Lane.objects.create(name="cpu", paused_until=timezone.now() + dt.timedelta(hours=1))
    client.force_login(viewer)
    assert "<form" not in read(client).partition('class="nr-work"')[2]
    url = URL + path.format(uid=job.uid)
    assert client.get(url).status_code == 405
    assert client.post(url).status_code == 403
    assert Job.objects.filter(state=state).count() == 1
    assert Lane.objects.get().paused_until is not None


def test_a_button_needs_its_token(staff, mine):
    from django.test import Client

    job = make_job(mine, state=JobState.FAILED)
    client = Client(enforce_csrf_checks=True)
    client.force_login(staff)
    assert client.post(f"{URL}retry/{job.uid}/").status_code == 403


def test_the_queries_do_not_grow(client, staff):
    def add(number):
        for index in range(number):
            for state in (JobState.QUEUED, JobState.RUNNING, JobState.FAILED):
                note = Note.objects.create(title=f"{index}", body="x", owner=staff)
                job = make_job(make_narration(note), request_key=str(note.pk), state=state)
                JobError.objects.create(job=job, text="x", code="engine_hung")

    def count():
        with CaptureQueriesContext(connection) as queries:
            read(client)
        return len(queries)

    client.force_login(staff)
    add(2)
    count()
    few = count()
    add(12)
    assert count() == few <= 20


def test_what_was_deleted_is_still_named(client, staff, mine, note):
    make_job(mine, state=JobState.FAILED, error_code="source_gone")
    Note.objects.all().delete()
    client.force_login(staff)
    assert f"testapp.note:{mine.object_id} (en)" in read(client)


def test_a_page_left_open_past_its_session_is_loaded_anew(client):
    answer = client.get(URL, headers={"HX-Request": "true"})
    assert (answer.status_code, answer.headers["HX-Refresh"], answer.content) == (200, "true", b"")
    assert client.get(URL).status_code == 302
