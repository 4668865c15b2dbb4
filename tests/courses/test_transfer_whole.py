"""Nothing is lost on the way out, nothing doubled on the way in, and it says the same elsewhere."""

import io
import json
import random
import zipfile
from contextlib import suppress

import pytest
from django.utils import timezone

from courses import api as courses
from courses.models import Course, ImportedText, Lesson, LessonRevision, LessonText
from courses.transfer.applying import import_course
from courses.transfer.exporting import build_keys, export_course
from courses.transfer.files import TransferError, read_archive
from courses.transfer.ordering import merge_orders
from courses.transfer.planning import plan_import
from courses.transfer.reading import read_course
from narration import api
from narration.models import Event, LexiconEntry, Override, Segment, SpeechPolicy
from narration.sources import get_scope_key
from tests.courses.test_transfer import edit, list_actions, pack, snapshot, take

pytestmark = pytest.mark.django_db(transaction=True)


def read(archive):
    return read_course(read_archive(archive))


def list_names(archive):
    return zipfile.ZipFile(io.BytesIO(archive)).namelist()


def add(course, title, markdown="Words.\n", **fields):
    text = courses.create_lesson(course, title=title, **fields)
    if markdown is not None:
        edit(text, markdown)
    return text


def tell(course):
    """All that an import may touch."""
    return (
        list(Lesson.objects.filter(course=course).order_by("position", "pk").values(
            "pk", "slug", "position", "archived_at", "external_id")),
        list(LessonText.objects.filter(lesson__course=course).order_by("pk").values(
            "pk", "language", "title", "markdown", "version")),
        list(LexiconEntry.objects.order_by("pk").values()),
        list(SpeechPolicy.objects.order_by("pk").values()),
        list(Override.objects.order_by("pk").values()),
    )  # fmt: skip


@pytest.fixture
def course(owner):
    return courses.create_course(owner, title="Made here", language="en")


def check_whole(course):
    """Every text is in the export once, and imported here it changes nothing."""
    archive = export_course(course)
    texts = LessonText.objects.filter(lesson__course=course)
    files = [name for name in list_names(archive) if name.endswith(".md")]
    assert len(files) == texts.count()
    assert len({name.casefold() for name in files}) == len(files)
    before = tell(course)
    plan = import_course(read(archive), course=course).plan
    assert set(list_actions(plan).values()) <= {"unchanged", "new"}
    assert tell(course) == before
    assert export_course(course).count(b"PK") == archive.count(b"PK")
    return archive


def test_a_course_made_in_the_browser_is_known_again(course):
    add(course, "Plain")
    add(course, "Plain", "No line feed at the end")
    add(course, "Nothing yet", None)
    add(course, "Empty", "")
    add(course, "[/b]: \u2028 – 'x' #y", "\n\n# Head\r\n\ntext\n\n\n")
    add(course, "2020")
    check_whole(course)
    check_whole(course)


def test_paths_and_addresses_that_meet_lose_no_lesson(course):
    take({"02-b.md": "# Old\n\nOne.\n", "01-B.md": "# Other\n\nTwo.\n"}, course)
    add(course, "b")
    add(course, "B", slug="B")
    for path in ("x.md", "X.md", "../x.md", "readme.md", "en/x.md", "x", "con.md", "a" * 399):
        add(course, "At a path", source_path=path)
    Lesson.objects.filter(course=course).update(position=0)
    archive = check_whole(course)
    check_whole(course)
    assert len(set(build_keys(Lesson.objects.filter(course=course)).values())) == 12
    copy = import_course(read(archive)).course
    assert sorted(t.markdown for t in LessonText.objects.filter(lesson__course=copy)) == sorted(
        t.markdown for t in LessonText.objects.filter(lesson__course=course)
    )


def test_archived_lessons_travel_and_stay_archived(course):
    gone = add(course, "Gone").lesson
    add(course, "Here")
    Lesson.objects.filter(pk=gone.pk).update(archived_at=timezone.now())
    archive = check_whole(course)
    copy = import_course(read(archive)).course
    assert [row.archived_at is None for row in copy.lessons.order_by("slug")] == [False, True]


