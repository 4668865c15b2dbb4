from __future__ import annotations

import pytest
from django.db import OperationalError, connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from narration.models import Job, JobError, JobState
from narration.rest.serializers import JOB_STATES
from tests.rest.conftest import is_problem
from tests.testapp.models import Note
from tests.views.rows import AUDIO, CONTENTS, get_file, make_narration, make_track

NARRATIONS = "/api/v1/narrations/"
NOWHERE = "00000000-0000-4000-8000-000000000000"


def build_request(note, **changes):
    return {"source": "testapp.note", "object_id": str(note.pk), "language": "en", **changes}


def make_job(narration, user=None, *, state=JobState.RUNNING, **changes):
    return Job.objects.create(
        narration=narration,
        request_key="k" * 64,
        lane="cpu",
        state=state,
        requested_by=user,
        queued_at=timezone.now(),
        total=10,
        done=4,
        synthesized=3,
        reused=1,
        **changes,
    )


def read(response):
    return b"".join(response.streaming_content)


def test_the_list_shows_what_the_caller_may_hear(as_owner, track, note, stranger):
    other = Note.objects.create(title="b", body="x", owner=stranger, is_public=False)
    make_narration(other)
    body = as_owner.get(NARRATIONS).json()
    assert [row["object_id"] for row in body["results"]] == [str(note.pk)]
    assert body["next"] is None
    assert body["previous"] is None


def test_an_author_sees_the_work(as_owner, narration, track):
    job = make_job(narration)
    row = as_owner.get(f"{NARRATIONS}{narration.uid}/").json()
    assert row == {
        "uid": str(narration.uid),
        "url": f"http://testserver/api/v1/narrations/{narration.uid}/",
        "source": "testapp.note",
        "object_id": narration.object_id,
        "language": "en",
        "is_published": True,
        "duration_ms": 1500,
        "work": {
            "state": "running",
            "segments": 1,
            "missing": 0,
            "failed": 0,
            "flagged": 0,
            "is_stale": False,
            "can_publish": False,
            "job": f"http://testserver/api/v1/jobs/{job.uid}/",
        },
    }


def test_a_listener_sees_no_work(as_stranger, narration, track):
    make_job(narration)
    row = as_stranger.get(f"{NARRATIONS}{narration.uid}/").json()
    assert row["work"] is None
    assert as_stranger.get(NARRATIONS).json()["results"] == [row]
    assert as_stranger.get(NARRATIONS, {"state": "running"}).json()["results"] == []


def test_the_list_is_narrowed(as_owner, owner, note, track):
    other = Note.objects.create(title="b", body="x", owner=owner, language="pt-BR")
    make_narration(other, "pt-BR", plan="")
    for query, expected in [
        ({"language": "pt-BR"}, [other]),
        ({"object_id": str(note.pk)}, [note]),
        ({"source": "testapp.note"}, [other, note]),
        ({"source": "auth.user"}, []),
        ({"source": "no.where"}, []),
        ({"state": "published"}, [note]),
        ({"state": "none"}, [other]),
        ({"state": "none", "language": "en"}, []),
    ]:
        body = as_owner.get(NARRATIONS, query).json()
        keys = [row["object_id"] for row in body["results"]]
        assert keys == [str(obj.pk) for obj in expected], query


@pytest.mark.parametrize(
    "query",
    [
        {"state": "nonsense"},
        {"state": ""},
        {"page_size": "0"},
        {"page_size": "many"},
        {"page_size": "201"},
        {"source": "note"},
        {"source": "TESTAPP.Note"},
        {"language": "en;"},
        {"object_id": "x" * 65},
        {"object_id": "\0"},
    ],
)
def test_nonsense_filters_are_named(as_owner, query):
    response = as_owner.get(NARRATIONS, query)
    assert is_problem(response, 400, "invalid")
    assert [error["pointer"] for error in response.json()["errors"]] == [f"#/{next(iter(query))}"]


def test_the_list_is_paged_with_links(as_owner, owner):
    for number in range(5):
        make_narration(Note.objects.create(title=str(number), body="x", owner=owner))
    url, seen, pages = f"{NARRATIONS}?page_size=2", [], 0
    while url:
        response = as_owner.get(url)
        body = response.json()
        seen += [row["uid"] for row in body["results"]]
        links = response.headers.get("Link", "")
        assert (f'<{body["next"]}>; rel="next"' in links) == bool(body["next"])
        assert (f'<{body["previous"]}>; rel="prev"' in links) == bool(body["previous"])
        url, pages = body["next"], pages + 1
    assert pages == 3
    assert len(set(seen)) == 5


def test_a_broken_cursor_is_a_problem(as_owner):
    assert is_problem(as_owner.get(NARRATIONS, {"cursor": "x"}), 404)


def test_the_queries_of_the_list_do_not_grow(as_owner, owner):
    def count():
        with CaptureQueriesContext(
            connection,
        ) as queries:
            assert as_owner.get(NARRATIONS).status_code == 200
        return len(queries)

    def add(number):
        for _ in range(number):
            narration = make_narration(Note.objects.create(title="n", body="x", owner=owner))
            make_track(narration)
            make_job(narration)

    add(2)
    count()
    small = count()
    add(8)
    assert count() == small
    assert small <= 12


