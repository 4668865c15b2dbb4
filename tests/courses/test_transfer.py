"""Courses in and out: in place, nothing lost, nothing overwritten, no tricks."""

import io
import json
import random
import threading
import zipfile

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from courses.models import Course, ImportedText, Lesson, LessonRevision, LessonText
from courses.transfer.applying import import_course
from courses.transfer.exporting import export_course
from courses.transfer.files import TransferError, read_archive, read_files
from courses.transfer.planning import Action, plan_import
from courses.transfer.reading import read_course
from narration import api
from narration.models import LexiconEntry, Override, Rendition, Segment, SpeechPolicy
from narration.sources import get_scope_key
from tests.helpers import get_narration, narrate, work

pytestmark = pytest.mark.django_db(transaction=True)

FILES = {
    "en/one.md": "---\ntitle: First\nposition: 1\n---\n\n# Inside\n\nIt rained. It SQL rained.\n",
    "en/two.md": '# Second {.x}\n\nThe sun came. [Wait]{say="Halt"}.\n',
    "pt/one.md": "# Primeira\n\nChoveu.\n",
    "README.md": "# About\n",
    "fig/a.png": "x",
}


def pack(files, **entries) -> bytes:
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as target:
        for path, content in files.items():
            target.writestr(path, content)
        for path, content in entries.items():
            target.writestr(path, content)
    return archive.getvalue()


def take(files, course=None, **options):
    return import_course(read_course(read_archive(pack(files))), course=course, **options)


def list_actions(plan):
    return {step.path: str(step.action) for step in plan.steps}


@pytest.fixture
def course(owner):
    return take(FILES, user=owner, slug="rain", title="Rain").course


def get_text(course, slug, language="en") -> LessonText:
    return LessonText.objects.get(lesson__course=course, lesson__slug=slug, language=language)


def test_a_folder_becomes_a_course(course):
    rows = LessonText.objects.order_by("lesson__position", "language")
    assert [(t.lesson.slug, t.language, t.title, t.markdown) for t in rows] == [
        ("one", "en", "First", "# Inside\n\nIt rained. It SQL rained.\n"),
        ("one", "pt-BR", "Primeira", "Choveu.\n"),
        ("two", "en", "Second", 'The sun came. [Wait]{say="Halt"}.\n'),
    ]
    assert (course.language, course.title) == ("en", "Rain")
    assert get_narration(get_text(course, "one").lesson).segments == 3


def test_again_changes_nothing(course):
    before = LessonRevision.objects.count()
    planned = get_narration(get_text(course, "one").lesson).planned_at
    result = take(FILES, course)
    assert set(list_actions(result.plan).values()) == {"unchanged"}
    assert LessonRevision.objects.count() == before
    assert get_narration(get_text(course, "one").lesson).planned_at == planned


def test_a_changed_file_costs_only_its_changed_sentence(course):
    lesson = get_text(course, "one").lesson
    narrate(lesson)
    changed = {**FILES, "en/one.md": FILES["en/one.md"].replace("It rained.", "It poured.")}
    assert list_actions(take(changed, course).plan)["en/one.md"] == "changed"
    assert narrate(lesson).synthesized == 1


def test_a_moved_file_keeps_its_lesson_and_its_sound(course):
    lesson = get_text(course, "one").lesson
    narrate(lesson)
    moved = {path.replace("one.md", "part/uno.md"): text for path, text in FILES.items()}
    plan = take(moved, course).plan
    step = next(step for step in plan.steps if step.path == "en/part/uno.md")
    assert (step.action, step.moved_from) == (Action.UNCHANGED, "one.md")
    lesson.refresh_from_db()
    assert lesson.source_path == "part/uno.md"
    assert Lesson.objects.count() == 2
    assert narrate(lesson).synthesized == 0


