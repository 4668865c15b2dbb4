"""Fetching published files from a server that does everything wrong once."""

from __future__ import annotations

import hashlib

import pytest

from narration.engines.models import ModelFile
from narration.exceptions import ModelError
from narration.modelstore import download, hub, place
from narration.modelstore.transfer import TRIES, check_reachable, fetch
from tests.modelstore.engines import CONTENT
from tests.modelstore.server import serve

DATA = bytes(range(256)) * 4000  # a megabyte, so that it takes several reads
OTHER = DATA[::-1]
PIN = hashlib.sha256(DATA).hexdigest()


@pytest.fixture
def server():
    with serve({"/weights.pth": DATA}) as running:
        yield running


@pytest.fixture
def get(server, tmp_path):
    """Fetch the file; what is at the target then."""
    waits = []

    def run(**changes):
        file = ModelFile("weights.pth", f"{server.base}/weights.pth", **changes)
        target = tmp_path / "in" / "weights.pth"
        fetch(file, target, pause=waits.append)
        assert [path.name for path in target.parent.iterdir()] == ["weights.pth"]
        return target.read_bytes()

    run.waits = waits
    run.part = tmp_path / "in" / "weights.pth.part"
    return run


def test_a_file_comes_whole_with_its_progress(server, tmp_path):
    told = []
    file = ModelFile("w", f"{server.base}/weights.pth")
    fetch(file, tmp_path / "w", lambda *progress: told.append(progress))
    assert (tmp_path / "w").read_bytes() == DATA
    assert told[0] == ("w", 0, len(DATA))
    assert told[-1] == ("w", len(DATA), len(DATA))


def test_one_that_breaks_off_in_the_middle_goes_on_from_there(server, get):
    server.script = [{"until": 300_000}, {"until": 700_000}]
    assert get() == DATA
    assert [asked[1:] for asked in server.asked] == [
        (None, None),
        ("bytes=300000-", '"one"'),
        ("bytes=700000-", '"one"'),
    ]


def test_what_came_before_a_crash_is_gone_on_with_by_the_next_call(server, get):
    server.script = [{"until": 300_000}] + [{"status": 503}] * TRIES
    with pytest.raises(ModelError) as caught:
        get()
    assert caught.value.code == "download_broken"
    assert not caught.value.is_permanent
    assert get.part.stat().st_size == 300_000
    server.asked.clear()
    assert get() == DATA
    assert server.asked == [("/weights.pth", "bytes=300000-", '"one"')]


@pytest.mark.parametrize(
    "second",
    [
        {"content": OTHER, "etag": '"two"'},  # answers 200 from the beginning
        {"content": OTHER, "etag": '"two"', "ignores_if_range": True},  # goes on with another file
        {"content": OTHER + b"more", "ignores_if_range": True},  # the same tag, another length
        {"content": OTHER, "says_start": 12},
    ],
)
def test_another_file_is_never_joined_to_the_first(server, get, second):
    server.content["/weights.pth"] = second["content"]
    server.etag = second.get("etag", server.etag)
    server.script = [{"content": DATA, "etag": '"one"', "until": 300_000}, second]
    assert get() == second["content"]


def test_another_file_under_the_same_tag_is_caught_by_the_pin_and_fetched_anew(server, get):
    server.script = [{"content": OTHER, "until": 300_000}]
    assert get(sha256=PIN) == DATA
    assert [asked[1] for asked in server.asked] == [None, "bytes=300000-", None]


def test_a_server_without_validators_begins_again(server, get):
    server.script = [{"until": 300_000, "etag": ""}]
    assert get() == DATA
    assert [asked[1] for asked in server.asked] == [None, None]


def test_a_server_that_knows_no_ranges_begins_again(server, get):
    server.script = [{"until": 300_000}, {"ignores_range": True}]
    assert get() == DATA


def test_a_part_longer_than_the_file_is_thrown_away(server, get):
    server.script = [{"content": DATA * 2, "until": len(DATA) + 1}]
    assert get() == DATA


def test_one_that_always_breaks_off_is_given_up(server, get):
    server.script = [{"length": len(DATA) + 1000}] + [{"until": 0}] * 20
    with pytest.raises(ModelError, match="broke off"):
        get()


