"""What lists show: objects beside the state of their narration, in a constant number of queries."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from courses.models import Course, Lesson, LessonText
from narration import api as narration


@dataclass(frozen=True)
class TextRow:
    """One language of a lesson; ``state`` is its NarrationState, None before the first plan."""

    text: LessonText
    state: Any = None

    @property
    def duration_ms(self) -> int:
        """How long the published track plays, 0 without one."""
        return self.state.duration_ms if self.state and self.state.has_published else 0

    @property
    def step(self) -> str:
        """What the author does next: write, publish (words wait), listen (sound waits) or none."""
        if not self.text.version:
            return "write"
        if not self.text.is_published or self.text.has_unpublished_changes:
            return "publish"
        return "" if self.duration_ms else "narrate"


@dataclass(frozen=True)
class LessonRow:
    """A lesson of a list, its languages in order."""

    lesson: Lesson
    texts: Sequence[TextRow]

    @property
    def main(self) -> TextRow:
        """The course's language, or the first there is."""
        return self.texts[0]


@dataclass
class CourseRow:
    """A course of "My courses" and what its narrations add up to, per text."""

    course: Course
    texts: list[TextRow] = field(default_factory=list)
    lessons: int = 0

    @property
    def is_multilingual(self) -> bool:
        """Whether some lesson has texts in several languages: its texts are no lessons then."""
        return len(self.texts) > self.lessons

    @cached_property
    def spoken(self) -> int:
        """Texts that learners can hear."""
        return sum(1 for row in self.texts if row.duration_ms)

    @cached_property
    def duration_ms(self) -> int:
        """Published sound in all."""
        return sum(row.duration_ms for row in self.texts)

    @cached_property
    def busy(self) -> int:
        """Texts being narrated or waiting for it."""
        return self._count("queued", "running")

    @cached_property
    def failed(self) -> int:
        """Texts whose last job failed or left sentences out."""
        return self._count("failed", "partial")

    @cached_property
    def changed(self) -> int:
        """Texts whose newest words nobody has spoken yet."""
        return self._count("stale")

    def _count(self, *statuses: str) -> int:
        return sum(1 for row in self.texts if row.state and row.state.status in statuses)


def build_lesson_rows(lessons: Iterable[Lesson], *, published_only: bool) -> list[LessonRow]:
    """Rows for lessons loaded ``with_texts()``; lessons that have no text to show are left out."""
    shown = list(lessons)
    states = narration.states_for(shown)
    rows = []
    for lesson in shown:
        texts = [text for text in map(lesson.find_text, lesson.languages) if text]
        visible = [text for text in texts if text.is_published or not published_only]
        of_lesson = states.get(lesson.pk, {})
        if visible:
            texts_rows = [TextRow(text, of_lesson.get(text.language)) for text in visible]
            rows.append(LessonRow(lesson, texts_rows))
    return rows


def find_namesakes(courses: Iterable[Course]) -> set[str]:
    """Titles that several of ``courses`` bear: their addresses tell these apart."""
    counted = Counter(course.title for course in courses)
    return {title for title, number in counted.items() if number > 1}


def build_course_rows(courses: Iterable[Course]) -> list[CourseRow]:
    """Rows of "My courses": the lessons of all courses are read at once."""
    rows = {course.pk: CourseRow(course) for course in courses}
    lessons = Lesson.objects.active().filter(course__in=rows).with_texts()
    for row in build_lesson_rows(lessons, published_only=False):
        rows[row.lesson.course_id].lessons += 1
        rows[row.lesson.course_id].texts.extend(row.texts)
    return list(rows.values())
