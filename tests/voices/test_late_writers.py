"""Who slept through the end of a consent wakes up and writes: nothing of it stays."""

import threading
import time

import pytest
from django.db import connection

from narration import runner, storage
from narration.exceptions import ConsentError, StorageCorrupt
from narration.models import Consent, Job, Rendition, TrackFile, VoiceLatents
from narration.pipeline import consents, latents, references, stitch
from narration.pipeline.casting import cast_voice
from narration.pipeline.upkeep import scrubbing
from narration.speaking import EngineProcess
from tests.helpers import get_narration, narrate, work
from tests.voices.scenes import add_recording

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def track(note, voice):
    narrate(note, publish=True)
    return get_narration(note).published_track


def list_files():
    return [name for folder in storage.list_folders() for name in storage.list_files(folder)]


def end_before(monkeypatch, name):
    """The consent ends, and is settled, before this step of the stitching."""
    real = getattr(stitch, name)

    def step(*args, **kwargs):
        if not Consent.objects.get().ended_at:
            consents.revoke(Consent.objects.get())
            assert Consent.objects.get().settled_at
        return real(*args, **kwargs)

    monkeypatch.setattr(stitch, name, step)


def test_a_track_is_not_stitched_again_after_the_end(track, voice):
    consents.revoke(voice.consent)
    with pytest.raises(ConsentError):
        stitch.restitch_track(track)
    assert list_files() == []


@pytest.mark.parametrize("step", ["level", "_store_files"])
def test_the_end_comes_while_a_track_is_stitched_again(track, monkeypatch, step):
    end_before(monkeypatch, step)
    with pytest.raises(ConsentError):
        stitch.restitch_track(track)
    assert not TrackFile.objects.exists()
    assert list_files() == []


def test_the_scrub_leaves_nothing_of_it(track, monkeypatch):
    storage.delete(track.files.get(format="mp3").storage_name)
    end_before(monkeypatch, "_store_files")
    scrubbing.scrub()
    assert not TrackFile.objects.exists()
    assert list_files() == []


def test_the_end_waits_for_files_that_are_being_named(track, voice, monkeypatch):
    """It comes while their rows are written: it takes them along."""
    inside, repair = threading.Event(), stitch._repair_files

    def repair_slowly(*args):
        inside.set()
        time.sleep(0.3)  # time enough to overtake, if nothing held the end back
        repair(*args)

    monkeypatch.setattr(stitch, "_repair_files", repair_slowly)

    def mend():
        stitch.restitch_track(track)
        connection.close()

    worker = threading.Thread(target=mend)
    worker.start()
    assert inside.wait(60)
    consents.revoke(voice.consent)
    worker.join(60)
    assert not TrackFile.objects.exists()
    assert list_files() == []


def test_a_sentence_that_was_set_aside_is_in_no_new_file(track, monkeypatch):
    Rendition.objects.filter(pk=Rendition.objects.first().pk).update(state="quarantined")
    with pytest.raises(StorageCorrupt):
        stitch.restitch_track(track)


def test_what_was_written_after_all_was_deleted_is_deleted(track, voice):
    """By a process of a version that did not ask: its rows keep its files from the orphans."""
    rendition = Rendition.objects.first()
    consents.revoke(voice.consent)
    assert list_files() == []
    sound = storage.write("renditions", rendition.digest, "flac", b"sound")
    facts = {"state": "ok", "sha256": sound.sha256, "storage_name": sound.name, "size": 5}
    Rendition.objects.filter(pk=rendition.pk).update(**facts)
    file = storage.write("tracks", "late", "mp3", b"late")
    facts = {"storage_name": file.name, "sha256": file.sha256, "size": file.size}
    TrackFile.objects.create(track=track, format="mp3", **facts)
    learnt = storage.write("latents", "late", "npz", b"latents")
    facts = {"file": learnt.name, "sha256": learnt.sha256, "size": learnt.size}
    VoiceLatents.objects.create(voice=voice, digest="0" * 64, **facts)
    add_recording(voice)
    assert len(list_files()) == 4
    runner.sweep()
    assert list_files() == []
    assert not TrackFile.objects.exists()
    assert not VoiceLatents.objects.exists()
    assert not voice.recordings.exists()
    assert not Rendition.objects.usable().exists()
    assert list(consents._find_leftovers()) == []


def assert_learnt_anew(job, voice, models_dir, gone):
    """Nothing of the first recordings is left, neither row nor file."""
    assert (job.state, job.error_code) == ("queued", "voice_changed")
    digests = set(VoiceLatents.objects.values_list("digest", flat=True))
    assert gone not in digests
    assert {path.stem for path in models_dir.glob("voices/*")} <= digests
    stored = {name for name in list_files() if name.startswith("latents/")}
    assert stored == set(VoiceLatents.objects.values_list("file", flat=True))


@pytest.mark.parametrize("moment", ["_load_recordings", "_demand_recordings", "_write_private"])
def test_a_recording_is_removed_while_the_voice_is_learnt(
    note, voice, monkeypatch, models_dir, moment
):
    add_recording(voice, 500.0)
    first = cast_voice(voice).engine_voice.removeprefix("@")
    real = getattr(latents, moment)

    def remove(*args):
        monkeypatch.setattr(latents, moment, real)
        references.remove_recording(voice.recordings.first())
        return real(*args)

    if moment == "_demand_recordings":  # before the transaction, after the engine answered
        clone = EngineProcess.clone

        def clone_and_remove(self, recordings, **kwargs):
            learnt = clone(self, recordings, **kwargs)
            monkeypatch.setattr(EngineProcess, "clone", clone)
            references.remove_recording(voice.recordings.first())
            return learnt

        monkeypatch.setattr(EngineProcess, "clone", clone_and_remove)
    else:
        monkeypatch.setattr(latents, moment, remove)
    job = narrate(note)
    assert_learnt_anew(job, voice, models_dir, first)
    assert not Rendition.objects.exists()
    Job.objects.update(not_before=None)
    work()
    job.refresh_from_db()
    assert (job.state, job.error) == ("done", "")
    assert [row.digest for row in VoiceLatents.objects.all()] == [
        cast_voice(voice).engine_voice.removeprefix("@")
    ]
