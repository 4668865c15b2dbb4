"""What every endpoint of this API shares, open to hosts that add their own: problem details for
every error (RFC 9457), cursor paging with a ``Link`` header (RFC 8288), and their schema.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence
from http import HTTPStatus
from typing import Any

from django.core.exceptions import PermissionDenied
from django.db import InterfaceError, OperationalError
from django.http import Http404
from drf_spectacular.utils import OpenApiResponse
from knox.auth import TokenAuthentication
from rest_framework import exceptions as drf
from rest_framework import serializers
from rest_framework.authentication import BaseAuthentication, SessionAuthentication
from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.pagination import CursorPagination
from rest_framework.parsers import JSONParser
from rest_framework.permissions import AllowAny, BasePermission, IsAuthenticated
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView, exception_handler

from narration import exceptions

logger = logging.getLogger(__name__)

PROBLEM_TYPE = "application/problem+json"
#: Said alike of what does not exist and of what is not this caller's to know.
NOT_FOUND = "There is nothing here that you may use."
#: What a program does about a server that is away: it comes back, a little later.
AWAY = "The database does not answer, or is too busy to. Ask again later."
RETRY_SECONDS = "10"

#: The first match decides; a class's own subclasses come before it.
STATUSES: tuple[tuple[type[exceptions.NarrationError], HTTPStatus], ...] = (
    (exceptions.NarrationNotFound, HTTPStatus.NOT_FOUND),
    (exceptions.NotAllowed, HTTPStatus.NOT_FOUND),
    (exceptions.SourceError, HTTPStatus.NOT_FOUND),
    (exceptions.ConflictError, HTTPStatus.CONFLICT),
    (exceptions.ConsentError, HTTPStatus.CONFLICT),
    (exceptions.QuotaExceeded, HTTPStatus.TOO_MANY_REQUESTS),
    (exceptions.UnsupportedUtterance, HTTPStatus.UNPROCESSABLE_ENTITY),
    (exceptions.EngineError, HTTPStatus.SERVICE_UNAVAILABLE),
    (exceptions.UploadRefused, HTTPStatus.UNPROCESSABLE_ENTITY),
    (exceptions.StorageCorrupt, HTTPStatus.SERVICE_UNAVAILABLE),
    (exceptions.StorageFull, HTTPStatus.SERVICE_UNAVAILABLE),
    (exceptions.StorageUnreachable, HTTPStatus.SERVICE_UNAVAILABLE),
    (exceptions.NarrationError, HTTPStatus.INTERNAL_SERVER_ERROR),
)


class ShallowJSONParser(JSONParser):
    """JSON whose nesting is deeper than Python's stack is a bad request and no fault of ours."""

    def parse(self, *args: Any, **kwargs: Any) -> Any:
        """As its base."""
        try:
            return super().parse(*args, **kwargs)
        except RecursionError as error:
            raise drf.ParseError("JSON parse error - nested too deep.") from error


class FieldProblemSerializer(serializers.Serializer[Any]):
    """One value of a request that was refused."""

    pointer = serializers.CharField(help_text="Where it stands: a JSON pointer, or a parameter.")
    detail = serializers.CharField(help_text="Why it was refused.")


class ProblemSerializer(serializers.Serializer[Any]):
    """Problem details, RFC 9457. ``code`` is short, stable and for programs."""

    type = serializers.CharField(default="about:blank")
    title = serializers.CharField()
    status = serializers.IntegerField()
    detail = serializers.CharField()
    code = serializers.CharField()
    errors = FieldProblemSerializer(many=True, required=False)  # type: ignore[assignment]


def build_problem_responses(*statuses: int) -> dict[tuple[int, str], OpenApiResponse]:
    """The schema of an endpoint's errors, to be merged into ``extend_schema(responses=…)``."""
    return {
        (status, PROBLEM_TYPE): OpenApiResponse(ProblemSerializer, HTTPStatus(status).phrase)
        for status in statuses
    }


def handle_exception(error: Exception, context: Mapping[str, Any]) -> Response | None:
    """DRF's ``EXCEPTION_HANDLER``: problem details; None for a fault of ours, which is raised."""
    if isinstance(error, exceptions.NarrationError):
        return _build_narration_problem(error)
    if isinstance(error, OperationalError | InterfaceError):
        return _build_away_problem(error)
    if isinstance(error, Http404):
        error = drf.NotFound()
    elif isinstance(error, PermissionDenied):
        error = drf.PermissionDenied()
    response = exception_handler(error, dict(context))
    if response is None or not isinstance(error, drf.APIException):
        return response
    return _build_api_problem(error, response)


