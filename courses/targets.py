"""What people type on the command line: a course, or a lesson as ``course/lesson``."""

from __future__ import annotations

from django.core.management.base import CommandError

from courses.models import Course, Lesson, LessonText

HELP = "A course's address, or a lesson's as course/lesson."


def get_lessons(target: str) -> list[Lesson]:
    """The lessons of a course, or the one named; ``CommandError`` tells what there is."""
    slug, _separator, name = target.strip("/").partition("/")
    course = Course.objects.filter(slug=slug).first()
    if course is None:
        known = ", ".join(Course.objects.values_list("slug", flat=True)[:10])
        raise CommandError(f"There is no course “{slug}”. There are: {known or 'none'}.")
    lessons = Lesson.objects.filter(course=course, archived_at=None).select_related("course")
    if not name:
        return list(lessons)
    found = list(lessons.filter(slug=name))
    if not found:
        known = ", ".join(lessons.values_list("slug", flat=True)[:10])
        raise CommandError(f"“{slug}” has no lesson “{name}”. It has: {known or 'none'}.")
    return found


def get_texts(target: str, language: str = "") -> list[LessonText]:
    """Their texts that hold something, in one language or all; ``CommandError`` when none does."""
    texts = LessonText.objects.filter(lesson__in=get_lessons(target), version__gt=0)
    texts = texts.select_related("lesson__course", "published_revision")
    if language:
        texts = texts.filter(language=language)
    found = list(texts.order_by("lesson__position", "lesson__pk", "language"))
    if not found:
        words = f" in {language}" if language else ""
        raise CommandError(f"There is no text{words} in “{target}”.")
    return found
