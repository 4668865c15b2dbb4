"""The page *Models*: what is here, the terms in full words, and who may accept them."""

from __future__ import annotations

import re

import pytest
from django.test import Client

from narration.models import Event, LicenceAcceptance
from tests.modelled import accepted, here, published, small  # noqa: F401

pytestmark = pytest.mark.django_db
URL = "/admin/narration/speechmodel/"


def read(client, path="", status=200):
    answer = client.get(f"{URL}{path}")
    assert answer.status_code == status
    return " ".join(answer.content.decode().split())


def test_it_is_linked_where_people_look_for_it(client, viewer):
    client.force_login(viewer)
    assert f'href="{URL}"' in client.get("/admin/").content.decode()
    assert "No configured engine loads a model" in read(client)
    assert "DJANGO_SETTINGS_MODULE" in read(client)


def test_a_model_that_is_not_here_says_how_to_get_it(client, staff, small):  # noqa: F811
    client.force_login(staff)
    assert "models download small" in read(client)
    assert "not here yet" in read(client, "small/")
    client.post(f"{URL}small/", {"name": "Ada"})
    assert not LicenceAcceptance.objects.exists()


def test_a_model_tells_everything_about_itself(client, viewer, here):  # noqa: F811
    client.force_login(viewer)
    page = read(client)
    for words in ("Small model", "little", "TEST-1.0", "vouched for by nobody", "Not accepted"):
        assert words in page
    assert "0 MB" in page  # the megabytes of the command line, not mebibytes or KB
    assert "Read and accept" not in page
    page = read(client, "small/")
    assert "What it says may not be sold." in page
    assert "Not for commercial use" in page
    assert "Listeners must be told" in page
    assert "<form" not in page.partition('id="content"')[2]


def test_terms_that_nobody_translated_are_marked_as_english(client, viewer, here):  # noqa: F811
    client.force_login(viewer)
    answer = client.get(f"{URL}small/", headers={"accept-language": "pt-br"})
    assert '<p lang="en">For tests only.' in answer.content.decode()


def test_who_may_accepts_by_name(client, staff, here):  # noqa: F811
    client.force_login(staff)
    assert "Read and accept" in read(client)
    assert 'value="staff"' in read(client, "small/")
    answer = client.post(f"{URL}small/", {"name": "Ada Lovelace", **read_form(client)}, follow=True)
    assert answer.redirect_chain == [(URL, 302)]
    row = LicenceAcceptance.objects.get()
    assert (row.name, row.user, row.licence) == ("Ada Lovelace", staff, "TEST-1.0")
    assert Event.objects.get(kind="licence_accepted").actor == staff
    assert "accepted by Ada Lovelace" in read(client)
    assert "Recorded by staff" in read(client, "small/")


def read_form(client):
    """What the form holds besides the name."""
    page = read(client, "small/")
    return {"fingerprint": re.search(r'name="fingerprint" value="(\w+)"', page)[1]}


def test_what_was_not_read_is_not_accepted(client, staff, here):  # noqa: F811
    client.force_login(staff)
    for form in ({}, {"fingerprint": "f" * 64}):
        answer = client.post(f"{URL}small/", {"name": "Ada", **form}, follow=True)
        assert answer.redirect_chain == [(f"{URL}small/", 302)]
        (words,) = [str(each) for each in answer.context["messages"]]
        assert "has changed" in words
    assert not LicenceAcceptance.objects.exists()


@pytest.mark.parametrize("name", ["", "   "])
def test_nobody_accepts_nothing(client, staff, here, name):  # noqa: F811
    client.force_login(staff)
    answer = client.post(f"{URL}small/", {"name": name, **read_form(client)}, follow=True)
    assert [str(each) for each in answer.context["messages"]] == ["Say who accepts."]
    assert not LicenceAcceptance.objects.exists()


def test_others_may_not(client, viewer, stranger, here):  # noqa: F811
    client.force_login(viewer)
    assert client.post(f"{URL}small/", {"name": "Mallory"}).status_code == 403
    stranger.is_staff = True
    stranger.save()
    client.force_login(stranger)
    read(client, status=403)
    read(client, "small/", status=403)
    assert not LicenceAcceptance.objects.exists()


def test_a_forged_form_is_refused(staff, here):  # noqa: F811
    careful = Client(enforce_csrf_checks=True)
    careful.force_login(staff)
    assert careful.post(f"{URL}small/", {"name": "Ada"}).status_code == 403
    assert not LicenceAcceptance.objects.exists()


def test_what_is_not_configured_is_not_found(client, staff, small):  # noqa: F811
    client.force_login(staff)
    read(client, "large/", status=404)


def test_who_accepted_cannot_be_deleted_in_the_admin(client, staff, accepted):  # noqa: F811
    client.force_login(staff)
    pk = LicenceAcceptance.objects.get().pk
    base = "/admin/narration/licenceacceptance/"
    assert client.post(f"{base}{pk}/delete/", {"post": "yes"}).status_code == 403
    client.post(base, {"action": "delete_selected", "_selected_action": pk, "post": "yes"})
    assert LicenceAcceptance.objects.count() == 1
