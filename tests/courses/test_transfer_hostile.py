"""What strangers send: refused in words that name the file, or read as plain text."""

import json
import threading
import time
import zipfile

import pytest
from django.db import connection
from django.test import Client
from django.urls import reverse

from courses.models import Course, CourseUpload, Lesson, LessonText
from courses.transfer.files import TransferError, read_archive
from courses.transfer.reading import read_course
from narration.exceptions import NarrationError
from narration.models import Job, JobKind, LexiconEntry, Override, SpeechPolicy
from tests.courses.test_transfer import FILES, pack, take
from tests.courses.test_transfer_pages import author, send  # noqa: F401

pytestmark = pytest.mark.django_db(transaction=True)

HUGE = "0x" + "f" * 15_000
MATTERS = [
    f"title: {HUGE}", f"position: {HUGE}", f"position: {'9' * 5000}", 'a: !!int ""',
    'a: !!float ""', "a: !!bool x", "a: !!timestamp x", 'title: !!binary "x"',
    "title: !!python/object:os.system x", "title: [a, b]", "title: {a: b}", "{a: b}: c",
    "? [a]\n: b", "position: .inf", "position: .nan", "position: -1e999", "title: ~", "- a\n- b",
    "slug: ../../x", "external_id: [1]", "title: 2024-01-01", "title: <<", "<<: [a, b]",
    "a: &a [*a]", "language: [x]", "weight: yes", "x: " + "[" * 5000, 'title: "\\x07"',
    "&a a: &b [*a, *a]\nc: [*b, *b]",
]  # fmt: skip
REFUSED = [
    ('title: "\\ud800"', "a.md"), ('external_id: "\\udfff"', "a.md"), ('title: "\\0"', "a.md"),
    ("title: [", "a.md"), (f"external_id: {'x' * 201}", "a.md"), ("title: *unknown", "a.md"),
]  # fmt: skip


@pytest.mark.parametrize("matter", MATTERS)
def test_odd_front_matter_is_plain_text(author, matter):  # noqa: F811
    files = {"a.md": f"---\n{matter}\n---\n\nWords.\n"}
    response = send(author, files)
    if response.status_code == 422:
        assert "a.md" in response.content.decode()
        return
    assert response.status_code == 302
    assert author.get(response.url).status_code == 200
    assert author.post(response.url, {"title": "X"}).status_code == 302
    assert LessonText.objects.get().markdown == "Words.\n"


@pytest.mark.parametrize(("matter", "words"), REFUSED)
def test_what_cannot_be_stored_is_refused_by_name(author, matter, words):  # noqa: F811
    response = send(author, {"a.md": f"---\n{matter}\n---\n\nWords.\n"})
    assert response.status_code == 422
    assert words in response.content.decode()
    assert not CourseUpload.objects.exists()


def test_titles_are_as_they_are_typed(owner):
    files = {
        f"{n}.md": f"---\ntitle: {title}\n---\nx\n"
        for n, title in enumerate(("1.10", "yes", "2024-01-01", "0x1f", "'007'"))
    }
    titles = {text.title for text in read_course(read_archive(pack(files))).texts}
    assert titles == {"1.10", "yes", "2024-01-01", "0x1f", "007"}


ENTRY = {"language": "en", "grapheme": "x", "alias": "y", "state": "active"}
OVERRIDE = {"text_key": "ab", "occurrence": -1, "kind": "spoken", "value": "x"}


def entry(**fields):
    return {"wording": {"lexicon": [{**ENTRY, **fields}]}}


def policy(**fields):
    return {"wording": {"policy": fields}}


def override(language="en", **fields):
    return {"lessons": {"one.md": {"overrides": {language: [{**OVERRIDE, **fields}]}}}}


