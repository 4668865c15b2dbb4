"""What an import would do, text by text, before it does anything."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from django.db import models
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from courses.models import Course, Lesson, LessonText
from courses.transfer.matching import find_imported, iter_imported, match_lessons
from courses.transfer.ordering import merge_orders
from courses.transfer.reading import FoundCourse, FoundText, digest_text


class Action(models.TextChoices):
    """What happens to one text."""

    NEW = "new", _("new")
    CHANGED = "changed", _("changed")
    UNCHANGED = "unchanged", _("unchanged")
    KEPT = "kept", _("kept: edited here, unchanged in the files")
    CONFLICT = "conflict", _("conflict: edited here and in the files")
    ARCHIVED = "archived", _("archived here: stays out of use")
    MISSING = "missing", _("not in the files any more")


#: What somebody did here that an import leaves alone.
EDITED_HERE = (Action.CONFLICT, Action.KEPT, Action.ARCHIVED)


def describe_order() -> str:
    """What is said where an order was chosen here and another one in the files."""
    return gettext(
        "The order of the lessons was chosen otherwise here than in the files; it stays."
    )


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
    """All steps, in the order of the files; what is missing there comes last.

    ``order`` is that of the lessons to be: keys of files, and primary keys of lessons that are in
    none. ``is_reordered``: another order was chosen here than in the files, and stays.
    """

    steps: tuple[Step, ...]
    order: tuple[str | int, ...] = ()
    is_reordered: bool = False

    def count(self, *actions: Action) -> int:
        """How many steps are one of these."""
        return sum(1 for step in self.steps if step.action in actions)


def plan_import(course: Course | None, found: FoundCourse, *, force: bool = False) -> ImportPlan:
    """Compare files with a course; None is a course that is yet to be made. A few queries."""
    lessons = _load_lessons(course)
    matched = match_lessons(found.texts, lessons)
    steps = [_plan_text(text, matched.get(text.key), force=force) for text in found.texts]
    seen = {(step.text.pk) for step in steps if step.text is not None}
    missing = [
        Step(Action.MISSING, text.title, text.language, _get_path(text), None, lesson, text)
        for lesson in lessons
        if lesson.archived_at is None
        for text in lesson.texts.all()
        if text.pk not in seen and _get_path(text)
    ]
    order, is_reordered = _plan_order(steps, matched, lessons, force=force)
    return ImportPlan((*steps, *missing), tuple(order), is_reordered)


def _load_lessons(course: Course | None) -> list[Lesson]:
    if course is None:
        return []
    texts = LessonText.objects.select_related("imported")
    lessons = Lesson.objects.filter(course=course).select_related("course")
    return list(lessons.prefetch_related(models.Prefetch("texts", texts)))


def _plan_order(
    steps: Sequence[Step], matched: Mapping[str, Lesson], lessons: Sequence[Lesson], *, force: bool
) -> tuple[list[str | int], bool]:
    """Keys of files and, for lessons that are in no file, primary keys."""
    keys = {lesson.pk: key for key, lesson in matched.items()}
    used = (step.found for step in steps if step.found and step.action is not Action.ARCHIVED)
    files: list[str | int] = list(dict.fromkeys(t.key for t in used if not t.is_archived))
    here = [keys.get(lesson.pk, lesson.pk) for lesson in lessons if lesson.archived_at is None]
    last = {lesson.pk: imported.at for lesson, imported in iter_imported(reversed(lessons))}
    before = sorted((lesson for lesson in lessons if lesson.pk in last), key=lambda r: last[r.pk])
    return merge_orders(here, files, [keys.get(row.pk, row.pk) for row in before], force=force)


def _plan_text(found: FoundText, lesson: Lesson | None, *, force: bool) -> Step:
    text = lesson.find_text(found.language) if lesson is not None else None
    step = Step(Action.NEW, found.title, found.language, found.path, found, lesson, text)
    if lesson is None:
        return step
    if lesson.source_path not in {"", found.key}:
        step = replace(step, moved_from=lesson.source_path)
    if is_archived_here(lesson) and not force and not found.is_archived:
        return replace(step, action=Action.ARCHIVED)
    if text is None or (text.version == 0 and (found.markdown or text.title != found.title)):
        return step
    return replace(step, action=_choose_action(found, text, force=force))


def is_archived_here(lesson: Lesson) -> bool:
    """Whether a person archived it: what an import took out of use has no path any more."""
    if lesson.archived_at is None:
        return False
    paths = [imported.path for _lesson, imported in iter_imported([lesson])]
    return not paths or any(paths)


def _choose_action(found: FoundText, text: LessonText, *, force: bool) -> Action:
    stored = digest_text(text.title, text.markdown)
    if stored == found.digest:
        return Action.UNCHANGED
    imported = find_imported(text)
    if force or (imported is not None and imported.digest == stored):
        return Action.CHANGED
    is_old = imported is not None and imported.digest == found.digest
    return Action.KEPT if is_old else Action.CONFLICT


def _get_path(text: LessonText) -> str:
    imported = find_imported(text)
    return imported.path if imported else ""
