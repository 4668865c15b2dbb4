"""Pruning takes what nobody uses, after a mark, a wait and a second look; nothing else, ever."""

from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import call_command
from django.db.models.functions import Now

from narration import api, storage
from narration.models import Job, Override, Rendition, Segment, Track, TrackFile
from narration.pipeline import upkeep
from narration.pipeline.renditions import keep
from narration.pipeline.upkeep import pruning
from tests.helpers import get_narration, narrate, work
from tests.pipeline.upkeep.stored import (
    age_everything,
    is_sound,
    let_marks_wait,
    list_files,
    list_named,
    make_old,
)

pytestmark = pytest.mark.django_db(transaction=True)


def prune_twice():
    """Mark, wait, delete: what two runs an hour apart do."""
    first = upkeep.prune()
    let_marks_wait()
    return first, upkeep.prune()


def set_narration(settings, **changes):
    settings.NARRATION = {**settings.NARRATION, **changes}


def test_what_nobody_used_for_long_is_marked_and_deleted_an_hour_later():
    old, young = make_old(), make_old("Said lately.", days=29)
    first = upkeep.prune()
    assert (first.marked, first.renditions) == (1, 0)
    again = upkeep.prune()  # the mark has not waited
    assert (again.marked, again.renditions) == (0, 0)
    assert storage.is_whole(old.storage_name, old.size)
    let_marks_wait()
    last = upkeep.prune()
    assert (last.renditions, last.bytes) == (1, old.size)
    assert list(Rendition.objects.all()) == [young]
    assert list_files() == {young.storage_name}


def test_a_quarantined_rendition_nobody_uses_goes_too():
    old = make_old()
    Rendition.objects.update(state="quarantined")
    prune_twice()
    assert not Rendition.objects.filter(pk=old.pk).exists()


def test_what_is_published_offered_or_planned_is_never_deleted(note, settings):
    """Not when it is old, not when the space is gone, not with the text edited meanwhile."""
    narrate(note, publish=True)
    note.edit("Something else entirely.")
    narrate(note)
    note.edit("A third text. It is planned.")
    api.refresh_plan(note, language="en")
    age_everything(4000)
    set_narration(settings, MAX_RENDITION_BYTES=1)
    files, count = list_files(), Rendition.objects.count()
    Rendition.objects.update(marked_at=Now() - timedelta(days=1))  # even with a mark
    prune_twice()
    assert (list_files(), Rendition.objects.count()) == (files, count)
    assert not Rendition.objects.exclude(marked_at=None).exists()
    narration = get_narration(note)
    assert None not in (narration.published_track, narration.draft_track)


def test_sentences_of_the_newest_plan_wait_for_a_track(note):
    """A job that was stopped in the middle finds what it made."""
    narrate(note)
    Track.objects.all().delete()
    age_everything()
    prune_twice()
    assert Rendition.objects.count() == 5
    Segment.objects.all().delete()
    prune_twice()
    assert Rendition.objects.count() == 0
    assert not any(name.startswith("renditions/") for name in list_files())


def test_what_an_author_chose_stays(note):
    narrate(note)
    old = make_old()
    narration = get_narration(note)
    Override.objects.create(narration=narration, text_key="x", kind="recording", rendition=old)
    prune_twice()
    assert Rendition.objects.filter(pk=old.pk).exists()


@pytest.mark.parametrize(("state", "stays"), [("queued", True), ("running", True), ("done", False)])
def test_what_a_waiting_preview_wants_stays(state, stays):
    old = make_old()
    Job.objects.create(
        kind="preview",
        request_key="x",
        lane="cpu",
        state=state,
        payload={"digest": old.digest},
        queued_at=Now(),
    )
    prune_twice()
    assert Rendition.objects.filter(pk=old.pk).exists() is stays


def test_beyond_the_space_the_longest_unused_go_first(settings):
    rows = [make_old(f"Sentence {n}.", days=20 - n, content=bytes(1000)) for n in range(10)]
    set_narration(settings, MAX_RENDITION_BYTES=6500)
    assert upkeep.count_prunable().marked == 4
    first, last = prune_twice()
    assert (first.marked, last.renditions) == (4, 4)
    assert set(Rendition.objects.all()) == set(rows[4:])
    assert (upkeep.prune().marked, upkeep.count_prunable().marked) == (0, 0)


def test_marks_count_as_space_made(settings):
    for n in range(10):
        make_old(f"Sentence {n}.", days=20 - n, content=bytes(1000))
    set_narration(settings, MAX_RENDITION_BYTES=6500)
    assert [upkeep.prune().marked for _ in range(3)] == [4, 0, 0]


