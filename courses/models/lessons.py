"""A lesson: its place in the course and the languages it is written in."""

from __future__ import annotations

from typing import Any

from django.db import models, transaction
from django.db.models import Q
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from courses.models.base import Row, is_staff_with
from courses.models.courses import TEAM, Course
from courses.models.texts import LessonText


class LessonQuerySet(models.QuerySet["Lesson"]):
    """Which lessons somebody may read, narrate or publish, and what lists need of them."""

    def active(self) -> LessonQuerySet:
        """Without the archived ones."""
        return self.filter(archived_at=None)

    def published(self) -> LessonQuerySet:
        """Those with a published text in some language."""
        return self.filter(
            pk__in=LessonText.objects.exclude(published_revision=None).values("lesson")
        )

    def visible_to(self, user: Any) -> LessonQuerySet:
        """What ``user`` may read or hear: published lessons, and drafts for the course's team."""
        if is_staff_with(user, "courses.view_lesson"):
            return self
        team = Course.objects.of_member(user, *TEAM).values("pk")
        open_courses = Course.objects.visible_to(user).values("pk")
        published = Lesson.objects.active().published().values("pk")
        return self.filter(Q(course__in=team) | Q(course__in=open_courses, pk__in=published))

    def editable_by(self, user: Any) -> LessonQuerySet:
        """What ``user`` may write."""
        return self.filter(course__in=Course.objects.editable_by(user).values("pk"))

    def narratable_by(self, user: Any) -> LessonQuerySet:
        """What ``user`` may have spoken: editors, and staff who may change lessons."""
        return self if is_staff_with(user, "courses.change_lesson") else self.editable_by(user)

    def publishable_by(self, user: Any) -> LessonQuerySet:
        """What ``user`` may publish: the course's rule, and staff who may change lessons."""
        if is_staff_with(user, "courses.change_lesson"):
            return self
        return self.filter(course__in=Course.objects.publishable_by(user).values("pk"))

    def with_texts(self) -> LessonQuerySet:
        """With titles and versions of every language, but not the texts themselves: one query."""
        texts = LessonText.objects.select_related("published_revision").defer(
            "markdown", "published_revision__markdown"
        )
        return self.select_related("course").prefetch_related(models.Prefetch("texts", texts))


class Lesson(Row):
    """A page of a course; its words are in ``LessonText``, one per language."""

    course = models.ForeignKey(
        Course, on_delete=models.CASCADE, related_name="lessons", verbose_name=_("course")
    )
    position = models.PositiveIntegerField(_("position"), default=0)
    slug = models.SlugField(_("address"), max_length=80)
    external_id = models.CharField(_("external id"), max_length=200, blank=True, default="")
    source_path = models.CharField(_("source path"), max_length=500, blank=True, default="")
    auto_narrate = models.BooleanField(
        _("narrate automatically"),
        null=True,
        blank=True,
        default=None,
        help_text=_("Unknown: as the course says."),
    )
    archived_at = models.DateTimeField(_("archived at"), null=True, blank=True)

    objects = LessonQuerySet.as_manager()

    class Meta:
        verbose_name = _("lesson")
        verbose_name_plural = _("lessons")
        ordering = ["position", "id"]
        constraints = [
            models.UniqueConstraint(fields=["course", "slug"], name="courses_lesson_slug_once"),
            models.UniqueConstraint(
                fields=["course", "external_id"],
                condition=~Q(external_id=""),
                name="courses_lesson_external_id_once",
            ),
        ]

    def __str__(self) -> str:
        return self.title

    @property
    def title(self) -> str:
        """The title in the course's language, or in whatever language there is."""
        text = self.find_text(self.course.language) or next(iter(self.texts.all()), None)
        return (text.title if text else "") or self.slug

    @property
    def published_title(self) -> str:
        """The title learners see: that of a published text, the course's language first."""
        texts = [text for text in map(self.find_text, self.languages) if text]
        return next((t.published_revision.title for t in texts if t.published_revision), self.slug)

    @property
    def languages(self) -> list[str]:
        """Languages with a text, the course's own first."""
        main = self.course.language
        return sorted(
            (text.language for text in self.texts.all()), key=lambda tag: (tag != main, tag)
        )

    def find_text(self, language: str) -> LessonText | None:
        """The text in one language; reads the prefetched texts where there are any."""
        return next((text for text in self.texts.all() if text.language == language), None)

    def get_absolute_url(self, language: str = "") -> str:
        """Where learners read it; with a language other than the course's, that language."""
        url = reverse("courses:lesson", args=[self.course.slug, self.slug])
        return f"{url}?language={language}" if language not in {"", self.course.language} else url

    def move(self, step: int) -> None:
        """Go ``step`` places down (up when negative) among the course's active lessons."""
        with transaction.atomic():
            lessons = list(Lesson.objects.active().filter(course=self.course).select_for_update())
            index = lessons.index(self)
            lessons.insert(max(0, index + step), lessons.pop(index))
            for position, lesson in enumerate(lessons, start=1):
                lesson.position = position
            Lesson.objects.bulk_update(lessons, ["position"])