@pytest.mark.parametrize("seed", range(12))
def test_any_course_is_held_whole(course, seed):
    """However it came about: imported, written here, moved, archived, edited."""
    dice = random.Random(seed)
    names = ["a.md", "A.md", "b.md", "02-a.md", "part/a.md", "pt/a.md", "en/B.md"]
    for _step in range(6):
        if dice.random() < 0.5:
            chosen = dice.sample(names, 2)
            files = {
                name: f"# T{dice.randint(1, 3)}\n\nW{dice.randint(1, 3)}.\n" for name in chosen
            }
            with suppress(TransferError):  # two files of this choice are one lesson
                take(files, course, archive=dice.random() < 0.3)
        else:
            add(course, dice.choice("abAB"), source_path=dice.choice(["", "a.md", "B.md"]))
    check_whole(course)
    paths = [row.source_path.casefold() for row in course.lessons.all() if row.source_path]
    assert len(paths) == len(set(paths))


def test_two_lessons_never_come_from_one_path(owner):
    files = {"a.md": "# One\n\nOne.\n", "b.md": "---\nexternal_id: x\n---\n# Two\n\nTwo.\n"}
    course = take(files, user=owner).course
    take({"a.md": files["b.md"]}, course)
    paths = [row.source_path for row in course.lessons.order_by("pk")]
    assert paths == ["", "a.md"]
    # What lost its path is known again by its words.
    plan = take(files, course).plan
    assert list_actions(plan) == {"a.md": "unchanged", "b.md": "unchanged"}
    assert course.lessons.count() == 2


def test_another_spelling_of_a_path_is_the_same_lesson(owner):
    course = take({"A.md": "# One\n\nOne.\n"}, user=owner).course
    take({"a.md": "# One\n\nOther.\n"}, course)
    assert course.lessons.count() == 1
    check_whole(course)


def test_one_id_in_two_files_is_refused_with_their_names(owner):
    two = {name: f"---\nexternal_id: x\n---\n# {name}\n" for name in ("a.md", "b.md")}
    with pytest.raises(TransferError, match=r"b\.md and a\.md have the same id “x”"):
        take(two, user=owner)


# Said the same elsewhere ----------------------------------------------------------------------


def say(course):
    narrations = Segment.objects.filter(
        narration__object_id__in=[str(row.pk) for row in course.lessons.all()]
    )
    rows = narrations.order_by("narration__language", "position")
    return [(row.spoken_text, row.pause_ms) for row in rows]


TEXT = "# T\n\nThe SQL and the GIF, a JPEG. See it[^1] now.\n\n```\nx\n```\n\n[^1]: A note.\n"


@pytest.fixture
def installation():
    """A site with words and rules of its own."""
    enter("SQL", "sequel", scope_key="")
    enter("GIF", "jif", scope_key="")
    SpeechPolicy.objects.create(
        scope_key="", gaps={"sentence_ms": 1234}, rules={"footnotes": "skip", "code": "skip"}
    )


def enter(word, alias, scope_key="", **fields):
    return LexiconEntry.objects.create(
        **{"scope_key": scope_key, "language": "en", "grapheme": word, "alias": alias,
           "state": "active", **fields}
    )  # fmt: skip


def test_wider_scopes_take_part_elsewhere_too(owner, installation):
    course = take({"a.md": TEXT}, user=owner, slug="a").course
    enter("GIF", "giff", get_scope_key(course))
    api.refresh_plan(course.lessons.get(), language="en")
    before = say(course)
    assert before[0] == ("The sequel and the giff, a J-PEG.", 1234) or "sequel" in before[0][0]
    archive = export_course(course)
    course.delete()
    LexiconEntry.objects.all().delete()
    SpeechPolicy.objects.all().delete()
    copy = import_course(read(archive)).course
    assert say(copy) == before


def test_wider_scopes_of_the_other_site_change_nothing(owner, installation):
    SpeechPolicy.objects.all().delete()
    LexiconEntry.objects.all().delete()
    course = take({"a.md": TEXT}, user=owner, slug="a").course
    before = say(course)
    archive = export_course(course)
    course.delete()
    enter("SQL", "squeal")
    enter("jpeg", "jay peg", case_rule="any")
    enter("never", "not used")
    SpeechPolicy.objects.create(scope_key="", gaps={"sentence_ms": 7}, rules={"footnotes": "skip"})
    copy = import_course(read(archive)).course
    assert say(copy) == before
    words = LexiconEntry.objects.filter(scope_key=get_scope_key(copy))
    assert sorted(words.values_list("grapheme", flat=True)) == ["SQL", "jpeg"]
    local = import_course(read(archive), slug="local", local_wording=True).course
    assert "squeal" in say(local)[0][0]
    assert not LexiconEntry.objects.filter(scope_key=get_scope_key(local)).exists()


