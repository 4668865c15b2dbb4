"""What happens to courses and lessons across rows; pages and commands call it."""

from __future__ import annotations

from typing import Any

from django.db import transaction
from django.db.models import Max

from courses.models import Course, Lesson, LessonText, Membership, Role
from courses.models.base import build_slug
from narration import api as narration


def create_course(user: Any, *, title: str, slug: str = "", **fields: Any) -> Course:
    """A new course owned by ``user``; its address comes from the title unless given."""
    with transaction.atomic():
        courses = Course.objects
        slug = slug or build_slug(title, lambda s: courses.filter(slug=s).exists(), "course")
        course = courses.create(title=title, slug=slug, **fields)
        Membership.objects.create(course=course, user=user, role=Role.OWNER)
    return course


def create_lesson(
    course: Course, *, title: str, language: str = "", slug: str = "", **fields: Any
) -> LessonText:
    """A lesson at the end of ``course`` with an empty text: version 0, nothing saved yet."""
    with transaction.atomic():
        others = Lesson.objects.filter(course=course)
        slug = slug or build_slug(title, lambda s: others.filter(slug=s).exists(), "lesson")
        position = (others.aggregate(last=Max("position"))["last"] or 0) + 1
        lesson = Lesson.objects.create(course=course, slug=slug, position=position, **fields)
        return LessonText.objects.create(
            lesson=lesson, language=language or course.language, title=title
        )


def create_translation(lesson: Lesson, *, language: str) -> LessonText:
    """An empty text in another language that remembers what it translates; the one there is."""
    original = lesson.find_text(lesson.languages[0]) if lesson.languages else None
    text, _created = LessonText.objects.get_or_create(
        lesson=lesson,
        language=language,
        defaults={
            "title": lesson.title,
            "translated_from": original,
            "translated_from_version": original.version if original else None,
        },
    )
    return text


def publish_text(text: LessonText, *, user: Any) -> None:
    """Let learners read the newest version now, without waiting for its sound.

    A track that speaks other words is withdrawn in the same transaction: learners never hear what
    they do not read.
    """
    lesson, language = text.lesson, text.language
    narration.refresh_plan(lesson, language=language)
    with transaction.atomic():
        text.publish(text.version)
        state = narration.state_of(lesson, language=language)
        if state.has_published and state.is_stale:
            narration.withdraw_narration(
                lesson, language=language, user=user, reason="The text was published without it."
            )
