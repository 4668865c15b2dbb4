"""Sentences that may sound wrong: the author is told, listens, and accepts or retakes."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import translation

from narration import api
from narration.audio import gate
from narration.audio.measures import measure
from narration.models import Event, Rendition, Review
from narration.pipeline.doubts import HEARD, UNKNOWN, explain_doubts
from tests.audio.samples import silence
from tests.helpers import get_narration, narrate
from tests.views.test_panel import get_page, get_url

pytestmark = pytest.mark.django_db(transaction=True)

FINDINGS = [
    {"code": "clipped", "weight": "doubt", "value": 0.1, "limit": 0.02},
    {"code": "cut_off", "weight": "fault", "value": -3, "limit": -6},
]


@pytest.fixture
def author(client, owner):
    client.force_login(owner)
    return client


@pytest.fixture
def doubted(note, owner):
    """A narrated note whose third sentence sounds wrong."""
    narrate(note, user=owner)
    made = Rendition.objects.filter(spoken_text="The river rose.")
    made.update(verdict="flagged", gate={"findings": FINDINGS})
    return note


def get_segment(note, position=2):
    return api.list_segments(note, language="en", user=None)[position]


def test_the_author_is_told_what_was_heard_and_where(author, doubted):
    panel = author.get(get_url("panel", doubted)).content.decode()
    assert "1 sentence may sound wrong." in " ".join(panel.split())
    assert f'href="{get_url("segments", doubted)}#s2"' in panel
    page = get_page(author, "segments", doubted)
    ends, distorted = str(HEARD["cut_off"]), str(HEARD["clipped"])
    assert f"This may sound wrong. {ends} {distorted}" in page
    assert page.count("Sounds fine") == 1
    assert page.count("to be heard") == 1
    assert page.count("Retake") == 6


def test_what_is_fine_is_not_talked_about(author, note):
    narrate(note)
    assert "may sound wrong" not in get_page(author, "panel", note)
    assert "Sounds fine" not in get_page(author, "segments", note)


def test_who_listened_may_accept_it_and_is_named(author, doubted, owner):
    response = author.post(get_url("accept", doubted, position=2))
    assert response["Location"] == get_url("segments", doubted) + "#s2"
    review = Review.objects.get()
    assert (review.verdict, review.by, review.by_name) == ("approved", owner, owner.username)
    page = get_page(author, "segments", doubted)
    assert "Found fine by owner." in page
    assert "may sound wrong" not in page
    assert "Sounds fine" not in page
    assert "may sound wrong" not in get_page(author, "panel", doubted)
    author.post(get_url("accept", doubted, position=2))
    assert Review.objects.count() == 1
    assert Event.objects.filter(kind="sentence_accepted").count() == 1


def test_an_acceptance_is_of_one_sound_only(author, doubted):
    author.post(get_url("accept", doubted, position=2))
    api.retake_segment(doubted, language="en", position=2)
    narrate(doubted)
    Rendition.objects.filter(spoken_text="The river rose.", take=1).update(verdict="flagged")
    assert get_segment(doubted).accepted_by == ""
    assert api.state_of(doubted, language="en").flagged == 1


def test_accepting_counts_for_the_object_it_was_heard_in(doubted, owner):
    from tests.testapp.models import Note

    other = Note.objects.create(title="Other", owner=owner, body="The river rose.")
    narrate(other)
    api.accept_segment(other, language="en", position=0, user=owner)
    assert api.state_of(other, language="en").flagged == 0
    assert api.state_of(doubted, language="en").flagged == 1


@pytest.mark.parametrize("who", ["visitor", "stranger"])
def test_nobody_else_accepts_anything(client, doubted, stranger, who):
    if who == "stranger":
        client.force_login(stranger)
    assert client.post(get_url("accept", doubted, position=2)).status_code == 404
    assert not Review.objects.exists()


def test_accepting_needs_a_post_its_token_and_a_sentence(owner, doubted):
    client = Client(enforce_csrf_checks=True)
    client.force_login(owner)
    assert client.get(get_url("accept", doubted, position=2)).status_code == 405
    assert client.post(get_url("accept", doubted, position=2)).status_code == 403
    free = Client()
    free.force_login(owner)
    assert free.post(get_url("accept", doubted, position=99)).status_code == 404


def test_learners_see_nothing_of_it(doubted, owner, client, stranger):
    doubted.is_public = True
    doubted.save()
    api.publish_narration(doubted, language="en")
    client.force_login(stranger)
    manifest = client.get(get_url("manifest", doubted)).content.decode()
    assert "flagged" not in manifest
    assert "verdict" not in manifest


def test_the_api_counts_for_who_may_narrate(doubted, owner, stranger, client):
    doubted.is_public = True
    doubted.save()
    api.publish_narration(doubted, language="en")
    url = reverse("narration-api:narration", kwargs={"uid": get_narration(doubted).uid})
    client.force_login(owner)
    assert client.get(url).json()["work"]["flagged"] == 1
    client.force_login(stranger)
    answer = client.get(url).json()
    assert answer["work"] is None
    assert "flagged" not in answer


def test_the_admin_lists_count_and_filter(doubted, admin_client):
    page = admin_client.get(reverse("admin:narration_narration_changelist")).content.decode()
    assert '<td class="field-flagged">1</td>' in page
    url = reverse("admin:narration_rendition_changelist") + "?verdict__exact=flagged"
    found = admin_client.get(url).content.decode()
    assert "The river rose." in found
    assert "It rained." not in found


def test_counting_takes_one_query_however_many(doubted, owner, django_assert_num_queries):
    from narration.models import Narration

    rows = list(Narration.objects.all())
    with django_assert_num_queries(1):
        assert api.count_flagged(rows) == {rows[0].pk: 1}


def test_every_finding_has_words():
    thresholds = gate.NEURAL
    codes = {
        name for name in thresholds.__slots__ if isinstance(getattr(thresholds, name), gate.Limit)
    }
    assert codes <= set(HEARD)
    assert {"hit_limit", "split", "on_cpu"} <= set(HEARD)
    assert set(gate.GRAVITY) <= set(HEARD)
    assert measure(silence(100)).level_db < -100


@pytest.mark.parametrize("gate", [{}, {"findings": [{"code": "of tomorrow"}]}, {"findings": []}])
def test_findings_nobody_knows_break_no_page(gate):
    words = explain_doubts(Rendition(gate=gate))
    assert words in ((), (str(UNKNOWN),))


def test_what_was_heard_is_told_in_the_readers_language():
    with translation.override("de"):
        assert explain_doubts(Rendition(gate={"findings": FINDINGS}))[0] == str(HEARD["cut_off"])
