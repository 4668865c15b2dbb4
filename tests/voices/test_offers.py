"""What the forms of voices and consents offer, and how they refuse the rest."""

import pytest

from narration import api
from narration.admin import choosing
from narration.admin.voice_forms import ConsentForm
from narration.models import Consent, Voice
from tests.testapp.models import Note
from tests.voices.scenes import make_voice
from tests.voices.test_doors import CLONE, build_data, make_operator, read

pytestmark = pytest.mark.django_db(transaction=True)

VOICE = "/admin/narration/voice/add/"


@pytest.fixture(autouse=True)
def american(settings, models_dir):
    engine = {"BACKEND": "tests.voices.engines.AmericanEngine"}
    engines = {**settings.NARRATION["ENGINES"], "american": engine}
    settings.NARRATION = {**settings.NARRATION, "ENGINES": engines}


@pytest.fixture
def operator(django_user_model, client):
    user = make_operator(django_user_model)
    client.force_login(user)
    return user


def test_languages_say_which_engine_speaks_them(client, operator):
    shown = read(client.get(CLONE))
    assert "(en-US) · " not in shown  # both
    assert "(pt-BR) · dummy" in shown


def test_a_language_of_another_engine_is_refused_in_plain_words(client, operator):
    data = build_data(engine="american")
    answer = read(client.post(CLONE, data))
    assert "american does not speak English (en), Português brasileiro (pt-BR)." in answer
    assert not Voice.objects.exists()
    assert client.post(CLONE, build_data(engine="american", languages=["en-US"])).status_code == 302


def test_courses_are_chosen_and_not_typed(client, operator, note):
    key = f"testapp.note:{note.pk}"
    assert f'<option value="{key}">A note ({key})</option>' in read(client.get(CLONE))
    add = "/admin/narration/consent/add/"
    shown = read(client.get(add))
    assert f'<option value="{key}">' in shown
    assert "Course:" in shown
    answer = read(client.post(CLONE, build_data(scope="course", scope_key="testapp.note:999")))
    assert "There is no such note: 999." in answer
    assert client.post(CLONE, build_data(scope="course", scope_key=key)).status_code == 302
    assert Consent.objects.get().scope_key == key


def test_many_courses_are_found_by_typing(client, operator, note, monkeypatch):
    monkeypatch.setattr(choosing, "MOST_IN_LIST", 1)
    Note.objects.create(title="Snow", owner=note.owner, body="It snowed.")
    key = f"testapp.note:{note.pk}"
    shown = read(client.get(CLONE))
    assert 'list="offers_scope_key"' in shown
    assert f'<option value="{key}">A note</option>' in shown
    for typed in ("A note", key):
        data = build_data(scope="course", scope_key=typed)
        form = ConsentForm({**data, "given_at_0": "2026-01-01", "given_at_1": "10:00"})
        form.is_valid()
        assert form.cleaned_data["scope_key"] == key
    answer = read(client.post(CLONE, build_data(scope="course", scope_key="No such")))
    assert "A scope is empty or looks like" in answer


def test_no_more_courses_are_read_than_are_offered(note):
    for number in range(4):
        Note.objects.create(title=f"Note {number}", owner=note.owner, body="x")
    assert len(api.list_scopes(3)) == 3


def test_a_voice_the_engine_has_not_is_refused_with_those_it_has(client, operator):
    data = {"name": "Ana", "engine": "american", "engine_voice": "Ana", "kind": "builtin"}
    answer = read(client.post(VOICE, {**data, "languages": '["en-US"]'})).replace("&#x27;", "'")
    assert "american has no voice 'Ana' for 'en-US'. It has: speaker-1, speaker-2," in answer
    assert "speaker-5, speaker-6, …<" in answer
    assert '<option value="speaker-19">speaker-19 · american (en-US)</option>' in answer
    assert '<option value="low">' not in answer
    assert '<option value="low">Low tone · dummy (' in read(client.get(VOICE))


def test_a_cloned_voice_is_asked_for_no_voice_of_the_engine(client, operator):
    voice = make_voice(engine="american", languages=["en-US"])
    voice.full_clean()
    assert voice.speaks("en-US")
    assert not voice.speaks("pt-BR")


def test_a_voice_that_texts_need_otherwise_is_refused_on_its_page(client, operator, note, cast):
    facts = {"engine": "dummy", "engine_voice": "low", "kind": "builtin"}
    voice = Voice.objects.create(name="Low", **facts)
    cast(voice)
    api.refresh_plan(note, language="en")
    page = f"/admin/narration/voice/{voice.pk}/change/"
    data = {"name": "Low", "engine": "american", "engine_voice": "speaker-1"}
    answer = client.post(page, {**data, "languages": '["en-US"]'}, follow=True)
    assert answer.status_code == 200
    told = [str(message) for message in answer.context["messages"]]
    assert any("american does not speak" in each for each in told), (told, answer.redirect_chain)
    assert Voice.objects.get().engine == "dummy"
