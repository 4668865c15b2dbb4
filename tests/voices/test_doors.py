"""The admin's pages of voices and consents: what an operator does, and what others do not see."""

import re
from datetime import timedelta

import numpy as np
import pytest
from django.contrib.auth.models import Permission
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import CommandError, call_command
from django.urls import reverse
from django.utils import timezone

from narration import api, storage
from narration.exceptions import ConflictError, NotAllowed, UploadRefused
from narration.models import Consent, Event, ReferenceRecording, Voice, VoiceLatents
from narration.values import Waveform
from tests.audio.test_uploads import build_speech, encode
from tests.helpers import get_narration, narrate
from tests.voices.scenes import make_consent, make_voice

pytestmark = pytest.mark.django_db(transaction=True)

CLONE = "/admin/narration/voice/clone/"
SPEECH = encode(build_speech(12.0), "wav", "pcm_s16le")
OTHER = encode(build_speech(12.0, level=0.2), "webm", "libopus")


def make_operator(users, name="operator", *codes):
    user = users.objects.create_user(name, password=name, is_staff=True)
    names = codes or [
        f"{verb}_{what}"
        for verb in ("view", "add", "change")
        for what in ("voice", "consent", "speechpolicy", "lexiconentry")
    ]
    user.user_permissions.set(Permission.objects.filter(codename__in=names))
    return user


@pytest.fixture
def operator(django_user_model, client):
    user = make_operator(django_user_model)
    client.force_login(user)
    return user


def build_upload(content=SPEECH, name="ada.wav"):
    return SimpleUploadedFile(name, content, content_type="audio/wav")


def build_data(**changes):
    facts = {
        "name": "Ada",
        "engine": "dummy",
        "languages": ["en", "pt-BR"],
        "recordings": [build_upload()],
        "person": "Ada Lovelace",
        "statement_language": "pt-BR",
        "scope": "installation",
        "given_at": "2026-01-01T10:00",
        "evidence": "A letter, in the safe.",
    }
    return {**facts, **changes}


def read(answer):
    return " ".join(answer.content.decode().split())


def test_a_cloned_voice_is_added_on_one_page(client, operator, note, cast):
    page = read(client.get(CLONE))
    assert "I am the person who is heard" in page
    assert "Sou a pessoa que se ouve" in page
    engines = re.search(r'<select name="engine".*?</select>', page)[0]
    assert 'value="dummy"' in engines
    assert "espeak" not in engines
    answer = client.post(CLONE, build_data(evidence_upload=build_upload(b"%PDF-", "letter.pdf")))
    voice = Voice.objects.get(name="Ada")
    assert answer.status_code == 302, answer.context["form"].errors
    assert answer["Location"] == f"/admin/narration/voice/{voice.pk}/recordings/"
    consent = voice.consent
    assert (consent.person, consent.recorded_by) == ("Ada Lovelace", operator)
    assert consent.statement.startswith("Sou a pessoa")
    assert storage.is_whole(consent.evidence_file, consent.evidence_size)
    recording = voice.recordings.get()
    assert recording.checks["advice"] == []
    assert recording.duration_ms == pytest.approx(12_000, abs=50)
    cast(voice)
    assert narrate(note).state == "done"
    kinds = set(Event.objects.values_list("kind", flat=True))
    assert {"consent_recorded", "recordings_added", "voice_cloned"} <= kinds


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"evidence": ""}, "Give the evidence"),
        ({"scope": "course"}, "Name the course"),
        ({"scope": "course", "scope_key": "nonsense"}, "A scope is empty or looks like"),
        ({"given_at": "2126-01-01T10:00"}, "in the future"),
        ({"expires_at": "2025-01-01T10:00"}, "expires before it was given"),
        ({"engine": "espeak"}, "Select a valid choice"),
        ({"languages": []}, "required"),
        ({"languages": ["tlh"]}, "Select a valid choice"),
        ({"recordings": []}, "required"),
        ({"person": ""}, "required"),
    ],
)
def test_half_of_it_is_nothing(client, operator, changes, words):
    answer = client.post(CLONE, build_data(**changes))
    assert answer.status_code == 200
    assert words in read(answer)
    assert not Voice.objects.exists()
    assert not Consent.objects.exists()


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"#EXTM3U\n/etc/passwd", "no sound we can read"),
        (SPEECH[:30], "damaged"),
        (encode(Waveform(np.zeros(48_000 * 5, np.float32), 48_000), "wav", "pcm_s16le"), "Nobody"),
        (encode(build_speech(1.5), "wav", "pcm_s16le"), "three seconds"),
    ],
    ids=["playlist", "cut off", "silent", "short"],
)
def test_a_recording_of_no_use_is_refused_in_plain_words(client, operator, content, words):
    answer = client.post(CLONE, build_data(recordings=[build_upload(), build_upload(content)]))
    assert words in read(answer)
    assert not Consent.objects.exists()
    assert not any(storage.list_files(folder) for folder in storage.list_folders())


