from __future__ import annotations

import pytest
from rest_framework.test import APIClient

from tests.rest.conftest import is_problem

TOKEN = "/api/v1/auth/token/"
LOGOUT = "/api/v1/auth/logout/"
NARRATIONS = "/api/v1/narrations/"
PASSWORD = {"username": "owner", "password": "owner-password"}


def get_token(api):
    response = api.post(TOKEN, PASSWORD, format="json")
    assert response.status_code == 200, response.json()
    return response.json()["token"]


def test_a_token_opens_the_api_until_it_is_given_back(api, owner):
    token = get_token(api)
    api.credentials(HTTP_AUTHORIZATION=f"Token {token}")
    assert api.get(NARRATIONS).status_code == 200
    assert api.post(LOGOUT).status_code == 204
    assert is_problem(api.get(NARRATIONS), 401)


def test_a_token_is_not_kept_by_caches(api, owner):
    assert api.post(TOKEN, PASSWORD, format="json").headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"username": "owner"},
        {"username": "owner", "password": "wrong"},
        {"username": "nobody", "password": "owner-password"},
        {"username": "own\0er", "password": "owner-password"},
        {"username": ["owner"], "password": {}},
    ],
)
def test_other_credentials_are_refused_without_saying_which_was_wrong(api, owner, body):
    response = api.post(TOKEN, body, format="json")
    assert is_problem(response, 400, "invalid")
    assert response.json()["errors"]


def test_nobody_and_a_wrong_password_get_the_same_answer(api, owner):
    answers = [
        api.post(TOKEN, {"username": name, "password": "wrong"}, format="json").content
        for name in ("owner", "nobody")
    ]
    assert answers[0] == answers[1]


def test_an_inactive_user_gets_no_token(api, owner):
    owner.is_active = False
    owner.save()
    assert is_problem(api.post(TOKEN, PASSWORD, format="json"), 400)


def test_guessing_is_slowed_down(api, db):
    wrong = {"username": "owner", "password": "wrong"}
    statuses = [api.post(TOKEN, wrong, format="json").status_code for _ in range(21)]
    assert statuses == [400] * 20 + [429]
    response = api.post(TOKEN, wrong, format="json")
    assert is_problem(response, 429)
    assert int(response.headers["Retry-After"]) > 0


def test_a_wrong_token_is_401_with_a_challenge(api, db):
    api.credentials(HTTP_AUTHORIZATION="Token " + "0" * 64)
    response = api.get(NARRATIONS)
    assert is_problem(response, 401)
    assert response.headers["WWW-Authenticate"] == "Token"


def test_anonymous_is_401_everywhere_but_at_the_door(api, db):
    uid = "00000000-0000-4000-8000-000000000000"
    for path in (
        NARRATIONS,
        "/api/v1/narrations/estimate/",
        f"/api/v1/narrations/{uid}/",
        f"/api/v1/narrations/{uid}/manifest/",
        f"/api/v1/narrations/{uid}/captions/",
        f"/api/v1/narrations/{uid}/audio/",
        f"/api/v1/jobs/{uid}/",
    ):
        assert is_problem(api.get(path), 401), path
    assert is_problem(api.post(NARRATIONS, {}, format="json"), 401)
    assert is_problem(api.post(f"/api/v1/jobs/{uid}/cancel/"), 401)


def test_a_session_may_read_but_writes_only_with_a_csrf_token(owner, note):
    client = APIClient(enforce_csrf_checks=True)
    client.force_login(owner)
    assert client.get(NARRATIONS).status_code == 200
    body = {"source": "testapp.note", "object_id": str(note.pk), "language": "en"}
    assert is_problem(client.post(NARRATIONS, body, format="json"), 403)


def test_a_token_needs_no_csrf_token(owner, note):
    client = APIClient(enforce_csrf_checks=True)
    client.credentials(HTTP_AUTHORIZATION=f"Token {get_token(client)}")
    body = {"source": "testapp.note", "object_id": str(note.pk), "language": "en"}
    assert client.post(NARRATIONS, body, format="json").status_code == 202
