"""A model that goes away under a running site: every page still answers and says what is wrong."""

from __future__ import annotations

import json
import shutil

import pytest
from django.contrib.auth.models import Permission
from django.urls import reverse

from narration import api
from narration.diagnosis import diagnose
from narration.models import SpeechPolicy, Voice
from narration.sources import get_scope_key
from tests.helpers import narrate
from tests.modelled import accepted, here, published, small  # noqa: F401

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.xdist_group("wording")]


@pytest.fixture
def chief(owner):
    owner.is_staff = True
    owner.save()
    owner.user_permissions.set(Permission.objects.all())
    return owner


@pytest.fixture
def orphaned(accepted, note, client, chief):  # noqa: F811
    """A note that was narrated and published by an engine whose model is gone."""
    narrate(note, publish=True)
    accepted.folder.rename(accepted.folder.with_name("aside"))
    client.force_login(chief)
    return note


def get_names(note):
    return ["testapp.note", str(note.pk), "en"]


def read(client, url, status=200):
    answer = client.get(url)
    assert answer.status_code == status, url
    return answer.content.decode()


def test_pages_of_the_narration(orphaned, client):
    panel = read(client, reverse("narration:panel", args=get_names(orphaned)))
    assert "not for commercial use" in panel
    assert "may not be sold" in panel
    read(client, reverse("narration:segments", args=get_names(orphaned)))
    read(client, reverse("narration:manifest", args=get_names(orphaned)))
    why = client.get(reverse("narration:explain", args=[*get_names(orphaned), 0]), follow=True)
    assert "not on the server" in why.content.decode()


def test_asking_again_says_why_not_in_plain_words(orphaned, client):
    orphaned.edit("It snowed.")
    panel = read(client, reverse("narration:panel", args=get_names(orphaned)))
    assert "not on the server" in panel
    url = reverse("narration:narrate", args=get_names(orphaned))
    answer = client.post(url, headers={"HX-Request": "true"})
    assert "not on the server" in answer.content.decode()
    url = reverse("narration:retake", args=[*get_names(orphaned), 0])
    assert client.post(url).status_code == 302


def test_pages_of_wording(orphaned, client):
    scope = get_scope_key(orphaned)
    for name in ("wording", "wording-rules", "wording-new"):
        read(client, reverse(f"narration:{name}", args=[scope]))
    read(client, reverse("narration:wording-rules", args=["installation"]))


def test_a_word_can_be_taught_while_it_is_gone(orphaned, client, accepted):  # noqa: F811
    data = {
        "grapheme": "rained", "alias": "poured", "language": "en", "case_rule": "exact",
        "whole_words": "on", "state": "active",
    }  # fmt: skip
    url = reverse("narration:wording-new", args=[get_scope_key(orphaned)])
    for intent in ("preview", "save"):
        assert client.post(url, {**data, "intent": intent}).status_code in (200, 302)
    shutil.move(accepted.folder.with_name("aside"), accepted.folder)
    api.estimate_narration(orphaned, language="en")
    assert "poured" in "".join(
        s.spoken_text for s in api.list_segments(orphaned, language="en", user=None)
    )


def test_pages_of_the_admin(orphaned, client):
    voice = Voice.objects.get(engine="little")
    for page in ("voice/", f"voice/{voice.pk}/change/", "speechmodel/", "track/", "segment/"):
        read(client, f"/admin/narration/{page}")


def test_a_voice_without_engine_can_be_retired_and_not_be_changed(orphaned, client):
    voice = Voice.objects.get(engine="little")
    url = f"/admin/narration/voice/{voice.pk}/change/"
    form = {
        "name": voice.name, "engine": "little", "engine_voice": "low", "kind": "builtin",
        "languages": json.dumps(voice.languages), "settings": "{}", "profile": "",
        "retired_at_0": "", "retired_at_1": "",
    }  # fmt: skip
    assert "is not here" in client.post(url, form).content.decode()
    form |= {"retired_at_0": "2026-01-01", "retired_at_1": "12:00:00"}
    assert client.post(url, form).status_code == 302
    voice.refresh_from_db()
    assert voice.retired_at


def test_a_casting_can_lead_away_from_it(orphaned, client, chief):
    Voice.objects.get_or_create(
        name="Dummy", defaults={"engine": "dummy", "engine_voice": "low", "languages": ["en"]}
    )
    policy = SpeechPolicy(scope_key=get_scope_key(orphaned), casting={"en": {"body": "Dummy"}})
    api.apply_change(api.change_policy(policy), user=chief)
    assert narrate(orphaned).state == "done"


def test_the_doctor_tells_and_does_not_break(orphaned):
    findings = {(each.name, each.state) for each in diagnose()}
    assert ("model", "warning") in findings
    assert not any(each.name == "engine" and "little" in each.title for each in diagnose())
