from __future__ import annotations

import re
from itertools import islice

import pytest
from django.contrib.auth.models import AnonymousUser
from django.core.files.storage import storages
from django.utils.http import http_date, parse_http_date

from narration import storage
from narration.manifests import build_media_url
from narration.views import media
from narration.views.media import ByteRange, UnsatisfiableRangeError, parse_range
from tests.views.rows import (
    AUDIO,
    CONTENTS,
    get_file,
    get_url,
    make_narration,
    make_rendition,
    make_segment,
    make_track,
)

LAST = len(AUDIO) - 1


@pytest.fixture
def track(db, note):
    return make_track(make_narration(note))


@pytest.fixture
def url(track):
    return get_url(track)


def read(response):
    """Like a server: read the body, which closes the response."""
    return b"".join(response.streaming_content) if response.streaming else response.content


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("bytes=0-", (0, 99)),
        ("bytes=0-0", (0, 0)),
        ("bytes=10-19", (10, 19)),
        ("bytes=90-1000", (90, 99)),
        ("bytes=99-", (99, 99)),
        ("bytes=-1", (99, 99)),
        ("bytes=-1000", (0, 99)),
        ("BYTES=1-2", (1, 2)),
        (" bytes= 1-2 ", (1, 2)),
        ("bytes=,1-2,", (1, 2)),
        ("bytes=1-2,200-", (1, 2)),  # only one of them can be had
    ],
)
def test_a_single_range_is_resolved(header, expected):
    assert parse_range(header, 100) == ByteRange(*expected)


@pytest.mark.parametrize(
    "header",
    [
        "",
        "bytes",
        "bytes=",
        "bytes=-",
        "bytes=a-b",
        "bytes=2-1",
        "bytes=1--2",
        "bytes=+1-2",
        "bytes=١-٢",
        "bytes=0-1;2-3",
        "bytes=0-1,x",
        "bytes=0-0,50-60",
        "items=0-1",
        "bytes 0-1",
        "bytes=" + "9" * 5000 + "-",
    ],
)
def test_what_may_be_ignored_is_ignored(header):
    assert parse_range(header, 100) is None


@pytest.mark.parametrize(
    "header", ["bytes=100-", "bytes=100-200", "bytes=-0", "bytes=200-,300-400"]
)
def test_ranges_outside_the_file_cannot_be_satisfied(header):
    with pytest.raises(UnsatisfiableRangeError):
        parse_range(header, 100)


def test_the_whole_file_comes_with_its_validators(client, track, url):
    response = client.get(url)
    assert response.status_code == 200
    assert read(response) == AUDIO
    headers = response.headers
    assert headers["Content-Length"] == str(len(AUDIO))
    assert headers["Content-Type"] == "audio/mpeg"
    assert headers["ETag"] == f'"{get_file(track).sha256}"'
    assert parse_http_date(headers["Last-Modified"]) == int(track.made_at.timestamp())
    assert headers["Accept-Ranges"] == "bytes"
    assert headers["Cache-Control"] == "private, no-cache"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Content-Disposition"] == "inline"
    assert "Cookie" in headers["Vary"]
    assert "Content-Range" not in headers


@pytest.mark.parametrize(
    ("file_format", "content_type"),
    [
        ("opus", "audio/ogg"),
        ("vtt", "text/vtt; charset=utf-8"),
        ("peaks", "application/json"),
        ("png", "image/png"),
    ],
)
def test_every_format_has_its_type(client, track, file_format, content_type):
    response = client.get(get_url(track, file_format))
    assert response.headers["Content-Type"] == content_type
    assert read(response) == CONTENTS[file_format]


@pytest.mark.parametrize(
    ("header", "first", "last"),
    [
        ("bytes=0-99", 0, 99),
        ("bytes=65530-131080", 65530, 131080),
        ("bytes=200000-", 200000, LAST),
        ("bytes=-500", LAST - 499, LAST),
    ],
)
def test_a_range_is_206_with_just_those_bytes(client, url, header, first, last):
    response = client.get(url, headers={"range": header})
    assert response.status_code == 206
    assert read(response) == AUDIO[first : last + 1]
    assert response.headers["Content-Range"] == f"bytes {first}-{last}/{len(AUDIO)}"
    assert response.headers["Content-Length"] == str(last - first + 1)


def test_a_range_outside_is_416_and_says_the_size(client, url):
    response = client.get(url, headers={"range": f"bytes={len(AUDIO)}-"})
    assert response.status_code == 416
    assert response.headers["Content-Range"] == f"bytes */{len(AUDIO)}"
    assert read(response) == b""


