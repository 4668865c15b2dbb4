"""What the plugin learns of lessons."""

from __future__ import annotations

import pytest
from django.db import transaction

from courses import api
from courses.models import Course, Lesson
from narration.exceptions import SourceError
from narration.sources import get_source

pytestmark = pytest.mark.django_db


@pytest.fixture
def source():
    return get_source(Lesson)


def test_passages_are_those_of_the_asked_version(source, text, write):
    write(text, "Only this.\n", title="A new title")

    assert [p.text for p in source.get_passages(text.lesson, "en", 2)] == ["Only this."]
    old = [p.text for p in source.get_passages(text.lesson, "en", 1)]
    assert old == ["A river begins small.", "Then it grows."]


def test_title_is_not_spoken(source, text):
    assert all("source" not in p.text for p in source.get_passages(text.lesson, "en", 1))
    assert source.get_title(text.lesson, "en") == "The source"


def test_version_is_read_afresh(source, text, write):
    lesson = Lesson.objects.with_texts().get(pk=text.lesson_id)
    assert lesson.find_text("en").version == 1
    write(text, "Another.")

    assert source.get_version(lesson, "en") == 2


def test_nothing_was_saved_yet(source, course):
    lesson = api.create_lesson(course, title="Empty").lesson
    assert source.get_version(lesson, "en") == 0
    assert list(source.get_passages(lesson, "en", 0)) == []


def test_what_does_not_exist_is_refused(source, text):
    with pytest.raises(SourceError):
        source.get_version(text.lesson, "pt-BR")
    with pytest.raises(SourceError):
        source.get_passages(text.lesson, "en", 99)


def test_public_version_is_what_learners_read(source, text, write, author):
    assert source.get_public_version(text.lesson, "en") is None
    api.publish_text(text, user=author)
    write(text, "Newer.")
    assert source.get_public_version(text.lesson, "en") == 1


def test_nothing_is_published_by_itself_where_review_is_required(source, published):
    Course.objects.update(requires_review=True)
    lesson = Lesson.objects.get(pk=published.lesson_id)
    assert source.get_public_version(lesson, "en") is None


def test_publishing_a_version_swaps_what_learners_read(source, published, write, author):
    write(published, "Newer.")
    with transaction.atomic():
        source.publish_version(published.lesson, "en", 2, author)

    published.refresh_from_db()
    assert published.published_revision.markdown == "Newer."


def test_scope_goes_from_lesson_to_installation(source, text):
    lesson = text.lesson
    assert source.get_scope_chain(lesson) == (
        f"courses.lesson:{lesson.pk}",
        f"courses.course:{lesson.course_id}",
        "",
    )
    assert source.get_languages(lesson) == ["en"]
    assert source.get_url(lesson, "pt-BR") == f"{lesson.get_absolute_url()}?language=pt-BR"
