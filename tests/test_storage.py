"""Room, refusals and deletion in the storage; what is damaged is in pipeline/test_faults.py."""

import contextlib
import errno
import os
import subprocess
import time
from datetime import timedelta
from pathlib import Path

import pytest
from django.core.files.storage import storages

from narration import api, storage
from narration.exceptions import ConfigurationError, StorageFull, StorageUnreachable
from narration.models import Job, Rendition, TrackFile
from narration.pipeline.explanations import explain_job
from narration.pipeline.narrate import bring_up_to_date
from tests.helpers import get_narration, narrate

HOUR = timedelta(hours=1)


class NoListener:
    """Lets a job run without a lease."""

    priority = 0

    def begin(self, *, total, reused, characters):
        pass

    def made(self, segment, rendition):
        pass

    def failed(self, segment, error):
        raise AssertionError(error)

    def check(self):
        pass

    def busy(self):
        return contextlib.nullcontext()


def list_left(location):
    return sorted(str(p.relative_to(location)) for p in Path(location).rglob("*") if p.is_file())


def age(name, hours):
    path = storages["narration"].path(name)
    then = time.time() - hours * 3600
    os.utime(path, (then, then))


def run(note):
    """A job's story without a runner, so that its error is ours to see."""
    api.request_narration(note, language="en")
    return bring_up_to_date(get_narration(note), Job.objects.latest("pk"), NoListener())


def keep_free(settings, count):
    settings.NARRATION = {**settings.NARRATION, "MIN_FREE_BYTES": count}


def test_free_bytes_are_those_of_the_file_system_before_the_folder_is_made():
    location = Path(storages["narration"].location)
    assert not location.exists()
    facts = os.statvfs(location.parent)
    assert storage.find_free_bytes() == pytest.approx(facts.f_bavail * facts.f_frsize, rel=0.1)


def test_a_storage_that_is_no_file_system_has_no_floor(settings):
    settings.STORAGES = {
        **settings.STORAGES,
        "narration": {"BACKEND": "django.core.files.storage.InMemoryStorage"},
    }
    keep_free(settings, 1 << 60)
    assert storage.find_free_bytes() is None
    storage.check_room()


@pytest.mark.django_db(transaction=True)
def test_below_the_floor_nothing_is_spoken_and_no_engine_started(note, settings, monkeypatch):
    keep_free(settings, 1 << 60)
    monkeypatch.setattr("narration.pipeline.synthesize._speak_all", lambda *_: pytest.fail("spoke"))
    with pytest.raises(StorageFull) as caught:
        run(note)
    assert (caught.value.code, caught.value.is_permanent) == ("storage_full", False)
    assert "room" in explain_job("storage_full")
    assert list_left(storages["narration"].location) == []


@pytest.mark.django_db(transaction=True)
def test_below_the_floor_what_is_there_is_still_offered(note, settings):
    narrate(note)
    keep_free(settings, 1 << 60)
    track = get_narration(note).draft_track
    assert run(note) == track
    assert storage.read(stored(TrackFile.objects.get(format="mp3")))


def stored(row):
    return storage.StoredFile(row.storage_name, row.size, row.sha256)


@pytest.mark.django_db(transaction=True)
def test_room_that_goes_while_a_job_speaks_stops_it_and_what_was_made_stays(
    note, settings, monkeypatch
):
    monkeypatch.setattr(storage, "ROOM_CHECK_SECONDS", 0.0)
    answers = iter([1 << 40] * 4)
    monkeypatch.setattr(storage, "find_free_bytes", lambda: next(answers, 0))
    with pytest.raises(StorageFull):
        run(note)
    made = Rendition.objects.count()
    assert 0 < made < 5
    monkeypatch.undo()
    job = narrate(note)
    assert (job.state, job.reused + job.synthesized, Rendition.objects.count()) == ("done", 5, 5)


@pytest.mark.django_db(transaction=True)
def test_stitching_waits_for_room_too(note, settings):
    narrate(note)
    get_narration(note).tracks.all().delete()
    keep_free(settings, 1 << 60)
    with pytest.raises(StorageFull):
        run(note)