def test_recordings_are_heard_added_and_deleted(client, operator):
    client.post(CLONE, build_data())
    voice = Voice.objects.get()
    page = f"/admin/narration/voice/{voice.pk}/recordings/"
    answer = client.post(page, {"recordings": [build_upload(OTHER, "recording-1.webm")]})
    assert answer.status_code == 302
    rows = list(voice.recordings.all())
    assert [row.name for row in rows] == ["ada.wav", "recording-1.webm"]
    assert rows[1].checks["codec"] == "opus"
    shown = read(client.get(page))
    for row in rows:
        url = reverse("admin:narration_voice_recording", args=[row.uid])
        assert url in shown
        sound = client.get(url)
        assert "no-store" in sound["Cache-Control"]
        assert b"".join(sound.streaming_content)[:4] == b"fLaC"
        sound.close()
    assert "has this recording already" in read(client.post(page, {"recordings": [build_upload()]}))
    url = reverse("admin:narration_voice_unrecord", args=[rows[0].uid])
    assert client.post(url).status_code == 302
    assert voice.recordings.get() == rows[1]
    assert not storage.is_whole(rows[0].file, rows[0].size)


def test_a_deleted_recording_takes_what_was_learnt_from_it_along(operator, note, cast, models_dir):
    voice = make_voice(hertz=(333.0, 444.0))
    cast(voice)
    narrate(note)
    assert len(list(models_dir.glob("voices/*.npz"))) == 1
    api.remove_recording(voice.recordings.first(), user=operator)
    assert not VoiceLatents.objects.exists()
    assert not list(models_dir.glob("voices/*.npz"))


def test_nobody_elses_recording_is_taken(operator):
    ada = make_voice(hertz=())
    api.add_recordings(ada, [("ada.wav", SPEECH)], user=operator)
    grace = make_voice("Grace", consent=make_consent("Grace"), hertz=())
    with pytest.raises(ConflictError, match="another consent"):
        api.add_recordings(grace, [("ada.wav", SPEECH)], user=operator)
    twin = make_voice("Ada, faster", consent=ada.consent, hertz=())
    api.add_recordings(twin, [("ada.wav", SPEECH)], user=operator)
    assert ReferenceRecording.objects.count() == 2


def test_a_consent_is_taken_back_after_one_question(client, operator, note, cast):
    voice = make_voice()
    cast(voice)
    narrate(note, publish=True)
    page = f"/admin/narration/consent/{voice.consent.pk}/"
    assert f"{page}revoke/" in read(client.get(f"{page}change/"))
    question = read(client.get(f"{page}revoke/"))
    assert "cannot be undone" in question
    assert "A note" in question
    assert Consent.objects.get().revoked_at is None
    answer = client.post(f"{page}revoke/", {"reason": "She asked."}, follow=True)
    shown = read(answer)
    assert "Nothing is spoken in this voice any more" in shown
    assert "taken back" in shown
    assert "She asked." in shown
    consent = Consent.objects.get()
    assert (consent.revoked_by, consent.revoked_by_name) == (operator, "operator")
    uses = read(client.get(f"/admin/narration/voice/{voice.pk}/uses/"))
    assert "took back their consent" in uses
    policies = read(client.get("/admin/narration/speechpolicy/"))
    assert "choose another voice" in policies


def test_a_recorded_consent_may_only_end_sooner(client, operator):
    consent = make_consent(expires_at=timezone.now() + timedelta(days=30))
    page = f"/admin/narration/consent/{consent.pk}/change/"
    late = {"expires_at_0": "2126-01-01", "expires_at_1": "10:00", "person": "Grace"}
    assert "never extended" in read(client.post(page, late))
    never = {**late, "expires_at_0": "2020-01-01"}
    assert "before it was given" in read(client.post(page, never))
    day = timezone.now() + timedelta(days=3)
    soon = {**late, "expires_at_0": f"{day:%Y-%m-%d}"}
    assert client.post(page, soon).status_code == 302
    consent.refresh_from_db()
    assert consent.expires_at < timezone.now() + timedelta(days=5)
    assert consent.person == "Ada"
    assert Event.objects.get().kind == "consent_shortened"


def test_a_consent_is_recorded_alone(client, operator):
    page = "/admin/narration/consent/add/"
    assert "I am the person who is heard" in read(client.get(page))
    data = {
        "person": "Grace",
        "statement_language": "en",
        "scope": "installation",
        "given_at_0": "2026-01-01",
        "given_at_1": "10:00",
    }
    assert "Give the evidence" in read(client.post(page, data))
    answer = client.post(page, {**data, "evidence_upload": build_upload(b"mail", "mail.eml")})
    assert answer.status_code == 302
    consent = Consent.objects.get()
    assert consent.statement.startswith("I am the person")
    sent = client.get(f"/admin/narration/consent/{consent.pk}/evidence/")
    assert sent.content == b"mail"
    assert sent["Content-Disposition"] == "attachment"


