"""The database is locked, drops its clients, or is killed: work goes on when it is back."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time

import pytest
from django.db import connection, connections

from narration.models import Rendition
from tests.clusters import ROOT, wait_for
from tests.services import PostgresServer

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.cluster,
    pytest.mark.xdist_group("cluster"),
]

LOCKED_SECONDS = 5

postgresql = pytest.mark.skipif(
    "not __import__('django.db').db.connection.vendor == 'postgresql'",
    reason="concerns PostgreSQL: make test-postgresql",
)


def hold_lock() -> None:
    """In a thread with a connection of its own: nobody else may write."""
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute("BEGIN IMMEDIATE")
        else:
            cursor.execute("BEGIN")
            cursor.execute("LOCK TABLE narration_job, narration_rendition IN ACCESS EXCLUSIVE MODE")
        time.sleep(LOCKED_SECONDS)
        cursor.execute("ROLLBACK")
    connection.close()


def test_the_database_is_locked_for_a_while(scene):
    lesson = scene.write_lesson()
    with scene.cluster() as troupe:
        before = troupe.wait_whole()
        job = scene.request(lesson)
        scene.wait_made(5)
        thread = threading.Thread(target=hold_lock)
        thread.start()
        thread.join()
        scene.finish(job)
        assert troupe.wait_whole() == before
    scene.assert_whole(lesson)


@postgresql
def test_every_connection_is_terminated_in_the_middle_of_a_lesson(scene):
    lessons = [scene.write_lesson(f"lesson {n}") for n in range(2)]
    # Not those that other tests' browsers and servers have left open here.
    mine = "SELECT pid FROM pg_stat_activity WHERE datname = current_database()"
    with connection.cursor() as cursor:
        cursor.execute(mine)
        ours = [pid for (pid,) in cursor.fetchall()]
    with scene.cluster():
        jobs = [scene.request(lesson) for lesson in lessons]
        for made in (8, 20):
            scene.wait_made(made)
            with connection.cursor() as cursor:
                cursor.execute(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                    " WHERE datname = current_database() AND NOT pid = ANY(%s)",
                    [ours],
                )
        scene.finish(*jobs)
    scene.assert_whole(*lessons, deaths=2, lanes=2)


@pytest.fixture
def server(django_db_blocker):
    """A PostgreSQL of our own in place of that of the other tests."""
    given = dict(connection.settings_dict)
    with PostgresServer() as server:
        connection.close()
        connection.settings_dict.update(HOST="127.0.0.1", PORT=server.port, NAME="postgres")
        url = f"postgres://narration@127.0.0.1:{server.port}/postgres"
        command = [sys.executable, "-W", "ignore", "manage.py", "migrate", "--verbosity", "0"]
        environment = {**os.environ, "TEST_DATABASE_URL": url}
        environment["DJANGO_SETTINGS_MODULE"] = "config.settings.plugin"
        subprocess.run(command, cwd=ROOT, env=environment, check=True)
        try:
            yield server
        finally:
            connections.close_all()
            connection.settings_dict.update(given)


@postgresql
def test_the_database_is_killed_and_comes_back(server, settings, tmp_path, django_user_model):
    from tests.jobs.faults.scene import Scene

    owner = django_user_model.objects.create_user("elsewhere", password="password")
    scene = Scene(settings, tmp_path, owner)
    lessons = [scene.write_lesson(f"lesson {n}") for n in range(2)]
    try:
        with scene.cluster():
            jobs = [scene.request(lesson) for lesson in lessons]
            scene.wait_made(8)
            server.stop()
            connection.close()
            time.sleep(4)  # the length of the fault, not a wait for anything
            server.start()
            wait_for(lambda: Rendition.objects.count() >= 8, what="the database")
            scene.finish(*jobs)
        scene.assert_whole(*lessons, deaths=1, lanes=2)
    finally:
        scene.clear()
