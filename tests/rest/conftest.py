from __future__ import annotations

import pytest
from django.core.cache import cache
from rest_framework.test import APIClient

from tests.views.rows import make_narration, make_track


@pytest.fixture(autouse=True)
def _no_throttling_between_tests():
    cache.clear()


@pytest.fixture
def api():
    return APIClient()


@pytest.fixture
def as_owner(api, owner):
    api.force_login(owner)
    return api


@pytest.fixture
def as_stranger(api, stranger):
    api.force_login(stranger)
    return api


@pytest.fixture
def narration(note):
    return make_narration(note)


@pytest.fixture
def track(narration):
    return make_track(narration)


@pytest.fixture
def private(note):
    note.is_public = False
    note.save()
    return note


def is_problem(response, status, code=None):
    """Whether an answer is problem details as RFC 9457 has them."""
    body = response.json()
    assert response.status_code == status, body
    assert response.headers["Content-Type"] == "application/problem+json"
    assert body["status"] == status
    assert body["type"] == "about:blank"
    assert body["title"]
    assert body["detail"]
    assert code is None or body["code"] == code, body
    return True