def test_an_external_id_outlives_path_and_words(course):
    first = {**FILES, "en/two.md": "---\nexternal_id: x-2\n---\n# Second\n\nSun.\n"}
    take(first, course, force=True)
    lesson = get_text(course, "two").lesson
    del first["en/two.md"]
    plan = take({**first, "en/z.md": "---\nexternal_id: x-2\n---\n# New\n\nMoon.\n"}, course).plan
    assert list_actions(plan)["en/z.md"] == "changed"
    assert get_text(course, "two").lesson == lesson
    assert get_text(course, "two").markdown == "Moon.\n"


def edit(text, markdown):
    text.save_revision(
        markdown=markdown, title=text.title, author=None, expected_version=text.version
    )


def test_what_was_edited_here_is_kept_and_conflicts_are_told(course):
    edit(get_text(course, "one"), "Mine.\n")
    assert list_actions(take(FILES, course).plan)["en/one.md"] == "kept"
    changed = {**FILES, "en/one.md": "# Inside\n\nTheirs.\n"}
    assert list_actions(take(changed, course).plan)["en/one.md"] == "conflict"
    assert get_text(course, "one").markdown == "Mine.\n"
    # Told again, not forgotten.
    assert list_actions(take(changed, course).plan)["en/one.md"] == "conflict"
    assert list_actions(take(changed, course, force=True).plan)["en/one.md"] == "changed"
    assert get_text(course, "one").markdown == "Theirs.\n"
    assert LessonRevision.objects.filter(markdown="Mine.\n").exists()


def test_a_lesson_that_is_gone_is_told_and_archived_only_on_request(course):
    rest = {path: text for path, text in FILES.items() if path != "en/two.md"}
    assert list_actions(take(rest, course).plan)["en/two.md"] == "missing"
    assert get_text(course, "two").lesson.archived_at is None
    take(rest, course, archive=True)
    assert get_text(course, "two").lesson.archived_at is not None
    take(FILES, course)
    assert get_text(course, "two").lesson.archived_at is None


def test_order_is_of_front_matter_then_summary_then_numbers():
    files = {
        "10-c.md": "# C", "2-b.md": "# B", "a.md": "---\nweight: 1\n---\n# A",
        "SUMMARY.md": "* [Z](z.md)\n* [Y](sub/y.md)", "z.md": "# Z", "sub/y.md": "# Y",
    }  # fmt: skip
    found = read_course(read_archive(pack(files)))
    assert [text.title for text in found.texts] == ["A", "Z", "Y", "B", "C"]


@pytest.mark.parametrize(
    ("path", "language", "key"),
    [
        ("pt/x.md", "pt-BR", "x.md"), ("a/pt-br/x.md", "pt-BR", "a/x.md"),
        ("x.pt_BR.md", "pt-BR", "x.md"), ("x.md", "en", "x.md"), ("x.v2.md", "en", "x.v2.md"),
    ],
)  # fmt: skip
def test_the_language_is_in_folder_or_suffix(path, language, key):
    text = read_course(read_archive(pack({path: "# T", "other.md": "# O"}))).texts
    found = next(t for t in text if t.path.endswith(path))
    assert (found.language, found.key) == (language, key)


@pytest.mark.parametrize(
    "path",
    ["../x.md", "/x.md", "a/../../x.md", "C:/x.md", "a\\x.md", "a/./x.md", "con.md", "a\x01.md"],
)
def test_paths_that_lead_elsewhere_are_refused(path):
    with pytest.raises(TransferError, match="not allowed"):
        read_archive(pack({path: "x", "ok.md": "x"}))


def test_links_are_not_followed(tmp_path):
    secret = tmp_path / "secret.md"
    secret.write_text("# Secret")
    folder = tmp_path / "course"
    folder.mkdir()
    (folder / "a.md").write_text("# A")
    (folder / "b.md").symlink_to(secret)
    assert [file.path for file in read_files(folder).files] == ["a.md"]
    info = zipfile.ZipInfo("b.md")
    info.external_attr = 0o120777 << 16
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as target:
        target.writestr("a.md", "# A")
        target.writestr(info, str(secret))
    assert [file.path for file in read_archive(archive.getvalue()).files] == ["a.md"]


