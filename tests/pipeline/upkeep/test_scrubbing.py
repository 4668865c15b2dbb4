"""The rolling scrub: every file is read in time, damage is found and mended, the rest untouched."""

from datetime import timedelta
from io import StringIO

import pytest
from django.core.files.storage import storages
from django.core.management import CommandError, call_command
from django.db.models.functions import Now

from narration import api, storage
from narration.exceptions import StorageUnreachable
from narration.models import Event, Job, Rendition, TrackFile
from narration.pipeline import upkeep
from narration.pipeline.upkeep import scrubbing
from tests.helpers import get_narration, narrate, work
from tests.pipeline.upkeep.stored import damage, is_sound, list_files, list_named
from tests.views.rows import make_rendition

pytestmark = pytest.mark.django_db(transaction=True)

FAULTS = ["bit flip", "truncation", "deletion"]


def let_time_pass():
    """A minute since everything was read."""
    for rows in (Rendition.objects, TrackFile.objects):
        rows.exclude(scrubbed_at=None).update(scrubbed_at=Now() - timedelta(minutes=1))


def list_track(note):
    track = get_narration(note).published_track
    return {f.format: (f.storage_name, f.sha256, f.size) for f in track.files.all()}


def test_every_file_is_read_once_and_then_left_alone_for_a_while(note):
    narrate(note)
    told = upkeep.scrub()
    assert (told.files, told.damaged) == (5 + 5, 0)
    assert told.bytes == sum(storages["narration"].size(name) for name in list_files())
    assert upkeep.scrub().files == 0
    assert upkeep.count_unscrubbed().files == 0
    let_time_pass()
    assert upkeep.scrub(interval=timedelta(0)).files == 10
    Rendition.objects.update(scrubbed_at=Now() - timedelta(days=8))
    assert upkeep.count_unscrubbed().files == upkeep.scrub().files == 5


def test_short_calls_read_everything_in_the_end_the_longest_unread_first(note):
    narrate(note)
    upkeep.scrub()
    old = Rendition.objects.get(spoken_text="The river rose.")
    Rendition.objects.update(scrubbed_at=Now() - timedelta(days=8))
    Rendition.objects.filter(pk=old.pk).update(scrubbed_at=Now() - timedelta(days=9))
    assert upkeep.scrub(files=1).files == 1
    assert Rendition.objects.get(scrubbed_at__gt=Now() - timedelta(hours=1)) == old
    assert upkeep.count_unscrubbed().files == 4
    assert [upkeep.scrub(files=3).files for _ in range(3)] == [3, 1, 0]


def test_a_call_whose_time_is_over_reads_no_further(note):
    narrate(note)
    assert upkeep.scrub(0.0).files == 0


@pytest.mark.parametrize("how", FAULTS)
def test_a_damaged_rendition_is_quarantined_and_made_again(note, how):
    narrate(note)
    rendition = Rendition.objects.get(spoken_text="The river rose.")
    damage(rendition.storage_name, how)
    told = upkeep.scrub()
    assert (told.files, told.damaged) == (10, 1)
    rendition.refresh_from_db()
    assert rendition.state == "quarantined"
    note.edit(note.body + "\n\nOne more.\n")
    job = narrate(note)
    rendition.refresh_from_db()
    assert (job.state, job.synthesized, rendition.state) == ("done", 2, "ok")
    assert is_sound(rendition)


@pytest.mark.parametrize("file_format", ["mp3", "opus", "vtt", "peaks", "png"])
@pytest.mark.parametrize("how", FAULTS)
def test_a_damaged_published_track_is_stitched_again_the_very_same(note, how, file_format):
    narrate(note, publish=True)
    before = list_track(note)
    damage(before[file_format][0], how)
    jobs = Job.objects.count()
    told = upkeep.scrub()
    assert (told.damaged, told.repaired, Job.objects.count()) == (1, 1, jobs)
    assert list_track(note) == before
    assert all(is_sound(file) for file in TrackFile.objects.all())
    event = Event.objects.get(kind="track_damaged")
    assert (event.data["formats"], event.data["repaired"]) == ([file_format], True)
    assert upkeep.scrub().damaged == 0


