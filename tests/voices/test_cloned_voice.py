"""A cloned voice speaks lessons: while somebody consents, with latents made once."""

import stat
from datetime import timedelta

import pytest
from django.utils import timezone

from narration import api, storage
from narration.engines.latents import get_latents_path
from narration.exceptions import ConsentError, EngineError
from narration.models import Consent, Rendition, Segment, Track, Voice, VoiceLatents
from narration.pipeline import latents, synthesize
from narration.pipeline.casting import cast_voice
from narration.speaking import EngineProcess
from tests.helpers import get_narration, narrate, work
from tests.voices.scenes import add_recording, make_consent, make_voice

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def clones(monkeypatch):
    """How often an engine was asked to clone."""
    calls = []
    clone = EngineProcess.clone

    def count(self, recordings, **kwargs):
        calls.append(len(recordings))
        return clone(self, recordings, **kwargs)

    monkeypatch.setattr(EngineProcess, "clone", count)
    return calls


def end(consent):
    now = timezone.now()
    Consent.objects.filter(pk=consent.pk).update(revoked_at=now, ended_at=now)


def test_it_speaks_a_lesson_with_latents_made_once(note, voice, clones, models_dir):
    job = narrate(note, publish=True)
    assert (job.state, job.error) == ("done", "")
    assert clones == [1]
    track = get_narration(note).published_track
    assert [each.voice for each in track.voices.all()] == [voice]
    assert {each.voice for each in Rendition.objects.all()} == {voice}
    path = get_latents_path(str(models_dir), cast_voice(voice).engine_voice)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    note.edit("Another sentence.")
    assert narrate(note).synthesized == 1
    assert clones == [1]


def test_another_worker_fetches_the_latents(note, voice, clones, models_dir):
    narrate(note)
    path = get_latents_path(str(models_dir), cast_voice(voice).engine_voice)
    content = path.read_bytes()
    path.unlink()
    note.edit("Another sentence.")
    assert narrate(note).state == "done"
    assert clones == [1]
    assert path.read_bytes() == content


def test_damaged_latents_are_made_again(note, voice, clones, models_dir):
    narrate(note)
    row = VoiceLatents.objects.get()
    storage.delete(row.file)
    get_latents_path(str(models_dir), cast_voice(voice).engine_voice).unlink()
    note.edit("Another sentence.")
    assert narrate(note).state == "done"
    assert clones == [1, 1]
    assert storage.is_whole(VoiceLatents.objects.get().file, row.size)


def test_another_recording_is_another_sound(note, voice, clones):
    first = narrate(note)
    add_recording(voice, 444.0)
    voice.save()
    job = narrate(note)
    assert (job.state, job.synthesized) == ("done", first.synthesized)
    assert clones == [1, 2]


def test_settings_of_the_voice_are_its_own(note, voice, clones):
    narrate(note)
    voice.settings = {"pace": 1.5}
    voice.save()
    assert narrate(note).synthesized == 5
    assert clones == [1]


def test_without_a_folder_for_models_it_says_which_setting(note, voice, settings):
    settings.NARRATION = {**settings.NARRATION, "MODELS_DIR": ""}
    job = narrate(note)
    assert job.state == "failed"
    assert "MODELS_DIR" in job.error


def test_without_recordings_it_is_refused(note, cast):
    cast(make_voice(hertz=()))
    with pytest.raises(EngineError) as refusal:
        api.request_narration(note, language="en")
    assert refusal.value.code == "voice_without_recordings"


# Consent, on every path.


def test_a_request_without_consent_is_refused_in_plain_words(note, voice):
    end(voice.consent)
    with pytest.raises(ConsentError, match="took back their consent") as refusal:
        api.request_narration(note, language="en")
    assert refusal.value.code == "consent_revoked"
    with pytest.raises(ConsentError):
        api.estimate_narration(note, language="en")
    with pytest.raises(ConsentError):
        api.request_audition("Hello.", language="en", scope_key="", user=None)


def test_a_waiting_job_finds_the_consent_gone(note, voice):
    job = api.request_narration(note, language="en")
    end(voice.consent)
    work()
    job.refresh_from_db()
    assert (job.state, job.error_code) == ("cancelled", "consent_revoked")
    assert not Rendition.objects.exists()


