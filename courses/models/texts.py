"""A lesson's text in one language and its immutable versions.

Authors never overwrite each other silently: every save names the version it started from and is
refused when that is no longer the newest.
"""

from __future__ import annotations

from functools import partial
from typing import Any

from django.conf import settings
from django.db import models, transaction
from django.utils.translation import gettext_lazy as _

from courses.models.base import Row
from narration.exceptions import ConflictError


class EditConflictError(ConflictError):
    """Somebody saved first; ``current`` is the text as it is now."""

    def __init__(self, current: LessonText) -> None:
        super().__init__(str(_("Somebody else saved this text while you were writing.")))
        self.current = current


class LessonText(Row):
    """The newest words of a lesson in one language; learners read ``published_revision``.

    ``version`` 0 means that nothing was saved yet.
    """

    lesson = models.ForeignKey(
        "courses.Lesson",
        on_delete=models.CASCADE,
        related_name="texts",
        verbose_name=_("lesson"),
    )
    language = models.CharField(_("language"), max_length=35)
    title = models.CharField(_("title"), max_length=200)
    markdown = models.TextField(_("text"), blank=True, default="")
    version = models.PositiveIntegerField(_("version"), default=0)
    published_revision = models.ForeignKey(
        "courses.LessonRevision",
        verbose_name=_("published revision"),
        null=True,
        blank=True,
        on_delete=models.RESTRICT,
        related_name="+",
    )
    translated_from = models.ForeignKey(
        "self",
        verbose_name=_("translated from"),
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="translations",
    )
    translated_from_version = models.PositiveIntegerField(
        _("translated from version"), null=True, blank=True
    )

    class Meta:
        verbose_name = _("lesson text")
        verbose_name_plural = _("lesson texts")
        ordering = ["lesson_id", "language"]
        constraints = [
            models.UniqueConstraint(
                fields=["lesson", "language"], name="courses_lessontext_language_once"
            )
        ]

    def __str__(self) -> str:
        return f"{self.title} ({self.language})"

    @property
    def is_published(self) -> bool:
        """Whether learners read some version."""
        return self.published_revision_id is not None

    @property
    def has_unpublished_changes(self) -> bool:
        """Whether learners read an older version than the newest."""
        published = self.published_revision
        return published is not None and published.version != self.version

    def save_revision(
        self,
        *,
        markdown: str,
        title: str,
        author: Any,
        expected_version: int,
        plans: bool = True,
    ) -> LessonRevision | None:
        """Store a new version, written on top of ``expected_version``, and plan how it is said.

        Who stores many texts at once plans them later: without ``plans``.

        None when the stored text is already this one, whoever wrote it. ``EditConflictError`` when
        the newest version is another and says something else; nothing is written then.
        """
        with transaction.atomic():
            current = LessonText.objects.select_for_update().get(pk=self.pk)
            if current.version and (current.markdown, current.title) == (markdown, title):
                self.version, self.markdown, self.title = current.version, markdown, title
                return None
            self._advance(expected_version, markdown=markdown, title=title, current=current)
            revision = LessonRevision.objects.create(
                text=self,
                version=self.version,
                title=title,
                markdown=markdown,
                author=author,
                author_name=author.get_username() if author else "",
            )
            if plans:
                refresh = partial(_refresh_plan, self.lesson, self.language)
                transaction.on_commit(refresh, robust=True)
        return revision

    def _advance(
        self, expected_version: int, *, markdown: str, title: str, current: LessonText
    ) -> None:
        """The compare-and-set: the database settles who was first."""
        changes: dict[str, Any] = {
            "version": expected_version + 1,
            "markdown": markdown,
            "title": title,
        }
        rows = LessonText.objects.filter(pk=self.pk, version=expected_version)
        if not rows.update(**changes):
            raise EditConflictError(current)
        for field, value in changes.items():
            setattr(self, field, value)

    def publish(self, version: int) -> None:
        """Let learners read ``version``."""
        self.published_revision = LessonRevision.objects.get(text=self, version=version)
        self.save(update_fields=["published_revision"])


class LessonRevision(Row):
    """One version of a text, never changed; ``author_name`` stays when the account goes."""

    text = models.ForeignKey(
        LessonText,
        on_delete=models.CASCADE,
        related_name="revisions",
        verbose_name=_("lesson text"),
    )
    version = models.PositiveIntegerField(_("version"))
    title = models.CharField(_("title"), max_length=200)
    markdown = models.TextField(_("text"), blank=True)
    author = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("author"),
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="+",
    )
    author_name = models.CharField(_("author's name"), max_length=150, blank=True, default="")
    at = models.DateTimeField(_("at"), auto_now_add=True)

    class Meta:
        verbose_name = _("revision")
        verbose_name_plural = _("revisions")
        ordering = ["text_id", "-version"]
        constraints = [
            models.UniqueConstraint(
                fields=["text", "version"], name="courses_revision_version_once"
            )
        ]

    def __str__(self) -> str:
        return f"{self.title} · {self.version}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Insert only: a revision that changed would be another text under an old number."""
        if not self._state.adding:
            raise TypeError("A revision is immutable: save a new one.")
        super().save(*args, **kwargs)


def _refresh_plan(lesson: models.Model, language: str) -> None:
    from narration import api  # its models are loaded after ours

    api.refresh_plan(lesson, language=language)