@pytest.mark.parametrize("header", ["bytes=5-1", "seconds=1-2", "bytes=0-1,5-6"])
def test_other_ranges_are_answered_with_the_whole(client, url, header):
    response = client.get(url, headers={"range": header})
    assert response.status_code == 200
    assert read(response) == AUDIO


def test_head_tells_the_whole_and_ignores_ranges(client, url):
    response = client.head(url, headers={"range": "bytes=0-1"})
    assert response.status_code == 200
    assert response.headers["Content-Length"] == str(len(AUDIO))
    assert response.headers["Accept-Ranges"] == "bytes"
    assert read(response) == b""


def test_if_range_decides_between_part_and_whole(client, track, url):
    etag = f'"{get_file(track).sha256}"'
    moment = int(track.made_at.timestamp())
    same = [etag, http_date(moment)]
    other = ['"other"', f"W/{etag}", http_date(moment + 1), http_date(moment - 1), "nonsense", ""]
    for condition in same:
        response = client.get(url, headers={"range": "bytes=0-9", "if-range": condition})
        assert (response.status_code, read(response)) == (206, AUDIO[:10])
    for condition in other:
        response = client.get(url, headers={"range": "bytes=0-9", "if-range": condition})
        assert response.status_code == 200, condition
        read(response)


def test_an_unsatisfiable_range_of_another_entity_is_the_whole(client, url):
    headers = {"range": "bytes=999999-", "if-range": '"other"'}
    response = client.get(url, headers=headers)
    assert response.status_code == 200
    read(response)


def test_what_the_browser_has_is_304_with_its_validators(client, track, url):
    etag = f'"{get_file(track).sha256}"'
    for headers in (
        {"if-none-match": etag},
        {"if-none-match": f'"x", W/{etag}'},
        {"if-none-match": "*"},
        {"if-none-match": etag, "range": "bytes=0-1"},
        {"if-modified-since": http_date(track.made_at.timestamp())},
    ):
        response = client.get(url, headers=headers)
        assert response.status_code == 304, headers
        assert response.headers["ETag"] == etag
        assert response.headers["Cache-Control"] == "private, no-cache"
        assert response.content == b""
    response = client.get(url, headers={"if-none-match": '"other"'})
    assert response.status_code == 200
    read(response)


def test_a_failed_precondition_is_412(client, url):
    assert client.get(url, headers={"if-match": '"other"'}).status_code == 412


def test_only_safe_methods(client, url):
    assert client.post(url).status_code == 405


def test_permission_is_asked_at_every_request(client, track, url, note, stranger, owner):
    etag = f'"{get_file(track).sha256}"'
    note.is_public = False
    note.save()
    client.force_login(stranger)
    for headers in ({}, {"range": "bytes=0-1"}, {"if-none-match": etag}):
        assert client.get(url, headers=headers).status_code == 404
    client.force_login(owner)
    assert client.get(url, headers={"if-none-match": etag}).status_code == 304


def test_strangers_and_the_unknown_get_the_same_answer(client, track, note):
    note.is_public = False
    note.save()
    known = client.get(get_url(track))
    unknown = client.get(re.sub(r"[0-9a-f]{40}", "0" * 40, get_url(track)))
    assert known.status_code == unknown.status_code == 404
    # The page of a 404 may name the address asked for, and may hold a form.
    names = re.compile(rb"[0-9a-f]{40}|[A-Za-z0-9]{64}")
    assert names.sub(b"", known.content) == names.sub(b"", unknown.content)
    assert "ETag" not in known.headers


def test_a_draft_is_for_who_may_narrate(client, db, note, owner, stranger):
    url = get_url(make_track(make_narration(note), published=False))
    client.force_login(stranger)
    assert client.get(url).status_code == 404
    client.force_login(owner)
    response = client.get(url)
    assert response.status_code == 200
    read(response)


def test_renditions_are_for_who_narrates_their_text(client, db, note, owner, stranger):
    rendition = make_rendition()
    make_segment(make_narration(note), rendition)
    url = build_media_url("renditions", rendition.storage_name)
    assert client.get(url).status_code == 404
    client.force_login(stranger)
    assert client.get(url).status_code == 404
    client.force_login(owner)
    response = client.get(url)
    assert response.headers["Content-Type"] == "audio/flac"
    assert read(response) == AUDIO[:9000]