def test_a_request_is_202_and_says_where_the_job_is(as_owner, note, owner):
    response = as_owner.post(NARRATIONS, build_request(note), format="json")
    assert response.status_code == 202, response.json()
    body = response.json()
    job = Job.objects.get()
    assert response.headers["Location"] == f"http://testserver/api/v1/jobs/{job.uid}/"
    assert body["url"] == response.headers["Location"]
    assert body["state"] == "queued"
    assert body["is_active"] is True
    assert body["narration"] == str(job.narration.uid)
    assert job.requested_by == owner


def test_an_equal_request_is_answered_with_the_same_job(as_owner, note):
    locations = {
        as_owner.post(NARRATIONS, build_request(note), format="json").headers["Location"]
        for _ in range(3)
    }
    assert len(locations) == 1
    assert Job.objects.count() == 1


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"source": ""}, "#/source"),
        ({"source": "note"}, "#/source"),
        ({"object_id": ""}, "#/object_id"),
        ({"object_id": None}, "#/object_id"),
        ({"language": "e n"}, "#/language"),
        ({"publish": "perhaps"}, "#/publish"),
    ],
)
def test_a_bad_request_is_told_what_is_bad(as_owner, note, change, pointer):
    response = as_owner.post(NARRATIONS, build_request(note, **change), format="json")
    assert is_problem(response, 400, "invalid")
    assert [error["pointer"] for error in response.json()["errors"]] == [pointer]


def test_a_language_without_text_is_404_and_said(as_owner, note):
    response = as_owner.post(NARRATIONS, build_request(note, language="fr"), format="json")
    assert is_problem(response, 404, "no_such_language")


def test_a_language_without_a_voice_is_422(as_owner, note):
    note.language = "fr"
    note.save()
    response = as_owner.post(NARRATIONS, build_request(note, language="fr"), format="json")
    assert is_problem(response, 422, "no_voice_for_language")


@pytest.mark.parametrize(
    "change",
    [{"object_id": "999999"}, {"object_id": "x"}, {"source": "auth.user"}, {"source": "no.where"}],
)
def test_unknown_objects_and_other_peoples_are_alike(as_stranger, note, change):
    theirs = as_stranger.post(NARRATIONS, build_request(note), format="json")
    unknown = as_stranger.post(NARRATIONS, build_request(note, **change), format="json")
    assert is_problem(theirs, 404, "not_found")
    assert theirs.content == unknown.content
    assert Job.objects.count() == 0


@pytest.mark.parametrize(
    ("content", "content_type", "status"),
    [
        (b"{", "application/json", 400),
        (b"[1]", "application/json", 400),
        (b"a=b", "application/x-www-form-urlencoded", 415),
    ],
)
def test_other_bodies_are_problems(as_owner, content, content_type, status):
    response = as_owner.post(NARRATIONS, content, content_type=content_type)
    assert is_problem(response, status)


def test_other_methods_and_addresses_are_problems(as_owner, db):
    response = as_owner.delete(NARRATIONS)
    assert is_problem(response, 405)
    assert "GET" in response.headers["Allow"]
    for path in ("nothing/", "narrations/x/", "", "jobs"):
        assert is_problem(as_owner.get(f"/api/v1/{path}"), 404), path


def test_an_estimate_tells_the_cost_beforehand(as_owner, note):
    body = as_owner.get(f"{NARRATIONS}estimate/", build_request(note)).json()
    assert body["segments"] > body["utterances"] > 0  # "It rained." is said twice
    assert body["missing"] == body["utterances"]
    assert body["reused"] == 0
    assert body["characters"] > 0
    assert Job.objects.count() == 0


def test_an_estimate_is_for_who_may_narrate(as_stranger, note):
    assert is_problem(as_stranger.get(f"{NARRATIONS}estimate/", build_request(note)), 404)


def test_a_job_tells_progress_and_errors(as_owner, narration, owner):
    job = make_job(narration, error_code="partial", error="1 sentence could not be spoken.")
    JobError.objects.create(job=job, text="Zzz", code="engine_crashed", permanent=False)
    body = as_owner.get(f"/api/v1/jobs/{job.uid}/").json()
    assert (body["total"], body["done"], body["synthesized"], body["reused"]) == (10, 4, 3, 1)
    assert body["error"] == "1 sentence could not be spoken."
    [error] = body["errors"]
    assert (error["text"], error["code"], error["is_permanent"]) == ("Zzz", "engine_crashed", False)
    assert "lease_token" not in body
    assert "request_key" not in body


def test_the_states_of_a_job_are_all_documented():
    assert set(JOB_STATES) == set(JobState.values)