def test_a_waiting_preview_finds_the_consent_gone(voice):
    job = api.request_audition("Hello.", language="en", scope_key="", user=None)
    end(voice.consent)
    work()
    job.refresh_from_db()
    assert (job.state, job.error_code) == ("cancelled", "consent_revoked")
    assert not Rendition.objects.exists()


def test_a_running_job_stops_within_a_sentence(note, voice, monkeypatch):
    store = synthesize.store_rendition

    def store_and_end(segment, result):
        rendition = store(segment, result)
        end(voice.consent)
        return rendition

    monkeypatch.setattr(synthesize, "store_rendition", store_and_end)
    job = narrate(note)
    assert (job.state, job.error_code, job.synthesized) == ("cancelled", "consent_revoked", 1)
    assert Rendition.objects.count() == 1
    assert not Track.objects.exists()


def test_a_sentence_that_is_finished_after_the_end_is_not_stored(note, voice, monkeypatch):
    """The consent ends between the engine's answer and the transaction that would store it."""
    store = synthesize.store_rendition

    def end_and_store(segment, result):
        end(voice.consent)
        return store(segment, result)

    monkeypatch.setattr(synthesize, "store_rendition", end_and_store)
    job = narrate(note)
    assert (job.state, job.error_code, job.synthesized) == ("cancelled", "consent_revoked", 0)
    assert not Rendition.objects.exists()
    folders = [name for name in storage.list_folders() if name.startswith("renditions/")]
    assert not any(storage.list_files(folder) for folder in folders)


def test_latents_that_are_finished_after_the_end_are_not_stored(note, voice, monkeypatch):
    clone = EngineProcess.clone

    def clone_and_end(self, recordings, **kwargs):
        end(voice.consent)
        return clone(self, recordings, **kwargs)

    monkeypatch.setattr(EngineProcess, "clone", clone_and_end)
    assert narrate(note).error_code == "consent_revoked"
    assert not VoiceLatents.objects.exists()
    assert latents.sweep_local() == 0


def test_a_track_that_is_stitched_after_the_end_is_not_stored(note, voice, monkeypatch):
    from narration.pipeline import stitch

    build = stitch.build_sound

    def end_and_build(plan, renditions):
        end(voice.consent)
        return build(plan, renditions)

    monkeypatch.setattr(stitch, "build_sound", end_and_build)
    job = narrate(note)
    assert (job.state, job.error_code) == ("cancelled", "consent_revoked")
    assert not Track.objects.exists()


def test_a_draft_is_not_published_after_the_end(note, voice):
    narrate(note)
    note.edit(note.body + "\n")
    end(voice.consent)
    with pytest.raises(ConsentError):
        api.publish_narration(note, language="en")


def test_an_expired_consent_is_dead_at_once_before_anybody_noticed(note, owner, voice, client):
    narrate(note, publish=True)
    client.force_login(owner)
    manifest = api.get_manifest(note, language="en", user=owner)
    urls = [file["url"] for file in manifest["files"].values()]
    segment = api.list_segments(note, language="en", user=owner)[0]
    pages = [*urls, segment.audio_url, f"/narration/manifest/testapp.note/{note.pk}/en/"]
    uid = get_narration(note).uid
    pages += [f"/api/v1/narrations/{uid}/{end}" for end in ("manifest/", "audio/", "captions/")]
    assert {ask(client, page) for page in pages} == {200}
    Consent.objects.filter(pk=voice.consent_id).update(
        expires_at=timezone.now() - timedelta(seconds=1)
    )
    assert {ask(client, page) for page in pages} == {404}


def ask(client, page):
    answer = client.get(page)
    answer.close()
    return answer.status_code


def test_a_voice_of_a_course_is_heard_there_only(note, owner, cast):
    from tests.testapp.models import Note

    key = f"testapp.note:{note.pk}"
    voice = make_voice(consent=make_consent(scope="course", scope_key=key))
    cast(voice)
    assert narrate(note).state == "done"
    other = Note.objects.create(title="Other", owner=owner, body="It rained.")
    with pytest.raises(ConsentError, match="another course") as refusal:
        api.request_narration(other, language="en")
    assert refusal.value.code == "consent_scope"
    assert Segment.objects.filter(voice=voice).exists()
    assert Voice.objects.filter(pk=voice.pk).needing_consent().exists()
