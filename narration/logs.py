"""Logs: one JSON object a line, with the job and the request it is about, and no lesson text.

A host names these in ``LOGGING`` and ``MIDDLEWARE``; nothing here configures logging by itself.
"""

from __future__ import annotations

import json
import logging
import os
import re
import secrets
import traceback
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime
from inspect import iscoroutinefunction
from types import TracebackType
from typing import Any

from django.core.exceptions import ImproperlyConfigured
from django.db.utils import InterfaceError, OperationalError
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils.decorators import sync_and_async_middleware

from narration.exceptions import ConfigurationError, NarrationError, StorageCorrupt

REQUEST_HEADER = "X-Request-ID"
#: What a proxy may call a request: no line ends, no quotes, no essays. A job keeps 64 characters.
SANE_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{7,63}")

#: Exceptions whose words are about the machine. Any other may quote what it stumbled over, such as
#: a sentence of a lesson, so that only its kind and place are logged.
TELLABLE = (
    OSError,
    ImportError,
    OperationalError,
    InterfaceError,
    ImproperlyConfigured,
    ConfigurationError,
    StorageCorrupt,
)

_job: ContextVar[str] = ContextVar("narration_job", default="")
_request: ContextVar[str] = ContextVar("narration_request", default="")

ExceptionInfo = (
    tuple[type[BaseException], BaseException, TracebackType | None] | tuple[None, None, None]
)


@contextmanager
def bind(*, job: object = None, request: str | None = None) -> Iterator[None]:
    """Have every log line of this block, in this thread or task, name the job or the request.

    ``job`` is its uid. What is None stays as it is.
    """
    tokens = [
        (variable, variable.set(str(value)))
        for variable, value in ((_job, job), (_request, request))
        if value is not None
    ]
    try:
        yield
    finally:
        for variable, token in reversed(tokens):
            variable.reset(token)


def get_request_id() -> str:
    """The request that is being answered, or "" where there is none."""
    return _request.get()


def get_job_id() -> str:
    """The job that is being worked on, or "" where there is none."""
    return _job.get()


@sync_and_async_middleware
def request_id_middleware(
    get_response: Callable[[HttpRequest], Any],
) -> Callable[[HttpRequest], HttpResponseBase | Awaitable[HttpResponseBase]]:
    """Middleware: each request has an id, the proxy's if sane, and the response gives it back.

    To stand first in ``MIDDLEWARE``.
    """
    if iscoroutinefunction(get_response):

        async def answer_async(request: HttpRequest) -> HttpResponseBase:
            with bind(request=_name(request)):
                return _mark(request, await get_response(request))

        return answer_async

    def answer(request: HttpRequest) -> HttpResponseBase:
        with bind(request=_name(request)):
            return _mark(request, get_response(request))

    return answer


class ContextFilter(logging.Filter):
    """Adds ``job_id`` and ``request_id`` to each record, "" where there is none. Drops nothing."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Always true."""
        record.job_id = get_job_id()
        # Django tells of refused requests when the middleware has ended, but names the request.
        told = getattr(getattr(record, "request", None), "request_id", "")
        record.request_id = get_request_id() or told
        return True


class DiscreetFormatter(logging.Formatter):
    """A formatter that names an exception's kind and place, not the text it may quote."""

    def format(self, record: logging.LogRecord) -> str:
        """As ever, but never with an exception that another formatter has put into words."""
        record.exc_text = None
        try:
            return super().format(record)
        finally:
            record.exc_text = None

    def formatException(self, ei: ExceptionInfo) -> str:  # noqa: N802 - logging's name
        """The stack and the kind of each exception of the chain, the first cause first."""
        parts = []
        for error in reversed(list(_iter_chain(ei[1]))):
            parts += traceback.format_tb(error.__traceback__)
            parts.append(describe_exception(error) + "\n")
        return "".join(parts).rstrip()


class LineFormatter(DiscreetFormatter):
    """For people: time, level, logger, ids where known, message."""

    def __init__(self) -> None:
        super().__init__("{asctime} {levelname} {name}{about}: {message}", style="{")

    def format(self, record: logging.LogRecord) -> str:
        """One line, and the stack of an exception below it."""
        ids = _get_ids(record)
        record.about = f" [{' '.join(f'{k} {v}' for k, v in ids.items())}]" if ids else ""
        return super().format(record)


class JsonFormatter(DiscreetFormatter):
    """For programs: one JSON object a line.

    ``time`` (ISO 8601, UTC), ``level``, ``logger``, ``message``, ``pid``; ``job`` and ``request``
    where known; ``exception`` (``type``, ``stack``) where there is one.
    """

    def format(self, record: logging.LogRecord) -> str:
        """ASCII, so that neither a lone surrogate nor an odd line end breaks a line."""
        at = datetime.fromtimestamp(record.created, UTC)
        line: dict[str, Any] = {
            "time": at.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
            "pid": os.getpid(),
            **_get_ids(record),
        }
        if record.exc_info and record.exc_info[1]:
            stack = self.formatException(record.exc_info)
            line["exception"] = {"type": type(record.exc_info[1]).__name__, "stack": stack}
        return json.dumps(line)


def describe_exception(error: BaseException) -> str:
    """Its kind; its code if it is ours; its words only if they cannot be a lesson's."""
    words = type(error).__name__
    if isinstance(error, NarrationError):
        words += f" [{error.code}]"
    return f"{words}: {error}" if isinstance(error, TELLABLE) else words


def _get_ids(record: logging.LogRecord) -> dict[str, str]:
    """Those the filter added, or those of this moment where no filter is configured."""
    job = getattr(record, "job_id", "") or get_job_id()
    request = getattr(record, "request_id", "") or get_request_id()
    return {key: value for key, value in (("job", job), ("request", request)) if value}


def _iter_chain(error: BaseException | None) -> Iterator[BaseException]:
    """An exception, its cause or context, and so on."""
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        yield error
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)


def _name(request: HttpRequest) -> str:
    given = request.headers.get(REQUEST_HEADER, "")
    request_id = given if SANE_ID.fullmatch(given) else secrets.token_hex(16)
    request.request_id = request_id  # type: ignore[attr-defined]
    return request_id


def _mark(request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
    response.headers[REQUEST_HEADER] = request.request_id  # type: ignore[attr-defined]
    return response
