"""A person's voice speaks lessons by both engines while they consent, and leaves nothing behind."""

from __future__ import annotations

import numpy as np
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import IntegrityError, transaction

from narration import api
from narration.exceptions import ConsentError, NarrationNotFound
from narration.models import (
    Consent,
    Event,
    Job,
    ReferenceRecording,
    Rendition,
    SpeechPolicy,
    Track,
    TrackFile,
    Voice,
    VoiceKind,
    VoiceLatents,
)
from narration.pipeline import consents
from narration.speaking import EngineProcess
from narration.values import EngineConfig, Utterance, Waveform
from tests.audio.test_uploads import encode
from tests.clusters import wait_for
from tests.neural.stage import EDITS, LANGUAGES, SENTENCES, TEXTS, get_page

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.cluster,
    pytest.mark.xdist_group("cluster"),
]

CLONE = "/admin/narration/voice/clone/"
SAID = (
    "The river begins high in the hills, where the snow melts in spring.",
    "It is cold there, and so clear that one can count the stones.",
    "Further down it grows slow and wide, and carries boats to the sea.",
)


@pytest.fixture(scope="module")
def recording():
    """What somebody recorded, as a WAV file; the somebody is espeak-ng."""
    config = EngineConfig("espeak", "narration.engines.espeak.EspeakEngine")
    with EngineProcess(config) as engine:
        spoken = [engine.speak(Utterance(text, "en-US", "en-us")).waveform for text in SAID]
    samples = np.concatenate([waveform.samples for waveform in spoken])
    return encode(Waveform(samples, spoken[0].sample_rate), "wav", "pcm_s16le")


@pytest.fixture
def operator(admin_user, client):
    client.force_login(admin_user)
    return admin_user


def clone_voice(client, alias, recording, **changes):
    """Through the page an operator uses."""
    data = {
        "name": "Ada",
        "engine": alias,
        "languages": [LANGUAGES[alias]],
        "recordings": [SimpleUploadedFile("ada.wav", recording, content_type="audio/wav")],
        "person": "Ada Lovelace",
        "statement_language": "en",
        "scope": "installation",
        "given_at": "2026-01-01T10:00",
        "evidence": "A letter, in the safe.",
    }
    answer = client.post(CLONE, {**data, **changes})
    assert answer.status_code == 302, answer.context["form"].errors
    return Voice.objects.get(name="Ada")


def cast(voice, language):
    SpeechPolicy.objects.create(scope_key="", casting={language: {"body": voice.name}})


@pytest.mark.parametrize("alias", LANGUAGES)
def test_it_speaks_is_learnt_once_and_is_gone_when_taken_back(
    stage, client, operator, recording, alias
):
    language = LANGUAGES[alias]
    stage.accept()
    lesson = stage.write_lesson(language)
    voice = clone_voice(client, alias, recording)
    cast(voice, language)
    with stage.cluster():
        job = stage.narrate(lesson, language)
        assert (job.state, job.error, job.synthesized) == ("done", "", SENTENCES)
        (latents,) = VoiceLatents.objects.all()
        stage.save(lesson, language, TEXTS[language].replace(*EDITS[language]))
        assert stage.narrate(lesson, language).synthesized == 1
        assert VoiceLatents.objects.get() == latents
        assert {each.voice for each in Rendition.objects.all()} == {voice}

        manifest = api.get_manifest(lesson, language=language, user=None)
        urls = [file["url"] for file in manifest["files"].values()]
        assert {ask(client, url) for url in urls} == {200}
        kinds = {path.relative_to(stage.files).parts[0] for path in stage.list_stored()}
        assert kinds == {"references", "latents", "renditions", "tracks"}
        assert len(stage.list_latents()) == 1

        page = f"/admin/narration/consent/{voice.consent.pk}/revoke/"
        assert client.post(page, {"reason": "She wrote to us."}).status_code == 302
        assert {ask(client, url) for url in urls} == {404}
        settled = Consent.objects.filter(settled_at__isnull=False)
        wait_for(settled.exists, what="everything to be deleted")
        wait_for(lambda: not stage.list_latents(), what="the worker's latents to be deleted")

    assert stage.list_stored() == []
    assert stage.list_temporary() == []
    for rows in (VoiceLatents, ReferenceRecording, TrackFile):
        assert not rows.objects.exists(), rows
    assert set(Rendition.objects.values_list("state", "sha256")) == {("quarantined", "")}
    assert not Track.objects.filter(withdrawn_at=None).exists()
    assert Event.objects.filter(kind="consent_revoked").exists()
    with pytest.raises(NarrationNotFound):
        api.get_manifest(lesson, language=language, user=operator)
    with pytest.raises(ConsentError, match="took back"):
        stage.request(lesson, language)
    client.logout()
    shown = client.get(get_page(lesson))
    assert shown.status_code == 200
    assert EDITS[language][1] in shown.content.decode()
    assert "<audio" not in shown.content.decode()


def ask(client, url):
    answer = client.get(url)
    answer.close()
    return answer.status_code


@pytest.mark.parametrize("alias", LANGUAGES)
def test_without_a_consent_it_is_refused(stage, client, operator, recording, alias):
    """By the database, at the request, and by the worker that finds it gone."""
    language = LANGUAGES[alias]
    stage.accept()
    with pytest.raises(IntegrityError), transaction.atomic():
        Voice.objects.create(
            name="Nobody's", engine=alias, languages=[language], kind=VoiceKind.CLONED
        )
    lesson = stage.write_lesson(language)
    voice = clone_voice(client, alias, recording)
    cast(voice, language)
    job = stage.request(lesson, language)
    # As if it ended just now and nobody had cancelled anything yet.
    Consent.objects.filter(pk=voice.consent.pk).update(expires_at="2026-01-02T00:00Z")
    with stage.cluster():
        stage.finish(job)
    assert (job.state, job.error_code) == ("cancelled", "consent_expired")
    assert not Rendition.objects.exists()
    with pytest.raises(ConsentError):
        stage.request(lesson, language)
    assert Job.objects.count() == 1


def test_a_person_who_consented_for_one_course_is_not_heard_in_another(
    stage, client, operator, recording
):
    stage.accept()
    here, there = stage.write_lesson("en"), stage.write_lesson("en")
    key = f"courses.course:{here.course.pk}"
    voice = clone_voice(client, "styletts2", recording, scope="course", scope_key=key)
    cast(voice, "en")
    with pytest.raises(ConsentError, match="another course"):
        stage.request(there, "en")
    assert stage.request(here, "en").state == "queued"
    consents.revoke(voice.consent)
    assert Job.objects.get().state == "cancelled"
