"""What engines say is marked where it stands, without Django, and translated where it is shown."""

from __future__ import annotations

import io

import polib
import pytest
from django.core.management import CommandError, call_command
from django.utils import translation

from narration.engines.dummy import DummyEngine
from narration.engines.espeak import EspeakEngine
from narration.engines.styletts2 import StyleTTS2Engine
from narration.engines.xtts import XttsEngine
from narration.engines.xtts.published import MODEL as XTTS_MODEL
from narration.models import Voice
from narration.pipeline.licences import say_licences
from tests.modelled import here, published, small  # noqa: F401
from tests.modelstore.engines import SmallEngine, build_spec
from tests.test_translations import PORTUGUESE, ROOT, find_english


def list_engine_texts():
    """Everything our engines say to people, by where it is said."""
    for engine in (EspeakEngine, DummyEngine, XttsEngine, StyleTTS2Engine):
        yield f"{engine.name}: licence", engine.licence
        if engine.model is not None:
            yield f"{engine.name}: terms", engine.model.terms.summary
        for key, spec in engine.settings.items():
            yield f"{engine.name}: label of {key}", spec.label
            yield f"{engine.name}: help of {key}", spec.help


@pytest.mark.parametrize(("where", "text"), list(list_engine_texts()), ids=lambda each: each[:40])
def test_every_text_of_an_engine_is_in_the_catalogue(where, text):
    catalogue = polib.pofile(str(ROOT / "narration/locale/pt_BR/LC_MESSAGES/django.po"))
    entry = catalogue.find(text)
    assert text, where
    assert entry is not None, where
    assert not entry.obsolete


#: A licence keeps its name in every language.
NAME = "Coqui Public Model License"


def read_content(client, url):
    answer = client.get(url, headers=PORTUGUESE)
    assert answer.status_code == 200
    return answer.content.decode().partition('id="content"')[2].partition('id="footer"')[0]


@pytest.fixture
def known(monkeypatch, request):
    """The small model under the real terms of a published one, and here."""
    monkeypatch.setattr(SmallEngine, "model", build_spec(terms=XTTS_MODEL.terms))
    return request.getfixturevalue("here")


@pytest.mark.django_db
def test_the_pages_of_models_say_no_english_word(admin_client, known):
    url = "/admin/narration/speechmodel/"
    assert find_english(read_content(admin_client, url)) == []
    page = read_content(admin_client, f"{url}small/")
    assert find_english(page.replace(NAME, "")) == []
    assert "permite somente uso não comercial" in page
    (known.folder / "weights.safetensors").write_bytes(b"short")
    page = read_content(admin_client, url)
    assert find_english(page) == []
    assert "weights.safetensors: 5 bytes, e não 7000" in page


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("engine", "name", "words"),
    [
        ("espeak", "pt-br", ["Ritmo:", "Palavras por minuto. De 80 a 400", "Altura da voz."]),
        ("dummy", "low", ["Andamento:", "2 é duas vezes mais rápido. De 0,5 a 2"]),
    ],
)
def test_the_settings_of_a_voice_are_explained_in_portuguese(admin_client, engine, name, words):
    voice = Voice.objects.create(name="Voz", engine=engine, engine_voice=name, languages=["pt-BR"])
    page = read_content(admin_client, f"/admin/narration/voice/{voice.pk}/change/")
    for each in words:
        assert each in page
    fields = page[page.index(f"{words[0]}</label>") :].partition("submit-row")[0]
    assert find_english(fields) == []


@pytest.mark.django_db
def test_the_command_of_models_speaks_portuguese(known, published):  # noqa: F811
    said = io.StringIO()
    with translation.override("pt-br"):
        for task in (
            ["list"],
            ["verify"],
            ["import", "small", str(published)],
            ["accept", "small", "--name", "Ada"],
            ["list"],
            ["remove", "small", "--yes"],
            ["list"],
        ):
            call_command("models", *task, stdout=said)
        with pytest.raises(CommandError) as refused:
            call_command("models", "remove", "small", "--yes", stdout=said)
        with pytest.raises(CommandError) as unknown:
            call_command("models", "verify", "vazio", stdout=said)
    said_of_us = said.getvalue().replace(NAME, "").replace(str(known.models_dir), "")
    assert find_english(said_of_us) == []
    assert "motores" in said.getvalue()
    assert "Sem uso comercial" in said.getvalue()
    assert find_english(str(refused.value)) == []
    assert find_english(str(unknown.value).replace("NARRATION", "")) == []


@pytest.mark.django_db
def test_warm_speaks_portuguese():
    said = io.StringIO()
    with translation.override("pt-br"):
        call_command("warm", "dummy", stdout=said, stderr=said)
    assert "Nenhum worker atende" in said.getvalue()


def test_a_licence_is_told_in_the_readers_language_and_kept_in_english(settings):
    engine = {"BACKEND": "narration.engines.xtts.XttsEngine"}
    settings.NARRATION = {**settings.NARRATION, "ENGINES": {"xtts": engine}}
    terms = XTTS_MODEL.terms
    kept = [f"{terms.licence}: {terms.summary} {terms.url}", "GONE-1.0: Nobody knows it."]
    assert say_licences(kept) == kept
    with translation.override("pt-br"):
        said, unknown = say_licences(kept)
    assert said.startswith("CPML-1.0: A Coqui Public Model License 1.0.0 permite somente")
    assert said.endswith(terms.url)
    assert unknown == kept[1]
