"""What people read of an import: titles, what was stored and where, what was not carried over."""

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import call_command
from django.urls import reverse

from courses.models import Course, Lesson, LessonText, Visibility
from courses.transfer.files import read_files
from courses.transfer.reading import read_course
from narration import api
from narration.models import LexiconEntry
from tests.courses.test_transfer import FILES, take
from tests.courses.test_transfer_pages import author, send  # noqa: F401

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.mark.parametrize(
    ("files", "title"),
    [
        ({"a.md": "# First lesson"}, "Git novice"),
        ({"a.md": "# First", "course.json": '{"format": 1, "title": " From the file "}'},
         "From the file"),
        ({"a.md": "# First", "_config.yml": "title: Version Control\nx: [", "README.md": "# No"},
         "No"),
        ({"a.md": "# First", "_config.yml": "title: Version Control", "README.md": "# No"},
         "Version Control"),
        ({"a.md": "# First", "README.md": "# *Git* {.x}\n"}, "Git"),
        ({"a.md": "# First", "README.md": "# About", "SUMMARY.md": "# The Book"}, "The Book"),
        ({"a.md": "# First", "SUMMARY.md": "# Summary"}, "Git novice"),
        ({"en/a.md": "# First", "en/README.md": "---\ntitle: In matter\n---\n# X"}, "In matter"),
        ({"a.md": "# First", "x/y/README.md": "# Deep"}, "Git novice"),
    ],
)  # fmt: skip
def test_a_course_is_not_called_as_its_first_lesson(author, files, title):  # noqa: F811
    url = send(author, files, name="git-novice.zip").url
    assert f'value="{title}"' in author.get(url).content.decode()
    author.post(url)
    assert Course.objects.get().title == title


def test_a_folder_gives_its_name(tmp_path):
    folder = tmp_path / "git-novice"
    folder.mkdir()
    (folder / "a.md").write_text("# First")
    call_command("import_course", folder)
    assert Course.objects.get().title == "Git novice"


def test_a_single_text_is_a_lesson(author, tmp_path):  # noqa: F811
    one = SimpleUploadedFile("rain.md", b"# Rain\n\nIt rained.\n")
    url = author.post(reverse("courses:import"), {"archive": one}).url
    author.post(url)
    assert LessonText.objects.get().title == "Rain"
    (tmp_path / "sun.md").write_text("# Sun\n\nIt shone.\n")
    assert [text.title for text in read_course(read_files(tmp_path / "sun.md")).texts] == ["Sun"]


def test_what_is_neither_archive_nor_text_is_said_so(author):  # noqa: F811
    response = send(author, b"# Rain", name="rain.txt")
    assert "no zip archive" in response.content.decode()


@pytest.fixture
def folder(tmp_path):
    folder = tmp_path / "rain"
    folder.mkdir()
    shown = "![x](fig/a.png) <img src='b.svg' alt='[/b]'> ![y](data:image/png;base64,x)"
    (folder / "a.md").write_text(f"---\ntitle: 'A [/b] list[int] :smile:'\n---\n{shown}\n")
    return folder


def test_a_dry_run_and_an_import_say_different_things(folder, capsys, owner):
    call_command("import_course", folder, "--dry-run")
    told = capsys.readouterr().out
    assert "Nothing was stored" in told
    assert not Course.objects.exists()
    call_command("import_course", folder)
    told = capsys.readouterr().out
    assert "Nothing was stored" not in told
    for words in ("Stored: 1 texts in “Rain”", "draft: only its team", "/teach/rain/",
                  "/courses/rain/", "Nobody owns it", "A [/b] list[int] :smile:"):  # fmt: skip
        assert words in told
    Course.objects.update(visibility=Visibility.PUBLIC)
    call_command("import_course", folder)
    told = capsys.readouterr().out
    assert "Stored: 0 texts" in told
    assert "public: everyone" in told


def test_pictures_that_texts_show_are_named(folder, capsys, author):  # noqa: F811
    call_command("import_course", folder, "--dry-run")
    told = capsys.readouterr().out
    assert "2 pictures that texts show are not carried over" in told
    assert "fig/a.png (a.md)" in told
    assert "b.svg (a.md)" in told
    url = send(author, {"a.md": (folder / "a.md").read_text()}).url
    page = author.get(url).content.decode()
    assert "2 pictures that texts show are not carried over" in page
    assert "fig/a.png" in page
    assert "2 pictures that texts show were not" in author.post(url, follow=True).content.decode()


def test_nothing_that_is_written_is_taken_for_markup(folder, capsys, monkeypatch):
    call_command("import_course", folder)
    course = Course.objects.get()
    call_command("narrate", "rain", "--dry-run")
    assert "A [/b] list[int] :smile:" in capsys.readouterr().out
    lesson = Lesson.objects.get()
    text = LessonText.objects.get()
    text.save_revision(
        markdown="Use list[int] and [bold]x [/b] here.\n",
        title=text.title,
        author=None,
        expected_version=1,
    )
    LexiconEntry.objects.create(language="en", grapheme="here", alias="hear", state="active")
    api.refresh_plan(lesson, language="en")
    call_command("explain", f"{course.slug}/{lesson.slug}", "1")
    told = " ".join(capsys.readouterr().out.split())
    assert "list[int] and [bold]x [/b] here." in told


def test_the_page_says_what_is_published(author):  # noqa: F811
    page = author.post(send(author, FILES).url, {"title": "Rain"}, follow=True)
    assert "The course is a draft: only its team reads it." in page.content.decode()


def test_messages_of_wording_are_translated(author, owner):  # noqa: F811
    from django.utils.translation import override

    from narration.pipeline.incoming import WordingError, read_wording

    with override("pt-br"), pytest.raises(WordingError) as caught:
        read_wording([])
    assert "JSON" in str(caught.value)


# Signing in and out ----------------------------------------------------------------------------


@pytest.fixture
def open_course(owner):
    course = take(FILES, user=owner, slug="rain").course
    Course.objects.update(visibility=Visibility.PUBLIC)
    text = LessonText.objects.get(lesson__course=course, lesson__slug="one", language="pt-BR")
    text.publish(1)
    return text.lesson


def test_signing_in_from_a_lesson_leads_back_to_it(client, owner, open_course):
    here = reverse("courses:lesson", args=["rain", "one"]) + "?language=pt-BR"
    page = client.get(here).content.decode()
    link = "/login/?from=page&amp;next=%2Fcourses%2Frain%2Fone%2F%3Flanguage%3Dpt-BR"
    assert link in page
    form = client.get(link.replace("&amp;", "&")).content.decode()
    assert "for people who are signed in" not in form
    assert f'name="next" value="{here}"' in form
    data = {"username": "owner", "password": "owner-password", "next": here}
    assert client.post("/login/", data).url == here
    page = client.get(here).content.decode()
    assert f'name="next" value="{here}"' in page
    assert client.post("/logout/", {"next": here}).url == here


def test_a_page_for_members_alone_is_not_returned_to(client, owner, open_course):
    client.force_login(owner)
    page = client.get("/teach/").content.decode()
    form = page[page.index('action="/logout/"') :].split("</form>")[0]
    assert "next" not in form
    client.logout()
    assert "for people who are signed in" in client.get("/teach/", follow=True).content.decode()
    assert client.post("/logout/", {"next": "https://example.org/"}).url == "/"
