"""Pruning beside what stitches, speaks or prunes at the same time."""

import threading
from datetime import timedelta

import pytest
from django.db import connection, transaction
from django.db.models.functions import Now

from narration.exceptions import StorageCorrupt
from narration.models import Rendition, Segment, Track
from narration.pipeline import renditions, stitch, upkeep
from narration.pipeline.plans import refresh_plan
from narration.pipeline.renditions import find_whole, keep
from narration.pipeline.upkeep import pruning
from tests.helpers import get_narration, narrate
from tests.pipeline.upkeep.stored import (
    age_everything,
    is_sound,
    let_marks_wait,
    list_files,
    make_old,
)
from tests.views.rows import make_rendition

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_job_that_begins_between_the_mark_and_the_deletion_finds_or_makes_its_sound(note):
    """Its rows were looked up before they were deleted: it notices, and starts over."""
    narrate(note)
    narration = get_narration(note)
    plan, version = refresh_plan(narration)
    Track.objects.all().delete()
    Segment.objects.all().delete()
    age_everything()
    upkeep.prune()
    found = Rendition.objects.in_digests(plan.get_utterances())
    let_marks_wait()
    assert upkeep.prune().renditions == len(found) == 5
    with pytest.raises(StorageCorrupt):
        stitch.stitch_track(narration, plan, version)
    assert find_whole(plan.get_utterances()) == {}
    job = narrate(note)
    assert (job.state, job.synthesized) == ("done", 5)


def test_sentences_that_go_while_they_are_stitched_are_made_again(note, monkeypatch):
    build, lost = stitch._build_manifest, []

    def lose_then_build(*args):
        if not lost:
            lost.extend(Rendition.objects.values_list("pk", flat=True))
            Rendition.objects.all().delete()
        return build(*args)

    monkeypatch.setattr(stitch, "_build_manifest", lose_then_build)
    job = narrate(note)
    assert (job.state, job.error, len(lost)) == ("done", "", 5)
    track = get_narration(note).draft_track
    assert track.renditions.count() == len(track.manifest["segments"])
    assert Rendition.objects.count() == 5
    assert not Rendition.objects.filter(pk__in=lost).exists()


def test_a_marked_sentence_that_goes_while_it_is_looked_up_counts_as_missing(note, monkeypatch):
    old = make_old()
    upkeep.prune()
    monkeypatch.setattr(renditions, "keep", lambda _digests: set())
    assert find_whole([old.digest]) == {}


def run_beside(action):
    """Run in another thread with a connection of its own; what it returned or raised."""
    told = []

    def run():
        try:
            told.append(action())
        except BaseException as error:  # noqa: BLE001 - it is asserted on
            told.append(error)
        finally:
            connection.close()

    thread = threading.Thread(target=run)
    thread.start()
    return thread, told


def test_stitching_and_deletion_at_the_same_time_leave_a_whole_track_or_none(note, monkeypatch):
    """The deletion begins in the middle of the transaction that writes the track."""
    narrate(note)
    narration = get_narration(note)
    plan, version = refresh_plan(narration)
    Track.objects.all().delete()
    Segment.objects.all().delete()
    age_everything()
    Rendition.objects.update(marked_at=Now() - timedelta(hours=2))
    beside = []

    def keep_and_let_prune(digests):
        kept = keep(digests)
        beside.append(run_beside(upkeep.prune))
        beside[0][0].join(1.0)  # time to run into the lock, or to pass it by
        return kept

    monkeypatch.setattr(stitch, "keep", keep_and_let_prune)
    track = stitch.stitch_track(narration, plan, version)
    thread, told = beside[0]
    thread.join(30)
    assert told[0].renditions == 0, told
    assert track.renditions.count() == len(plan.segments)
    assert Rendition.objects.count() == 5
    assert all(is_sound(row) for row in Rendition.objects.all())


def test_two_runs_at_once_delete_each_row_once():
    for n in range(30):
        make_old(f"Sentence {n}.")
    upkeep.prune()
    let_marks_wait()
    runs = [run_beside(upkeep.prune) for _ in range(2)]
    for thread, _told in runs:
        thread.join(60)
    assert sum(told[0].renditions for _thread, told in runs) == 30, runs
    assert list_files() == set()


def test_a_file_made_again_after_its_row_was_deleted_stays(monkeypatch):
    """The row is gone, its file not yet; meanwhile the same sentence is made anew."""
    old = make_old()
    upkeep.prune()
    let_marks_wait()
    delete = pruning._delete_files

    def make_again_first(names):
        if names:
            make_rendition(old.spoken_text)
        delete(names)

    monkeypatch.setattr(pruning, "_delete_files", make_again_first)
    assert upkeep.prune().renditions == 1
    new = Rendition.objects.get()
    assert (new.storage_name, is_sound(new)) == (old.storage_name, True)


def test_a_deletion_that_is_rolled_back_keeps_the_file(monkeypatch):
    old = make_old()
    upkeep.prune()
    let_marks_wait()
    with transaction.atomic():
        assert upkeep.prune().renditions == 1
        transaction.set_rollback(True)
    assert is_sound(Rendition.objects.get(pk=old.pk))
