"""Logs: one JSON object a line, ids of job and request, and never a word of a lesson."""

from __future__ import annotations

import asyncio
import io
import json
import logging
import logging.config

import pytest
from django.db import OperationalError
from django.http import HttpResponse
from django.urls import reverse

from config.settings.base import build_logging
from narration import api, logs
from narration.exceptions import EngineError, StorageCorrupt
from narration.models import Job, JobError
from narration.speaking import close_all
from tests.helpers import narrate, work

MARKER = "Zanzibar"
GIVEN = "proxy-4711.a_b"


@pytest.fixture
def written():
    """What our handler writes of everything logged, and the records as they were made."""
    stream, records = io.StringIO(), []
    handler = logging.StreamHandler(stream)
    handler.addFilter(logs.ContextFilter())
    handler.setFormatter(logs.JsonFormatter())
    keeper = logging.Handler()
    keeper.emit = records.append
    root = logging.getLogger()
    level, root.level = root.level, logging.DEBUG
    root.addHandler(handler)
    root.addHandler(keeper)
    stream.records, stream.handler = records, handler
    yield stream
    root.removeHandler(handler)
    root.removeHandler(keeper)
    root.setLevel(level)


def read(stream):
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def log_failure(error, formatter):
    """What a formatter makes of an exception that was logged."""
    try:
        raise error
    except type(error) as caught:
        record = logging.LogRecord(
            "x", logging.ERROR, "f", 1, "It failed.", (), (type(caught), caught, None)
        )
        record.exc_info = (type(caught), caught, caught.__traceback__)
        return formatter.format(record)


# Form


def test_a_line_is_one_object_however_odd_the_message(written, monkeypatch):
    # Not to pytest's own capture: half a character cannot be sent between its processes.
    log = logging.getLogger("narration.x")
    monkeypatch.setattr(log, "propagate", False)
    monkeypatch.setattr(log, "handlers", [written.handler])
    log.warning("two\nlines \u2028 and \ud800 %s", "ü")
    (line,) = read(written)
    assert len(written.getvalue().splitlines()) == 1
    assert line["message"] == "two\nlines \u2028 and \ud800 ü"
    assert (line["level"], line["logger"]) == ("WARNING", "narration.x")
    assert line["time"].endswith("Z")
    assert "job" not in line
    assert "request" not in line


def test_lines_of_a_block_name_its_job_and_request(written):
    log = logging.getLogger("narration.x")
    with logs.bind(job="j1", request="r1"):
        with logs.bind(job="j2"):
            log.info("inner")
        log.info("outer")
    log.info("after")
    found = [(line.get("job"), line.get("request")) for line in read(written)]
    assert found == [("j2", "r1"), ("j1", "r1"), (None, None)]


def test_a_line_for_people_names_them_too():
    record = logging.LogRecord("x", logging.INFO, "f", 1, "Done.", (), None)
    with logs.bind(job="j1", request="r1"):
        logs.ContextFilter().filter(record)
    assert logs.LineFormatter().format(record).endswith("INFO x [job j1 request r1]: Done.")


@pytest.mark.parametrize("form", ["json", "line"])
def test_the_configuration_of_the_site_is_one_that_logging_takes(form):
    configured = build_logging(form)
    logging.config.DictConfigurator(configured).configure_formatter(configured["formatters"][form])
    assert configured["handlers"]["console"]["formatter"] == form


# Exceptions


@pytest.mark.parametrize("formatter", [logs.JsonFormatter(), logs.LineFormatter()])
def test_an_exception_is_told_by_kind_and_place_not_by_what_it_quotes(formatter):
    told = log_failure(ValueError(MARKER), formatter)
    assert MARKER not in told
    assert "ValueError" in told
    assert "log_failure" in told
    assert "EngineError [engine_fault]" in log_failure(
        EngineError(MARKER, code="engine_fault"), formatter
    )


@pytest.mark.parametrize(
    "error",
    [
        OSError(28, "No space left on device"),
        OperationalError("the server is away"),
        StorageCorrupt("renditions/ab/cd.flac was altered.", code="storage_altered"),
    ],
)
def test_what_the_machine_says_is_told(error):
    assert str(error) in json.loads(log_failure(error, logs.JsonFormatter()))["exception"]["stack"]


