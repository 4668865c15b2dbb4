"""The demo: loaded as often as one likes, and never over somebody's work."""

from __future__ import annotations

import io
import socket

import pytest
from django.contrib.auth import get_user_model
from django.core.management import CommandError, call_command
from django.urls import reverse

from courses import demo_run, samples
from courses.models import Course, Lesson, LessonRevision, LessonText

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def debug(settings):
    settings.DEBUG = True


@pytest.fixture
def small(tmp_path, monkeypatch):
    """A demo of one lesson in a folder of the test's own; returns the lesson's file."""
    folder = tmp_path / "demo" / "en"
    folder.mkdir(parents=True)
    (folder / "course.json").write_text(
        '{"slug": "c", "title": "C", "language": "en",'
        ' "lessons": [{"slug": "l", "title": "L", "file": "l.md"}]}'
    )
    (folder / "l.md").write_text("One. Two.")
    monkeypatch.setattr(samples, "DEMO", tmp_path / "demo")
    return folder / "l.md"


def load(**options):
    out = io.StringIO()
    call_command("load_demo", stdout=out, **options)
    return out.getvalue()


def test_demo_is_two_courses_of_three_published_lessons_in_two_languages(client):
    said = load()

    assert sorted(Course.objects.values_list("language", flat=True)) == ["en", "pt-BR"]
    assert all(c.lessons.published().count() >= 3 for c in Course.objects.all())
    assert all(user.password in said for user in samples.USERS)
    for user in samples.USERS:
        assert client.login(username=user.name, password=user.password)
    for lesson in Lesson.objects.with_texts():
        assert client.get(lesson.get_absolute_url()).status_code == 200


def test_every_figure_of_the_demo_can_be_seen(client):
    load()
    names = {path.name for path in (samples.DEMO / "figures").iterdir()}
    shown = set()
    for text in LessonText.objects.select_related("lesson__course"):
        for name in names:
            if f"figures/{name}" in text.markdown:
                args = [text.lesson.course.slug, text.lesson.slug, name]
                response = client.get(reverse("courses:figure", args=args))
                assert response["Content-Type"] == "image/svg+xml"
                shown.add(name)
        assert text.markdown.count("](figures/") == sum(
            text.markdown.count(f"figures/{name}") for name in names
        )
    assert shown == names


def test_loading_again_changes_nothing(small):
    load()
    before = list(LessonRevision.objects.values())
    users = list(get_user_model().objects.values())
    load()
    assert list(LessonRevision.objects.values()) == before
    assert list(get_user_model().objects.values()) == users


def test_changed_file_becomes_a_new_published_version(small):
    load()
    small.write_text("One. Two. Three.")
    load()

    text = LessonText.objects.get()
    assert (text.version, text.published_revision.version) == (2, 2)
    assert text.markdown == "One. Two. Three.\n"


def test_edited_text_and_password_survive_until_reset(small, write):
    load()
    account = get_user_model().objects.get(username="author")
    account.set_password("my own")
    account.save()
    write(LessonText.objects.get(), "Edited.", author=account)
    small.write_text("New file.")

    load()
    assert LessonText.objects.get().markdown == "Edited."
    assert get_user_model().objects.get(username="author").check_password("my own")

    load(reset=True)
    assert LessonText.objects.get().markdown == "New file.\n"
    assert LessonText.objects.get().revisions.filter(markdown="Edited.").exists()
    assert get_user_model().objects.get(username="author").check_password("demo-author")


@pytest.mark.parametrize("command", ["load_demo", "demo"])
def test_known_passwords_never_enter_a_site_without_debug(settings, command):
    settings.DEBUG = False
    with pytest.raises(CommandError, match="DEBUG is off"):
        call_command(command)
    assert not get_user_model().objects.exists()


def test_taken_port_is_told_before_anything_is_done():
    server = socket.create_server(("127.0.0.1", 0))
    with server, pytest.raises(CommandError, match="is taken"):
        call_command("demo", port=server.getsockname()[1])
    assert not Course.objects.exists()


class FakeChild:
    log = "the log"

    def require_alive(self):
        pass


class FakeRun:
    is_over = False
    ended = None

    def __init__(self):
        self.text = LessonText(pk=1, title="L")
        self.job = type("Job", (), {"total": 4, "done": 1, "state": "running"})()

    def refresh(self):
        return ("running", 1, 4)


def test_job_that_does_not_move_ends_the_demo_with_a_reason(monkeypatch):
    from rich.console import Console

    monkeypatch.setattr(demo_run, "STALL_SECONDS", 0.3)
    with pytest.raises(CommandError, match=r"Nothing moved .* the log"):
        demo_run.watch([FakeRun()], Console(file=io.StringIO()), FakeChild())


def test_dead_child_is_told_with_its_last_words(settings, tmp_path):
    settings.VAR_DIR = tmp_path
    child = demo_run.Child("no_such_command")
    child.process.wait(30)

    with pytest.raises(CommandError, match=r"(?s)no_such_command ended with status 1.*Unknown"):
        child.require_alive()
    child.stop()


def test_child_is_stopped_with_its_whole_group(settings, tmp_path):
    settings.VAR_DIR = tmp_path
    child = demo_run.Child("shell", "-c", "import time; time.sleep(60)")
    child.require_alive()
    child.stop()
    assert child.process.poll() is not None
