"""Texts have versions, and nobody's words are overwritten silently."""

from __future__ import annotations

import pytest
from django.db import IntegrityError, transaction
from django.db.models import RestrictedError

from courses import api
from courses.models import EditConflictError, Lesson, LessonRevision, LessonText, Membership
from narration import api as narration

pytestmark = pytest.mark.django_db


def save(text, markdown, version, author=None):
    return text.save_revision(
        markdown=markdown, title=text.title, author=author, expected_version=version
    )


def test_every_save_is_a_new_version(text, author):
    revision = save(text, "Another text.", 1, author)

    assert (revision.version, revision.markdown) == (2, "Another text.")
    assert (revision.author, revision.author_name) == (author, "author")
    assert LessonText.objects.get(pk=text.pk).version == text.version == 2
    assert text.revisions.count() == 2


def test_second_author_on_the_same_version_is_refused(text, author):
    mine, theirs = (LessonText.objects.get(pk=text.pk) for _ in range(2))
    save(theirs, "Theirs.", 1, author)

    with pytest.raises(EditConflictError) as caught:
        save(mine, "Mine.", 1)

    assert caught.value.current.markdown == "Theirs."
    assert caught.value.code == "conflict"
    assert LessonText.objects.get(pk=text.pk).markdown == "Theirs."
    assert text.revisions.count() == 2


def test_save_that_lost_the_race_after_reading_is_refused(text, monkeypatch):
    """Compare-and-set holds even when the version moves between the check and the write."""
    advance = LessonText._advance

    def be_overtaken(self, expected_version, **options):
        LessonText.objects.filter(pk=self.pk).update(version=7, markdown="Theirs.")
        advance(self, expected_version, **options)

    monkeypatch.setattr(LessonText, "_advance", be_overtaken)

    with pytest.raises(EditConflictError):
        save(text, "Mine.", 1)


def test_saving_what_is_stored_makes_no_version(text):
    assert save(text, text.markdown, 1) is None
    assert text.revisions.count() == 1


def test_sending_the_same_save_twice_is_no_conflict(text):
    save(text, "Once.", 1)

    assert save(LessonText.objects.get(pk=text.pk), "Once.", 1) is None


def test_new_title_is_a_new_version(text):
    revision = text.save_revision(
        markdown=text.markdown, title="Springs", author=None, expected_version=1
    )
    assert revision.title == "Springs"


def test_first_save_counts_even_when_the_text_is_empty(course):
    empty = api.create_lesson(course, title="Later")
    assert save(empty, "", 0).version == 1


def test_revision_cannot_be_changed(text):
    revision = text.revisions.get()
    revision.markdown = "Falsified."

    with pytest.raises(TypeError, match="immutable"):
        revision.save()


def test_author_name_outlives_the_account(text, author):
    Membership.objects.all().delete()
    author.delete()

    revision = text.revisions.get()
    assert (revision.author, revision.author_name) == (None, "author")


def test_published_revision_cannot_be_deleted_alone_but_goes_with_its_lesson(published):
    with pytest.raises(RestrictedError):
        published.published_revision.delete()

    published.lesson.delete()
    assert not LessonRevision.objects.exists()


def test_save_plans_the_narration_on_commit(text, django_capture_on_commit_callbacks):
    with django_capture_on_commit_callbacks(execute=True):
        save(text, "One. Two. Three.", 1)

    assert narration.state_of(text.lesson, language="en").segments == 3


@pytest.mark.parametrize(("model", "field"), [("Course", "visibility"), ("Membership", "role")])
def test_database_refuses_unknown_choices(course, model, field):
    rows = course if model == "Course" else course.memberships.get()
    with pytest.raises(IntegrityError), transaction.atomic():
        type(rows).objects.update(**{field: "nonsense"})


def test_database_refuses_a_second_lesson_of_one_address_or_external_id(course):
    api.create_lesson(course, title="One", slug="one", external_id="x")
    for twin in ({"slug": "one"}, {"slug": "two", "external_id": "x"}):
        with pytest.raises(IntegrityError), transaction.atomic():
            Lesson.objects.create(course=course, **twin)
    Lesson.objects.create(course=course, slug="three")
    Lesson.objects.create(course=course, slug="four")  # "" is no id, so it may repeat


def test_addresses_come_from_titles_and_stay_free(course):
    slugs = [
        api.create_lesson(course, title=title).lesson.slug for title in ("Água!", "Água?", "雨")
    ]
    assert slugs == ["agua", "agua-2", "lesson"]


def test_lessons_move_among_the_active_ones(course):
    lessons = [api.create_lesson(course, title=title).lesson for title in "abcd"]
    Lesson.objects.filter(slug="b").update(archived_at="2026-01-01T00:00Z")

    lessons[2].move(-1)
    lessons[3].move(1)

    assert [lesson.slug for lesson in Lesson.objects.active().filter(course=course)] == [
        "c",
        "a",
        "d",
    ]


def test_lesson_moved_past_either_end_stays_there(course):
    lessons = [api.create_lesson(course, title=title).lesson for title in "abc"]
    lessons[0].move(-1)
    lessons[2].move(1)
    assert [lesson.slug for lesson in Lesson.objects.filter(course=course)] == ["a", "b", "c"]


def test_translation_remembers_what_it_translates(text):
    translation = api.create_translation(text.lesson, language="pt-BR")

    assert (translation.translated_from, translation.translated_from_version) == (text, 1)
    assert api.create_translation(text.lesson, language="pt-BR") == translation
    assert Lesson.objects.get(pk=text.lesson_id).languages == ["en", "pt-BR"]
