"""kill −9 of anything, in mid-lesson and idle."""

from __future__ import annotations

import pytest

from narration.models import Event, Job, Worker
from tests.clusters import wait_for
from tests.jobs.faults.scene import Troupe
from tests.processes import find_marked, kill

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.cluster,
    pytest.mark.xdist_group("cluster"),
]


def test_a_worker_and_then_an_engine_in_the_middle_of_a_lesson(scene):
    first, second = scene.write_lesson("one"), scene.write_lesson("two")
    with scene.cluster() as troupe:
        before = troupe.wait_whole()
        job = scene.request(first)
        scene.wait_made(8)
        kill(scene.get_worker(job))
        scene.finish(job)
        after = troupe.wait_whole(but=before.pids)
        again = scene.request(second)
        scene.wait_made(28)
        kill(*after.engines)
        scene.finish(again)
        # An engine that dies costs a sentence, not the cluster.
        assert troupe.wait_whole() == after
    assert job.state == again.state == "done"
    scene.assert_whole(first, second, deaths=2)


@pytest.mark.parametrize("victims", [("worker", "monitor"), ("sentinel", "parent")])
def test_an_idle_process_of_the_cluster(scene, victims):
    names = ["nobody", *victims]
    lessons = [scene.write_lesson(f"after {name}", sentences=3) for name in names]
    with scene.cluster() as troupe:
        # Until then the supervisor has seen them all: it looks twice a second.
        scene.finish(scene.request(lessons[0]))
        for name, lesson in zip(victims, lessons[1:], strict=True):
            before = troupe.wait_whole()
            kill(before.workers[0] if name == "worker" else getattr(before, name))
            after = troupe.wait_whole(but=before.pids)
            scene.finish(scene.request(lesson))
            # As many as there were, and nobody of before.
            assert troupe.wait_whole() == after
            engines = set(after.engines)
            assert set(find_marked(str(scene.folder))) - engines == {*after.pids, after.supervisor}
    scene.assert_whole(*lessons)


def test_everything_with_ten_lessons_queued(scene):
    lessons = [scene.write_lesson(f"lesson {n}", sentences=5) for n in range(10)]
    jobs = [scene.request(lesson) for lesson in lessons]
    with scene.cluster() as troupe:
        scene.wait_made(7)
        kill(*find_marked(str(scene.folder)))
        troupe.process.wait()
        wait_for(lambda: not find_marked(str(scene.folder)), what="the death of all")
        troupe.restart()
        scene.finish(*jobs)
    scene.assert_whole(*lessons, deaths=1, lanes=2)


def test_a_supervisor_takes_its_cluster_and_its_engines_along(scene):
    lesson = scene.write_lesson()
    with scene.cluster() as troupe:
        job = scene.request(lesson)
        scene.wait_made(5)
        kill(troupe.process.pid)
        troupe.process.wait()
        wait_for(lambda: not find_marked(str(scene.folder)), what="the end of the cluster")
        troupe.restart()
        scene.finish(job)
    scene.assert_whole(lesson, deaths=1)


def test_a_job_that_kills_its_worker_is_quarantined_and_the_others_are_done(scene):
    scene.narration = {"MAX_CLAIMS": 2}
    scene.dummy |= {"kill_parent_on": "deadly"}
    lesson = scene.write_lesson(sentences=5)
    deadly = scene.write_lesson(body="This one is deadly.")
    bad, good = scene.request(deadly, priority=-5), scene.request(lesson)
    with scene.cluster():
        scene.finish(bad, good)
        assert (bad.state, bad.claims, bad.error_code) == ("quarantined", 3, "kills_worker")
        assert good.state == "done"
        kinds = list(Event.objects.filter(job=bad).order_by("pk").values_list("kind", flat=True))
        # A cluster that stops may have a worker that has just taken it: given back, it counts anew.
        given_back = [at for at, kind in enumerate(kinds) if kind == "job_given_back"]
        assert kinds[max(given_back, default=0) :].count("job_running") == 3, kinds
    Job.objects.filter(pk=bad.pk).delete()
    scene.assert_whole(lesson, deaths=kinds.count("job_running"))


def test_what_a_killed_supervisor_and_its_main_process_leave_is_ended_by_the_next(scene):
    """With both gone nobody tells the sentinel and the workers to end: they live on."""
    lesson = scene.write_lesson()
    first = scene.start()
    orphans = Troupe(scene, first).wait_whole().pids
    main = wait_for(Worker.objects.filter(lane="cluster").first, what="its row").pid
    kill(first.pid, main)
    first.wait()
    left = orphans - {main}
    assert left & set(find_marked(str(scene.folder)))
    with scene.cluster():
        wait_for(lambda: not left & set(find_marked(str(scene.folder))), what="the orphans' end")
        scene.finish(scene.request(lesson))
    scene.assert_whole(lesson)