@pytest.mark.parametrize(
    "path",
    [
        "tracks/{token}.opus",
        "tracks/..%2f{token}.mp3",
        "renditions/{token}.mp3",
        "renditions/{token}.flac",
        "voices/{token}.mp3",
        "tracks/short.mp3",
    ],
)
def test_other_kinds_and_names_are_unknown(client, url, path):
    token = re.search(r"[0-9a-f]{40}", url)[0]
    assert client.get("/narration/media/" + path.format(token=token)).status_code == 404


@pytest.mark.parametrize("content", [None, AUDIO[:-1], AUDIO + b"x"])
def test_a_file_that_is_not_whole_is_not_served(client, track, url, content, caplog):
    name = get_file(track).storage_name
    storages[storage.ALIAS].delete(name)
    if content is not None:
        path = storages[storage.ALIAS].path(name)
        with open(path, "wb") as file:  # noqa: PTH123
            file.write(content)
    for headers in ({}, {"range": "bytes=0-1"}, {"if-none-match": "*"}):
        assert client.get(url, headers=headers).status_code == 404
    assert any(record.name == "narration.views.media" for record in caplog.records)


def test_a_file_that_vanishes_meanwhile_is_not_served(client, track, url, monkeypatch, caplog):
    monkeypatch.setattr(media.storage, "is_whole", lambda name, size: True)
    storages[storage.ALIAS].delete(get_file(track).storage_name)
    assert client.get(url).status_code == 404


@pytest.mark.parametrize("blocks", [0, 1, 99])
def test_the_file_is_closed_however_the_response_ends(rf, track, url, monkeypatch, blocks):
    opened = []

    def open_and_remember(name):
        opened.append(storages[storage.ALIAS].open(name))
        return opened[-1]

    storage_class = type("Storage", (), {"open": staticmethod(open_and_remember)})
    monkeypatch.setattr(media.storage, "get_storage", storage_class)
    monkeypatch.setattr(media.storage, "is_whole", lambda name, size: True)
    request = rf.get(url)
    request.user = AnonymousUser()
    response = media.serve_file(request, media._from_track_file(get_file(track)))
    list(islice(response.streaming_content, blocks))
    assert not opened[0].closed
    for close in response._resource_closers:  # what ``close`` runs, less its signal
        close()
    assert opened[0].closed


def test_it_streams_in_blocks_and_without_queries(client, url, django_assert_num_queries):
    response = client.get(url)
    with django_assert_num_queries(0):
        blocks = [len(block) for block in response.streaming_content]
    assert blocks == [65536, 65536, 65536, len(AUDIO) - 3 * 65536]


def test_the_number_of_queries_is_small(client, url, django_assert_max_num_queries):
    read(client.get(url))  # content types are remembered from here on
    with django_assert_max_num_queries(4):
        read(client.get(url))


def test_a_download_is_named_after_the_text(client, url, note):
    note.title = "Água & “sal” / ../x"
    note.save()
    response = client.get(url, {"download": "1"})
    disposition = response.headers["Content-Disposition"]
    read(response)
    assert disposition == "attachment; filename*=utf-8''%C3%A1gua-sal-x.en.mp3"


def test_a_download_may_be_a_range(client, url):
    response = client.get(url, {"download": "1"}, headers={"range": "bytes=0-3"})
    assert response.status_code == 206
    assert response.headers["Content-Disposition"] == 'attachment; filename="a-note.en.mp3"'
    assert read(response) == AUDIO[:4]


@pytest.mark.parametrize("prefix", ["/sound/", "sound", "/sound"])
def test_a_front_server_is_told_where_the_file_is(client, track, url, settings, prefix):
    settings.NARRATION = {**settings.NARRATION, "X_ACCEL_PREFIX": prefix}
    response = client.get(url, headers={"range": "bytes=0-1"})
    assert response.status_code == 200
    assert response.headers["X-Accel-Redirect"] == f"/sound/{get_file(track).storage_name}"
    assert response.content == b""
    assert response.headers["Content-Type"] == "audio/mpeg"
    assert response.headers["Cache-Control"] == "private, no-cache"
    assert "ETag" not in response.headers


def test_a_front_server_is_told_nothing_for_strangers(client, track, url, settings, note):
    settings.NARRATION = {**settings.NARRATION, "X_ACCEL_PREFIX": "/sound/"}
    note.is_public = False
    note.save()
    response = client.get(url)
    assert response.status_code == 404
    assert "X-Accel-Redirect" not in response.headers
