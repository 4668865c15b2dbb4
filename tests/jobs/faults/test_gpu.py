"""The lane of the card, with a real cluster of its own: one process, one warm engine, and what
becomes of a lesson when the engine, its worker or the card dies under it.
"""

from __future__ import annotations

import json

import pytest

from narration import api
from narration.models import Event, Job, JobError, SynthesisFailure, Worker
from tests.clusters import wait_for
from tests.processes import kill
from tests.speaking.test_client import HERE
from tests.speaking.test_faults import is_alive

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.cluster,
    pytest.mark.xdist_group("cluster"),
]


@pytest.fixture
def card(scene, settings, tmp_path):
    """The engine of every lesson has a card and a lane; ``start`` begins the play there.

    Lessons are written before, in a process without either: their sound is the same.
    """
    faults = tmp_path / "faults"

    class Card:
        narration: dict = {}

        @staticmethod
        def start():
            options = {"ms_per_character": 8, "log": str(scene.log), "faults": str(faults)}
            engine = {
                "BACKEND": HERE + "CardEngine",
                "LANE": "gpu",
                "OPTIONS": {**options, **scene.dummy},
            }
            scene.narration = {"ENGINES": {"dummy": engine}, **Card.narration}
            scene.variables = {"Q_LANES": "gpu", "Q_CLUSTER_NAME": "gpu"}
            scene.workers = 1
            settings.NARRATION = {**settings.NARRATION, **scene.narration}
            settings.Q_CLUSTER = {**settings.Q_CLUSTER, "ALT_CLUSTERS": {"gpu": {"workers": 1}}}
            return scene.cluster()

        @staticmethod
        def break_it(code, times=-1):
            faults.write_text(json.dumps({"code": code, "on": "", "times": times}))

        @staticmethod
        def mend():
            faults.unlink()

        @staticmethod
        def get_facts():
            rows = Worker.objects.filter(lane="gpu").values_list("facts", flat=True)
            found = [each for facts in rows for each in facts.get("engines", ())]
            return found[-1] if found else {}

    return Card


def get_engine(troupe):
    """The one engine of the one worker."""
    (engine,) = wait_for(lambda: troupe.wait_whole().engines, what="the engine")
    return engine


def test_one_process_keeps_one_engine_from_task_to_task_until_it_is_idle(scene, card):
    lessons = [scene.write_lesson(f"lesson {n}", sentences=12) for n in range(2)]
    # A queue task works for a second only: a lesson takes several.
    card.narration = {"RUN_SECONDS": 1, "ENGINE_IDLE_SECONDS": 5}
    scene.dummy["delay_ms"] = 250
    with card.start() as troupe:
        cluster = troupe.wait_whole()
        assert len(cluster.workers) == 1
        warm = api.request_warm("dummy")
        scene.finish(warm)
        assert warm.state == "done"
        engine = get_engine(troupe)
        for lesson in lessons:
            scene.finish(scene.request(lesson))
            assert get_engine(troupe) == engine
        turns = Event.objects.filter(kind="job_given_back").count()
        assert turns >= 2
        facts = card.get_facts()
        assert (facts["state"], facts["pid"]) == ("loaded", engine)
        assert facts["real_time_factor"] > 0
        wait_for(lambda: not is_alive(engine), what="the end of an idle engine")
        wait_for(lambda: card.get_facts()["state"] == "unloaded", what="its being written down")
        assert troupe.wait_whole() == cluster
    Job.objects.filter(pk=warm.pk).delete()
    Event.objects.filter(kind="job_done", job=None).delete()
    # What is in hand when a turn ends is spoken anew in the next.
    scene.assert_whole(*lessons, made_again=turns)


def test_the_engine_and_then_its_worker_are_killed_in_the_middle_of_a_lesson(scene, card):
    first, second = scene.write_lesson("one"), scene.write_lesson("two")
    with card.start() as troupe:
        cluster = troupe.wait_whole()
        job = scene.request(first)
        scene.wait_made(6)
        engine = get_engine(troupe)
        kill(engine)
        scene.finish(job)
        # It costs a sentence's time, not the cluster, and the model is loaded again.
        assert troupe.wait_whole() == cluster
        assert get_engine(troupe) != engine
        again = scene.request(second)
        scene.wait_made(26)
        last = get_engine(troupe)
        kill(scene.get_worker(again))
        wait_for(lambda: not is_alive(last), what="the end of a dead worker's engine")
        scene.finish(again)
        assert troupe.wait_whole(but=cluster.pids)
    assert job.state == again.state == "done"
    scene.assert_whole(first, second, deaths=2)


def test_a_card_that_is_lost_and_comes_back_costs_no_sentence(scene, card):
    lesson = scene.write_lesson()
    scene.dummy["delay_ms"] = 150
    with card.start() as troupe:
        cluster = troupe.wait_whole()
        job = scene.request(lesson)
        scene.wait_made(3)
        card.break_it("device_lost")
        waiting = Job.objects.filter(pk=job.pk, state="queued", error_code="device_lost")
        wait_for(waiting.exists, what="a job that waits for the card")
        assert not JobError.objects.exists()
        card.mend()
        scene.finish(job)
        assert job.state == "done"
        assert troupe.wait_whole() == cluster
    assert not SynthesisFailure.objects.filter(until__isnull=False, error_code="set_aside").exists()
    # Each sentence is written to the log once it is spoken.
    assert set(scene.count_spoken().values()) == {1}
    scene.assert_whole(lesson)
