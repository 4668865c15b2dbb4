"""The author's panel and sentence list, and the learner's manifest, through the web."""

import re

import pytest
from django.template import Context, Template
from django.test import Client, RequestFactory
from django.urls import reverse
from django.utils import translation

from narration import api
from narration.exceptions import UnsupportedUtterance
from narration.models import Job, LexiconEntry
from narration.templatetags.narration_tags import language_name
from narration.views.panel import find_way_back
from tests.helpers import narrate
from tests.testapp.models import Note

pytestmark = pytest.mark.django_db(transaction=True)

HTMX = {"HX-Request": "true"}


def get_url(name, note, **more):
    kwargs = {"source": "testapp.note", "object_id": note.pk, "language": note.language, **more}
    return reverse(f"narration:{name}", kwargs=kwargs)


@pytest.fixture
def author(client, owner):
    client.force_login(owner)
    return client


def get_page(client, name, note, **options):
    response = client.get(get_url(name, note), **options)
    assert response.status_code == 200
    return " ".join(re.sub(r"<[^>]+>", " ", response.content.decode()).split())


def render_tag(tag, note, user):
    request = RequestFactory().get("/")
    request.user = user
    template = Template("{% load narration_tags %}{% " + tag + " %}")
    return template.render(Context({"request": request, "note": note, "csrf_token": "t0ken"}))


def test_a_text_never_narrated_says_what_it_will_cost(author, note):
    page = get_page(author, "panel", note)
    assert "not narrated" in page
    assert "of 6 sentences will be made" in page
    assert "Narrate and publish" in page
    assert "Cancel" not in page
    assert "hx-get" not in author.get(get_url("panel", note)).content.decode()


def test_narrate_queues_a_job_and_polls_until_it_ends(author, note):
    response = author.post(get_url("narrate", note), headers=HTMX)
    html = response.content.decode()
    assert Job.objects.get().state == "queued"
    assert 'hx-trigger="every 1s"' in html
    assert "Waiting for its turn" in html
    assert "Cancel" in html
    assert ">Publish<" not in html
    author.post(get_url("cancel", note), headers=HTMX)
    assert Job.objects.get().state == "cancelled"
    assert "hx-trigger" not in author.get(get_url("panel", note)).content.decode()


def test_a_waiting_job_tells_its_place_once_somebody_works(author, note):
    from django.utils import timezone

    from narration.models import Worker

    author.post(get_url("narrate", note))
    now = timezone.now()
    Worker.objects.create(node="x", lane="cpu", pid=1, started_at=now, heartbeat_at=now)
    html = get_page(author, "panel", note)
    assert "1st: one worker on cpu, nothing ahead" in html


def test_cancelling_what_has_ended_is_told_not_thrown(author, note):
    response = author.post(get_url("cancel", note), headers=HTMX)
    assert response.status_code == 200
    assert 'role="alert"' in response.content.decode()


def test_a_plain_form_leads_back_to_its_page(author, note):
    response = author.post(
        get_url("narrate", note), headers={"Referer": "http://testserver/notes/1/"}
    )
    assert (response.status_code, response["Location"]) == (302, "http://testserver/notes/1/")


@pytest.mark.parametrize("url", ["https://evil.example/", "//evil.example", "javascript:alert(1)"])
def test_nobody_is_led_astray(rf, note, url):
    request = rf.post("/", {"next": url}, headers={"Referer": url})
    assert find_way_back(request, note, "en") == get_url("segments", note)


@pytest.mark.parametrize("name", ["panel", "segments"])
def test_strangers_and_visitors_find_nothing(client, stranger, note, name):
    assert client.get(get_url(name, note)).status_code == 404
    client.force_login(stranger)
    assert client.get(get_url(name, note)).status_code == 404


@pytest.mark.parametrize("name", ["narrate", "cancel", "publish"])
def test_strangers_change_nothing(client, stranger, note, name):
    client.force_login(stranger)
    assert client.post(get_url(name, note)).status_code == 404
    assert not Job.objects.exists()


@pytest.mark.parametrize("name", ["narrate", "cancel", "publish"])
def test_wishes_need_a_post_and_its_token(owner, note, name):
    client = Client(enforce_csrf_checks=True)
    client.force_login(owner)
    assert client.get(get_url(name, note)).status_code == 405
    assert client.post(get_url(name, note)).status_code == 403
    assert not Job.objects.exists()


@pytest.mark.parametrize(
    "kwargs", [{"source": "auth.user"}, {"source": "no.thing"}, {"object_id": "x"}]
)
def test_what_is_no_narratable_object_is_not_found(author, note, kwargs):
    assert author.get(get_url("panel", note, **kwargs)).status_code == 404