@pytest.mark.parametrize(
    ("files", "words"),
    [
        ({"a.md": "x" * 3_000_000}, "swells"),
        ({"a.md": random.Random(1).randbytes(2_100_000)}, "bigger than"),
        ({f"{n}.md": "x" for n in range(1001)}, "too much"),
        ({"a.md": "x", "A.md": "y"}, "Two files"),
        ({"a.md": b"caf\xe9"}, "byte 4 is 0xe9"),
        ({"a.md": "---\na: [\n---\nx"}, "no YAML"),
        ({"a.md": "# A", "course.json": "{"}, "no JSON"),
        ({"a.md": "# A", "course.json": '{"format": 99}'}, "another version"),
        ({"a.txt": "x"}, "no lesson"),
        ({"en/a.md": "x", "a.en.md": "y"}, "same lesson"),
    ],
)
def test_what_cannot_be_taken_is_named(files, words):
    with pytest.raises(TransferError, match=words):
        read_course(read_archive(pack(files)))


def test_what_is_no_archive_is_said_so():
    with pytest.raises(TransferError, match="no zip archive"):
        read_archive(b"PK\x03\x04 not really")
    broken = bytearray(pack({"a.md": "# A" * 1000}))
    broken[40] ^= 0xFF
    with pytest.raises(TransferError):
        read_archive(bytes(broken))


def test_a_failure_in_the_middle_leaves_nothing(course, monkeypatch):
    before = LessonRevision.objects.count()
    monkeypatch.setattr("courses.transfer.applying._archive_missing", lambda _plan: 1 / 0)
    changed = {path: f"{text}\n\nMore.\n" for path, text in FILES.items()}
    with pytest.raises(ZeroDivisionError):
        take(changed, course, archive=True)
    assert LessonRevision.objects.count() == before
    assert ImportedText.objects.count() == 3


def test_two_imports_at_once_make_each_lesson_once(course):
    more = {**FILES, "en/three.md": "# Third\n\nNew.\n"}
    errors = []

    def run():
        try:
            take(more, course)
        except Exception as error:  # noqa: BLE001
            errors.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=run) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not errors
    assert Lesson.objects.filter(course=course).count() == 3


def snapshot(course):
    # The keys of objects are text ("10" sorts before "9"): the lessons' own order counts.
    order = {str(pk): at for at, pk in enumerate(course.lessons.values_list("pk", flat=True))}
    rows = Segment.objects.filter(narration__object_id__in=order).select_related("narration")
    ordered = sorted(rows, key=lambda r: (r.language, order[r.narration.object_id], r.position))
    return [(r.language, r.spoken_text, r.utterance_digest, r.pause_ms, r.take) for r in ordered]


def test_an_export_says_the_same_elsewhere(course):
    scope = get_scope_key(course)
    lesson = get_text(course, "one").lesson
    api.apply_change(
        api.change_entry(
            LexiconEntry(
                scope_key=scope, language="en", grapheme="SQL", alias="sequel", state="active"
            )
        )
    )
    policy = SpeechPolicy(scope_key=get_scope_key(lesson), gaps={"sentence_ms": 700})
    api.apply_change(api.change_policy(policy))
    segment = Segment.objects.get(display_text="It rained.")
    Override.objects.create(
        narration=segment.narration, text_key=segment.text_key, kind="spoken", value="Rain fell."
    )
    api.refresh_plan(lesson, language="en")
    before = snapshot(course)
    assert any(row[1] == "It sequel rained." for row in before)
    assert any(row[1] == "Rain fell." for row in before)
    assert any(row[1] == "Halt." for row in before)
    exported = export_course(course)
    assert exported == export_course(course)

    course.delete()
    LexiconEntry.objects.all().delete()
    SpeechPolicy.objects.all().delete()
    copy = import_course(read_course(read_archive(exported))).course
    assert snapshot(copy) == before
    assert SpeechPolicy.objects.get().gaps == {"sentence_ms": 700}
    assert json.loads(zipfile.ZipFile(io.BytesIO(export_course(copy))).read("course.json")) == (
        json.loads(zipfile.ZipFile(io.BytesIO(exported)).read("course.json"))
    )


