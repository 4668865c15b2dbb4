"""Import and export in the browser: a plan first, a yes, nobody else's business."""

import io
import zipfile

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from courses.models import Course, CourseUpload, LessonText
from tests.courses.test_transfer import FILES, edit, get_text, pack, take

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def author(client, owner):
    client.force_login(owner)
    return client


def send(client, files, course=None, name="rain.zip"):
    url = (
        reverse("courses:import-course", args=[course.slug])
        if course
        else reverse("courses:import")
    )
    archive = SimpleUploadedFile(name, files if isinstance(files, bytes) else pack(files))
    return client.post(url, {"archive": archive})


def test_a_new_course_is_planned_then_made(author):
    response = send(author, FILES)
    assert not Course.objects.exists()
    page = author.get(response.url)
    assert "3 texts are written" in page.content.decode()
    assert "1 picture is in the archive" in page.content.decode()
    made = author.post(response.url, {"title": "Rain"}, follow=True)
    assert "3 texts were imported." in made.content.decode()
    assert Course.objects.get().title == "Rain"
    assert not CourseUpload.objects.exists()
    assert author.get(response.url).status_code == 404


def test_conflicts_are_shown_and_overwritten_only_on_request(author, owner):
    course = take(FILES, user=owner, slug="rain").course
    edit(get_text(course, "one"), "Mine.\n")
    changed = {**FILES, "en/one.md": "Theirs.\n"}
    url = send(author, changed, course).url
    assert "conflict" in author.get(url).content.decode()
    page = author.post(url, follow=True).content.decode()
    assert "1 text was edited here and in the files" in page
    assert get_text(course, "one").markdown == "Mine.\n"
    author.post(send(author, changed, course).url, {"force": "on"})
    assert get_text(course, "one").markdown == "Theirs.\n"


@pytest.mark.parametrize(
    ("files", "words"),
    [
        (b"nothing", "no zip archive"),
        ({"../a.md": "x"}, "not allowed"),
        ({"a.txt": "x"}, "no lesson"),
    ],
)
def test_bad_archives_are_named_on_the_page(author, files, words):
    response = send(author, files)
    assert response.status_code == 422
    assert words in response.content.decode()
    assert not CourseUpload.objects.exists()


def test_an_archive_may_not_be_too_big(author, monkeypatch):
    monkeypatch.setattr("courses.forms.MAX_UPLOAD_BYTES", 10)
    assert "command line" in send(author, FILES).content.decode()


def test_an_upload_is_its_users_alone(author, client, owner, stranger):
    url = send(author, FILES).url
    client.force_login(stranger)
    assert client.get(url).status_code == 404
    assert client.post(url).status_code == 404
    client.logout()
    assert client.get(url).status_code == 302
    assert not LessonText.objects.exists()


def test_strangers_neither_import_into_a_course_nor_export_it(client, owner, stranger):
    course = take(FILES, user=owner, slug="rain").course
    client.force_login(stranger)
    assert send(client, FILES, course).status_code == 404
    assert client.get(reverse("courses:export", args=["rain"])).status_code == 404


def test_rights_that_are_lost_meanwhile_count(author, owner):
    course = take(FILES, user=owner, slug="rain").course
    url = send(author, {**FILES, "en/one.md": "Theirs.\n"}, course).url
    course.memberships.all().delete()
    assert author.post(url).status_code == 404
    assert "rained" in get_text(course, "one").markdown


def test_cancel_forgets_the_upload(author):
    url = send(author, FILES).url
    author.post(url, {"cancel": "1"})
    assert not CourseUpload.objects.exists()
    assert not Course.objects.exists()


def test_the_download_is_an_archive(author, owner):
    take(FILES, user=owner, slug="rain")
    response = author.get(reverse("courses:export", args=["rain"]))
    assert response["Content-Disposition"] == 'attachment; filename="rain.zip"'
    assert "course.json" in zipfile.ZipFile(io.BytesIO(response.content)).namelist()
