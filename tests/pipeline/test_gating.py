"""A sentence that sounds wrong is made again, up to a limit; the best is kept and flagged."""

from __future__ import annotations

import threading
import time

import pytest
from django.db import connection

from narration import api
from narration.models import Event, Rendition, SynthesisFailure, UsageDay
from narration.pipeline import gating
from narration.runner.lease import GiveBack, Lease
from tests.helpers import narrate, work
from tests.testapp.models import Note

pytestmark = pytest.mark.django_db(transaction=True)

BACKEND = "tests.pipeline.moody.MoodyEngine"


@pytest.fixture
def let(settings, tmp_path, no_engines):
    """Engines that are in these moods; the attempts they made, as (text, attempt, mood)."""

    def let(backend=BACKEND, attempts=3, **moods):
        options = {"moods": moods, "diary": str(tmp_path / "diary"), "ms_per_character": 8}
        settings.NARRATION = {
            **settings.NARRATION,
            "ENGINES": {"dummy": {"BACKEND": backend, "OPTIONS": options}},
            "GATE_ATTEMPTS": attempts,
        }

        def read():
            lines = (tmp_path / "diary").read_text().splitlines()
            return [
                (text, int(number), mood) for text, number, mood in (x.split("|") for x in lines)
            ]

        return read

    return let


def get_diary(read):
    """The attempts so far, none before the engine has begun."""
    try:
        return read()
    except FileNotFoundError:
        return []


def get(text):
    return Rendition.objects.get(spoken_text=text)


def test_a_bad_attempt_is_made_again_and_the_good_one_kept(note, let):
    read = let(river=["silent", "fine"])
    job = narrate(note)
    assert (job.state, job.failed) == ("done", 0)
    made = get("The river rose.")
    assert (made.attempt, made.verdict, made.device) == (1, "ok", "moody:1")
    assert made.peak_db > -20
    assert made.gate["findings"] == []
    assert [each["codes"] for each in made.gate["attempts"]] == [["silent"], []]
    assert [row for row in read() if "river" in row[0]] == [
        ("The river rose.", 0, "silent"),
        ("The river rose.", 1, "fine"),
    ]
    assert get("It rained.").attempt == 0
    assert "attempts" not in get("It rained.").gate


def test_the_best_of_bad_attempts_is_kept_and_flagged(note, let):
    read = let(river=["silent", "clipped", "quiet"])
    job = narrate(note)
    assert job.state == "done"
    made = get("The river rose.")
    assert (made.attempt, made.verdict) == (1, "flagged")
    assert [finding["code"] for finding in made.gate["findings"]] == ["clipped"]
    assert len(made.gate["attempts"]) == 3
    assert len([row for row in read() if "river" in row[0]]) == 3
    assert not SynthesisFailure.objects.exists()
    assert narrate(note).synthesized == 0


def test_the_engines_own_word_is_enough(note, let):
    let(river=["limit"])
    narrate(note)
    made = get("The river rose.")
    assert (made.verdict, len(made.gate["attempts"])) == ("flagged", 3)
    assert made.gate["findings"][0]["code"] == "hit_limit"


@pytest.mark.parametrize("how", ["crash", "fail"])
def test_an_attempt_that_fails_costs_nobody_what_was_made(note, let, how):
    let(river=["clipped", how])
    job = narrate(note)
    assert (job.state, job.failed, job.synthesized) == ("done", 0, job.total)
    assert (get("The river rose.").attempt, get("The river rose.").verdict) == (0, "flagged")
    assert not SynthesisFailure.objects.exists()


def test_a_first_attempt_that_fails_is_a_failure_as_ever(note, let):
    let(river=["fail"])
    job = narrate(note)
    assert (job.state, job.failed) == ("partial", 1)


@pytest.mark.parametrize(("backend", "limit"), [(BACKEND, 1), (BACKEND, 0), ("takeless", 3)])
def test_no_second_attempt_where_none_is_wanted_or_possible(note, let, backend, limit):
    backend = "tests.pipeline.moody.TakelessEngine" if backend == "takeless" else backend
    read = let(backend, limit, river=["silent", "fine"])
    narrate(note)
    assert (get("The river rose.").attempt, get("The river rose.").verdict) == (0, "flagged")
    assert all(attempt == 0 for _text, attempt, _mood in read())