WRONG = [
    {"title": "\ud800"}, {"title": "\0"}, entry(grapheme="\ud800"), entry(alias="\udc00"),
    entry(alias=None), entry(language=5), entry(grapheme=[]), entry(whole_words="x"),
    entry(case_rule="loud"), entry(alias="z" * 401), entry(language="e" * 36), entry(alias=""),
    entry(engine="\0", alias="", phoneme="x"), entry(engine="e" * 51),
    {"wording": {"lexicon": [ENTRY, ENTRY]}}, {"wording": {"lexicon": [ENTRY] * 5001}},
    {"around": {"lexicon": 1}}, {"around": []}, {"around": {"policy": {"gaps": {"x": 1}}}},
    policy(casting={"en": {"body": [1]}}), policy(casting={"en": {"body": {}}}),
    policy(casting={"en": []}), policy(casting=[1]), policy(rules={"code": []}),
    policy(gaps={"sentence_ms": 1e999}), policy(gaps={"sentence_ms": 10**30}),
    policy(casting={"\ud800": {"body": "x"}}), policy(gaps=[1]), policy(rules="x"),
    override(occurrence=float("inf")), override(occurrence=10**40), override(occurrence="1"),
    override(occurrence=True), override(value="\ud800"), override(value=1), override(kind="voice"),
    override(kind=["spoken"]), override(text_key="x" * 65), override(text_key=None),
    override(value=""), override(kind="pause", value="x"), override(kind="take", value="9" * 9999),
    {"lessons": []}, {"lessons": {"one.md": 1}}, {"lessons": {"one.md": {"overrides": []}}},
    {"format": 10**4000}, {"format": None}, {"lessons": {"\ud800": {}}},
]  # fmt: skip


@pytest.mark.parametrize("facts", WRONG, ids=range(len(WRONG)))
def test_a_wrong_course_file_is_refused_whole(author, facts):  # noqa: F811
    files = {**FILES, "course.json": json.dumps({"format": 1, **facts})}
    response = send(author, files)
    if response.status_code == 302:
        assert author.get(response.url).status_code in {200, 302}
        response = author.post(response.url, {"title": "X"})
        assert response.status_code == 302
    assert not Course.objects.exists()
    assert not CourseUpload.objects.exists()
    assert not LexiconEntry.objects.exists()
    assert not SpeechPolicy.objects.exists()


@pytest.mark.parametrize(
    "facts",
    [
        {"title": 5}, {"title": {}}, {"language": []}, {"language": "xx"}, {"languages": 3},
        {"languages": [[], None]}, override(language="x" * 99), {"lessons": {"none.md": 7}},
        entry(engine="none", alias="", phoneme="x"), policy(casting={"xx": {"body": "Nobody"}}),
        policy(casting=None), {"wording": {}}, {"around": None}, {"lessons": {"one.md": {}}},
    ],
)  # fmt: skip
def test_an_odd_course_file_harms_nobody(author, facts):  # noqa: F811
    url = send(author, {**FILES, "course.json": json.dumps({"format": 1, **facts})}).url
    assert author.get(url).status_code == 200
    page = author.post(url, {"title": "X"}, follow=True)
    assert page.status_code == 200
    assert Course.objects.get().lessons.count() == 2
    assert not Override.objects.exists()


def test_deep_json_is_refused(author):  # noqa: F811
    files = {**FILES, "course.json": '{"format": 1, "x": ' + "[" * 100_000}
    assert send(author, files).status_code == 422


def test_a_plan_that_cannot_be_made_is_forgotten(author, monkeypatch):  # noqa: F811
    url = send(author, FILES).url

    def refuse(*_args, **_kwargs):
        raise NarrationError("No.")

    monkeypatch.setattr("courses.views.transfer.plan_import", refuse)
    assert author.get(url).status_code == 302
    assert not CourseUpload.objects.exists()


@pytest.mark.parametrize("content", [b"a\x00b", b"\xed\xa0\x80"])
def test_bytes_that_are_no_text_are_refused_by_name(content):
    with pytest.raises(TransferError, match=r"a\.md"):
        read_course(read_archive(pack({"a.md": content})))


# Limits -----------------------------------------------------------------------------------------


def test_many_small_files_may_not_swell_either():
    files = {f"{n}.md": "x" * 60_000 for n in range(900)}
    archive = pack(files)
    assert len(archive) < 300_000
    with pytest.raises(TransferError, match="swells"):
        read_archive(archive)


def test_ordinary_texts_do_not_swell():
    text = "It rained, and the river rose again. " * 200
    assert len(read_archive(pack({f"{n}.md": f"# {n}\n\n{text}{n}" for n in range(200)})).files)


