"""What an import would do, text by text, before it does anything."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from django.db import models
from django.utils.translation import gettext_lazy as _

from courses.models import Course, ImportedText, Lesson, LessonText
from courses.transfer.reading import FoundCourse, FoundText, digest_text


class Action(models.TextChoices):
    """What happens to one text."""

    NEW = "new", _("new")
    CHANGED = "changed", _("changed")
    UNCHANGED = "unchanged", _("unchanged")
    KEPT = "kept", _("kept: edited here, unchanged in the files")
    CONFLICT = "conflict", _("conflict: edited here and in the files")
    MISSING = "missing", _("not in the files any more")


@dataclass(frozen=True, slots=True)
class Step:
    """One text of the import; ``moved_from`` is its path at the last one."""

    action: Action
    title: str
    language: str
    path: str
    found: FoundText | None = None
    lesson: Lesson | None = None
    text: LessonText | None = None
    moved_from: str = ""

    @property
    def writes(self) -> bool:
        """Whether its words are stored."""
        return self.action in {Action.NEW, Action.CHANGED}


@dataclass(frozen=True, slots=True)
class ImportPlan:
    """All steps, in the order of the files; what is missing there comes last."""

    steps: tuple[Step, ...]

    def count(self, *actions: Action) -> int:
        """How many steps are one of these."""
        return sum(1 for step in self.steps if step.action in actions)


def plan_import(course: Course | None, found: FoundCourse, *, force: bool = False) -> ImportPlan:
    """Compare files with a course; None is a course that is yet to be made. A few queries."""
    lessons = _load_lessons(course)
    matched = _match(found.texts, lessons)
    steps = [_plan_text(text, matched.get(text.key), force=force) for text in found.texts]
    seen = {(step.text.pk) for step in steps if step.text is not None}
    missing = [
        Step(Action.MISSING, text.title, text.language, _get_path(text), None, lesson, text)
        for lesson in lessons
        if lesson.archived_at is None
        for text in lesson.texts.all()
        if text.pk not in seen and _get_path(text)
    ]
    return ImportPlan((*steps, *missing))


def _load_lessons(course: Course | None) -> list[Lesson]:
    if course is None:
        return []
    texts = LessonText.objects.select_related("imported")
    lessons = Lesson.objects.filter(course=course).select_related("course")
    return list(lessons.prefetch_related(models.Prefetch("texts", texts)))


def _match(texts: Sequence[FoundText], lessons: Sequence[Lesson]) -> dict[str, Lesson]:
    """Lessons by key: by external id, then path, then by the same words at a path that is gone."""
    by_id = {lesson.external_id: lesson for lesson in lessons if lesson.external_id}
    by_path = {lesson.source_path: lesson for lesson in lessons if lesson.source_path}
    by_words = {
        imported.digest: lesson
        for lesson in lessons
        for text in lesson.texts.all()
        if (imported := _find_imported(text)) is not None
    }
    keys = {text.key for text in texts}
    matched: dict[str, Lesson] = {}
    for text in texts:
        lesson = by_id.get(text.external_id) or by_path.get(text.key)
        if lesson is None:
            moved = by_words.get(text.digest)
            lesson = moved if moved is not None and moved.source_path not in keys else None
        if lesson is not None and lesson not in matched.values():
            matched.setdefault(text.key, lesson)
    return matched


def _plan_text(found: FoundText, lesson: Lesson | None, *, force: bool) -> Step:
    text = lesson.find_text(found.language) if lesson is not None else None
    step = Step(Action.NEW, found.title, found.language, found.path, found, lesson, text)
    if lesson is not None and lesson.source_path not in {"", found.key}:
        step = replace(step, moved_from=lesson.source_path)
    if text is None or text.version == 0:
        return step
    return replace(step, action=_choose_action(found, text, force=force))


def _choose_action(found: FoundText, text: LessonText, *, force: bool) -> Action:
    stored = digest_text(text.title, text.markdown)
    if stored == found.digest:
        return Action.UNCHANGED
    imported = _find_imported(text)
    if force or (imported is not None and imported.digest == stored):
        return Action.CHANGED
    is_old = imported is not None and imported.digest == found.digest
    return Action.KEPT if is_old else Action.CONFLICT


def _find_imported(text: LessonText) -> ImportedText | None:
    return getattr(text, "imported", None)


def _get_path(text: LessonText) -> str:
    imported = _find_imported(text)
    return imported.path if imported else ""
