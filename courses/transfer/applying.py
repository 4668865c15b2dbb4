"""An import as it happens: everything or nothing, plans after it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.text import slugify
from django.utils.translation import gettext as _

from courses.models import Course, ImportedText, Lesson, LessonText, Membership, Role
from courses.models.base import build_slug
from courses.transfer.files import TransferError, fold_path
from courses.transfer.planning import Action, ImportPlan, Step, is_archived_here, plan_import
from courses.transfer.reading import FoundCourse, FoundText
from courses.transfer.wording import load_wording
from narration import api as narration
from narration.exceptions import NarrationError

#: Plans made while somebody waits, and the characters they may have; the rest follow in the
#: background. A long lexicon sends them all there.
PLANNED_AT_ONCE = 5
CHARACTERS_AT_ONCE = 60_000
ENTRIES_AT_ONCE = 200


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
    local_wording: bool = False,
) -> ImportResult:
    """Bring a course up to its files, or make it, in one transaction.

    Unchanged texts keep everything; conflicts are reported, not overwritten, unless ``force``.
    ``archive`` takes lessons that are not in the files any more out of use. With
    ``local_wording`` a new course is said as this site says things, else as the site it comes
    from. ``TransferError`` when nothing was done.
    """
    with transaction.atomic():
        is_new = course is None
        if course is None:
            course = _create_course(found, slug=slug, title=title, language=language, user=user)
        else:
            course = Course.objects.select_for_update().get(pk=course.pk)
        plan = plan_import(course, found, force=force)
        lessons = _apply_texts(course, plan, user, force=force)
        if archive:
            _archive_missing(plan)
        _apply_order(plan, lessons)
        _stamp(found, lessons)
        said = load_wording(
            course,
            found,
            lessons,
            user=user,
            is_new=is_new,
            force=force,
            local_wording=local_wording,
        )
    notes = _refresh_plans(_list_due(course, plan, lessons, said.changed), found, user)
    return ImportResult(course, plan, (*said.notes, *notes))


def _create_course(
    found: FoundCourse, *, slug: str, title: str, language: str, user: Any
) -> Course:
    title = title or found.title or found.texts[0].title
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


def _apply_texts(course: Course, plan: ImportPlan, user: Any, *, force: bool) -> dict[str, Lesson]:
    """Write the texts; the lessons by key, in the order of the files."""
    lessons: dict[str, Lesson] = {}
    taken = set(Lesson.objects.filter(course=course).values_list("slug", flat=True))
    for step in plan.steps:
        found = step.found
        if found is None:
            continue
        lesson = lessons.get(found.key) or step.lesson or _create_lesson(course, found, taken)
        lessons[found.key] = lesson
        if step.action is not Action.ARCHIVED:
            _apply_text(lesson, step, found, user)
    _give_up_paths(course, lessons)
    for key, lesson in lessons.items():
        _keep_facts(lesson, key, plan, force=force)
    return lessons


def _give_up_paths(course: Course, lessons: dict[str, Lesson]) -> None:
    """No two lessons come from one path: the one that comes from it now has it."""
    taken = {fold_path(key) for key in lessons}
    mine = {lesson.pk for lesson in lessons.values()}
    rows = Lesson.objects.filter(course=course).exclude(source_path="")
    paths = rows.values_list("pk", "source_path")
    lost = [pk for pk, path in paths if pk not in mine and fold_path(path) in taken]
    Lesson.objects.filter(pk__in=lost).update(source_path="")


def _keep_facts(lesson: Lesson, key: str, plan: ImportPlan, *, force: bool) -> None:
    """Where it comes from and what it is called there; in use again if only an import ended it."""
    texts = [step.found for step in plan.steps if step.found and step.found.key == key]
    ids = (text.external_id for text in texts)
    facts: dict[str, Any] = {
        "source_path": key,
        "external_id": next(filter(None, ids), lesson.external_id),
    }
    is_wanted = not any(text.is_archived for text in texts)
    if is_wanted and (force or not is_archived_here(lesson)):
        facts["archived_at"] = None
    changed = {name: value for name, value in facts.items() if getattr(lesson, name) != value}
    if changed:
        Lesson.objects.filter(pk=lesson.pk).update(**changed)


def _create_lesson(course: Course, found: FoundText, taken: set[str]) -> Lesson:
    stem = found.key.rpartition("/")[2].rpartition(".")[0]
    wanted = slugify(found.slug) or slugify(stem) or slugify(found.title)
    is_free = wanted and wanted not in taken
    slug = wanted if is_free else build_slug(wanted, lambda s: s in taken, "lesson")
    taken.add(slug)
    archived_at = timezone.now() if found.is_archived else None
    return Lesson.objects.create(course=course, slug=slug[:80], archived_at=archived_at)


def _apply_text(lesson: Lesson, step: Step, found: FoundText, user: Any) -> None:
    text = step.text
    if text is None:
        text = LessonText.objects.create(lesson=lesson, language=found.language, title=found.title)
    text.lesson = lesson
    if step.writes and (found.markdown or text.version):
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
    """A lesson goes out of use when none of its texts is in the files.

    What was imported has no path from then on: so an import may bring the lesson back, and leaves
    out of use what a person archived.
    """
    missing = {
        step.lesson.pk for step in plan.steps if step.action is Action.MISSING and step.lesson
    }
    present = {step.lesson.pk for step in plan.steps if step.found and step.lesson}
    gone = missing - present
    Lesson.objects.filter(pk__in=gone).update(archived_at=timezone.now())
    ImportedText.objects.filter(text__lesson__in=gone).update(path="")


def _apply_order(plan: ImportPlan, lessons: dict[str, Lesson]) -> None:
    """Positions, where the order is another than it was."""
    wanted = [lessons[at].pk if isinstance(at, str) else at for at in plan.order]
    rows = Lesson.objects.filter(pk__in=wanted)
    old = {step.lesson.pk for step in plan.steps if step.lesson}
    new = {lesson.pk for lesson in lessons.values()} - old
    if not new and [lesson.pk for lesson in rows] == wanted:
        return
    places = {pk: place for place, pk in enumerate(wanted, 1)}
    for lesson in rows:
        lesson.position = places[lesson.pk]
    Lesson.objects.bulk_update(rows, ["position"])


def _stamp(found: FoundCourse, lessons: dict[str, Lesson]) -> None:
    """What was imported remembers its place among the files: a microsecond apart."""
    now = timezone.now()
    for place, key in enumerate(dict.fromkeys(text.key for text in found.texts)):
        at = now + timedelta(microseconds=place)
        ImportedText.objects.filter(text__lesson=lessons[key]).update(at=at)


def _list_due(
    course: Course, plan: ImportPlan, lessons: dict[str, Lesson], reworded: Iterable[int] | None
) -> list[LessonText]:
    """The texts whose plans are out of date; ``reworded`` None: all of the course."""
    texts = LessonText.objects.filter(lesson__course=course, version__gt=0)
    found = list(texts.select_related("lesson__course").order_by("lesson__position", "pk"))
    if reworded is None:
        return [text for text in found if text.lesson.archived_at is None]
    again = set(reworded)
    written = {
        (lessons[step.found.key].pk, step.language)
        for step in plan.steps
        if step.found and step.writes
    }
    return [
        text
        for text in found
        if text.lesson_id in again or (text.lesson_id, text.language) in written
    ]


def _refresh_plans(due: list[LessonText], found: FoundCourse, user: Any) -> list[str]:
    """Plan what changed: a few now, the rest in the background; what nobody can say, in words."""
    notes: list[str] = []
    entries = found.count_entries()
    characters = 0
    for at, text in enumerate(due):
        characters += len(text.markdown)
        is_little = at < PLANNED_AT_ONCE and characters <= CHARACTERS_AT_ONCE
        lesson, language = text.lesson, text.language
        try:
            if is_little and entries <= ENTRIES_AT_ONCE:
                narration.refresh_plan(lesson, language=language)
            else:
                narration.request_refresh(lesson, language=language, user=user)
        except NarrationError as error:
            notes.append(f"{text}: {narration.explain_error(error)}")
    return notes