def test_a_job_is_for_who_asked_and_who_narrates(api, narration, owner, stranger):
    job = make_job(narration, owner)
    path = f"/api/v1/jobs/{job.uid}/"
    api.force_login(stranger)
    theirs, unknown = api.get(path), api.get(f"/api/v1/jobs/{NOWHERE}/")
    assert is_problem(theirs, 404)
    assert theirs.content == unknown.content
    assert is_problem(api.post(f"{path}cancel/"), 404)
    job.refresh_from_db()
    assert job.cancel_requested is False


def test_a_waiting_job_is_cancelled_once(as_owner, note):
    url = as_owner.post(NARRATIONS, build_request(note), format="json").json()["url"]
    response = as_owner.post(f"{url}cancel/")
    assert response.status_code == 202
    assert response.json()["state"] == "cancelled"
    assert is_problem(as_owner.post(f"{url}cancel/"), 409, "job_ended")


def test_the_manifest_links_files_that_a_token_opens(as_owner, narration, track):
    body = as_owner.get(f"{NARRATIONS}{narration.uid}/manifest/").json()
    base = f"http://testserver/api/v1/narrations/{narration.uid}"
    assert body["track"] == str(track.uid)
    assert body["files"]["mp3"] == {
        "url": f"{base}/audio/?format=mp3",
        "type": "audio/mpeg",
        "size": len(AUDIO),
    }
    assert body["files"]["opus"]["url"] == f"{base}/audio/?format=opus"
    assert body["files"]["vtt"]["url"] == f"{base}/captions/"
    assert body["files"]["png"]["url"].startswith("http://testserver/narration/media/")
    for name in ("mp3", "opus", "vtt"):
        assert read(as_owner.get(body["files"][name]["url"])) == CONTENTS[name]


def test_audio_comes_with_ranges_and_validators(as_stranger, narration, track):
    path = f"{NARRATIONS}{narration.uid}/audio/"
    whole = as_stranger.get(path)
    assert whole.headers["Content-Type"] == "audio/mpeg"
    assert whole.headers["ETag"] == f'"{get_file(track).sha256}"'
    assert read(whole) == AUDIO
    part = as_stranger.get(path, headers={"range": "bytes=5-9"})
    assert (part.status_code, read(part)) == (206, AUDIO[5:10])
    assert as_stranger.get(path, headers={"range": "bytes=999999-"}).status_code == 416
    etag = whole.headers["ETag"]
    assert as_stranger.get(path, headers={"if-none-match": etag}).status_code == 304
    assert as_stranger.head(path).headers["Content-Length"] == str(len(AUDIO))
    opus = as_stranger.get(path, {"format": "opus"}, headers={"accept": "audio/ogg"})
    assert opus.headers["Content-Type"] == "audio/ogg"
    assert read(opus) == CONTENTS["opus"]


def test_captions_are_webvtt(as_stranger, narration, track):
    response = as_stranger.get(
        f"{NARRATIONS}{narration.uid}/captions/", headers={"accept": "text/vtt"}
    )
    assert response.headers["Content-Type"] == "text/vtt; charset=utf-8"
    assert read(response) == CONTENTS["vtt"]


def test_another_format_is_refused(as_owner, narration, track):
    path = f"{NARRATIONS}{narration.uid}/audio/"
    for query in ({"format": "wav"}, {"format": ""}, {"draft": "perhaps"}):
        assert is_problem(as_owner.get(path, query), 400, "invalid"), query


@pytest.mark.parametrize("part", ["", "manifest/", "captions/", "audio/"])
def test_strangers_see_nothing_of_a_private_text(as_stranger, narration, track, private, part):
    theirs = as_stranger.get(f"{NARRATIONS}{narration.uid}/{part}")
    unknown = as_stranger.get(f"{NARRATIONS}{NOWHERE}/{part}")
    assert is_problem(theirs, 404, "not_found")
    assert theirs.content == unknown.content
    assert as_stranger.get(NARRATIONS).json()["results"] == []


@pytest.mark.parametrize("part", ["manifest", "captions", "audio"])
def test_a_draft_is_for_who_may_narrate(api, note, owner, stranger, part):
    narration = make_narration(note)
    make_track(narration, published=False)
    path = f"{NARRATIONS}{narration.uid}/{part}/"
    for user, query, status in [
        (stranger, {}, 404),
        (stranger, {"draft": "true"}, 404),
        (owner, {}, 404),
        (owner, {"draft": "true"}, 200),
    ]:
        api.force_login(user)
        response = api.get(path, query)
        assert response.status_code == status, (user, query)
        if response.streaming:
            read(response)


def test_a_damaged_file_is_not_served(as_owner, narration, track, narration_storage):
    narration_storage.delete(get_file(track).storage_name)
    assert is_problem(as_owner.get(f"{NARRATIONS}{narration.uid}/audio/"), 404)


def test_a_database_that_is_away_is_told_to_programs(as_owner, db):
    def refuse(*_args):
        raise OperationalError("connection refused")

    with connection.execute_wrapper(refuse):
        response = as_owner.get(NARRATIONS)
    assert is_problem(response, 503)
    assert response.json()["code"] == "database_away"
    assert int(response.headers["Retry-After"]) > 0
