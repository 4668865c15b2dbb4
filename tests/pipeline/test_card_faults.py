"""The card's memory runs out, the card is lost, the engine cannot be loaded: who pays, and when."""

from __future__ import annotations

import json
from collections import Counter

import pytest
from django.db.models.functions import Now

from narration import api
from narration.models import JobError, Lane, Rendition, SynthesisFailure
from narration.pipeline.explanations import explain, explain_job
from narration.pipeline.plainly import advise
from narration.speaking import describe_warm, get_engine_process
from tests.helpers import work
from tests.jobs.scenes import end_waits
from tests.speaking.test_client import HERE
from tests.speaking.test_faults import is_alive

pytestmark = pytest.mark.django_db(transaction=True)

BODY = "It rained. The river rose. It rained again. The sun came. Birds sang."


@pytest.fixture
def card(settings, tmp_path, monkeypatch, no_engines):
    """The engine of the notes has a card with faults: ``plan(code, on, times)``."""
    monkeypatch.setattr("narration.queue.bell.ring", lambda lane: None)
    faults, log = tmp_path / "faults", tmp_path / "spoken"
    engine = {
        "BACKEND": HERE + "CardEngine",
        "OPTIONS": {"ms_per_character": 8, "log": str(log), "faults": str(faults)},
    }
    settings.NARRATION = {**settings.NARRATION, "ENGINES": {"dummy": engine}, "MAX_CLAIMS": 3}

    class Card:
        @staticmethod
        def plan(code, on="", times=1, **more):
            line = json.dumps({"code": code, "on": on, "times": times, **more})
            with faults.open("a") as file:
                file.write(f"{line}\n")

        @staticmethod
        def count_spoken():
            return Counter(log.read_text().splitlines() if log.exists() else [])

    return Card


@pytest.fixture
def job(card, note):
    note.body = BODY
    note.save()
    return api.request_narration(note, language="en")


def try_again(job):
    """One more try, with nothing to wait for."""
    end_waits()
    Lane.objects.update(paused_until=None)
    work()
    job.refresh_from_db()
    return job


def list_set_aside():
    return list(SynthesisFailure.objects.filter(until__gt=Now()).values_list("error_code"))


@pytest.mark.parametrize("code", ["out_of_memory", "device_lost"])
def test_once_costs_a_sentences_time_and_nothing_else(card, job, code):
    card.plan(code, "river")
    assert try_again(job).state == "done"
    assert set(card.count_spoken().values()) == {1}
    assert len(card.count_spoken()) == 5
    assert not SynthesisFailure.objects.exists()
    assert not Lane.objects.exists()


def test_a_lost_card_ends_the_engines_process_and_the_next_one_goes_on(card, job):
    process = get_engine_process("dummy")
    first = process.pid
    card.plan("device_lost", "river", times=1)
    assert try_again(job).state == "done"
    assert not is_alive(first)
    (engine,) = describe_warm()
    assert (engine["state"], engine["pid"]) == ("loaded", process.pid)


@pytest.mark.parametrize("code", ["out_of_memory", "device_lost"])
def test_of_a_card_that_speaks_nothing_no_sentence_is_to_blame(card, job, code):
    card.plan(code, "", times=-1)
    assert try_again(job).state == "queued"
    assert (job.error_code, job.attempts) == (code, 1)
    assert job.not_before is not None
    assert "0.2 GB free of 8.0 GB" in job.error
    assert not SynthesisFailure.objects.filter(count__gt=0).exists()
    assert not JobError.objects.exists()
    lane = Lane.objects.get()
    assert (lane.failures, lane.error_code) == (1, code)
    for _ in range(3):
        try_again(job)
    assert (job.state, job.error_code) == ("failed", code)
    assert Lane.objects.get().failures == 4
    assert Lane.objects.get().paused_until is not None
    assert list_set_aside() == []


def test_a_single_sentence_is_not_to_blame_either(card, note):
    note.body = "The river rose."
    note.save()
    job = api.request_narration(note, language="en")
    card.plan("out_of_memory", "river", times=-1)
    for state in ("queued", "queued", "queued", "failed"):
        assert (try_again(job).state, job.error_code) == (state, "out_of_memory")
        assert list_set_aside() == []


@pytest.mark.parametrize("code", ["out_of_memory", "device_lost"])
def test_a_sentence_is_blamed_once_the_card_spoke_all_others_beyond_the_limit(card, job, code):
    card.plan(code, "river", times=-1)
    for attempt in (1, 2, 3):
        assert try_again(job).state == "queued"
        assert (job.error_code, job.attempts) == (code, attempt)
        assert list_set_aside() == []
        # What can be spoken is, once; it counts for the sentence that cannot.
        assert Rendition.objects.count() == 4
        if attempt < 3:
            SynthesisFailure.objects.get(count=attempt)
            assert not JobError.objects.exists()
        # Only where others were spoken meanwhile may the sentence be at fault.
        Rendition.objects.filter(spoken_text="Birds sang.").delete()
    assert try_again(job).state == "partial"
    assert list_set_aside() == [(code,)]
    error = JobError.objects.get()
    assert (error.text, error.code) == ("The river rose.", code)
    assert "this sentence" in explain(code)


def test_what_else_is_wrong_with_sentences_is_told_all_the_same(card, job, settings):
    settings.NARRATION["ENGINES"]["dummy"]["OPTIONS"]["fail_on"] = "sun"
    card.plan("out_of_memory", "river", times=2)
    assert try_again(job).state == "queued"
    assert try_again(job).state == "partial"
    assert [error.code for error in JobError.objects.all()] == ["asked_to_fail"]


@pytest.mark.parametrize("code", ["no_gpu", "model_missing", "device_unfit"])
def test_an_engine_that_cannot_be_loaded_here_is_not_tried_for_ever(card, job, code):
    card.plan(code, "load", times=-1, permanent=True)
    assert try_again(job).state == "failed"
    assert (job.error_code, job.attempts) == (code, 1)
    (engine,) = describe_warm()
    assert (engine["state"], engine["code"]) == ("failed", code)
    assert work() == 0


def test_memory_that_is_taken_while_loading_is_waited_for(card, job):
    card.plan("out_of_memory", "load")
    assert try_again(job).state == "queued"
    assert job.error_code == "out_of_memory"
    assert try_again(job).state == "done"
    (engine,) = describe_warm()
    assert (engine["state"], "error" in engine) == ("loaded", False)


@pytest.mark.parametrize(
    "code", ["out_of_memory", "device_lost", "no_gpu", "device_unfit", "engine_busy"]
)
def test_it_is_told_in_plain_words_with_what_to_do(code):
    unknown = explain_job("nobody_knows"), advise("nobody_knows")
    assert explain_job(code) != unknown[0]
    assert advise(code) != unknown[1]
