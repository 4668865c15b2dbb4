"""Files without a row are collected when they are old; a file whose row may come is left alone."""

from io import StringIO

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import storages
from django.core.management import call_command

from narration import storage
from narration.models import Rendition, Track
from narration.pipeline import upkeep
from tests.helpers import narrate
from tests.pipeline.upkeep.stored import (
    age_file,
    age_rendition,
    let_marks_wait,
    list_files,
    list_named,
)
from tests.views.rows import make_rendition

pytestmark = pytest.mark.django_db(transaction=True)


def write_orphan(name="x", *, days=2):
    file = storage.write("renditions", name, "flac", b"nobody's sound")
    age_file(file.name, days)
    return file.name


def test_old_files_without_a_row_go_and_all_others_stay(note):
    narrate(note)
    for row in [*Rendition.objects.all(), *Track.objects.get().files.all()]:
        age_file(row.storage_name, 400)
    gone = {write_orphan("1"), write_orphan("2")}
    left_by_a_kill = storages["narration"].save("tracks/ab/.partial-12", ContentFile(b"x"))
    age_file(left_by_a_kill, 2)
    young = write_orphan("3", days=0)
    foreign = storages["narration"].save("backup/ab/notes.txt", ContentFile(b"not ours"))
    age_file(foreign, 400)
    before = list_files()
    assert upkeep.count_orphans().orphans == 4
    told = upkeep.prune_orphans()
    assert (told.orphans, told.deleted) == (4, 3)
    assert before - list_files() == {*gone, left_by_a_kill}
    assert list_files() == {*list_named(), young, foreign}
    assert upkeep.prune_orphans().deleted == 0


def test_folders_cost_a_query_each_not_files(django_assert_num_queries):
    for number in range(30):
        storages["narration"].save(f"renditions/ab/{number}.flac", ContentFile(b"x"))
    with django_assert_num_queries(1):
        assert upkeep.prune_orphans().files == 30


def test_a_call_whose_time_is_over_goes_no_further():
    write_orphan()
    assert upkeep.prune_orphans(0.0).files == 0


def test_an_empty_storage_has_no_orphans():
    assert upkeep.prune_orphans().files == 0


def test_the_command_tells_and_deletes():
    write_orphan()
    out = StringIO()
    call_command("narration_storage", "--orphans", "--dry-run", stdout=out)
    assert "Without a row: 1 of 1 files" in out.getvalue()
    assert len(list_files()) == 1
    call_command("narration_storage", "--orphans", stdout=out)
    assert "deleted: 1" in out.getvalue()
    assert list_files() == set()


def test_a_little_of_everything_gets_everything_done_in_the_end():
    age_rendition(make_rendition("Nobody says this."), 40)
    write_orphan()
    upkeep.run_some(20)
    assert Rendition.objects.exclude(marked_at=None).exclude(scrubbed_at=None).count() == 1
    let_marks_wait()
    upkeep.run_some(20)
    assert (Rendition.objects.count(), list_files()) == (0, set())


def test_upkeep_survives_a_storage_that_is_away(monkeypatch):
    age_rendition(make_rendition("Nobody says this."), 40)

    def stale(*_args):
        raise OSError(116, "Stale file handle")

    for name in ("listdir", "open", "size"):
        monkeypatch.setattr(storage.AtomicFileStorage, name, stale)
    upkeep.run_some(20)
    assert Rendition.objects.exclude(marked_at=None).count() == 1
