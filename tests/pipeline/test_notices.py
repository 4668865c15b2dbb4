"""Who asked is told how it ended: on their pages, and by e-mail where a setting says so."""

from __future__ import annotations

import datetime as dt

import pytest
from django.core import mail
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone, translation

from narration import api
from narration.models import Event, Job, JobKind, JobState
from narration.pipeline.mails import build_address, find_language, write_to_requester
from narration.signals import job_state_changed
from tests.helpers import narrate
from tests.testapp.models import Note
from tests.views.rows import make_narration

pytestmark = pytest.mark.django_db


@pytest.fixture
def author(owner):
    owner.email = "owner@example.org"
    owner.save()
    return owner


@pytest.fixture
def mailing(settings):
    settings.NARRATION = {**settings.NARRATION, "EMAIL_WHEN_DONE": True}


def make_job(owner, title="Rain", state=JobState.DONE, **changes):
    note = Note.objects.create(title=title, body="x", owner=owner)
    now = timezone.now()
    defaults = {
        "narration": make_narration(note),
        "request_key": str(note.pk),
        "lane": "cpu",
        "state": state,
        "requested_by": owner,
        "queued_at": now,
        "finished_at": None if state in ("queued", "running") else now,
    }
    return Job.objects.create(**{**defaults, **changes})


def get_texts(user):
    return [(notice.kind, notice.text) for notice in api.list_notices(user)]


def test_one_job_is_named_with_its_reason(owner):
    make_job(owner)
    make_job(owner, "Snow", JobState.FAILED, error_code="source_gone")
    make_job(owner, "Hail", JobState.CANCELLED)
    assert get_texts(owner) == [
        (
            "bad",
            (
                "The narration of “Snow” could not be finished: "
                "What was to be narrated is no longer there."
            ),
        ),
        ("warn", "The narration of “Hail” was cancelled."),
        ("ok", "The narration of “Rain” is ready."),
    ]


def test_many_jobs_are_one_notice_that_names_some(owner):
    for number in range(12):
        make_job(owner, f"Note {number}")
    [notice] = api.list_notices(owner)
    assert notice.text == "12 narrations are ready."
    assert notice.count == 12
    assert (len(notice.named), notice.left) == (5, 7)


@pytest.mark.parametrize(
    "changes",
    [
        {"kind": JobKind.PREVIEW},
        {"kind": JobKind.ESTIMATE},
        {"state": JobState.QUEUED},
        {"state": JobState.RUNNING},
        {"noticed_at": timezone.now()},
        {"finished_at": timezone.now() - dt.timedelta(days=4)},
        {"state": JobState.CANCELLED, "error_code": "superseded"},
        {"requested_by": None},
    ],
    ids=lambda changes: "-".join(f"{k}" for k in changes),
)
def test_nobody_is_told_of_these(owner, changes):
    make_job(owner, **changes)
    assert api.list_notices(owner) == []


def test_others_are_told_nothing(owner, stranger):
    make_job(owner)
    assert api.list_notices(stranger) == []


def test_who_cancels_knows_it_already(note, owner):
    job = api.request_narration(note, language="en", user=owner)
    api.cancel_job(job.uid, user=owner)
    assert api.list_notices(owner) == []


def test_who_is_cancelled_by_somebody_else_is_told(note, owner, admin_user):
    job = api.request_narration(note, language="en", user=owner)
    Job.objects.filter(pk=job.pk).update(state=JobState.RUNNING)
    api.cancel_job(job.uid, user=admin_user)
    Job.objects.filter(pk=job.pk).update(state=JobState.CANCELLED, finished_at=timezone.now())
    # As the runner writes it: in the name of who asked.
    Event.objects.create(kind="job_cancelled", job=job, actor=owner)
    assert get_texts(owner) == [("warn", "The narration of “A note” was cancelled.")]


def test_an_object_that_is_gone_is_told_of_without_a_page(note, owner):
    job = make_job(owner, state=JobState.FAILED, error_code="source_gone")
    job.narration.source_object.delete()
    [notice] = api.list_notices(owner)
    assert notice.named[0].url == notice.named[0].source == ""


def test_it_is_one_query_for_who_has_nothing_and_few_for_many(owner, django_assert_num_queries):
    with django_assert_num_queries(1):
        assert api.list_notices(owner) == []
    for number in range(3):
        make_job(owner, f"{number}")
    with CaptureQueriesContext(connection) as few:
        api.list_notices(owner)
    for number in range(60):
        make_job(owner, f"{number}")
    with CaptureQueriesContext(connection) as many:
        api.list_notices(owner)
    assert len(many) == len(few) <= 4
    assert api.list_notices(owner)[0].text == "63 narrations are ready."


