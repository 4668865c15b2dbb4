"""What the measurements stand on: courses of many lessons, and a cluster that works."""

import os
import signal
import subprocess
import sys
from contextlib import contextmanager

from django.db import transaction

from bench.jobs.clocks import wait_until
from bench.narrating import build_text
from courses import api as courses
from courses.models import Visibility
from tests.clusters import ROOT
from tests.processes import find_cluster, list_children


def write_course(author, title: str, lessons: int, sentences: int, *, heading: str = ""):
    """Lessons whose sentences are all different, not planned yet."""
    course = courses.create_course(author, title=title, language="en", visibility=Visibility.PUBLIC)
    texts = []
    with transaction.atomic():
        for number in range(lessons):
            text = courses.create_lesson(course, title=f"{title} {number}", slug=f"n{number}")
            body = build_text(sentences, number).replace(" number ", f" {title} {number} number ")
            markdown = f"# {heading} {number}\n\n{body}" if heading else body
            text.save_revision(
                markdown=markdown, title=text.title, author=author, expected_version=0, plans=False
            )
            texts.append(text)
    return course, [text.lesson for text in texts]


@contextmanager
def working_cluster(workers: int):
    """The supervisor's pid, once its cluster is whole; nobody is left afterwards."""
    process = subprocess.Popen(
        [sys.executable, "-W", "ignore", "manage.py", "narration_worker"],
        cwd=ROOT,
        env={**os.environ, "Q_WORKERS": str(workers)},
        start_new_session=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        wait_until(lambda: find_cluster(process.pid, workers=workers))
        yield process.pid
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(90)


def list_family(ancestor: int) -> list[int]:
    """A process and all that it started."""
    family = [ancestor]
    for pid in family:
        family.extend(list_children(pid))
    return family
