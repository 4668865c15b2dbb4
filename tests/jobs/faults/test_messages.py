"""The queue is a hint: lost, doubled or unreadable messages change nothing."""

from __future__ import annotations

import pytest
from django_q.models import OrmQ

from narration.models import Job
from narration.queue import bell
from tests.clusters import wait_for
from tests.jobs.faults.scene import run_code

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.cluster,
    pytest.mark.xdist_group("cluster"),
]


def test_all_messages_are_deleted(scene):
    lessons = [scene.write_lesson(f"lesson {n}", sentences=4) for n in range(4)]
    early = [scene.request(lesson) for lesson in lessons[:2]]
    assert OrmQ.objects.count() == 2
    OrmQ.objects.all().delete()
    with scene.cluster():
        scene.finish(*early)
        wait_for(lambda: not OrmQ.objects.exists(), what="an empty queue")
        late = [scene.request(lesson) for lesson in lessons[2:]]
        OrmQ.objects.all().delete()
        scene.finish(*late)
    scene.assert_whole(*lessons)


def test_a_new_secret_key_finds_the_queue_full(scene):
    lessons = [scene.write_lesson(f"lesson {n}", sentences=3) for n in range(5)]
    jobs = [scene.request(lesson) for lesson in lessons]
    assert OrmQ.objects.count() == 5
    scene.variables["TEST_SECRET_KEY"] = "another"
    with scene.cluster():
        scene.finish(*jobs)
    scene.assert_whole(*lessons)


def test_ten_messages_for_each_job_and_two_clusters(scene):
    lessons = [scene.write_lesson(f"lesson {n}", sentences=8) for n in range(4)]
    with scene.cluster(), scene.cluster():
        jobs = [scene.request(lesson) for lesson in lessons]
        for _ in range(10 * len(jobs)):
            bell.ring("cpu")
        scene.finish(*jobs)
        wait_for(lambda: not OrmQ.objects.exists(), what="an empty queue")
    assert [(job.claims, job.synthesized) for job in jobs] == [(1, 8)] * 4
    scene.assert_whole(*lessons)


def test_six_processes_ask_for_the_same_forty_lessons_at_once(scene):
    """Lessons that share their texts in part, and twenty more while the first are made."""
    scene.dummy["delay_ms"] = 0
    bodies = [f"A common beginning.\n\nThe end of the tale {n}." for n in range(5)]
    lessons = [scene.write_lesson(body=body) for body in bodies * 8]
    code = (
        "from narration import api\n"
        "from tests.testapp.models import Note\n"
        "for note in Note.objects.order_by('pk'): api.request_narration(note, language='en')\n"
    )
    processes = [run_code(scene, code) for _ in range(6)]
    assert [process.wait(180) for process in processes] == [0] * 6
    assert Job.objects.count() == 40
    with scene.cluster():
        lessons += [scene.write_lesson(body=bodies[0]) for _ in range(20)]
        for lesson in lessons[40:]:
            scene.request(lesson)
        scene.finish(*Job.objects.all(), seconds=180)
    assert Job.objects.count() == 60
    # Two workers that miss the same sentence at the same moment may both make it.
    scene.assert_whole(*lessons, made_again=6)