def build_problem(
    status: int, detail: str, code: str, *, errors: Sequence[Mapping[str, str]] = ()
) -> Response:
    """A response of problem details."""
    body: dict[str, Any] = {
        "type": "about:blank",
        "title": HTTPStatus(status).phrase,
        "status": int(status),
        "detail": detail,
        "code": code,
    }
    if errors:
        body["errors"] = list(errors)
    return Response(body, status=status, content_type=PROBLEM_TYPE)


class CursorPaging(CursorPagination):
    """Pages by cursor, newest first: they stay put while rows are added."""

    page_size = 50
    max_page_size = 200
    page_size_query_param = "page_size"
    ordering = "-pk"

    def get_paginated_response(self, data: Any) -> Response:
        """``{results, next, previous}``, and the same two addresses as links."""
        links = {"next": self.get_next_link(), "prev": self.get_previous_link()}
        body = {"results": data, "next": links["next"], "previous": links["prev"]}
        header = ", ".join(f'<{url}>; rel="{rel}"' for rel, url in links.items() if url)
        return Response(body, headers={"Link": header} if header else None)


class IgnoreAccept(DefaultContentNegotiation):
    """JSON whatever is accepted: a file's endpoint explains its errors too."""

    def select_renderer(
        self, request: Request, renderers: Iterable[Any], format_suffix: str | None = None
    ) -> tuple[Any, str]:
        """The first renderer. ``?format=`` is an endpoint's own parameter, not DRF's."""
        renderer = next(iter(renderers))
        return renderer, renderer.media_type


class ApiView(APIView):
    """Base of the endpoints: JSON, tokens or sessions, problem details, whatever the host's
    ``REST_FRAMEWORK`` says.
    """

    parser_classes = [ShallowJSONParser]
    renderer_classes = [JSONRenderer]
    content_negotiation_class = IgnoreAccept
    authentication_classes: list[type[BaseAuthentication]] = [
        TokenAuthentication,
        SessionAuthentication,
    ]
    permission_classes: Sequence[type[BasePermission]] = [IsAuthenticated]

    def get_exception_handler(self) -> Any:
        """Ours, also in a host that configures another for its own views."""
        return handle_exception


class UnknownView(ApiView):
    """Any other address under the API: a problem in JSON, not the site's page."""

    permission_classes = [AllowAny]

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Refuse before anything is parsed or asked."""
        raise drf.NotFound


def _build_away_problem(error: Exception) -> Response:
    """The site's page for a fault of ours would not tell a program that it may pass."""
    logger.error("The database did not answer a request.", exc_info=error)
    problem = build_problem(HTTPStatus.SERVICE_UNAVAILABLE, AWAY, "database_away")
    problem.headers["Retry-After"] = RETRY_SECONDS
    return problem


def _build_narration_problem(error: exceptions.NarrationError) -> Response:
    status = next(status for kind, status in STATUSES if isinstance(error, kind))
    if isinstance(error, exceptions.NarrationNotFound | exceptions.NotAllowed):
        return build_problem(status, NOT_FOUND, exceptions.NarrationNotFound.code)
    if status == HTTPStatus.INTERNAL_SERVER_ERROR:
        logger.error("A request failed: %s.", error.code, exc_info=error)
        return build_problem(status, "The site is not configured to do this.", error.code)
    return build_problem(status, str(error), error.code)


def _build_api_problem(error: drf.APIException, response: Response) -> Response:
    if isinstance(error, drf.ValidationError):
        errors = list(_iter_field_problems(error.detail))
        detail, code = "Some values were refused; see errors.", "invalid"
    elif isinstance(error, drf.NotFound):
        errors, detail, code = [], NOT_FOUND, exceptions.NarrationNotFound.code
    else:
        errors, detail, code = [], str(error.detail), str(error.default_code)
    problem = build_problem(response.status_code, detail, code, errors=errors)
    for header in ("WWW-Authenticate", "Retry-After", "Allow"):
        if header in response.headers:
            problem.headers[header] = response.headers[header]
    return problem


def _iter_field_problems(detail: Any, pointer: str = "#") -> Iterator[dict[str, str]]:
    """Flatten DRF's nested details to pointers."""
    if isinstance(detail, Mapping):
        for key, value in detail.items():
            is_whole = key == "non_field_errors"
            yield from _iter_field_problems(value, pointer if is_whole else f"{pointer}/{key}")
    elif isinstance(detail, list):
        for value in detail:
            yield from _iter_field_problems(value, pointer)
    else:
        yield {"pointer": pointer, "detail": str(detail)}
