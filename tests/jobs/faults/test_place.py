"""The machine is at fault: its database has no room."""

from __future__ import annotations

import pytest
from django.db import connection

from narration.models import Rendition
from tests.clusters import wait_for

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.cluster,
    pytest.mark.xdist_group("cluster"),
]


@pytest.mark.skipif("not __import__('django.db').db.connection.vendor == 'sqlite'", reason="SQLite")
def test_the_disk_of_the_database_is_full_for_a_while(scene):
    lesson = scene.write_lesson(sentences=40)
    job = scene.request(lesson)
    with connection.cursor() as cursor:
        pages = cursor.execute("PRAGMA page_count").fetchone()[0]
    scene.variables["TEST_SQLITE_PAGES"] = str(pages + 6)
    with scene.cluster():
        scene.wait_made(1)
        # It stands still: no sentence can be kept any more.
        wait_for(lambda: scene.count_spoken().total() > Rendition.objects.count(), what="no room")
    assert Rendition.objects.count() < 40
    del scene.variables["TEST_SQLITE_PAGES"]
    with scene.cluster():
        scene.finish(job)
    scene.assert_whole(lesson, made_again=12)
