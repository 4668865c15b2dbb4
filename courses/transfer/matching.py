"""Which lesson of a course a file is about."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from courses.models import ImportedText, Lesson, LessonText
from courses.transfer.files import fold_path
from courses.transfer.reading import FoundText

_Find = Callable[[FoundText], Lesson | None]


def match_lessons(texts: Sequence[FoundText], lessons: Sequence[Lesson]) -> dict[str, Lesson]:
    """Lessons by key; every lesson is matched once, by the surest sign that any file gives.

    By external id, by the id and then the path that an export wrote, by the address it wrote, by
    the path at the last import, and by the same words at a path that is gone.
    """
    keys = {fold_path(text.key) for text in texts}
    matched: dict[str, Lesson] = {}
    for find in _build_finders(lessons, keys):
        taken = {lesson.pk for lesson in matched.values()}
        for text in texts:
            lesson = find(text) if text.key not in matched else None
            if lesson is not None and lesson.pk not in taken:
                matched[text.key] = lesson
                taken.add(lesson.pk)
    return matched


def _build_finders(lessons: Sequence[Lesson], keys: set[str]) -> list[_Find]:
    by_id = {lesson.external_id: lesson for lesson in lessons if lesson.external_id}
    by_uid = {str(lesson.uid): lesson for lesson in lessons}
    by_slug = {lesson.slug: lesson for lesson in lessons}
    by_path = _index((lesson, lesson.source_path) for lesson in lessons)
    by_last_path = _index((lesson, imported.path) for lesson, imported in iter_imported(lessons))
    by_words = {
        imported.digest: lesson
        for lesson, imported in iter_imported(lessons)
        if fold_path(lesson.source_path) not in keys
    }
    return [
        lambda text: by_id.get(text.external_id),
        lambda text: by_uid.get(text.uid),
        lambda text: by_path.get(fold_path(text.key)),
        lambda text: by_slug.get(text.slug) if text.is_exported else None,
        lambda text: by_last_path.get(fold_path(text.path)),
        lambda text: by_words.get(text.digest) if text.markdown else None,
    ]


def _index(rows: Iterable[tuple[Lesson, str]]) -> dict[str, Lesson]:
    """Lessons by path, the first of two; lessons in use go before archived ones."""
    found: dict[str, Lesson] = {}
    for lesson, path in sorted(rows, key=lambda row: row[0].archived_at is not None):
        if path:
            found.setdefault(fold_path(path), lesson)
    return found


def iter_imported(lessons: Iterable[Lesson]) -> Iterable[tuple[Lesson, ImportedText]]:
    """What the last imports wrote, with its lesson."""
    for lesson in lessons:
        for text in lesson.texts.all():
            imported = find_imported(text)
            if imported is not None:
                yield lesson, imported


def find_imported(text: LessonText) -> ImportedText | None:
    """What the last import wrote into a text."""
    return getattr(text, "imported", None)