def test_the_tag_shows_the_panel_to_who_may_narrate_only(note, owner, stranger):
    html = render_tag("narration_panel note 'en'", note, owner)
    assert "t0ken" in html
    assert 'aria-label="Narration: English"' in html
    assert render_tag("narration_panel note 'en'", note, stranger).strip() == ""


def test_a_language_the_text_does_not_have_is_said_in_the_panel(author, note):
    html = author.get(get_url("panel", note, language="fr")).content.decode()
    assert "There is no text in &#x27;fr&#x27;." in html


def test_from_ready_to_published(author, note, owner, stranger):
    note.is_public = True
    note.save()
    job = narrate(note, user=owner)
    assert (job.state, job.error) == ("done", "")
    page = get_page(author, "panel", note)
    assert "ready to publish" in page
    assert "Publish Sentences" in page
    assert "will be made" not in page

    learner = Client()
    learner.force_login(stranger)
    assert learner.get(get_url("manifest", note)).status_code == 404
    assert learner.get(get_url("manifest", note) + "?draft=1").status_code == 404
    draft = author.get(get_url("manifest", note) + "?draft=1").json()
    assert [each["text"] for each in draft["segments"]][:2] == ["Rain", "It rained."]
    assert render_tag("narration_player note 'en'", note, stranger).strip() == ""

    author.post(get_url("publish", note), headers=HTMX)
    response = learner.get(get_url("manifest", note))
    assert response.json()["track"] == draft["track"]
    assert response["Cache-Control"] == "private, no-cache"
    player = render_tag("narration_player note 'en'", note, stranger)
    assert f'data-manifest="{get_url("manifest", note)}"' in player
    assert draft["files"]["mp3"]["url"] in player
    assert "synthetic voice" in player
    assert "Learners hear this text as it is now." in get_page(author, "panel", note)

    segments = author.get(get_url("segments", note)).content.decode()
    assert segments.count('data-narration="') == len(draft["segments"])
    assert segments.count("data-play-segment") == len(draft["segments"])
    assert "<narration-player" in segments
    partial = author.get(get_url("segments", note), headers=HTMX).content.decode()
    assert "<html" not in partial

    note.edit(note.body.replace("The *river* rose.", "The *lake* rose."))
    stale = get_page(author, "panel", note)
    assert "1 of 6 sentences will be made" in stale
    assert "The text has changed. Learners keep reading" in stale
    assert "<narration-player" not in author.get(get_url("segments", note)).content.decode()


def test_words_said_otherwise_are_no_changed_text(author, note, owner):
    narrate(note, user=owner, publish=True)
    entry = LexiconEntry(language="en", grapheme="rained", alias="poured", state="active")
    api.apply_change(api.change_entry(entry))
    page = get_page(author, "panel", note)
    assert "out of date" in page
    assert "The text has changed" not in page
    assert "how it is spoken has changed" in page
    note.edit(note.body + "\nMore.\n")
    assert "The text has changed. Learners keep reading" in get_page(author, "panel", note)


def test_portuguese_names_languages_with_one_capital():
    with translation.override("pt-br"):
        assert language_name("pt-BR") == "Português brasileiro"
    with translation.override("en"):
        assert language_name("pt-BR") == "Brazilian Portuguese"


def test_publishing_too_early_is_told_not_thrown(author, note):
    api.refresh_plan(note, language="en")
    response = author.post(get_url("publish", note), headers=HTMX)
    assert response.status_code == 200
    assert 'role="alert"' in response.content.decode()


def test_retake_leads_back_to_its_sentence(author, note, monkeypatch):
    asked = []
    monkeypatch.setattr(api, "retake_segment", lambda obj, **facts: asked.append(facts["position"]))
    response = author.post(get_url("retake", note, position=2))
    assert (response.status_code, asked) == (302, [2])
    assert response["Location"] == get_url("segments", note) + "#s2"


def test_a_refused_retake_is_told_on_the_page(author, note, monkeypatch):
    def refuse(obj, **facts):
        raise UnsupportedUtterance("This voice says a sentence in one way only.")

    monkeypatch.setattr(api, "retake_segment", refuse)
    response = author.post(get_url("retake", note, position=0), follow=True)
    assert "in one way only" in response.content.decode()


@pytest.mark.django_db
def test_a_language_that_no_voice_speaks_is_said_and_breaks_nothing(client, owner):
    note = Note.objects.create(title="Pluie", body="Il pleut.", language="fr", owner=owner)
    client.force_login(owner)
    answer = client.get(f"/narration/panel/testapp.note/{note.pk}/fr/")
    assert answer.status_code == 200
    assert "voice" in answer.content.decode()
