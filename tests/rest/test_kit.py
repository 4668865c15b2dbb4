from __future__ import annotations

import pytest
from django.core.exceptions import PermissionDenied
from django.db import InterfaceError, OperationalError
from django.http import Http404

from narration import exceptions
from narration.rest.kit import NOT_FOUND, STATUSES, handle_exception


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (exceptions.NarrationNotFound("secret"), 404),
        (exceptions.NotAllowed("secret"), 404),
        (Http404("secret"), 404),
        (PermissionDenied("secret"), 403),
        (exceptions.SourceError("plain words"), 404),
        (exceptions.ConflictError("plain words"), 409),
        (exceptions.UnsupportedUtterance("plain words"), 422),
        (exceptions.EngineCrashed("plain words"), 503),
        (exceptions.EngineError("plain words"), 503),
        (exceptions.StorageCorrupt("plain words"), 503),
        (exceptions.StorageFull("plain words"), 503),
        (exceptions.StorageUnreachable("plain words"), 503),
        (exceptions.ConfigurationError("secret"), 500),
        (OperationalError("secret"), 503),
        (InterfaceError("secret"), 503),
        (exceptions.NarrationError("secret"), 500),
    ],
)
def test_every_error_has_its_status(error, status, caplog):
    response = handle_exception(error, {})
    assert response.status_code == status
    assert response.content_type == "application/problem+json"
    assert response.data["status"] == status
    assert "secret" not in response.data["detail"]
    if str(error) == "plain words":
        assert response.data["detail"] == "plain words"


def test_not_allowed_and_not_there_are_the_same_answer():
    answers = [
        handle_exception(error, {}).data
        for error in (
            exceptions.NotAllowed("a"),
            exceptions.NarrationNotFound("b", code="c"),
            Http404(),
        )
    ]
    assert answers[0] == answers[1] == answers[2]
    assert answers[0]["detail"] == NOT_FOUND


def test_a_fault_of_ours_is_raised():
    assert handle_exception(ZeroDivisionError(), {}) is None


def test_no_error_is_hidden_by_its_base():
    for index, (kind, _status) in enumerate(STATUSES):
        assert not any(issubclass(kind, earlier) for earlier, _ in STATUSES[:index])


@pytest.mark.django_db
def test_json_that_is_nested_too_deep_is_a_bad_request(client, owner):
    client.force_login(owner)
    response = client.post("/api/v1/narrations/", "[" * 100_000, content_type="application/json")
    assert response.status_code == 400