def test_on_the_same_site_a_course_gets_no_words_of_the_site(owner, installation):
    course = take({"a.md": TEXT}, user=owner, slug="a").course
    before = say(course)
    check_whole(course)
    copy = import_course(read(export_course(course)), slug="copy").course
    assert say(copy) == before
    assert LexiconEntry.objects.count() == 2
    assert SpeechPolicy.objects.count() == 1


def test_a_word_left_as_it_is_written_silences_the_wider_one():
    from narration.pipeline.lexicons import build_lexicon

    wide, other = enter("SQL", "sequel"), enter("SQL", "sql", case_rule="any")
    near = enter("SQL", "SQL", "n")
    assert build_lexicon([wide, other, near], ["n", ""]).entries == (other,)
    assert build_lexicon([wide, other, near], [""]).entries == (wide, other)


# Again, after people went on here ----------------------------------------------------------------


@pytest.fixture
def worded(owner):
    """A course with every kind of wording, imported once from its own export."""
    course = take({"a.md": "# A\n\nSQL rained.\n", "b.md": "# B\n\nSun.\n"}, user=owner).course
    lesson = course.lessons.get(slug="a")
    enter("SQL", "sequel", get_scope_key(course))
    SpeechPolicy.objects.create(scope_key=get_scope_key(lesson), gaps={"sentence_ms": 111})
    api.refresh_plan(lesson, language="en")
    segment = Segment.objects.get(display_text="SQL rained.")
    Override.objects.create(
        narration=segment.narration, text_key=segment.text_key, kind="spoken", value="It fell."
    )
    import_course(read(export_course(course)), course=course)
    return course


def change_files(course, change):
    facts = json.loads(zipfile.ZipFile(io.BytesIO(export_course(course))).read("course.json"))
    change(facts)
    files = {"a.md": "# A\n\nSQL rained.\n", "b.md": "# B\n\nSun.\n"}
    return {**files, "course.json": json.dumps(facts)}


def test_wording_is_imported_again_and_again(worded):
    before = tell(worded), Event.objects.count()
    result = import_course(read(export_course(worded)), course=worded)
    assert result.notes == ()
    assert (tell(worded), Event.objects.count()) == before


def set_wording(facts, *, alias="ess", gap=222, said="It poured."):
    facts["wording"]["lexicon"][0]["alias"] = alias
    entry = facts["lessons"]["a.md"]
    entry["wording"]["policy"]["gaps"]["sentence_ms"] = gap
    entry["overrides"]["en"][0]["value"] = said


def get_wording():
    policy = SpeechPolicy.objects.get().gaps["sentence_ms"]
    return LexiconEntry.objects.get().alias, policy, Override.objects.get().value


def test_wording_that_changed_in_the_files_alone_is_taken(worded):
    result = take(change_files(worded, set_wording), worded)
    assert result.notes == ()
    assert get_wording() == ("ess", 222, "It poured.")
    assert Segment.objects.get(narration__object_id=str(worded.lessons.get(slug="a").pk))


def test_wording_that_changed_here_stays_and_is_told_where_both_changed(worded):
    files = change_files(worded, set_wording)
    old = change_files(worded, lambda facts: None)
    LexiconEntry.objects.update(alias="mine")
    SpeechPolicy.objects.update(gaps={"sentence_ms": 900})
    Override.objects.update(value="Mine.")
    assert take(old, worded).notes == ()
    assert get_wording() == ("mine", 900, "Mine.")
    for _again in range(2):
        notes = take(files, worded).notes
        assert len(notes) == 3
        assert "“SQL” is pronounced otherwise here" in notes[0]
        assert get_wording() == ("mine", 900, "Mine.")
    assert take(files, worded, force=True).notes == ()
    assert get_wording() == ("ess", 222, "It poured.")


