"""The whole story in an S3-compatible store: narrate, serve, verify, replace, scrub, prune."""

from datetime import timedelta

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import storages

from narration import storage
from narration.exceptions import StorageCorrupt, StorageUnreachable
from narration.manifests import build_media_url
from narration.models import Job, Rendition, Segment, Track, TrackFile
from narration.pipeline import upkeep
from narration.pipeline.upkeep import orphans, pruning
from tests import s3
from tests.helpers import get_narration, narrate
from tests.pipeline.upkeep.stored import damage, is_sound, let_marks_wait

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.xdist_group("s3")]


@pytest.fixture(scope="module")
def server():
    s3.skip_without_moto()
    with s3.served() as url:
        yield url


@pytest.fixture(autouse=True)
def store(settings, narration_storage, server):
    """An empty bucket as ``STORAGES["narration"]``."""
    settings.STORAGES = {
        **settings.STORAGES,
        "narration": {
            "BACKEND": "storages.backends.s3.S3Storage",
            "OPTIONS": s3.build_options(server),
        },
    }
    store = storages["narration"]
    bucket = store.connection.Bucket(s3.BUCKET)
    bucket.create()
    yield store
    bucket.objects.all().delete()
    bucket.delete()


def list_keys(store):
    return {item.key.removeprefix("sound/") for item in store.bucket.objects.all()}


def list_named():
    rows = [*Rendition.objects.all(), *TrackFile.objects.all()]
    return {row.storage_name for row in rows}


def age_rows():
    then = "2020-01-01T12:00:00Z"
    Rendition.objects.update(made_at=then, last_used_on="2020-01-01")
    Track.objects.update(made_at=then)


def test_a_lesson_is_narrated_and_every_file_is_whole(note, store):
    job = narrate(note, publish=True)
    assert (job.state, job.error, job.synthesized) == ("done", "", 5)
    assert list_keys(store) == list_named()
    assert all(is_sound(row) for row in [*Rendition.objects.all(), *TrackFile.objects.all()])
    again = narrate(note)
    assert (again.state, again.synthesized, storage.find_free_bytes()) == ("done", 0, None)


def test_a_range_of_a_track_is_served_from_the_store(note, owner, client):
    narrate(note, publish=True)
    client.force_login(owner)
    file = TrackFile.objects.get(format="mp3")
    content = storage.read(storage.StoredFile(file.storage_name, file.size, file.sha256))
    url = build_media_url("tracks", file.storage_name)
    part = client.get(url, headers={"range": "bytes=1000-1999"})
    assert (part.status_code, part.headers["Content-Range"]) == (
        206,
        f"bytes 1000-1999/{file.size}",
    )
    assert part.getvalue() == content[1000:2000]
    assert client.get(url).getvalue() == content
    tail = client.get(url, headers={"range": "bytes=-10"})
    assert (tail.status_code, tail.getvalue()) == (206, content[-10:])


@pytest.mark.parametrize("how", ["bit flip", "truncation", "deletion"])
def test_damage_is_found_and_mended(note, store, how):
    narrate(note, publish=True)
    track = {f.format: f.sha256 for f in TrackFile.objects.all()}
    rendition = Rendition.objects.get(spoken_text="The river rose.")
    damage(TrackFile.objects.get(format="mp3").storage_name, how)
    told = upkeep.scrub()
    assert (told.damaged, told.repaired) == (1, 1)
    assert {f.format: f.sha256 for f in TrackFile.objects.all()} == track
    assert all(is_sound(file) for file in TrackFile.objects.all())
    damage(rendition.storage_name, how)
    Rendition.objects.update(scrubbed_at=None)
    assert upkeep.scrub(interval=timedelta(0)).damaged == 1
    Track.objects.all().delete()
    job = narrate(note)
    assert (job.state, job.synthesized) == ("done", 1)
    rendition.refresh_from_db()
    assert (rendition.state, is_sound(rendition)) == ("ok", True)


def test_what_nobody_uses_is_pruned_and_what_is_published_stays(note, store, monkeypatch):
    narrate(note, publish=True)
    kept = list_named()
    # A store tells its own time of a file: young ones are what they are.
    monkeypatch.setattr(pruning, "FRESH", timedelta(0))
    monkeypatch.setattr(orphans, "AGE", timedelta(0))
    storage.write("renditions", "orphan", "flac", b"nobody's sound")
    store.save("tracks-of-others/x.mp3", ContentFile(b"not ours"))
    age_rows()
    upkeep.prune()
    let_marks_wait()
    assert upkeep.prune().renditions == 0
    told = upkeep.prune_orphans()
    assert (told.files, told.orphans, told.deleted) == (11, 1, 1)
    assert list_keys(store) == {*kept, "tracks-of-others/x.mp3"}
    get_narration(note).tracks.all().delete()
    Segment.objects.all().delete()
    assert upkeep.prune().marked == 5
    let_marks_wait()
    assert upkeep.prune().renditions == 5
    upkeep.prune_orphans()
    assert list_keys(store) == {"tracks-of-others/x.mp3"}


def test_a_young_file_without_a_row_waits_for_it():
    file = storage.write("renditions", "orphan", "flac", b"its row comes")
    assert (upkeep.prune_orphans().orphans, upkeep.prune_orphans().deleted) == (1, 0)
    assert storage.read(file) == b"its row comes"


def test_what_is_stored_wrong_gets_no_row(note, store, monkeypatch):
    """The same size, another content: only reading it back tells."""
    save = type(store)._save

    def flip(self, name, content):
        data = content.read()
        return save(self, name, ContentFile(data[:-1] + bytes([data[-1] ^ 1])))

    monkeypatch.setattr(type(store), "_save", flip)
    with pytest.raises(StorageCorrupt) as caught:
        storage.write("renditions", "x", "flac", b"sound")
    assert caught.value.code == "storage_short_write"
    job = narrate(note)
    assert (job.state, Rendition.objects.count()) != ("done", 5)
    assert Rendition.objects.count() == 0


def test_a_store_that_does_not_answer_is_told_from_one_without_the_file(
    note, owner, client, settings, server
):
    narrate(note, publish=True)
    file = TrackFile.objects.get(format="mp3")
    assert storage.is_whole(file.storage_name, file.size)
    assert not storage.is_whole("tracks/ab/none.mp3", 1)
    away = s3.build_options("http://127.0.0.1:9", client_config=build_impatient())
    settings.STORAGES = {
        **settings.STORAGES,
        "narration": {"BACKEND": "storages.backends.s3.S3Storage", "OPTIONS": away},
    }
    for ask in (
        lambda: storage.is_whole(file.storage_name, file.size),
        lambda: storage.write("renditions", "x", "flac", b"x"),
        upkeep.scrub,
        upkeep.prune_orphans,
    ):
        with pytest.raises(StorageUnreachable):
            ask()
    client.force_login(owner)
    response = client.get(build_media_url("tracks", file.storage_name))
    assert (response.status_code, response.headers["Retry-After"]) == (503, "30")
    note.edit(note.body + "\n\nOne more.\n")
    job = narrate(note)
    assert (job.error_code or job.state) in ("storage_unreachable", "queued")
    assert Rendition.objects.usable().count() == Rendition.objects.count() == 5
    assert Job.objects.count() == 2


def build_impatient():
    from botocore.config import Config

    return Config(connect_timeout=1, read_timeout=1, retries={"max_attempts": 0})
