"""A consent ends: silence at once, then everything is deleted, whatever is killed meanwhile."""

import os
import signal
import subprocess
import sys
import threading
import time
from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone

from narration import api, runner, storage
from narration.engines.latents import get_latents_path
from narration.exceptions import ConflictError, NarrationNotFound, StorageUnreachable
from narration.models import (
    Consent,
    Event,
    Job,
    ReferenceRecording,
    Rendition,
    Track,
    TrackFile,
    Voice,
    VoiceLatents,
)
from narration.pipeline import consents, renditions
from narration.pipeline.casting import cast_voice
from tests.clusters import ROOT, build_environment
from tests.helpers import get_narration, narrate, work
from tests.testapp.models import Note
from tests.voices.scenes import make_consent, make_voice

pytestmark = pytest.mark.django_db(transaction=True)


def list_files():
    return [name for folder in storage.list_folders() for name in storage.list_files(folder)]


def expire(consent):
    past = timezone.now() - timedelta(seconds=1)
    Consent.objects.filter(pk=consent.pk).update(expires_at=past)


def assert_gone(voice, models_dir, code="consent_revoked"):
    consent = Consent.objects.get(pk=voice.consent_id)
    assert consent.ended_at
    assert consent.settled_at
    assert not VoiceLatents.objects.exists()
    assert not ReferenceRecording.objects.exists()
    assert not TrackFile.objects.exists()
    assert set(Rendition.objects.values_list("state", flat=True)) <= {"quarantined"}
    assert list_files() == []
    assert list(models_dir.glob("voices/*")) == []
    assert {track.withdrawn_reason for track in Track.objects.all()} <= {consents.REASONS[code]}


def test_a_revocation_ends_everything(note, owner, voice, models_dir):
    narrate(note, publish=True)
    path = get_latents_path(str(models_dir), cast_voice(voice).engine_voice)
    assert path.exists()
    consents.revoke(voice.consent, user=owner, reason="She asked.")
    assert_gone(voice, models_dir)
    narration = get_narration(note)
    assert (narration.draft_track, narration.published_track) == (None, None)
    assert narration.missing == 5
    with pytest.raises(NarrationNotFound):
        api.get_manifest(note, language="en", user=None)
    kinds = list(Event.objects.order_by("pk").values_list("kind", "actor_name"))
    assert kinds[-3:] == [
        ("consent_revoked", "owner"),
        ("withdrawn", "owner"),
        ("consent_settled", ""),
    ]
    consent = Consent.objects.get()
    assert (consent.revoked_by, consent.revoked_reason) == (owner, "She asked.")
    with pytest.raises(ConflictError):
        consents.revoke(consent)


def test_an_expiry_is_noticed_by_the_sweep(note, voice, models_dir):
    narrate(note, publish=True)
    expire(voice.consent)
    runner.sweep()
    assert_gone(voice, models_dir, "consent_expired")
    assert Event.objects.filter(kind="consent_expired").count() == 1
    runner.sweep()
    assert Event.objects.filter(kind__in=["consent_expired", "consent_settled"]).count() == 2


def test_what_others_say_goes_on(note, owner, voice, cast, models_dir):
    """The voices of other persons, and of nobody, lose nothing."""
    grace = make_voice("Grace's voice", consent=make_consent("Grace"), hertz=(500.0,))
    mine = Note.objects.create(title="Grace's", owner=owner, body="It snowed.")
    cast(grace, f"testapp.note:{mine.pk}")
    assert narrate(mine, publish=True).state == "done"
    narrate(note, publish=True)
    consents.revoke(voice.consent)
    assert api.get_manifest(mine, language="en", user=None)
    assert Rendition.objects.usable().get().voice == grace
    assert get_latents_path(str(models_dir), cast_voice(grace).engine_voice).exists()
    assert VoiceLatents.objects.get().voice == grace


def test_waiting_jobs_are_stopped_with_the_reason(note, owner, voice, cast):
    planned = api.request_narration(note, language="en")
    audition = api.request_audition("Hello.", language="en", scope_key="", user=None)
    other = Note.objects.create(title="Not planned", owner=owner, body="It snowed.")
    unplanned = api.request_narration(other, language="en")
    low = Note.objects.create(title="Low", owner=owner, body="It snowed.")
    plain = Voice.objects.create(name="Low", engine="dummy", engine_voice="low", languages=["en"])
    cast(plain, f"testapp.note:{low.pk}")
    untouched = api.request_narration(low, language="en")
    api.refresh_plan(note, language="en")
    consents.revoke(voice.consent)
    states = {job.pk: (job.state, job.error_code) for job in Job.objects.all()}
    stopped = ("cancelled", "consent_revoked")
    assert states == {
        planned.pk: stopped,
        audition.pk: stopped,
        unplanned.pk: stopped,
        untouched.pk: ("queued", ""),
    }
    assert Event.objects.filter(kind="job_cancelled").count() == 3


def test_a_storage_that_is_away_is_silent_at_once_and_emptied_later(
    note, voice, models_dir, monkeypatch
):
    narrate(note, publish=True)

    def fail(_name):
        raise StorageUnreachable("away")

    with monkeypatch.context() as away:
        away.setattr(storage, "delete", fail)
        consents.revoke(voice.consent)
    with pytest.raises(NarrationNotFound):
        api.get_manifest(note, language="en", user=None)
    assert Consent.objects.get().settled_at is None
    assert len(list_files()) > 5
    runner.sweep()
    assert_gone(voice, models_dir)


