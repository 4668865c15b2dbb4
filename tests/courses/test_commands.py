"""``narrate`` and ``explain``: what they print is what happens."""

import pytest
from django.core.management import CommandError, call_command

from courses.models import Course, Lesson, LessonText
from narration import api
from narration.models import Job, LexiconEntry, Rendition
from tests.helpers import work

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def lesson():
    course = Course.objects.create(slug="rain", title="Rain", language="en")
    lesson = Lesson.objects.create(course=course, slug="first", position=1)
    text = LessonText.objects.create(lesson=lesson, language="en", title="First")
    text.save_revision(
        markdown="It rained 21 days. SQL too.\n", title="First", author=None, expected_version=0
    )
    return lesson


def test_a_dry_run_tells_the_numbers_and_makes_nothing(lesson, capsys):
    call_command("narrate", "rain", "--dry-run")
    row = next(line for line in capsys.readouterr().out.splitlines() if "First" in line)
    assert row.split("│")[3:7] == [f" {n:>{w}} " for n, w in ((2, 9), (2, 8), (0, 6), (2, 7))]
    assert not Job.objects.exists()
    assert not Rendition.objects.exists()


def test_it_queues_a_job_for_each_text(lesson, capsys):
    call_command("narrate", "rain/first", "--publish")
    assert "queued" in capsys.readouterr().out
    work()
    assert api.state_of(lesson, language="en").status == "published"


def test_waiting_ends_with_a_table(lesson, capsys, monkeypatch):
    # The worker of this test works while the command sleeps between two looks.
    monkeypatch.setattr("courses.demo_run.time.sleep", lambda _seconds: work())
    call_command("narrate", "rain", "--wait")
    assert "Narrated lessons" in capsys.readouterr().out


def test_waiting_for_nobody_says_what_to_start(lesson, monkeypatch):
    monkeypatch.setattr("courses.demo_run.STALL_SECONDS", 0.0)
    monkeypatch.setattr("courses.demo_run.time.sleep", lambda _seconds: None)
    with pytest.raises(CommandError, match="narration_worker"):
        call_command("narrate", "rain", "--wait")


@pytest.mark.parametrize(
    ("target", "words"),
    [("sun", "There are: rain"), ("rain/second", "It has: first"), ("", "no course")],
)
def test_a_wrong_name_is_answered_with_the_right_ones(lesson, target, words):
    with pytest.raises(CommandError, match=words):
        call_command("narrate", target)


def test_a_language_without_text(lesson):
    with pytest.raises(CommandError, match="no text in fr"):
        call_command("narrate", "rain", "--language", "fr")


def test_explain_tells_rule_entry_and_rendition(lesson, capsys):
    entry = LexiconEntry(language="en", grapheme="SQL", alias="sequel", state="active")
    api.apply_change(api.change_entry(entry))
    call_command("explain", "rain/first", "sql")
    out = capsys.readouterr().out
    assert "sequel too." in out
    assert "lexicon: SQL → sequel" in out
    assert "not made yet" in out
    call_command("narrate", "rain")
    work()
    call_command("explain", "rain/first", "1")
    out = capsys.readouterr().out
    assert "twenty-one" in out
    assert " ms, ok, made " in out


def test_explain_says_when_there_is_no_such_sentence(lesson):
    with pytest.raises(CommandError, match="no such sentence"):
        call_command("explain", "rain/first", "99")
    with pytest.raises(CommandError, match="No sentence holds"):
        call_command("explain", "rain/first", "snow")


def test_brackets_are_no_styles_of_the_terminal(lesson, capsys):
    text = lesson.texts.get()
    text.save_revision(
        markdown="Use `list[int]` and [/b] and [bold]x in 1980s core.editor.\n",
        title="[/b] First",
        author=None,
        expected_version=text.version,
    )
    call_command("narrate", "rain", "--dry-run")
    assert "[/b] First" in capsys.readouterr().out
    call_command("explain", "rain/first", "1")
    out = capsys.readouterr().out
    for written in ("list[int]", "[/b]", "[bold]x", "decade", "address"):
        assert written in out
    with pytest.raises(CommandError, match="No sentence holds"):
        call_command("explain", "rain/first", "9" * 5000)
