"""The admin's forms of lexicon and policies: what is wrong is said on the page, never a 500."""

import json

import pytest

from narration.models import LexiconEntry, SpeechPolicy, Voice
from narration.pipeline import consents
from tests.helpers import narrate
from tests.voices.scenes import make_consent, make_voice

pytestmark = pytest.mark.django_db(transaction=True)

POLICY = "/admin/narration/speechpolicy/"
ENTRY = "/admin/narration/lexiconentry/"
EMPTY = {"casting": "{}", "quotas": "{}", "gaps": "{}", "rules": "{}", "scope_key": ""}
LISTS = {"allowed_voices": "[]", "allowed_languages": "[]"}
WORD = {
    "scope_key": "",
    "language": "en",
    "grapheme": "rain",
    "alias": "rayn",
    "case_rule": "any",
    "state": "active",
}


def cast(name, language="en"):
    return json.dumps({language: {"body": name}})


def post(client, page, data, follow=False):
    answer = client.post(page, {**EMPTY, **LISTS, **data}, follow=follow)
    return answer.status_code, answer.content.decode().replace("&#x27;", "'")


@pytest.mark.parametrize(
    ("data", "words"),
    [
        ({"casting": cast("Adas voice")}, "There is no voice 'Adas voice'."),
        ({"casting": cast("Bad\0name")}, "There is no voice"),
        ({"casting": cast("Retired")}, "The voice 'Retired' is retired."),
        ({"casting": cast("Hum", "tlh")}, "The voice 'Hum' does not speak 'tlh'."),
        ({"casting": cast("Gone")}, "Gone: "),
        ({"casting": '{"en": null}'}, "A casting looks like"),
        ({"casting": "{"}, "Enter a valid JSON"),
        ({"scope_key": "testapp.note:999"}, "There is no such note: 999."),
        ({"scope_key": "auth.group:1"}, "There is no such group: 1."),
        ({"scope_key": "nothing"}, "A scope is empty or looks like"),
        ({"allowed_voices": "5"}, "Give a list such as"),
        ({"allowed_languages": '[["en"]]'}, "Give a list such as"),
    ],
)
@pytest.mark.parametrize("is_new", [True, False])
def test_a_policy_that_cannot_hold_is_refused_at_its_field(admin_client, note, is_new, data, words):
    narrate(note)
    Voice.objects.create(name="Hum", engine="dummy", engine_voice="low")
    Voice.objects.create(name="Gone", engine="gone", engine_voice="low")
    retired = {"engine": "dummy", "engine_voice": "low", "retired_at": "2026-01-01T00:00Z"}
    Voice.objects.create(name="Retired", **retired)
    page = f"{POLICY}add/"
    if not is_new:
        page = f"{POLICY}{SpeechPolicy.objects.create().pk}/change/"
    status, said = post(admin_client, page, data)
    assert (status, words in said) == (200, True)
    assert not SpeechPolicy.objects.exclude(casting={}, scope_key="").exists()


def test_emptied_fields_of_a_policy_say_nothing(admin_client):
    data = dict.fromkeys((*EMPTY, *LISTS), "")
    assert post(admin_client, f"{POLICY}add/", data)[0] == 302
    policy = SpeechPolicy.objects.get()
    assert (policy.casting, policy.allowed_voices) == ({}, [])


def test_saving_says_who_will_not_speak_where(admin_client, note):
    voice = make_voice("Ada")
    consents.revoke(voice.consent)
    there = make_consent(scope="course", scope_key=f"testapp.note:{note.pk}")
    make_voice("There", consent=there, hertz=(400.0,))
    _status, said = post(admin_client, f"{POLICY}add/", {"casting": cast("Ada")}, follow=True)
    assert "“Ada” will not speak in the whole site: The person took back" in said
    page = f"{POLICY}{SpeechPolicy.objects.get().pk}/change/"
    _status, said = post(admin_client, page, {"casting": cast("There")}, follow=True)
    assert "“There” will not speak in the whole site: The consent to this voice is for" in said
    data = {"casting": cast("There"), "scope_key": there.scope_key}
    _status, said = post(admin_client, f"{POLICY}add/", data, follow=True)
    assert "“There” will not speak" not in said


@pytest.mark.parametrize(
    ("scope_key", "words"),
    [("testapp.note:999", "There is no such note: 999."), ("testapp.note", "A scope is empty")],
)
def test_an_entry_of_no_scope_is_refused_at_its_field(admin_client, scope_key, words):
    entry = LexiconEntry.objects.create(**{**WORD, "grapheme": "river"})
    for page in ("add/", f"{entry.pk}/change/"):
        status, said = post(admin_client, f"{ENTRY}{page}", {**WORD, "scope_key": scope_key})
        assert (status, words in said) == (200, True)
    assert not LexiconEntry.objects.exclude(scope_key="").exists()


def test_what_is_said_of_something_deleted_is_moved_or_deleted(admin_client):
    for grapheme in ("rain", "river"):
        LexiconEntry.objects.create(
            **{**WORD, "grapheme": grapheme, "scope_key": "testapp.note:999"}
        )
    policy = SpeechPolicy.objects.create(scope_key="testapp.note:999")
    rain, river = LexiconEntry.objects.order_by("grapheme")
    assert post(admin_client, f"{ENTRY}{rain.pk}/change/", WORD)[0] == 302
    assert LexiconEntry.objects.get(pk=rain.pk).scope_key == ""
    for page in (f"{ENTRY}{river.pk}/delete/", f"{POLICY}{policy.pk}/delete/"):
        assert post(admin_client, page, {"post": "yes"})[0] == 302
    assert not SpeechPolicy.objects.exists()
    assert LexiconEntry.objects.get() == rain


def test_what_is_refused_while_it_is_saved_is_told(admin_client, monkeypatch):
    from narration import api
    from narration.exceptions import ConflictError

    def refuse(*_args, **_kwargs):
        raise ConflictError("Somebody changed this meanwhile.")

    entry = LexiconEntry.objects.create(**WORD)
    monkeypatch.setattr(api, "apply_change", refuse)
    for page in ("add/", f"{entry.pk}/delete/"):
        data = {**WORD, "grapheme": "sun", "post": "yes"}
        status, said = post(admin_client, f"{ENTRY}{page}", data, follow=True)
        assert (status, "Somebody changed this meanwhile." in said) == (200, True)


@pytest.mark.parametrize("languages", ["5", '"en"', '[["en"]]'])
def test_languages_of_a_voice_are_a_list_of_words(admin_client, languages):
    data = {"name": "Hum", "engine": "dummy", "engine_voice": "low", "kind": "builtin"}
    page = "/admin/narration/voice/add/"
    status, said = post(admin_client, page, {**data, "languages": languages})
    assert (status, "Give a list such as" in said) == (200, True)
    assert post(admin_client, page, {**data, "languages": ""})[0] == 302
    assert Voice.objects.get().languages == []
