"""How a course is said, as an export wrote it: lexicon, policies, decisions about sentences."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from django.utils.translation import gettext as _

from courses.models import Course, Lesson
from courses.transfer.files import TransferError
from courses.transfer.planning import ImportPlan
from courses.transfer.reading import FoundCourse
from narration import api as narration
from narration.sources import get_scope_key

_WORD = re.compile(r"\w+")


@dataclass(slots=True)
class Said:
    """What was loaded. ``changed``: lessons that may be said otherwise; None for all."""

    notes: list[str] = field(default_factory=list)
    changed: set[int] | None = field(default_factory=set)

    def take(self, loaded: narration.Loaded, lesson: Lesson | None = None) -> None:
        """Add what came of one scope."""
        self.notes += loaded.notes
        if loaded.written and lesson is None:
            self.changed = None
        elif loaded.written and lesson is not None and self.changed is not None:
            self.changed.add(lesson.pk)


def load_wording(
    course: Course,
    found: FoundCourse,
    lessons: Mapping[str, Lesson],
    *,
    user: Any = None,
    is_new: bool = False,
    force: bool = False,
    dry_run: bool = False,
    local_wording: bool = False,
) -> Said:
    """Load what ``found`` says of how the course and these lessons (by key) are said."""
    said = Said()
    facts = found.facts
    if not facts:
        return said
    loaded = narration.load_wording(
        get_scope_key(course),
        facts.get("wording", {}),
        user=user,
        around=None if local_wording else facts.get("around"),
        is_used=_build_probe(found),
        is_new=is_new,
        force=force,
        dry_run=dry_run,
    )
    said.take(loaded)
    entries = facts.get("lessons", {})
    for key, lesson in lessons.items():
        entry = entries.get(key, {})
        if not isinstance(entry, dict) or not isinstance(entry.get("overrides", {}), dict):
            raise TransferError(_("course.json: the entry of %(path)s is wrong.") % {"path": key})
        scope = get_scope_key(lesson)
        wording = entry.get("wording", {})
        loaded = narration.load_wording(scope, wording, user=user, force=force, dry_run=dry_run)
        said.take(loaded, lesson)
        languages = {text.language for text in found.texts if text.key == key}
        for language in sorted(languages & set(entry.get("overrides", {}))):
            rows = entry["overrides"][language]
            loaded = narration.load_overrides(
                lesson, rows, language=language, user=None, force=force, dry_run=dry_run
            )
            said.take(loaded, lesson)
    return said


def list_conflicts(
    course: Course | None, found: FoundCourse, plan: ImportPlan, *, force: bool = False
) -> list[str]:
    """What an import would say of wording that was decided here; nothing is written."""
    if course is None:
        return []
    lessons = {step.found.key: step.lesson for step in plan.steps if step.found and step.lesson}
    return load_wording(course, found, lessons, force=force, dry_run=True).notes


def _build_probe(found: FoundCourse) -> Any:
    """Tells whether a word may stand in the texts: its longest part does."""
    texts = "\n".join(text.markdown for text in found.texts).casefold()

    def is_used(word: str) -> bool:
        return max(_WORD.findall(word), key=len, default="").casefold() in texts

    return is_used