def test_a_notice_is_dismissed_by_who_it_is_for_once(owner, stranger):
    make_job(owner)
    waiting = make_job(owner, state=JobState.QUEUED)
    make_job(owner, "Snow", JobState.FAILED)
    ready = api.list_notices(owner)[1]
    later = make_job(owner, "Later")
    wish = {"outcome": ready.outcome, "until": ready.until}
    assert api.dismiss_notices(stranger, **wish) == 0
    assert api.dismiss_notices(owner, **wish) == 1
    assert api.dismiss_notices(owner, **wish) == 0
    waiting.refresh_from_db()
    later.refresh_from_db()
    assert waiting.noticed_at is later.noticed_at is None
    assert [text for _kind, text in get_texts(owner)] == [
        "The narration of “Snow” could not be finished.",
        "The narration of “Later” is ready.",
    ]


# E-mail


def end(job, state=JobState.DONE, **changes):
    """As a worker does it: the row, then the signal."""
    Job.objects.filter(pk=job.pk).update(state=state, finished_at=timezone.now(), **changes)
    answers = job_state_changed.send_robust(sender=Job, job_uid=job.uid, state=str(state))
    assert not [answer for _receiver, answer in answers if isinstance(answer, Exception)]


def test_nothing_is_mailed_unless_it_is_set(author):
    end(make_job(author))
    assert mail.outbox == []


def test_a_bulk_run_is_one_mail_when_its_last_job_has_ended(author, mailing):
    jobs = [make_job(author, f"Note {n}", JobState.QUEUED) for n in range(8)]
    for job in jobs[:-1]:
        end(job)
    assert mail.outbox == []
    end(jobs[-1], JobState.PARTIAL, error_code="partial")
    [message] = mail.outbox
    assert message.to == ["owner@example.org"]
    assert "“Note 7” could not be finished" in message.subject
    assert "7 narrations are ready." in message.subject
    assert "\n- Note 6\n" in message.body
    assert "- and 2 more" in message.body
    assert "Reword the sentences named here, or try again." in message.body
    end(jobs[-1], JobState.PARTIAL)
    assert len(mail.outbox) == 1, "each is written of once"


def test_the_next_mail_tells_only_of_what_is_new(author, mailing):
    end(make_job(author, "First", JobState.QUEUED))
    end(make_job(author, "Second", JobState.QUEUED))
    assert [message.subject for message in mail.outbox] == [
        "The narration of “First” is ready.",
        "The narration of “Second” is ready.",
    ]


def test_what_was_mailed_is_still_told_on_the_page(author, mailing):
    end(make_job(author))
    assert len(mail.outbox) == len(api.list_notices(author)) == 1


@pytest.mark.parametrize("changes", [{"email": ""}, {"is_active": False}])
def test_who_cannot_be_reached_gets_no_mail(author, mailing, changes):
    type(author).objects.filter(pk=author.pk).update(**changes)
    end(make_job(author))
    assert mail.outbox == []


def test_previews_are_not_written_of(author, mailing):
    end(make_job(author, kind=JobKind.PREVIEW))
    assert mail.outbox == []


def test_a_mail_that_fails_is_logged_and_its_jobs_told_by_the_next(
    author, mailing, settings, caplog
):
    working, settings.EMAIL_BACKEND = settings.EMAIL_BACKEND, "nowhere.Backend"
    end(make_job(author, "First"))
    assert "could not be sent" in caplog.text
    assert "First" not in caplog.text.partition("Traceback")[0]
    assert len(api.list_notices(author)) == 1
    settings.EMAIL_BACKEND = working
    end(make_job(author, "Second"))
    [message] = mail.outbox
    assert message.subject == "2 narrations are ready."
    assert "- First" in message.body


def test_a_title_cannot_add_headers(author, mailing):
    end(make_job(author, "A\r\nBcc: thief@example.org"))
    [message] = mail.outbox
    assert "\n" not in message.subject
    assert message.recipients() == ["owner@example.org"]


def test_the_mail_is_in_the_language_of_the_account_where_it_has_one(author, mailing, settings):
    class Profile:
        language = "pt_BR"

    assert find_language(author) == settings.LANGUAGE_CODE
    author.profile = Profile()
    assert find_language(author) == "pt-br"
    author.language = "xx"
    assert find_language(author) == "pt-br"
    with translation.override("pt-br"):
        end(make_job(author))
    assert mail.outbox[0].subject == "The narration of “Rain” is ready."


def test_addresses_stay_as_they_are_without_a_site():
    assert build_address("/courses/rivers/") == "/courses/rivers/"
    assert build_address("https://learn.example.org/x") == "https://learn.example.org/x"


@pytest.mark.django_db(transaction=True)
def test_a_real_run_writes_one_mail(note, author, mailing):
    assert narrate(note, user=author).state == "done"
    [message] = mail.outbox
    assert message.subject == "The narration of “A note” is ready."


@pytest.mark.django_db(transaction=True)
def test_cancelling_a_waiting_job_is_announced(note, author, admin_user, mailing):
    job = api.request_narration(note, language="en", user=author)
    api.cancel_job(job.uid, user=admin_user)
    assert [message.subject for message in mail.outbox] == [
        "The narration of “A note” was cancelled."
    ]
    assert not write_to_requester(author.pk)
