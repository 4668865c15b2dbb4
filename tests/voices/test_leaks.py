"""What a consent does not cover is not heard by way of the cache, and leaves no file."""

from pathlib import Path

import pytest
from django.core.files.storage import storages
from django.utils import timezone

from narration import api
from narration.api import voices
from narration.exceptions import ConflictError, ConsentError
from narration.models import Consent, Voice
from tests.helpers import narrate
from tests.testapp.models import Note
from tests.voices.scenes import make_consent, make_voice
from tests.voices.test_doors import CLONE, SPEECH, build_data, make_operator

pytestmark = pytest.mark.django_db(transaction=True)


def list_files():
    root = Path(storages["narration"].base_location)
    return sorted(path for path in root.rglob("*") if path.is_file())


def get_status(client, url):
    answer = client.get(url)
    answer.close()
    return answer.status_code


def test_the_same_sentence_elsewhere_is_not_heard_in_a_voice_of_this_course(
    note, owner, stranger, cast, client
):
    key = f"testapp.note:{note.pk}"
    cast(make_voice(consent=make_consent(scope="course", scope_key=key)))
    narrate(note, publish=True)
    urls = [row.audio_url for row in api.list_segments(note, language="en", user=owner)]
    other = Note.objects.create(title="Other", owner=stranger, body=note.body)
    with pytest.raises(ConsentError):
        api.request_narration(other, language="en", user=stranger)
    api.refresh_plan(other, language="en")
    client.force_login(stranger)
    assert {get_status(client, url) for url in urls} == {404}
    client.force_login(owner)
    assert {get_status(client, url) for url in urls} == {200}
    told = api.list_segments(other, language="en", user=stranger)
    assert {row.audio_url for row in told} == {""}
    assert {(row.state, row.error) for row in told} == {
        ("missing", "The consent to this voice is for another course.")
    }
    assert {row.state for row in api.list_segments(note, language="en", user=owner)} == {"ready"}
    client.force_login(stranger)
    page = client.get(f"/narration/panel/testapp.note/{other.pk}/en/sentences/").content.decode()
    assert "for another course" in page
    assert "data-play-segment" not in page.replace("data-segment-trouble", "")


def test_sentences_in_a_voice_that_was_taken_back_say_so(note, owner, cast):
    voice = make_voice()
    cast(voice)
    narrate(note)
    api.revoke_consent(voice.consent)
    told = {(row.state, row.error) for row in api.list_segments(note, language="en", user=owner)}
    assert told == {("missing", "The person took back their consent to this voice.")}


def test_recordings_that_are_refused_together_leave_no_file():
    voice = make_voice(hertz=())
    api.add_recordings(voice, [("a.wav", SPEECH)], user=None)
    before = list_files()
    other = bytearray(SPEECH)
    for at in range(1000, len(other) - 1, 2):
        other[at] ^= 1
    with pytest.raises(ConflictError):
        api.add_recordings(voice, [("b.wav", bytes(other)), ("a.wav", SPEECH)], user=None)
    assert list_files() == before


def build_consent():
    now = timezone.now()
    return Consent(
        person="Ada", statement_version="1", statement="I agree.", evidence="-", given_at=now
    )


def make_cloned(name="Ada"):
    voice = Voice(name=name, engine="dummy", languages=["en"])
    letter = api.Evidence("letter.txt", b"I agree.")
    return api.create_cloned_voice(
        voice, build_consent(), [("a.wav", SPEECH)], user=None, evidence=letter
    )


def test_a_voice_that_is_not_stored_after_all_leaves_no_file(monkeypatch):
    def fail(kind, **facts):
        raise RuntimeError("The database went away.")

    monkeypatch.setattr(voices, "record", fail)
    with pytest.raises(RuntimeError):
        make_cloned()
    with pytest.raises(RuntimeError):
        api.save_consent(build_consent(), user=None, evidence=api.Evidence("a.txt", b"Yes."))
    assert list_files() == []
    assert not Consent.objects.exists()


def give_the_name_meanwhile(monkeypatch, name):
    """Somebody else's voice of this name is stored after ours was found fit."""
    check = Voice.full_clean

    def check_and_be_late(self, *args, **kwargs):
        check(self, *args, **kwargs)
        Voice.objects.bulk_create([Voice(name=name, engine="dummy", engine_voice="low")])

    monkeypatch.setattr(Voice, "full_clean", check_and_be_late)


def test_of_two_voices_of_one_name_the_later_is_told_so(monkeypatch, client, django_user_model):
    # In the same transaction, so that it can be seen on a database that locks writers out.
    give_the_name_meanwhile(monkeypatch, "Ada")
    monkeypatch.setattr(voices, "_is_taken", lambda name: name == "Ada")
    with pytest.raises(ConflictError) as refused:
        make_cloned()
    assert refused.value.code == "same_name"
    assert list_files() == []
    client.force_login(make_operator(django_user_model))
    answer = client.post(CLONE, build_data())
    assert answer.status_code == 200
    assert answer.context["form"].errors["name"] == ["There is a voice of this name already."]
    assert not Consent.objects.exists()