def test_all_attempts_are_counted_as_work_and_the_sentence_once(note, let, owner):
    let(river=["silent", "quiet", "fine"])
    job = narrate(note, user=owner)
    usage = UsageDay.objects.get()
    assert (usage.made, job.synthesized) == (job.total, job.total)
    assert (
        usage.characters
        == job.characters
        == sum(len(each.spoken_text) for each in Rendition.objects.all())
    )
    total = sum(each.engine_ms for each in Rendition.objects.all())
    assert usage.engine_ms == job.engine_ms == total
    assert get("The river rose.").engine_ms >= 3 * 5


def test_sentences_that_nothing_makes_better_are_not_tried_for_ever(owner, let, monkeypatch):
    monkeypatch.setattr(gating, "HOPELESS_IN_A_ROW", 2)
    body = " ".join(
        f"Number {word} fell." for word in ["one", "two", "three", "four", "five", "six"]
    )
    note = Note.objects.create(title="Bad", owner=owner, body=body)
    read = let(Number=["silent"])
    job = narrate(note)
    assert job.state == "done"
    tried = [text for text, attempt, _mood in read() if attempt]
    # Those lined up when it became clear may still be in hand.
    assert 4 <= len(tried) <= 2 * (2 + 2)
    assert set(Rendition.objects.exclude(spoken_text="Bad").values_list("verdict", flat=True)) == {
        "flagged"
    }


def test_a_gate_that_breaks_breaks_no_narration(note, let, monkeypatch, caplog):
    def stumble(*_args, **_kwargs):
        raise ZeroDivisionError("a bug")

    let()
    monkeypatch.setattr(gating, "judge", stumble)
    job = narrate(note)
    assert job.state == "done"
    assert set(Rendition.objects.values_list("verdict", "attempt")) == {("inconclusive", 0)}
    assert "The quality gate failed" in caplog.text
    assert "river" not in caplog.text


def test_results_still_come_out_of_order(note, let, monkeypatch):
    """While one sentence is tried again, the others are stored."""
    let(Rain=["silent", "silent", "fine"])
    order = []
    made = Lease.made

    def remember(self, segment, rendition):
        order.append(segment.spoken.text)
        made(self, segment, rendition)

    monkeypatch.setattr(Lease, "made", remember)
    narrate(note)
    assert order.index("Rain") > 0
    assert sorted(order) == sorted({*order})


def test_a_cancelled_job_makes_no_further_attempt_and_keeps_what_it_made(note, let):
    read = let(attempts=50, river=["slow"])
    job = api.request_narration(note, language="en")

    def cancel_when_begun():
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            if any(attempt for _text, attempt, _mood in get_diary(read)):
                break
            time.sleep(0.05)
        api.cancel_job(job.uid)
        connection.close()

    thread = threading.Thread(target=cancel_when_begun)
    thread.start()
    work()
    thread.join()
    job.refresh_from_db()
    assert job.state == "cancelled"
    assert get("The river rose.").verdict == "flagged"
    assert len([row for row in read() if "river" in row[0]]) < 6


def test_a_run_that_ends_between_two_attempts_keeps_the_first(note, let, monkeypatch):
    """Else a sentence whose attempts take longer than a run would never be done."""
    read = let(attempts=50, river=["silent"])
    check, stopped = Lease.check, []

    def stop_in_between(self):
        if not stopped and (get_diary(read) or [("", 0, "")])[-1][1]:
            stopped.append(True)
            raise GiveBack
        check(self)

    monkeypatch.setattr(Lease, "check", stop_in_between)
    job = narrate(note)
    assert stopped
    assert Event.objects.filter(kind="job_given_back").count() == 1
    assert (job.state, job.synthesized) == ("done", job.total)
    assert get("The river rose.").verdict == "flagged"
    assert len([row for row in read() if "river" in row[0]]) < 6


def test_espeak_is_judged_and_never_asked_again(owner, settings):
    settings.NARRATION = {
        **settings.NARRATION,
        "DEFAULT_VOICES": {"en": "espeak:en-us", "pt-BR": "espeak:pt-br"},
    }
    note = Note.objects.create(title="Wind", owner=owner, body="The wind came from your palms.")
    assert narrate(note).state == "done"
    made = get("The wind came from your palms.")
    assert (made.verdict, made.attempt, made.device) == ("ok", 0, "cpu")
    assert made.gate == {"thresholds": "espeak", "calibrated": True, "findings": []}
