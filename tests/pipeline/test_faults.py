"""Damage to stored sound is found, made again and never served."""

from pathlib import Path

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import storages

from narration import api, storage
from narration.exceptions import StorageCorrupt, StorageFull
from narration.models import Rendition, Track, TrackFile
from tests.helpers import get_narration, narrate

pytestmark = pytest.mark.django_db(transaction=True)


def damage(name, content):
    store = storages["narration"]
    store.delete(name)
    if content is not None:
        store.save(name, ContentFile(content))


def flip(content):
    return content[:-1] + bytes([content[-1] ^ 1])


@pytest.mark.parametrize("how", ["bit flip", "truncation", "deletion"])
def test_a_damaged_rendition_is_made_again_and_sounds_the_same(note, how):
    narrate(note)
    rendition = Rendition.objects.get(spoken_text="The river rose.")
    before = (rendition.sha256, get_narration(note).draft_track.manifest["segments"])
    with storage.get_storage().open(rendition.storage_name) as file:
        content = file.read()
    damage(
        rendition.storage_name,
        {"bit flip": flip(content), "truncation": content[:-9], "deletion": None}[how],
    )
    Track.objects.all().delete()
    job = narrate(note)
    assert (job.state, job.synthesized) == ("done", 1)
    rendition.refresh_from_db()
    track = get_narration(note).draft_track
    assert (rendition.state, rendition.sha256, track.manifest["segments"]) == ("ok", *before)


def test_many_damaged_files_are_found_at_once(note):
    """Same sizes, so that only reading them tells."""
    words = ["One", "Two", "Three", "Four", "Five", "Six", "Seven", "Eight"]
    note.edit(" ".join(f"{word} went home." for word in words))
    narrate(note)
    for rendition in Rendition.objects.all():
        damage(rendition.storage_name, b"x" * rendition.size)
    note.edit(f"{note.body} A new sentence.")
    job = narrate(note)
    assert (job.state, job.error_code) == ("done", "")
    assert get_narration(note).has_current(get_narration(note).draft_track)


def test_damage_that_comes_back_is_called_damage(note, monkeypatch):
    from narration.pipeline import narrate as story

    def stitch(*_args):
        raise StorageCorrupt("It was altered.", code="storage_altered")

    monkeypatch.setattr(story, "stitch_track", stitch)
    assert narrate(note).error_code == "storage_altered"


def test_a_folder_in_place_of_a_file_is_damage_of_that_file_and_names_no_path(note, tmp_path):
    file = storage.write("renditions", "identity", "flac", b"sound")
    path = Path(storages["narration"].path(file.name))
    path.unlink()
    path.mkdir()
    with pytest.raises(StorageCorrupt) as error:
        storage.read(file)
    assert str(tmp_path) not in str(error.value)


def test_a_damaged_track_file_is_made_again_without_an_engine(note):
    narrate(note)
    file = TrackFile.objects.get(format="mp3")
    damage(file.storage_name, b"short")
    job = narrate(note)
    assert (job.state, job.synthesized) == ("done", 0)
    assert all(storage.is_whole(f.storage_name, f.size) for f in TrackFile.objects.all())
    assert Track.objects.count() == 1


def test_what_is_read_is_what_was_written(note):
    file = storage.write("renditions", "identity", "flac", b"sound")
    assert storage.read(file) == b"sound"
    damage(file.name, b"soind")
    with pytest.raises(StorageCorrupt):
        storage.read(file)
    damage(file.name, None)
    with pytest.raises(StorageCorrupt):
        storage.read(file)


def test_a_write_that_fails_leaves_nothing(monkeypatch):
    def full(_descriptor):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(StorageFull, match="No space"):
        storage.write("renditions", "identity", "flac", b"sound")
    monkeypatch.undo()
    location = storages["narration"].base_location
    assert [p for p in Path(location).rglob("*") if p.is_file()] == []


def test_names_cannot_be_guessed_from_the_text(note, settings):
    narrate(note)
    rendition = Rendition.objects.first()
    assert rendition.digest not in rendition.storage_name
    before = storage.build_name("renditions", "x", "flac")
    settings.NARRATION = {**settings.NARRATION, "SIGNING_KEY": "another"}
    assert storage.build_name("renditions", "x", "flac") != before


def test_the_old_track_stays_until_the_new_one_is_published(note):
    narrate(note, publish=True)
    old = get_narration(note).published_track
    note.edit("Something else entirely.")
    narration = api.refresh_plan(note, language="en")
    state = api.state_of(note, language="en")
    assert (narration.published_track, state.status, state.is_stale) == (old, "stale", True)
    narrate(note)
    state = api.state_of(note, language="en")
    assert (state.status, state.can_publish, state.is_stale) == ("ready", True, True)
    new = api.publish_narration(note, language="en")
    assert get_narration(note).published_track == new != old
    note.refresh_from_db()
    assert note.public_version == 2
