"""An import as it happens: everything or nothing, plans after it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.text import slugify
from django.utils.translation import gettext as _

from courses.models import Course, ImportedText, Lesson, LessonText, Membership, Role
from courses.models.base import build_slug
from courses.transfer.files import TransferError
from courses.transfer.planning import Action, ImportPlan, Step, plan_import
from courses.transfer.reading import FoundCourse, FoundText
from narration import api as narration
from narration.sources import get_scope_key

#: Plans made while somebody waits; the rest follow in the background.
PLANNED_AT_ONCE = 5


@dataclass(frozen=True, slots=True)
class ImportResult:
    """What was done: the course, the plan as it was carried out, and what could not be taken."""

    course: Course
    plan: ImportPlan
    notes: tuple[str, ...] = ()


def import_course(
    found: FoundCourse,
    *,
    course: Course | None = None,
    slug: str = "",
    title: str = "",
    language: str = "",
    user: Any = None,
    force: bool = False,
    archive: bool = False,
) -> ImportResult:
    """Bring a course up to its files, or make it, in one transaction.

    Unchanged texts keep everything; conflicts are reported, not overwritten, unless ``force``.
    ``archive`` takes lessons that are not in the files any more out of use. ``TransferError``
    when nothing was done.
    """
    with transaction.atomic():
        if course is None:
            course = _create_course(found, slug=slug, title=title, language=language, user=user)
        else:
            course = Course.objects.select_for_update().get(pk=course.pk)
        plan = plan_import(course, found, force=force)
        lessons = _apply_texts(course, plan, user)
        if archive:
            _archive_missing(plan)
        notes, is_reworded = _load_wording(course, found, lessons, user)
    _refresh_plans(plan, lessons, user, everything=is_reworded)
    return ImportResult(course, plan, tuple(notes))


def _create_course(
    found: FoundCourse, *, slug: str, title: str, language: str, user: Any
) -> Course:
    title = title or str(found.facts.get("title", "")) or found.texts[0].title
    is_taken = Course.objects.filter(slug=slug).exists if slug else None
    if is_taken and is_taken():
        raise TransferError(_("There is a course “%(slug)s” already.") % {"slug": slug})
    wanted = language or str(found.facts.get("language", ""))
    course = Course.objects.create(
        title=title[:200],
        slug=slug or build_slug(title, lambda s: Course.objects.filter(slug=s).exists(), "course"),
        language=wanted if wanted in found.languages else found.languages[0],
    )
    if user is not None:
        Membership.objects.create(course=course, user=user, role=Role.OWNER)
    return course


def _apply_texts(course: Course, plan: ImportPlan, user: Any) -> dict[str, Lesson]:
    """Write the texts; the lessons by key, in the order of the files."""
    lessons: dict[str, Lesson] = {}
    taken = set(Lesson.objects.filter(course=course).values_list("slug", flat=True))
    for step in plan.steps:
        found = step.found
        if found is None:
            continue
        lesson = lessons.get(found.key) or step.lesson or _create_lesson(course, found, taken)
        lessons[found.key] = lesson
        _apply_text(lesson, step, found, user)
    for position, (key, lesson) in enumerate(lessons.items(), 1):
        external_id = _find_external_id(plan, key) or lesson.external_id
        Lesson.objects.filter(pk=lesson.pk).update(
            position=position, source_path=key, external_id=external_id, archived_at=None
        )
    return lessons


def _find_external_id(plan: ImportPlan, key: str) -> str:
    ids = (step.found.external_id for step in plan.steps if step.found and step.found.key == key)
    return next(filter(None, ids), "")


def _create_lesson(course: Course, found: FoundText, taken: set[str]) -> Lesson:
    stem = found.key.rpartition("/")[2].rpartition(".")[0]
    wanted = slugify(found.slug) or slugify(stem) or slugify(found.title)
    slug = build_slug(wanted, lambda s: s in taken, "lesson")
    taken.add(slug)
    return Lesson.objects.create(course=course, slug=slug)


def _apply_text(lesson: Lesson, step: Step, found: FoundText, user: Any) -> None:
    text = step.text
    if text is None:
        text = LessonText.objects.create(lesson=lesson, language=found.language, title=found.title)
    text.lesson = lesson
    if step.writes:
        text.save_revision(
            markdown=found.markdown,
            title=found.title,
            author=user,
            expected_version=text.version,
            plans=False,
        )
    if step.action in {Action.NEW, Action.CHANGED, Action.UNCHANGED}:
        ImportedText.objects.update_or_create(
            text=text, defaults={"path": found.path, "digest": found.digest}
        )
    elif step.action is Action.KEPT:
        ImportedText.objects.filter(text=text).update(path=found.path)


def _archive_missing(plan: ImportPlan) -> None:
    """A lesson goes out of use when none of its texts is in the files."""
    missing = {
        step.lesson.pk for step in plan.steps if step.action is Action.MISSING and step.lesson
    }
    present = {step.lesson.pk for step in plan.steps if step.found and step.lesson}
    Lesson.objects.filter(pk__in=missing - present).update(archived_at=timezone.now())


def _load_wording(
    course: Course, found: FoundCourse, lessons: dict[str, Lesson], user: Any
) -> tuple[list[str], bool]:
    """Lexicon, policies and overrides that an export wrote; notes, and whether there were any."""
    facts = found.facts
    if not facts:
        return [], False
    notes = narration.load_wording(get_scope_key(course), facts.get("wording", {}), user=user)
    entries = facts.get("lessons", {})
    if not isinstance(entries, dict):
        raise TransferError(_("course.json: “lessons” must be an object."))
    for key, lesson in lessons.items():
        entry = entries.get(key, {})
        if not isinstance(entry, dict) or not isinstance(entry.get("overrides", {}), dict):
            raise TransferError(_("course.json: the entry of %(path)s is wrong.") % {"path": key})
        notes += narration.load_wording(get_scope_key(lesson), entry.get("wording", {}), user=user)
        for language, rows in entry.get("overrides", {}).items():
            narration.load_overrides(lesson, rows, language=language, user=None)
    return notes, True


def _refresh_plans(
    plan: ImportPlan, lessons: dict[str, Lesson], user: Any, *, everything: bool
) -> None:
    """Plan what changed: a few now, the rest in the background."""
    due = [
        (lessons[step.found.key], step.language)
        for step in plan.steps
        if step.found and (step.writes or everything)
    ]
    for at, (lesson, language) in enumerate(due):
        fresh = Lesson.objects.select_related("course").get(pk=lesson.pk)
        if at < PLANNED_AT_ONCE:
            narration.refresh_plan(fresh, language=language)
        else:
            narration.request_refresh(fresh, language=language, user=user)