@pytest.mark.parametrize("path", [".github/a.md", "x/.hidden/a.md", "__MACOSX/a.md", ".a.md"])
def test_hidden_files_are_no_lessons(path, tmp_path):
    found = read_archive(pack({path: "# No", "b.md": "# B"}))
    assert [file.path for file in found.files] == ["b.md"]


def test_a_long_lexicon_is_planned_in_the_background(owner):
    words = [{**ENTRY, "grapheme": f"word{n}"} for n in range(2000)]
    facts = {"format": 1, "wording": {"lexicon": words}}
    began = time.monotonic()
    course = take({**FILES, "course.json": json.dumps(facts)}, user=owner).course
    assert time.monotonic() - began < 60  # it was minutes
    assert LexiconEntry.objects.count() == 2000
    assert Job.objects.filter(kind=JobKind.ESTIMATE).count() == 3
    assert course.lessons.count() == 2


def test_a_long_text_is_planned_in_the_background(owner):
    words = " ".join(f"It rained {n} times." for n in range(3200))
    take({"a.md": words}, user=owner)
    assert Job.objects.filter(kind=JobKind.ESTIMATE).count() == 1


# Twice ------------------------------------------------------------------------------------------


def test_an_upload_confirmed_three_times_at_once_is_one_course(author, owner):  # noqa: F811
    url = send(author, FILES).url
    statuses, start = [], threading.Barrier(3)

    def press():
        client = Client()
        client.force_login(owner)
        start.wait()
        try:
            statuses.append(client.post(url, {"title": "Once"}).status_code)
        finally:
            connection.close()

    threads = [threading.Thread(target=press) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert statuses == [302, 302, 302]
    assert [course.slug for course in Course.objects.all()] == ["once"]
    assert Lesson.objects.count() == 2


def test_a_second_press_says_that_it_is_done(author):  # noqa: F811
    url = send(author, FILES).url
    author.post(url, {"title": "Once"})
    again = author.post(url, {"title": "Once"}, follow=True)
    assert "imported or cancelled already" in again.content.decode()
    assert Course.objects.count() == 1


# Scope keys -------------------------------------------------------------------------------------

KEYS = [
    "courses.course:abc", "courses.course:", "courses.course", "courses.lesson:abc",
    "courses.lesson:", "courses.course:{pk}:2", "courses.course:0{pk}", "courses.course:+{pk}",
    "courses.course: {pk}", "courses.course:٣", "courses.course:-1", "courses.course:1_0",
    "courses.course:" + "9" * 30, "courses.course:" + "9" * 100, "Courses.Course:{pk}", "x:1", ":",
    "courses.lesson:0", "auth.user:{user}", "courses.course:1.0",
]  # fmt: skip


@pytest.mark.parametrize("key", KEYS)
@pytest.mark.parametrize("is_admin", [False, True])
def test_only_scopes_as_they_are_written_have_pages(author, owner, key, is_admin):  # noqa: F811
    course = take(FILES, user=owner).course
    owner.is_staff = owner.is_superuser = is_admin
    owner.save()
    scope = key.format(pk=course.pk, user=owner.pk)
    for name in ("wording", "wording-new", "wording-rules"):
        assert author.get(reverse(f"narration:{name}", args=[scope])).status_code == 404
    good = f"courses.course:{course.pk}"
    assert author.get(reverse("narration:wording", args=[good])).status_code == 200


def test_a_course_without_lessons_has_a_page(author, owner):  # noqa: F811
    from courses import api as courses

    course = courses.create_course(owner, title="Empty", language="en")
    url = reverse("narration:wording", args=[f"courses.course:{course.pk}"])
    assert author.get(url).status_code == 200


def test_encrypted_and_lying_archives_are_refused():
    archive = bytearray(pack({"a.md": "# A" * 100}))
    for name, at in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        place = archive.index(name) + at
        archive[place] |= 1
    with pytest.raises(TransferError, match="encrypted"):
        read_archive(bytes(archive))
    assert zipfile.is_zipfile(__import__("io").BytesIO(bytes(archive)))