def test_a_voice_that_is_not_here_is_told_and_left_out(course):
    facts = json.loads(zipfile.ZipFile(io.BytesIO(export_course(course))).read("course.json"))
    facts["wording"]["policy"] = {
        "casting": {"en": {"heading": "Nobody"}},
        "rules": {"code": "skip"},
    }
    result = take({**FILES, "course.json": json.dumps(facts)}, course)
    assert result.notes == ("There is no voice “Nobody” here: left out of the casting.",)
    assert SpeechPolicy.objects.get().casting == {}
    assert SpeechPolicy.objects.get().rules == {"code": "skip"}


@pytest.mark.parametrize(
    "wording",
    [
        [], {"lexicon": {}}, {"lexicon": ["x"]}, {"lexicon": [{"grapheme": "x"}]},
        {"lexicon": [{"grapheme": "x", "alias": "y", "language": "en", "state": "loud"}]},
        {"policy": {"rules": {"code": "shout"}}}, {"policy": {"casting": {"en": {"x": "y"}}}},
    ],
)  # fmt: skip
def test_wording_that_is_none_is_refused_whole(course, wording):
    before = LessonRevision.objects.count()
    facts = {"format": 1, "wording": wording, "lessons": {}}
    files = {**FILES, "en/two.md": "# Other\n\nWords.\n", "course.json": json.dumps(facts)}
    from narration.exceptions import NarrationError

    with pytest.raises(NarrationError):
        take(files, course)
    assert LessonRevision.objects.count() == before
    assert not LexiconEntry.objects.exists()


def test_audio_and_captions_travel_with_it(course):
    narrate(get_text(course, "two").lesson, publish=True)
    names = zipfile.ZipFile(io.BytesIO(export_course(course, with_audio=True))).namelist()
    assert {"audio/en/two.mp3", "audio/en/two.vtt"} <= set(names)
    assert not [name for name in names if "one.mp3" in name]


def test_many_lessons_are_planned_in_the_background(owner):
    files = {f"{n}.md": f"# L{n}\n\nText {n}.\n" for n in range(8)}
    course = take(files, user=owner).course
    planned = [get_narration(lesson).is_planned for lesson in course.lessons.all()]
    assert planned.count(True) == 5
    work()
    assert all(get_narration(lesson).is_planned for lesson in course.lessons.all())
    assert not Rendition.objects.exists()


def test_planning_asks_as_much_of_many_lessons_as_of_few(course, django_assert_max_num_queries):
    found = read_course(read_archive(pack({f"en/{n}.md": f"# L{n}\n\nText.\n" for n in range(50)})))
    with django_assert_max_num_queries(3):
        plan = plan_import(course, found)
    assert plan.count(Action.NEW) == 50


def test_the_commands(tmp_path, owner, capsys):
    folder = tmp_path / "rain"
    for path, content in FILES.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(content)
    call_command("import_course", folder, "--dry-run")
    assert not Course.objects.exists()
    call_command("import_course", folder, "--owner", owner.username)
    assert "1 pictures are not imported" in capsys.readouterr().out
    course = Course.objects.get()
    assert (course.slug, course.memberships.get().user) == ("rain", owner)
    edit(get_text(course, "one"), "Mine.\n")
    (folder / "en/one.md").write_text("Theirs.\n")
    with pytest.raises(CommandError, match="1 texts were edited here"):
        call_command("import_course", folder)
    call_command("export_course", "rain", tmp_path / "out.zip")
    assert "en/one.md" in zipfile.ZipFile(tmp_path / "out.zip").namelist()
    for arguments, words in (
        (("import_course", tmp_path / "none"), "no folder"),
        (("import_course", folder, "--owner", "x"), "no user"),
        (("import_course", folder, "--language", "xx"), "no language"),
        (("export_course", "none", tmp_path / "x.zip"), "no course"),
        (("export_course", "rain", tmp_path / "no" / "x.zip"), "cannot be written"),
    ):
        with pytest.raises(CommandError, match=words):
            call_command(*arguments)