def test_a_published_track_whose_text_moved_on_is_stitched_again_without_its_text(note):
    narrate(note, publish=True)
    before = list_track(note)
    note.edit("Something else entirely.")
    api.refresh_plan(note, language="en")
    for name, *_facts in before.values():
        damage(name, "deletion")
    told = upkeep.scrub()
    assert (told.damaged, told.repaired) == (5, 1)
    assert list_track(note) == before
    assert list_files() == list_named()


def test_a_track_damaged_with_its_sentences_is_withheld_and_asked_for_again(note):
    narrate(note, publish=True)
    before = list_track(note)
    rendition = Rendition.objects.get(spoken_text="The river rose.")
    damage(rendition.storage_name, "bit flip")
    damage(before["mp3"][0], "bit flip")
    upkeep.scrub()
    assert not storage.is_whole(before["mp3"][0], before["mp3"][2])
    assert Event.objects.get(kind="track_damaged").data["repaired"] is False
    job = Job.objects.latest("pk")
    assert (job.state, job.requested_by) == ("queued", None)
    work()
    job.refresh_from_db()
    assert (job.state, job.synthesized) == ("done", 1)
    assert list_track(note) == before
    assert all(is_sound(file) for file in TrackFile.objects.all())


def test_a_rendition_made_again_with_another_length_does_not_move_the_cues(note):
    narrate(note, publish=True)
    note.edit("Something else entirely.")
    api.refresh_plan(note, language="en")
    other = Rendition.objects.get(spoken_text="Rain")
    Rendition.objects.filter(pk=other.pk).update(storage_name="moved")
    rendition = Rendition.objects.get(spoken_text="The river rose.")
    facts = {"storage_name": other.storage_name, "sha256": other.sha256, "size": other.size}
    Rendition.objects.filter(pk=rendition.pk).update(**facts)
    mp3 = list_track(note)["mp3"]
    damage(mp3[0], "truncation")
    assert upkeep.scrub().repaired == 0
    assert not storage.is_whole(mp3[0], mp3[2])


def test_an_empty_disk_in_place_of_ours_is_not_taken_for_damage(db):
    for number in range(scrubbing.SUSPICIOUS):
        make_rendition(f"Sentence {number}.")
    for name in list_files():
        storages["narration"].delete(name)
    with pytest.raises(StorageUnreachable):
        upkeep.scrub()
    assert Rendition.objects.usable().count() == scrubbing.SUSPICIOUS
    upkeep.run_some(10)


def test_a_storage_that_does_not_answer_damages_nothing(note, monkeypatch):
    narrate(note)

    def stale(*_args):
        raise OSError(116, "Stale file handle")

    monkeypatch.setattr(storage.AtomicFileStorage, "open", stale)
    with pytest.raises(StorageUnreachable):
        upkeep.scrub()
    assert Rendition.objects.usable().count() == 5
    assert not Rendition.objects.exclude(scrubbed_at=None).exists()


def test_the_command_reads_everything_and_fails_when_there_was_damage(note):
    narrate(note, publish=True)
    upkeep.scrub()
    let_time_pass()
    out = StringIO()
    call_command("narration_storage", "--scrub", stdout=out)
    assert "Read: 10 files" in out.getvalue()
    damage(list_track(note)["opus"][0], "bit flip")
    let_time_pass()
    with pytest.raises(CommandError, match="1 files were damaged"):
        call_command("narration_storage", "--scrub", stdout=out)
    call_command("narration_storage", "--scrub", stdout=out)


def test_the_command_without_a_task_tells_numbers_and_writes_nothing(note):
    narrate(note)
    out = StringIO()
    call_command("narration_storage", stdout=out)
    assert "To read: 10 files" in out.getvalue()
    assert "Unused: 0 renditions" in out.getvalue()
    assert "Without a row: 0 of 10 files" in out.getvalue()
    assert not Rendition.objects.exclude(scrubbed_at=None).exists()