KILLED = """
import os, signal, sys
import django
django.setup()
from narration import storage
from narration.models import Consent
from narration.pipeline import consents
left = int(sys.argv[1])
delete = storage.delete
def kill(name):
    global left
    if not left:
        os.kill(os.getpid(), signal.SIGKILL)
    left -= 1
    delete(name)
storage.delete = kill
consents.revoke(Consent.objects.get())
"""


@pytest.mark.parametrize("deletions", [0, 1, 3, 8])
def test_killed_in_the_middle_the_sweep_finishes(note, voice, models_dir, settings, deletions):
    narrate(note, publish=True)
    environment = build_environment(settings)
    process = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", KILLED, str(deletions)],
        cwd=ROOT,
        env=environment,
        check=False,
    )
    assert process.returncode == -signal.SIGKILL
    assert Consent.objects.get().revoked_at
    assert Consent.objects.get().settled_at is None
    with pytest.raises(NarrationNotFound):
        api.get_manifest(note, language="en", user=None)
    assert list_files()
    runner.sweep()
    assert_gone(voice, models_dir)


def test_a_sweep_with_little_time_goes_on_where_it_was(note, voice, models_dir, monkeypatch):
    narrate(note, publish=True)
    monkeypatch.setattr(consents, "BATCH", 1)
    expire(voice.consent)
    before = len(list_files())
    for _round in range(before + 5):
        consents.sweep(0.000001)
        if not list_files():
            break
    runner.sweep()
    assert_gone(voice, models_dir, "consent_expired")


def test_another_machine_forgets_the_voice_by_itself(note, voice, settings, tmp_path):
    narrate(note)
    elsewhere = tmp_path / "elsewhere"
    (elsewhere / "voices").mkdir(parents=True)
    name = get_latents_path(str(elsewhere), cast_voice(voice).engine_voice)
    other = elsewhere / "voices" / "readme.txt"
    for path in (name, other):
        path.write_bytes(b"-")
    partial = elsewhere / "voices" / ".partial-1"
    partial.write_bytes(b"-")
    os.utime(partial, (0, 0))
    settings.NARRATION = {**settings.NARRATION, "MODELS_DIR": str(elsewhere)}
    runner.sweep()
    assert name.exists()
    assert not partial.exists()
    consents.revoke(voice.consent)
    assert not name.exists()
    assert other.exists()


def test_recordings_on_their_way_to_an_engine_that_was_killed_are_deleted(tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    old, young = tmp_path / "narration-clone-old", tmp_path / "narration-clone-young"
    for room in (old, young):
        room.mkdir()
        (room / "0.npy").write_bytes(b"-")
    os.utime(old, (0, 0))
    runner.sweep()
    assert not old.exists()
    assert young.exists()


def test_after_a_new_consent_it_is_heard_again(note, voice, models_dir, cast):
    """The same recordings with a new word: the same track, made again and whole."""
    narrate(note, publish=True)
    consents.revoke(voice.consent)
    again = make_voice("Ada again", consent=make_consent())
    cast(again)
    job = narrate(note, publish=True)
    assert (job.state, job.synthesized) == ("done", 5)
    manifest = api.get_manifest(note, language="en", user=None)
    assert set(manifest["files"]) == {"mp3", "opus", "vtt", "peaks", "png"}
    assert get_narration(note).published_track.withdrawn_at is None


def test_work_after_the_end_says_why(note, voice):
    job = api.request_narration(note, language="en")
    Consent.objects.update(ended_at=timezone.now(), revoked_at=timezone.now())
    work()
    job.refresh_from_db()
    assert "took back" in job.error


def test_private_files_without_a_row_are_collected(voice, monkeypatch):
    """A process that died between a file and its row leaves nobody's voice behind."""
    from narration.pipeline.upkeep import orphans

    lost = [
        storage.write(kind, "lost", "bin", kind.encode()).name
        for kind in ("references", "latents", "evidence")
    ]
    monkeypatch.setattr(orphans, "AGE", timedelta(0))
    assert orphans.prune_orphans().deleted == 3
    assert not any(name in list_files() for name in lost)
    assert len(list_files()) == ReferenceRecording.objects.count() == 1


def test_a_sentence_that_is_being_stored_at_the_end_goes_with_it(note, voice, monkeypatch):
    """The end waits for a transaction that stores a sound, and then takes the sound along."""
    inside, told = threading.Event(), threading.Event()
    store = renditions._store_row

    def store_slowly(segment, facts):
        inside.set()
        told.wait(20)
        time.sleep(0.3)  # time enough to overtake, if nothing held the end back
        return store(segment, facts)

    monkeypatch.setattr(renditions, "_store_row", store_slowly)
    job = api.request_narration(note, language="en")

    def speak():
        work()
        connection.close()

    worker = threading.Thread(target=speak)
    worker.start()
    assert inside.wait(60)
    told.set()
    consents.revoke(voice.consent)
    worker.join(60)
    job.refresh_from_db()
    assert (job.state, job.error_code) == ("cancelled", "consent_revoked")
    assert not Rendition.objects.usable().exists()
    runner.sweep()
    assert not [name for name in list_files() if name.startswith("renditions/")]