def test_many_are_pruned_in_batches(monkeypatch, settings):
    monkeypatch.setattr(pruning, "BATCH", 3)
    monkeypatch.setattr(pruning, "MARK_BATCH", 2)
    for n in range(10):
        make_old(f"Sentence {n}.", content=bytes(1000))
        make_old(f"Said lately {n}.", days=5, content=bytes(1000))
    set_narration(settings, MAX_RENDITION_BYTES=5000)
    first, last = prune_twice()
    assert (first.marked, last.renditions, len(list_files())) == (15, 15, 5)


def test_a_run_costs_few_queries_however_many_rows(django_assert_max_num_queries):
    for n in range(40):
        make_old(f"Sentence {n}.")
    with django_assert_max_num_queries(10):
        upkeep.prune()
    let_marks_wait()
    with django_assert_max_num_queries(20):
        assert upkeep.prune().renditions == 40


def test_using_a_marked_rendition_takes_the_mark_away(note):
    narrate(note)
    Track.objects.all().delete()
    Segment.objects.all().delete()
    age_everything()
    assert upkeep.prune().marked == 5
    job = narrate(note)
    assert (job.synthesized, Rendition.objects.exclude(marked_at=None).count()) == (0, 0)
    let_marks_wait()
    assert upkeep.prune().renditions == 0


def test_asking_to_hear_a_marked_rendition_takes_the_mark_away():
    old = make_old()
    upkeep.prune()
    assert keep([old.digest, "unknown"]) == {old.digest}
    old.refresh_from_db()
    assert old.marked_at is None
    assert prune_twice()[1].renditions == 0


def test_a_rendition_that_is_used_when_the_time_has_come_loses_its_mark(note):
    """Somebody planned it after the mark and has not met its row yet."""
    narrate(note)
    Track.objects.all().delete()
    age_everything()
    Rendition.objects.update(marked_at=Now() - timedelta(hours=2))
    assert upkeep.prune().renditions == 0
    assert not Rendition.objects.exclude(marked_at=None).exists()


def publish_in_turn(note, *texts):
    for text in texts:
        note.edit(text)
        narrate(note, publish=True)
    return list(Track.objects.order_by("pk"))


def test_tracks_superseded_long_ago_go_with_their_files_and_then_their_sentences(note):
    first, second = publish_in_turn(note, "The first text.", "The second text.")
    age_everything()
    Track.objects.filter(pk=second.pk).update(published_at=Now() - timedelta(days=31))
    told = upkeep.prune()
    assert (told.tracks, told.marked) == (1, 1)
    assert list(Track.objects.all()) == [second]
    assert all(is_sound(file) for file in TrackFile.objects.all())
    let_marks_wait()
    upkeep.prune()
    assert [r.spoken_text for r in Rendition.objects.all()] == ["The second text."]
    assert list_files() == list_named()
    assert not Track.objects.filter(pk=first.pk).exists()


def test_a_track_that_was_published_until_lately_stays(note):
    first, second = publish_in_turn(note, "The first text.", "The second text.")
    age_everything(400)
    Track.objects.filter(pk=second.pk).update(published_at=Now() - timedelta(days=29))
    assert upkeep.prune().tracks == 0
    assert Track.objects.filter(pk=first.pk).exists()


def test_a_withdrawn_track_stays_for_as_long_as_others(note):
    (track,) = publish_in_turn(note, "The first text.")
    note.edit("The second text.")
    narrate(note)
    age_everything()
    api.withdraw_narration(note, language="en")
    assert upkeep.prune().tracks == 0
    Track.objects.filter(pk=track.pk).update(withdrawn_at=Now() - timedelta(days=31))
    assert upkeep.count_prunable().tracks == 1
    assert upkeep.prune().tracks == 1


def test_a_track_whose_narration_is_worked_on_or_that_speaks_the_plan_stays(note):
    (first,) = publish_in_turn(note, "The first text.")
    note.edit("The second text.")
    narrate(note, publish=True)
    age_everything()
    note.edit("The first text.")
    request = api.request_narration(note, language="en")
    assert upkeep.prune().tracks == 0
    work()
    request.refresh_from_db()
    assert (request.synthesized, get_narration(note).draft_track) == (0, first)
    age_everything()
    Track.objects.exclude(pk=first.pk).update(published_at=None)
    assert upkeep.prune().tracks == 0


def test_a_dry_run_tells_what_would_go_and_deletes_nothing():
    make_old()
    out = StringIO()
    call_command("narration_storage", "--prune", "--dry-run", stdout=out)
    assert "Unused: 1 renditions to be marked" in out.getvalue()
    assert "Without a row" not in out.getvalue()
    assert Rendition.objects.filter(marked_at=None).count() == 1
    call_command("narration_storage", "--prune", stdout=out)
    assert "Marked: 1 renditions; deleted: 0" in out.getvalue()
    let_marks_wait()
    call_command("narration_storage", "--dry-run", "--prune", stdout=out)
    assert "to be deleted now: 1 renditions" in out.getvalue()
    call_command("narration_storage", "--prune", stdout=out)
    assert (Rendition.objects.count(), list_files()) == (0, set())