def test_room_is_looked_at_every_few_seconds_only(monkeypatch):
    looks = []
    monkeypatch.setattr(storage, "check_room", lambda: looks.append(1))
    watch = storage.RoomWatch()
    for _ in range(1000):
        watch.check()
    assert len(looks) == 1


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT])
@pytest.mark.django_db(transaction=True)
def test_a_disk_that_fills_up_in_mid_file_leaves_no_file(note, monkeypatch, number):
    """The first half of each file is written, then nothing more goes in."""

    def write_half(descriptor, chunk):
        os.write(descriptor, chunk[: len(chunk) // 2])
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(storage, "_write_all", write_half)
    with pytest.raises(StorageFull):
        run(note)
    assert list_left(storages["narration"].location) == []
    assert Rendition.objects.count() == 0
    monkeypatch.undo()
    assert narrate(note).state == "done"


def test_replacing_a_file_on_a_full_disk_keeps_the_old_one(monkeypatch):
    file = storage.write("renditions", "x", "flac", b"sound")

    def full(self, target):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(StorageFull):
        storage.write("renditions", "x", "flac", b"sound")
    assert storage.read(file) == b"sound"
    assert list_left(storages["narration"].location) == [file.name]


@pytest.fixture
def small_disk(tmp_path):
    """256 KiB that can really be filled."""
    folder = tmp_path / "disk"
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=256k", "none", str(folder)]
    if subprocess.run(command, check=False, capture_output=True).returncode:
        pytest.skip("mounting is not allowed here: a small disk that really fills up")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


@pytest.mark.django_db(transaction=True)
def test_a_real_disk_fills_up_and_the_job_is_done_when_there_is_room(note, settings, small_disk):
    settings.STORAGES = {
        **settings.STORAGES,
        "narration": {
            "BACKEND": "narration.storage.AtomicFileStorage",
            "OPTIONS": {"location": small_disk / "narration"},
        },
    }
    keep_free(settings, 0)
    ballast = small_disk / "ballast"
    ballast.write_bytes(b"x" * 200_000)
    with pytest.raises(StorageFull):
        run(note)
    names = set(Rendition.objects.values_list("storage_name", flat=True))
    files = {f"narration/{name}" for name in names}
    left = set(list_left(small_disk)) - {"ballast"}
    assert not any(".partial" in name or ".deleted" in name for name in left)
    assert files <= left
    subprocess.run(["mount", "-o", "remount,size=8m", str(small_disk)], check=True)
    assert narrate(note).state == "done"
    assert Rendition.objects.count() == 5


def test_a_storage_that_does_not_answer_is_not_a_damaged_one(monkeypatch):
    file = storage.write("renditions", "x", "flac", b"sound")

    def stale(*_args):
        raise OSError(errno.ESTALE, "Stale file handle")

    monkeypatch.setattr(storage.AtomicFileStorage, "size", stale)
    monkeypatch.setattr(storage.AtomicFileStorage, "open", stale)
    for ask in (lambda: storage.is_whole(file.name, 5), lambda: storage.read(file)):
        with pytest.raises(StorageUnreachable):
            ask()


def test_a_storage_that_renames_files_is_refused(settings, tmp_path):
    settings.STORAGES = {
        **settings.STORAGES,
        "narration": {
            "BACKEND": "django.core.files.storage.FileSystemStorage",
            "OPTIONS": {"location": tmp_path / "plain"},
        },
    }
    storage.write("renditions", "x", "flac", b"sound")
    with pytest.raises(ConfigurationError):
        storage.write("renditions", "x", "flac", b"sound")
    assert len(list_left(tmp_path / "plain")) == 1


def test_only_what_is_old_is_deleted():
    file = storage.write("renditions", "x", "flac", b"sound")
    assert not storage.delete_older(file.name, HOUR)
    assert storage.read(file) == b"sound"
    age(file.name, 2)
    assert storage.delete_older(file.name, HOUR)
    assert list_left(storages["narration"].location) == []
    assert not storage.delete_older(file.name, HOUR)


def test_a_file_written_again_while_it_is_being_deleted_stays(monkeypatch):
    """The deletion had looked at the old file already when the new one took its place."""
    file = storage.write("renditions", "x", "flac", b"sound")
    age(file.name, 2)
    looked = storage._is_young
    seen = []

    def look(path, limit):
        answer = looked(path, limit)
        if not seen:
            seen.append(path)
            storage.write("renditions", "x", "flac", b"sound")
        return answer

    monkeypatch.setattr(storage, "_is_young", look)
    assert not storage.delete_older(file.name, HOUR)
    assert storage.read(file) == b"sound"
    assert list_left(storages["narration"].location) == [file.name]


def test_files_are_listed_by_folder():
    files = {storage.write("renditions", str(n), "flac", b"x").name for n in range(5)}
    files.add(storage.write("tracks", "x", "mp3", b"x").name)
    found = [name for folder in storage.list_folders() for name in storage.list_files(folder)]
    assert sorted(found) == sorted(files)