def test_a_length_that_is_too_short_is_caught_by_the_known_size(server, get):
    server.script = [{"length": 1000}, {"length": 1000}]
    with pytest.raises(ModelError) as caught:
        get(size=len(DATA))
    assert caught.value.code == "checksum_mismatch"
    assert not get.part.exists()


def test_without_any_length_nothing_says_when_it_is_whole(server, get):
    server.script = [{"length": None}]
    with pytest.raises(ModelError, match="how long"):
        get()


@pytest.mark.parametrize(("status", "words"), [(401, "account"), (403, "terms"), (404, "no such")])
def test_a_refusal_is_told_at_once_with_another_way(server, get, status, words):
    server.script = [{"status": status}]
    with pytest.raises(ModelError, match=words) as caught:
        get()
    assert caught.value.code == "download_refused"
    assert "models import" in str(caught.value)
    assert len(server.asked) == 1


def test_a_busy_server_is_asked_again_when_it_says(server, get):
    server.script = [{"status": 503, "headers": {"Retry-After": "7"}}, {"status": 429}]
    assert get() == DATA
    assert get.waits == [7, 2]


def test_a_server_that_is_not_there_is_given_up(get, server):
    server.shutdown()
    server.server_close()
    with pytest.raises(ModelError) as caught:
        get()
    assert caught.value.code == "download_broken"


def test_the_wrong_file_is_refused_and_leaves_nothing(server, get):
    server.content["/weights.pth"] = OTHER
    with pytest.raises(ModelError) as caught:
        get(sha256=PIN)
    assert caught.value.code == "checksum_mismatch"
    assert list(get.part.parent.iterdir()) == []
    assert len(server.asked) == 2


def test_no_room_is_told_before_the_first_byte(server, get, monkeypatch):
    monkeypatch.setattr(place, "MARGIN", 1 << 60)
    with pytest.raises(ModelError) as caught:
        get()
    assert caught.value.code == "no_room"
    assert not get.part.exists()


def test_a_file_that_is_published_nowhere_is_refused(tmp_path):
    for url in ("", "file:///etc/passwd", "ftp://example.org/x"):
        with pytest.raises(ModelError, match="bring it"):
            fetch(ModelFile("w", url), tmp_path / "w")


def test_a_download_ends_as_a_model_and_leaves_no_files(make_model):
    with serve({f"/{name}": data for name, data in CONTENT.items()}) as server:
        server.script = [{"until": 500}]
        model = make_model(base=server.base)
        card = download(model, pause=lambda _seconds: None)
    assert set(card.files) == {"weights.safetensors", "more/config.json"}
    assert not (model.models_dir / "downloads" / "small").exists()


def test_a_download_that_fails_keeps_the_files_that_are_whole(make_model):
    with serve({f"/{name}": data for name, data in CONTENT.items()}) as server:
        model = make_model(base=server.base)
        server.script = [{}, {"status": 404}]
        with pytest.raises(ModelError):
            download(model, pause=lambda _seconds: None)
        server.asked.clear()
        download(model)
        assert [asked[0] for asked in server.asked] == ["/sub/config.json"]


@pytest.fixture
def closed():
    """An address at which nobody answers."""
    with serve({}) as server:
        return server.base


def test_a_host_out_of_reach_is_told_at_once_with_the_way_without_internet(
    make_model, closed, monkeypatch
):
    monkeypatch.setattr(hub, "_find_library", lambda _folder: pytest.fail("the hub was asked"))
    with pytest.raises(ModelError) as caught:
        download(make_model(base=closed), pause=lambda _s: pytest.fail("it waited"))
    assert caught.value.code == "unreachable"
    assert not caught.value.is_permanent
    assert "127.0.0.1 cannot be reached" in str(caught.value)
    assert "models files" in str(caught.value)
    assert "models import" in str(caught.value)


def test_a_mirror_of_the_hub_is_asked_whatever_the_published_host_says(
    make_model, closed, monkeypatch
):
    def come(file, target, _folder):
        target.write_bytes(CONTENT[file.name])
        return True

    monkeypatch.setenv("HF_ENDPOINT", "https://mirror.example.org")
    monkeypatch.setattr(hub, "fetch", come)
    assert download(make_model(base=closed)).fingerprint


@pytest.mark.parametrize("status", [302, 403, 503])
def test_a_host_that_refuses_is_there(server, status):
    server.script = [{"status": status, "headers": {"Location": "http://nowhere.invalid/"}}]
    check_reachable(f"{server.base}/weights.pth")
