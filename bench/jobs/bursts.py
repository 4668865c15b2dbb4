"""A thousand lessons asked for at once: the request, the drain, what was made twice."""

import time
from collections import Counter
from pathlib import Path

from django.conf import settings
from django.db import connection

from bench.jobs.clocks import count_queries, wait_until
from bench.jobs.scenes import working_cluster, write_course
from bench.report import tell
from narration import api
from narration.models import CLUSTER_LANE, Job, Narration, Rendition, Track, Worker

SENTENCES = 2
WORKERS = 2


def measure(author, lessons: int) -> None:
    _course, few = write_course(author, "Few", max(lessons // 10, 1), SENTENCES)
    _course, many = write_course(author, "Many", lessons, SENTENCES)
    for objects in (few, many):
        queries = count_queries(lambda objects=objects: ask(author, objects))
        tell("burst: queries of the request", queries, "queries", len(objects))
    Narration.objects.all().delete()
    tell("burst: request", ask(author, many), "s", lessons)
    tell("burst: the same request again", ask(author, many), "s", lessons)
    tell("burst: jobs beyond one a lesson", Job.objects.count() - lessons, "jobs", lessons)
    Job.objects.all().delete()
    with working_cluster(WORKERS):
        wait_until(lambda: Worker.objects.filter(lane=CLUSTER_LANE).exists())
        time.sleep(2)  # all have found nothing to do, and sleep
        drain(author, many)
    connection.close()


def ask(author, objects) -> float:
    began = time.perf_counter()
    api.request_narrations(objects, languages=["en"], user=author)
    return time.perf_counter() - began


def drain(author, objects) -> None:
    """From the request to the last lesson, and what was made twice or not at all."""
    lessons = len(objects)
    ask(author, objects)
    began = time.perf_counter()
    joined: dict[int, float] = {}

    def has_ended() -> bool:
        running = Job.objects.filter(state="running").values_list("worker", flat=True)
        for pk in running:
            joined.setdefault(pk, time.perf_counter() - began)
        return not Job.objects.active().exists()

    wait_until(has_ended, 0.1)
    spent = time.perf_counter() - began
    ended = Counter(Job.objects.values_list("state", flat=True))
    assert ended == {"done": lessons}, ended
    spoken = Path(settings.LOG["log"]).read_text().split()
    tell("burst: drained", spent, "s", lessons)
    tell("jobs a second: whole lessons", lessons / spent, "1/s", lessons)
    tell("burst: workers that took part", len(joined), "workers", lessons)
    tell("burst: the last of them joined", max(joined.values()), "s", lessons)
    tell("burst: sentences spoken twice", len(spoken) - len(set(spoken)), "sentences", lessons)
    missing = SENTENCES * lessons - Rendition.objects.count()
    tell("burst: sentences missing", missing, "sentences", lessons)
    tell("burst: tracks made twice", Track.objects.count() - lessons, "tracks", lessons)