def test_a_cause_is_told_and_another_formatters_words_are_not_taken_over(written):
    try:
        try:
            raise KeyError(MARKER)
        except KeyError as cause:
            raise RuntimeError(MARKER) from cause
    except RuntimeError as error:
        info = (type(error), error, error.__traceback__)
        record = logging.LogRecord("x", logging.ERROR, "f", 1, "It failed.", (), info)
    assert MARKER in logging.Formatter().format(record)  # and now it is kept in the record
    for formatter in (logs.LineFormatter(), logs.JsonFormatter()):
        told = formatter.format(record)
        assert MARKER not in told
        assert told.index("KeyError") < told.rindex("RuntimeError")


# Requests


@pytest.mark.parametrize(
    "given", ["", "short", "a" * 65, 'quo"ted-and-long', "line\nline-line", "ü" * 9]
)
def test_an_id_that_is_not_sane_is_replaced(given, rf):
    answer = logs.request_id_middleware(lambda _request: HttpResponse())(
        rf.get("/", headers={"X-Request-ID": given})
    )
    assert len(answer.headers["X-Request-ID"]) == 32


def test_a_sane_id_is_kept_given_back_and_forgotten(rf):
    heard = []

    def view(_request):
        heard.append(logs.get_request_id())
        return HttpResponse()

    request = rf.get("/", headers={"X-Request-ID": GIVEN})
    answer = logs.request_id_middleware(view)(request)
    assert (answer.headers["X-Request-ID"], heard, logs.get_request_id()) == (GIVEN, [GIVEN], "")


def test_it_serves_asynchronous_sites(rf):
    async def view(_request):
        await asyncio.sleep(0)
        return HttpResponse(logs.get_request_id())

    answer = asyncio.run(
        logs.request_id_middleware(view)(rf.get("/", headers={"X-Request-ID": GIVEN}))
    )
    assert answer.content.decode() == answer.headers["X-Request-ID"] == GIVEN


@pytest.mark.django_db
def test_a_page_that_is_not_there_is_logged_with_its_request(client, written):
    client.get("/nowhere/", headers={"X-Request-ID": GIVEN})
    assert [line["request"] for line in read(written) if line["logger"] == "django.request"] == [
        GIVEN
    ]


@pytest.mark.django_db
def test_a_job_remembers_the_request_that_asked_for_it(client, note, owner, monkeypatch):
    monkeypatch.setattr("narration.queue.bell.ring", lambda lane: None)
    client.force_login(owner)
    url = reverse("narration:narrate", args=["testapp.note", str(note.pk), "en"])
    client.post(url, headers={"X-Request-ID": GIVEN})
    assert Job.objects.get().request_id == GIVEN
    assert api.request_narration(note, language="en").request_id == GIVEN  # theirs serves both


# No lesson text


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    "options",
    [{}, {"fail_on": MARKER}, {"crash_on": MARKER}, {"hang_on": MARKER}],
    ids=["well", "refused", "crashing", "hanging"],
)
def test_no_word_of_a_lesson_is_logged_whatever_the_engine_does(note, settings, written, options):
    """The engine prints all it is given to standard error besides."""
    settings.NARRATION = {
        "ENGINES": {
            "dummy": {"BACKEND": "tests.speaking.engines.TellTaleEngine", "OPTIONS": options}
        },
        "DEFAULT_VOICES": {"en": "dummy:low"},
        "DEADLINE_BASE_SECONDS": 0.4,
        "DEADLINE_PER_CHARACTER_SECONDS": 0,
    }
    note.edit(f"It rained.\n\nThen {MARKER} came.\n\n{MARKER} again, and [{MARKER}](x).")
    try:
        job = narrate(note, publish=True)
    finally:
        close_all()
    assert job.state == ("partial" if options else "done")
    assert JobError.objects.filter(text__contains=MARKER).exists() == bool(options)
    if "crash_on" in options or "hang_on" in options:
        assert any("Engine dummy" in line["message"] for line in read(written))
    assert_silent(written)


@pytest.mark.django_db(transaction=True)
def test_no_word_of_a_lesson_is_logged_when_we_stumble_over_it(note, written, monkeypatch):
    def stumble(plan, *_args, **_options):
        raise ValueError(f"cannot read {plan.segments[0].display_text!r}")

    monkeypatch.setattr("narration.pipeline.narrate.synthesize_missing", stumble)
    note.edit(f"{MARKER} it was.")
    api.request_narration(note, language="en")
    work()
    assert "ValueError" in written.getvalue()
    assert MARKER not in written.getvalue()


def assert_silent(written):
    told = [record.getMessage() for record in written.records]
    assert [message for message in told if MARKER in message] == []
    assert MARKER not in written.getvalue()
