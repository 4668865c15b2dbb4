"""What is spoken is counted by day, once for each sentence, whoever works beside."""

from __future__ import annotations

import threading

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from narration.models import Rendition, UsageDay, Voice
from narration.pipeline.usage import record_usage
from tests.helpers import narrate

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def made(note, owner):
    """A job, the voice and a rendition of it, nothing counted yet."""
    job = narrate(note, user=owner)
    UsageDay.objects.all().delete()
    return job, Voice.objects.get(), Rendition.objects.first()


def test_the_first_sentence_of_a_day_begins_its_row_and_the_others_are_one_query(made):
    record_usage(*made)
    with CaptureQueriesContext(connection) as queries:
        record_usage(*made)
    assert len(queries) == 1
    row = UsageDay.objects.get()
    assert (row.made, row.characters) == (2, 2 * len(made[2].spoken_text))
    assert (row.audio_ms, row.user, row.voice) == (
        2 * made[2].duration_ms,
        made[0].requested_by,
        made[1],
    )


def test_workers_that_begin_the_day_together_count_everything_and_end_nobodys_job(made):
    job, voice, rendition = made
    job.requested_by = None
    barrier = threading.Barrier(4)

    def count():
        try:
            barrier.wait(10)
            for _ in range(5):
                record_usage(job, voice, rendition)
        finally:
            connection.close()

    threads = [threading.Thread(target=count) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(UsageDay.objects.values_list("made", flat=True)) == 20


def test_two_rows_of_nobody_are_no_obstacle(made, note):
    job, voice, _rendition = made
    for _ in range(2):
        UsageDay.objects.create(day=timezone.localdate(), scope_key=job.scope_key, voice=voice)
    note.edit("It snowed.")
    assert narrate(note).state == "done"
    assert list(UsageDay.objects.order_by("pk").values_list("made", flat=True)) == [1, 0]