def test_an_entry_that_was_deleted_here_does_not_come_back(worded):
    files = change_files(worded, lambda facts: None)
    LexiconEntry.objects.all().delete()
    take(files, worded)
    assert not LexiconEntry.objects.exists()
    files = change_files(worded, lambda facts: facts["wording"]["lexicon"].append(
        {"language": "en", "grapheme": "GIF", "alias": "jif", "state": "active"}))  # fmt: skip
    take(files, worded)
    assert LexiconEntry.objects.get().grapheme == "GIF"


def test_what_was_archived_here_stays_archived(worded):
    files = {"a.md": "# A\n\nSQL rained.\n", "b.md": "# B\n\nSun, much.\n"}
    Lesson.objects.filter(slug="b").update(archived_at=timezone.now())
    assert list_actions(take(files, worded).plan)["b.md"] == "archived"
    assert Lesson.objects.get(slug="b").archived_at is not None
    assert LessonText.objects.get(lesson__slug="b").markdown == "Sun.\n"
    assert list_actions(take(files, worded, force=True).plan)["b.md"] == "changed"
    assert Lesson.objects.get(slug="b").archived_at is None


def list_order(course):
    rows = course.lessons.filter(archived_at=None)
    return [row.slug for row in rows.order_by("position", "pk")]


def test_an_order_that_was_chosen_here_stays(owner):
    files = {name: f"# {name}\n\nText {name}.\n" for name in ("a.md", "b.md", "c.md")}
    course = take(files, user=owner).course
    made = add(course, "here").lesson
    made.move(-3)
    assert list_order(course) == ["here", "a", "b", "c"]
    assert take(files, course).plan.is_reordered is False
    assert list_order(course) == ["here", "a", "b", "c"]
    course.lessons.get(slug="c").move(-2)
    assert not take({**files, "bb.md": "# bb\n\nNew.\n"}, course).plan.is_reordered
    assert list_order(course) == ["here", "c", "a", "b", "bb"]
    other = {**files, "b.md": "---\nposition: 1\n---\n# b.md\n\nText b.md.\n"}
    assert take(other, course).plan.is_reordered
    assert list_order(course) == ["here", "c", "a", "b", "bb"]
    take(other, course, force=True)
    assert [slug for slug in list_order(course) if slug in "abc"] == ["b", "a", "c"]


@pytest.mark.parametrize(
    ("here", "files", "before", "merged", "is_conflict"),
    [
        ("abc", "abc", "abc", "abc", False), ("abc", "cab", "abc", "cab", False),
        ("bac", "abc", "abc", "bac", False), ("bac", "cab", "abc", "bac", True),
        ("axbc", "cab", "abc", "caxb", False), ("ab", "ba", "", "ab", True),
        ("", "abc", "", "abc", False), ("ab", "anb", "ab", "anb", False),
    ],
)  # fmt: skip
def test_orders_are_merged(here, files, before, merged, is_conflict):
    assert merge_orders(here, files, before) == (list(merged), is_conflict)


def test_a_plan_tells_the_wording_that_stays(worded):
    from courses.transfer.wording import list_conflicts

    files = change_files(worded, set_wording)
    LexiconEntry.objects.update(alias="mine")
    before = tell(worded), Event.objects.count(), ImportedText.objects.count()
    found = read(pack(files))
    notes = list_conflicts(worded, found, plan_import(worded, found))
    assert len(notes) == 1
    assert (tell(worded), Event.objects.count(), ImportedText.objects.count()) == before
    assert list_conflicts(None, found, plan_import(None, found)) == []


def test_an_import_elsewhere_follows_the_files_and_comes_back(owner, course):
    add(course, "Plain", "It rained.\n")
    there = import_course(read(export_course(course)), slug="there").course
    edit(LessonText.objects.get(lesson__course=there), "It poured.\n")
    before = LessonRevision.objects.count()
    import_course(read(export_course(there)), course=course, force=True)
    assert course.lessons.count() == 1
    assert LessonText.objects.get(lesson__course=course).markdown == "It poured.\n"
    assert LessonRevision.objects.count() == before + 1
    assert Course.objects.count() == 2
    assert snapshot(course) == snapshot(there)