def test_a_cloned_voice_stays_its_persons_and_its_engines(client, operator):
    voice = make_voice()
    page = f"/admin/narration/voice/{voice.pk}/change/"
    data = {"name": "Ada, faster", "engine": "espeak", "kind": "builtin", "languages": '["en"]'}
    assert client.post(page, {**data, "setting_pace": "1.2"}).status_code == 302
    voice.refresh_from_db()
    assert (voice.name, voice.engine, voice.kind) == ("Ada, faster", "dummy", "cloned")
    assert voice.settings == {"pace": 1.2}
    delete = f"/admin/narration/voice/{voice.pk}/delete/"
    assert client.post(delete, {"post": "yes"}).status_code == 403


def test_a_persons_own_voice_stays_theirs(client, operator):
    ada = make_consent()
    grace = make_consent("Grace")
    voice = Voice.objects.create(name="Ada herself", kind="human", consent=ada, languages=["en"])
    page = f"/admin/narration/voice/{voice.pk}/change/"
    data = {"name": "Ada", "engine": "", "engine_voice": "", "languages": '["en"]'}
    assert client.post(page, {**data, "consent": str(grace.pk)}).status_code == 302
    voice.refresh_from_db()
    assert (voice.name, voice.consent) == ("Ada", ada)


# Who may.


def list_pages(voice):
    row = voice.recordings.get()
    return [
        CLONE,
        f"/admin/narration/voice/{voice.pk}/recordings/",
        f"/admin/narration/voice/recording/{row.uid}/",
        f"/admin/narration/consent/{voice.consent.pk}/revoke/",
        f"/admin/narration/consent/{voice.consent.pk}/renew/",
    ]


def test_strangers_and_half_permitted_staff_get_nothing(client, django_user_model, stranger):
    voice = make_voice()
    half = make_operator(django_user_model, "half", "view_voice", "change_voice", "view_consent")
    for user, wanted in ((None, {302}), (stranger, {302}), (half, {403, 404})):
        client.logout()
        if user:
            client.force_login(user)
        assert {client.get(page).status_code for page in list_pages(voice)} <= wanted
        assert {client.post(page).status_code for page in list_pages(voice)} <= {*wanted, 405}
    for act in (
        lambda: api.revoke_consent(voice.consent, user=half),
        lambda: api.add_recordings(voice, [("a.wav", SPEECH)], user=half),
        lambda: api.save_consent(Consent(), user=half),
        lambda: api.renew_consent(voice.consent, Consent(person="Ada"), user=half),
    ):
        with pytest.raises(NotAllowed):
            act()
    assert Consent.objects.get().revoked_at is None


def test_author_pages_show_no_recording(client, owner, note, cast):
    """Who narrates hears what was made, never what it was made from."""
    voice = make_voice()
    cast(voice)
    narrate(note, publish=True)
    client.force_login(owner)
    row = voice.recordings.get()
    secrets = [row.file, row.sha256, str(row.uid)]
    token = row.file.rpartition("/")[2].partition(".")[0]
    names = f"testapp.note/{note.pk}/en/"
    uid = get_narration(note).uid
    for page in (
        f"/narration/panel/{names}",
        f"/narration/panel/{names}sentences/",
        f"/narration/manifest/{names}",
        f"/api/v1/narrations/{uid}/manifest/",
    ):
        content = client.get(page).content.decode()
        assert not any(secret in content for secret in [*secrets, token])
    for kind in ("references", "renditions", "tracks", "latents", "voices"):
        assert client.get(f"/narration/media/{kind}/{token}.flac").status_code == 404


def test_nothing_is_added_without_recordings():
    with pytest.raises(UploadRefused):
        api.create_cloned_voice(Voice(name="Ada"), Consent(), [], user=None)


# The command.


def test_the_command_asks_and_takes_back(note, cast, monkeypatch, capsys):
    voice = make_voice()
    cast(voice)
    narrate(note, publish=True)
    monkeypatch.setattr("builtins.input", lambda _question: "no")
    with pytest.raises(CommandError):
        call_command("revoke_consent", "Ada")
    assert Consent.objects.get().revoked_at is None
    call_command("revoke_consent", str(voice.consent.uid), "--yes", "--reason", "She asked.")
    said = capsys.readouterr().out
    assert "Ada's voice" in said
    assert "1 text" in said
    assert Consent.objects.get().settled_at


def test_the_command_takes_no_person_for_another(capsys):
    make_consent()
    make_consent()
    for name in ("Ada", "Nobody"):
        with pytest.raises(CommandError):
            call_command("revoke_consent", name, "--yes")
    assert not Consent.objects.exclude(revoked_at=None).exists()
