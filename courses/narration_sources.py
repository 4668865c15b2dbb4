"""How lessons are narrated: which text, whose, and where it is published."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django.db.models import QuerySet

from courses.models import Course, Lesson, LessonRevision, LessonText
from narration.exceptions import SourceError
from narration.markup import render
from narration.sources import (
    INSTALLATION,
    NarrationSource,
    find_scope_pk,
    get_scope_key,
    register,
)
from narration.values import Passage


@register
class LessonSource(NarrationSource[Lesson]):
    """Lessons speak their newest revision. The title is on the page and is not spoken."""

    model = Lesson

    def get_passages(self, obj: Lesson, language: str, version: int) -> Sequence[Passage]:
        """The passages of that revision, without the title."""
        if version == 0:
            return ()
        revisions = LessonRevision.objects.filter(
            text__lesson=obj, text__language=language, version=version
        )
        markdown = revisions.values_list("markdown", flat=True).first()
        if markdown is None:
            raise SourceError(f"“{obj}” has no version {version} in {language}.", code="no_version")
        return render(markdown, language).passages

    def get_version(self, obj: Lesson, language: str) -> int:
        """The newest version, read afresh; 0 before the first save."""
        version = self._values(obj, language, "version")
        if version is None:
            raise SourceError(f"“{obj}” has no text in {language}.", code="no_language")
        return int(version)

    def get_versions(self, objects: Sequence[Lesson], language: str) -> Mapping[Any, int]:
        """A query for every five hundred lessons."""
        found: dict[Any, int] = {}
        for start in range(0, len(objects), 500):
            texts = LessonText.objects.filter(
                lesson__in=objects[start : start + 500], language=language
            )
            found.update(texts.values_list("lesson", "version"))
        return found

    def get_languages(self, obj: Lesson) -> Sequence[str]:
        """Languages with a text, the course's own first."""
        return obj.languages

    def get_title(self, obj: Lesson, language: str) -> str:
        """The title in that language."""
        text = obj.find_text(language)
        return text.title if text else obj.title

    def get_url(self, obj: Lesson, language: str) -> str:
        """The learners' page."""
        return obj.get_absolute_url(language)

    def get_scope_chain(self, obj: Lesson) -> Sequence[str]:
        """Lesson, course, installation."""
        course = f"{Course._meta.label_lower}:{obj.course_id}"
        return (get_scope_key(obj), course, INSTALLATION)

    def find_in_scope(self, scope_key: str) -> QuerySet[Lesson]:
        """A course's key holds for all its lessons."""
        key = find_scope_pk(Course, scope_key)
        if key is not None:
            return Lesson.objects.filter(course__pk=key)
        return super().find_in_scope(scope_key)

    def is_scope(self, scope_key: str) -> bool:
        """A course is one before it has lessons."""
        key = find_scope_pk(Course, scope_key)
        if key is not None:
            return Course.objects.filter(pk=key).exists()
        return super().is_scope(scope_key)

    def get_scopes(self) -> QuerySet[Course]:
        """Courses."""
        return Course.objects.all()

    def can_edit_scope(self, user: Any, scope_key: str) -> bool:
        """Who writes a course says how it is spoken, before it has lessons too."""
        key = find_scope_pk(Course, scope_key)
        if key is not None:
            return Course.objects.editable_by(user).filter(pk=key).exists()
        return super().can_edit_scope(user, scope_key)

    def visible_to(self, user: Any, action: str) -> QuerySet[Lesson]:
        """Lessons on which ``user`` may do ``action``."""
        rules = {"narrate": Lesson.objects.narratable_by, "publish": Lesson.objects.publishable_by}
        return rules.get(action, Lesson.objects.visible_to)(user)

    def get_public_version(self, obj: Lesson, language: str) -> int | None:
        """What learners read now; None where a reviewer must listen first."""
        if obj.course.requires_review:
            return None
        version = self._values(obj, language, "published_revision__version")
        return None if version is None else int(version)

    def publish_version(self, obj: Lesson, language: str, version: int, user: Any) -> None:
        """Let learners read ``version``, in the transaction that publishes its track."""
        LessonText.objects.get(lesson=obj, language=language).publish(version)

    def _values(self, obj: Lesson, language: str, field: str) -> int | None:
        texts = LessonText.objects.filter(lesson=obj, language=language)
        return texts.values_list(field, flat=True).first()
