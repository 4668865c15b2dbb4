"""What learners see: courses, a course, a lesson with its player."""

from __future__ import annotations

from dataclasses import dataclass

from django.db.models import Count, Q, QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils.translation import get_language
from django.views.decorators.http import require_safe

from courses.figures import CONTENT_TYPES, find_figure
from courses.models import Course, Lesson, LessonText
from courses.models.base import to_language_tag
from courses.rows import build_lesson_rows, find_namesakes
from narration import markup


@require_safe
def home(request: HttpRequest) -> HttpResponse:
    """All courses the visitor may read."""
    is_published = Q(lessons__archived_at=None, lessons__texts__published_revision__isnull=False)
    lesson_count = Count("lessons", filter=is_published, distinct=True)
    courses = Course.objects.visible_to(request.user).annotate(lesson_count=lesson_count)
    courses = courses.order_by("title", "pk")  # aggregation drops the order of the table
    context = {"courses": courses, "namesakes": find_namesakes(courses)}
    return render(request, "courses/home.html", context)


@require_safe
def show_course(request: HttpRequest, course: str) -> HttpResponse:
    """The lessons of a course with the length of their sound."""
    found = get_object_or_404(Course.objects.visible_to(request.user), slug=course)
    rows = build_lesson_rows(find_lessons(found), published_only=True)
    context = {
        "course": found,
        "rows": rows,
        "total_ms": sum(row.main.duration_ms for row in rows),
        "can_edit": Course.objects.editable_by(request.user).filter(pk=found.pk).exists(),
    }
    return render(request, "courses/course.html", context)


@require_safe
def show_lesson(request: HttpRequest, course: str, lesson: str) -> HttpResponse:
    """The published text of one language, with the player above it."""
    shown = get_lesson(request, course, lesson)
    texts = [text for text in map(shown.find_text, shown.languages) if text and text.is_published]
    text = choose_text(texts, request.GET.get("language", ""))
    revision = text.published_revision
    if revision is None:  # only published texts are asked for; the types do not know
        raise Http404
    context = {
        "lesson": shown,
        "course": shown.course,
        "revision": revision,
        "language": text.language,
        "texts": texts,
        "html": markup.render(revision.markdown, text.language).html,
        "neighbours": find_neighbours(shown),
        "can_edit": Lesson.objects.editable_by(request.user).filter(pk=shown.pk).exists(),
    }
    return render(request, "courses/lesson.html", context)


@require_safe
def serve_figure(request: HttpRequest, course: str, lesson: str, name: str) -> HttpResponse:
    """A picture of the lesson, for whoever may see the lesson."""
    visible = Lesson.objects.visible_to(request.user)
    shown = get_object_or_404(visible, course__slug=course, slug=lesson)
    path = find_figure(shown, name)
    if path is None:
        raise Http404
    response = HttpResponse(path.read_bytes(), content_type=CONTENT_TYPES[path.suffix])
    response["Cache-Control"] = "private, max-age=3600"
    return response


def find_lessons(course: Course) -> QuerySet[Lesson]:
    """The lessons learners find in a course."""
    return Lesson.objects.active().published().filter(course=course).with_texts()


def get_lesson(request: HttpRequest, course: str, lesson: str) -> Lesson:
    """The visitor's published lesson, or 404."""
    courses = Course.objects.visible_to(request.user).filter(slug=course)
    lessons = Lesson.objects.active().published().filter(course__in=courses, slug=lesson)
    return get_object_or_404(lessons.with_texts())


def choose_text(texts: list[LessonText], asked: str) -> LessonText:
    """The language asked for (404 without it), else the visitor's, else the course's own."""
    for text in texts:
        if text.language == asked:
            return text
    if asked:
        raise Http404
    wanted = to_language_tag(get_language() or "")
    return next((text for text in texts if text.language == wanted), texts[0])


@dataclass(frozen=True)
class Neighbours:
    """The lessons before and after, and where this one stands (from 1)."""

    previous: Lesson | None
    next: Lesson | None
    number: int
    count: int


def find_neighbours(lesson: Lesson) -> Neighbours:
    """The lesson's place among those learners see."""
    lessons = list(find_lessons(lesson.course))
    index = lessons.index(lesson)
    return Neighbours(
        previous=lessons[index - 1] if index else None,
        next=lessons[index + 1] if index + 1 < len(lessons) else None,
        number=index + 1,
        count=len(lessons),
    )
