"""Redis as the doorbell may lose what it likes and be away: work waits for the sweep, no more."""

from __future__ import annotations

import time

import pytest
import redis
from django_q.conf import Conf

from narration.models import Job
from narration.queue import doorbell
from tests.services import FREEZE, THAW, RedisServer

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.cluster,
    pytest.mark.xdist_group("cluster"),
]


@pytest.fixture
def server(scene, monkeypatch):
    """A Redis that rings for this process and for the clusters of this test."""
    with RedisServer() as server:
        scene.variables["Q_REDIS_URL"] = server.url
        monkeypatch.setattr(Conf, "REDIS", server.url)
        monkeypatch.setattr(Conf, "BROKER_CLASS", "narration.queue.doorbell.RedisDoorbell")
        monkeypatch.setattr(doorbell, "_silent_until", 0.0)
        yield server


def count_messages(server) -> int:
    with redis.Redis.from_url(server.url) as client:
        return client.llen("django_q:narration:q")


def test_every_message_is_lost_and_redis_is_killed_in_the_middle(scene, server):
    lessons = [scene.write_lesson(f"lesson {n}", sentences=8) for n in range(4)]
    jobs = [scene.request(lesson) for lesson in lessons[:2]]
    assert count_messages(server) == 2
    server.kill()
    server.start()
    assert count_messages(server) == 0
    with scene.cluster() as troupe:
        before = troupe.wait_whole()
        scene.wait_made(4)
        server.kill()
        jobs += [scene.request(lesson) for lesson in lessons[2:]]
        scene.finish(*jobs[:2])
        server.start()
        scene.finish(*jobs)
        # A cluster outlives its Redis, with what it has in hand.
        assert troupe.wait_whole() == before
    scene.assert_whole(*lessons)


def test_a_cluster_that_starts_without_redis_works_when_it_is_there(scene, server):
    lesson = scene.write_lesson(sentences=4)
    server.kill()
    job = scene.request(lesson)
    with scene.cluster():
        server.start()
        scene.finish(job)
    scene.assert_whole(lesson)


def test_a_redis_that_hangs_costs_a_request_little_and_only_once(scene, server):
    lessons = [scene.write_lesson(f"lesson {n}", sentences=1) for n in range(20)]
    server.signal(FREEZE)
    began = time.monotonic()
    for lesson in lessons:
        scene.request(lesson)
    # Twenty would be forty seconds if each of them waited.
    assert time.monotonic() - began < 5 * doorbell.ANSWER_SECONDS
    assert Job.objects.filter(state="queued").count() == 20
    server.signal(THAW)
    # The first may have reached it though nobody heard the answer.
    assert count_messages(server) <= 1
