"""A real supervisor, a real django-q2 cluster, real engine processes and real signals."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from narration import api
from narration.models import Job, JobState, Rendition, Track, Worker
from narration.queue.supervisor import iter_session
from tests.clusters import ROOT, build_environment, supervised, wait_for
from tests.helpers import get_narration, narrate
from tests.testapp.models import Note

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.cluster,
    pytest.mark.xdist_group("cluster"),
]

SENTENCES = 40
TEXT = "\n\n".join(f"This is sentence number {n} of the lesson." for n in range(SENTENCES))


@pytest.fixture
def environment(settings):
    return build_environment(settings, delay_ms=60)


def get_cluster():
    """The newest cluster a supervisor registered."""
    return Worker.objects.filter(lane="cluster").order_by("-pk").first()


def find_children(environment):
    """Live processes of this test: whoever carries its storage folder in the environment."""
    marker = f"TEST_STORAGE={environment['TEST_STORAGE']}".encode()
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                if marker in (entry / "environ").read_bytes().split(b"\0"):
                    found.append(int(entry.name))
            except OSError:
                continue
    return found


def finish(job, *, seconds=90):
    """Wait for its end."""
    wait_for(
        lambda: Job.objects.filter(pk=job.pk).exclude(state__in=("queued", "running")).exists(),
        seconds=seconds,
        what=f"the end of job {job.pk}",
    )
    job.refresh_from_db()
    return job


@pytest.fixture
def lesson(owner):
    return Note.objects.create(title="Forty", owner=owner, body=TEXT)


def undisturbed(owner):
    """The same text narrated in peace, in this process: what it must sound like."""
    note = Note.objects.create(title="Peace", owner=owner, body=TEXT)
    narrate(note)
    manifest = get_narration(note).draft_track.manifest
    checksums = dict(Rendition.objects.values_list("digest", "sha256"))
    Track.objects.all().delete()
    Rendition.objects.all().delete()
    return manifest["segments"], checksums


def assert_whole(lesson, job, expected):
    segments, checksums = expected
    assert (job.state, job.total, job.failed) == ("done", SENTENCES, 0)
    assert dict(Rendition.objects.values_list("digest", "sha256")) == checksums
    assert get_narration(lesson).draft_track.manifest["segments"] == segments
    assert not Job.objects.filter(state=JobState.RUNNING).exists()


def test_kill_9_of_the_worker_in_the_middle_of_a_lesson(lesson, owner, environment):
    expected = undisturbed(owner)
    with supervised(environment):
        job = api.request_narration(lesson, language="en")
        wait_for(lambda: Rendition.objects.count() > 10, what="ten sentences")
        victim = Job.objects.select_related("worker").get(pk=job.pk).worker
        os.kill(victim.pid, signal.SIGKILL)
        job = finish(job)
    assert_whole(lesson, job, expected)
    assert job.synthesized <= SENTENCES  # nothing stored was made again
    partial = list(Path(environment["TEST_STORAGE"]).rglob(".partial-*"))
    assert not partial
    assert not find_children(environment)


def test_kill_9_of_the_whole_cluster_and_of_the_supervisor(lesson, owner, environment):
    expected = undisturbed(owner)
    command = [sys.executable, "manage.py", "narration_worker"]
    first = subprocess.Popen(command, cwd=ROOT, env=environment, start_new_session=True)
    job = api.request_narration(lesson, language="en")
    wait_for(lambda: Rendition.objects.count() > 5, what="five sentences")
    for pid in [first.pid, *iter_session(get_cluster().pid)]:
        os.kill(pid, signal.SIGKILL)
    first.wait()
    wait_for(lambda: not find_children(environment), what="the death of every child")
    with supervised(environment):
        job = finish(job)
    assert_whole(lesson, job, expected)


def test_a_supervisor_that_is_killed_takes_its_cluster_along(environment):
    command = [sys.executable, "manage.py", "narration_worker"]
    process = subprocess.Popen(command, cwd=ROOT, env=environment, start_new_session=True)
    wait_for(lambda: (c := get_cluster()) and len(iter_session(c.pid)) >= 4, what="a cluster")
    process.kill()
    process.wait()
    wait_for(lambda: not find_children(environment), what="the end of the cluster")


def test_sigterm_gives_the_job_back_between_two_sentences(lesson, owner, environment):
    expected = undisturbed(owner)
    with supervised(environment) as process:
        job = api.request_narration(lesson, language="en")
        wait_for(lambda: Rendition.objects.count() > 5, what="five sentences")
        process.terminate()
        assert process.wait(30) == 0
    job.refresh_from_db()
    assert job.state == "queued"
    assert 5 < Rendition.objects.count() < SENTENCES
    assert not find_children(environment)
    with supervised(environment):
        job = finish(job)
    assert_whole(lesson, job, expected)


def test_lost_messages_lose_no_work(lesson, environment, monkeypatch):
    monkeypatch.setattr("narration.queue.bell.ring", lambda lane: None)
    job = api.request_narration(lesson, language="en")
    with supervised(environment):
        assert finish(job).state == "done"


def test_equal_requests_at_once_are_one_job(lesson, environment):
    code = (
        "import django; django.setup()\n"
        "from narration import api\n"
        "from tests.testapp.models import Note\n"
        f"note = Note.objects.get(pk={lesson.pk})\n"
        "for _ in range(10): api.request_narration(note, language='en')\n"
    )
    processes = [
        subprocess.Popen([sys.executable, "-W", "ignore", "-c", code], cwd=ROOT, env=environment)
        for _ in range(4)
    ]
    assert [process.wait(60) for process in processes] == [0, 0, 0, 0]
    assert Job.objects.count() == 1
    with supervised(environment):
        job = finish(Job.objects.get())
    assert (job.state, job.synthesized, Rendition.objects.count()) == ("done", SENTENCES, SENTENCES)
