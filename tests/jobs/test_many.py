"""Many narrations at once, and quotas."""

from __future__ import annotations

import threading
import time

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from narration import api, runner
from narration.exceptions import QuotaExceeded
from narration.models import (
    Event,
    Job,
    SpeechPolicy,
    UsageDay,
)
from narration.pipeline import quotas
from narration.queue import bell
from tests.helpers import narrate, work
from tests.jobs.scenes import make_notes

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def rings(monkeypatch):
    """No queue here."""
    rung = []
    monkeypatch.setattr(bell, "ring", rung.append)
    return rung


# Many at once


def test_many_are_asked_for_in_as_many_queries_as_few(owner):
    few, many = make_notes(owner, 3), make_notes(owner, 60)
    counts = []
    for notes in (few, many):
        with CaptureQueriesContext(
            connection,
        ) as queries:
            result = api.request_narrations(notes, user=owner)
        assert len(result.jobs) == len(notes)
        counts.append(len(queries))
    assert counts[1] <= counts[0]  # caches are filled by the first
    assert Event.objects.filter(kind="requested").count() == 63


def test_many_wake_several_workers_and_one_wakes_one(owner, rings):
    api.request_narrations(make_notes(owner, 3), user=owner)
    assert rings == ["cpu"] * 3
    api.request_narrations(make_notes(owner, 100), user=owner)
    assert rings == ["cpu"] * (3 + bell.MAX_RINGS)


def test_asked_again_they_are_the_same_jobs(owner):
    notes = make_notes(owner, 5)
    first = api.request_narrations(notes, user=owner)
    again = api.request_narrations(notes, user=owner)
    assert [job.pk for job in first.jobs] == [job.pk for job in again.jobs]
    assert Job.objects.count() == 5


def test_what_may_not_be_narrated_is_told_and_the_rest_is_served(owner, stranger):
    mine, theirs = make_notes(owner, 2), make_notes(stranger, 1)
    result = api.request_narrations([*mine, *theirs], user=owner)
    assert len(result.jobs) == 2
    assert [refusal.obj for refusal in result.refused] == theirs
    assert result.refused[0].error.code == "not_allowed"


# Quotas


def test_a_person_may_have_so_many_waiting(owner, stranger):
    SpeechPolicy.objects.create(scope_key="", quotas={"queued_jobs_per_user": 2})
    result = api.request_narrations(make_notes(owner, 3), user=owner)
    assert (len(result.jobs), len(result.refused)) == (2, 1)
    assert "2" in str(result.refused[0].error)
    (other,) = make_notes(stranger, 1)
    assert api.request_narration(other, language="en", user=stranger).state == "queued"
    assert Job.objects.count() == 3


def test_requests_that_come_together_are_counted_one_after_the_other(owner):
    SpeechPolicy.objects.create(scope_key="", quotas={"queued_jobs_per_user": 2})
    together = threading.Barrier(6)
    refused = []

    def ask(note):
        together.wait()
        try:
            api.request_narration(note, language="en", user=owner)
        except QuotaExceeded:
            refused.append(note)
        finally:
            connection.close()

    threads = [threading.Thread(target=ask, args=[note]) for note in make_notes(owner, 6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (Job.objects.count(), len(refused)) == (2, 4)


def test_a_day_has_so_many_characters(owner):
    SpeechPolicy.objects.create(scope_key="", quotas={"characters_a_day_per_user": 10})
    first, second = make_notes(owner, 1, "One two."), make_notes(owner, 1, "Three four.")
    assert narrate(first[0], user=owner).state == "done"
    assert UsageDay.objects.get().characters <= 10
    job = narrate(second[0], user=owner)
    assert (job.state, job.error_code, job.synthesized) == ("failed", "quota_day", 0)
    UsageDay.objects.update(characters=10)
    with pytest.raises(QuotaExceeded):
        api.request_narration(make_notes(owner, 1, "Five.")[0], language="en", user=owner)


def test_jobs_side_by_side_share_a_day(owner):
    SpeechPolicy.objects.create(scope_key="", quotas={"characters_a_day_per_user": 10})
    for note in make_notes(owner, 2):
        api.request_narration(note, language="en", user=owner)
    first, second = runner.claim("cpu"), runner.claim("cpu")
    quotas.check_run(first, 8)
    quotas.check_run(first, 8)  # one that begins again reserves once
    with pytest.raises(QuotaExceeded):
        quotas.check_run(second, 8)
    Job.objects.filter(pk=first.pk).update(characters=7)
    quotas.check_run(second, 8)
    Job.objects.filter(pk=first.pk).update(state="done")
    UsageDay.objects.create(day=timezone.localdate(), user=owner, characters=7)
    with pytest.raises(QuotaExceeded):
        quotas.check_run(second, 8)


def test_one_run_may_speak_so_much(owner):
    SpeechPolicy.objects.create(scope_key="", quotas={"characters_a_run": 12})
    short, long = make_notes(owner, 1, "Short."), make_notes(owner, 1, "This is far too long.")
    assert narrate(short[0]).state == "done"
    job = narrate(long[0])
    assert (job.state, job.error_code, job.synthesized) == ("failed", "quota_run", 0)


def test_a_nearer_scope_allows_more(owner):
    SpeechPolicy.objects.create(scope_key="", quotas={"characters_a_run": 3})
    (note,) = make_notes(owner, 1, "This is longer than three.")
    SpeechPolicy.objects.create(
        scope_key=f"testapp.note:{note.pk}", quotas={"characters_a_run": 300}
    )
    assert narrate(note).state == "done"


def test_the_lease_is_kept_through_a_long_stitch(note, monkeypatch, settings):
    settings.NARRATION = {**settings.NARRATION, "LEASE_SECONDS": 1}
    from narration.pipeline import narrate as story

    stitch = story.stitch_track

    def slowly(*args):
        time.sleep(2.5)
        assert runner.sweep() == 0
        return stitch(*args)

    monkeypatch.setattr(story, "stitch_track", slowly)
    assert narrate(note).state == "done"


def test_previews_count_towards_the_day(owner):
    (note,) = make_notes(owner, 1)
    scope = f"testapp.note:{note.pk}"
    SpeechPolicy.objects.create(scope_key="", quotas={"characters_a_day_per_user": 15})
    listen = {"language": "en", "scope_key": scope, "user": owner}
    api.request_audition("Twelve signs", **listen)
    work()
    assert UsageDay.objects.get().scope_key == scope
    with pytest.raises(QuotaExceeded):
        api.request_audition("Four", **listen)


def test_a_refused_wish_takes_nobodys_place(owner):
    free, full = make_notes(owner, 2)
    SpeechPolicy.objects.create(scope_key="", quotas={"queued_jobs_per_user": 1})
    SpeechPolicy.objects.create(scope_key=f"testapp.note:{full.pk}", quotas={"queued_jobs": 0})
    result = api.request_narrations([full, free], user=owner)
    assert [job.narration.object_id for job in result.jobs] == [str(free.pk)]
