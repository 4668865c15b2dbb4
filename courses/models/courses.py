"""A course, who may see it, and who belongs to it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from courses.models.base import Row, is_staff_with

if TYPE_CHECKING:
    from courses.models.lessons import LessonQuerySet


class Visibility(models.TextChoices):
    """Who may read a course; its team always may."""

    DRAFT = "draft", _("draft: only its team")
    PUBLIC = "public", _("public: everyone")
    LOGIN = "login", _("everyone who is signed in")
    ENROLLED = "enrolled", _("enrolled learners")


class Role(models.TextChoices):
    """What somebody is in a course."""

    OWNER = "owner", _("owner")
    AUTHOR = "author", _("author")
    REVIEWER = "reviewer", _("reviewer")
    LEARNER = "learner", _("learner")


#: Who sees a course whatever its visibility.
TEAM = (Role.OWNER, Role.AUTHOR, Role.REVIEWER)
EDITORS = (Role.OWNER, Role.AUTHOR)


class CourseQuerySet(models.QuerySet["Course"]):
    """Which courses somebody may see, edit or publish."""

    def of_member(self, user: Any, *roles: str) -> CourseQuerySet:
        """Courses in which ``user`` has one of ``roles``."""
        if not user.is_authenticated:
            return self.none()
        return self.filter(
            pk__in=Membership.objects.filter(user=user, role__in=roles).values("course")
        )

    def visible_to(self, user: Any) -> CourseQuerySet:
        """What ``user`` may read. Archived courses stay visible to their team only."""
        if is_staff_with(user, "courses.view_course"):
            return self
        is_open = Q(visibility=Visibility.PUBLIC)
        if user.is_authenticated:
            is_open |= Q(visibility=Visibility.LOGIN)
            enrolled = Membership.objects.filter(user=user).values("course")
            is_open |= Q(visibility=Visibility.ENROLLED, pk__in=enrolled)
        team = Course.objects.of_member(user, *TEAM).values("pk")
        return self.filter(Q(is_open, archived_at=None) | Q(pk__in=team))

    def editable_by(self, user: Any) -> CourseQuerySet:
        """Courses whose texts ``user`` may write: owners, authors, superusers."""
        return self if user.is_superuser else self.of_member(user, *EDITORS)

    def publishable_by(self, user: Any) -> CourseQuerySet:
        """Courses in which ``user`` may publish; where review is required, authors may not."""
        if user.is_superuser:
            return self
        by_anyone = Course.objects.of_member(user, *EDITORS).filter(requires_review=False)
        by_reviewer = Course.objects.of_member(user, Role.OWNER, Role.REVIEWER)
        return self.filter(
            Q(pk__in=by_anyone.values("pk"))
            | Q(pk__in=by_reviewer.filter(requires_review=True).values("pk"))
        )


class Course(Row):
    """A named row of lessons in one main language."""

    slug = models.SlugField(_("address"), max_length=80, unique=True)
    title = models.CharField(_("title"), max_length=200)
    language = models.CharField(_("language"), max_length=35)
    visibility = models.CharField(
        _("who may read it"), max_length=10, choices=Visibility, default=Visibility.DRAFT
    )
    external_id = models.CharField(_("external id"), max_length=200, blank=True, default="")
    auto_narrate = models.BooleanField(_("narrate automatically"), default=False)
    requires_review = models.BooleanField(
        _("requires review"),
        default=False,
        help_text=_("Only owners and reviewers publish, and no narration is published by itself."),
    )
    archived_at = models.DateTimeField(_("archived at"), null=True, blank=True)
    members = models.ManyToManyField(
        settings.AUTH_USER_MODEL, through="courses.Membership", related_name="+"
    )

    objects = CourseQuerySet.as_manager()

    if TYPE_CHECKING:
        lessons: models.Manager[Any] | LessonQuerySet

    class Meta:
        verbose_name = _("course")
        verbose_name_plural = _("courses")
        ordering = ["title", "id"]
        constraints = [
            models.CheckConstraint(
                name="courses_course_visibility_known",
                condition=Q(visibility__in=Visibility.values),
            )
        ]

    def __str__(self) -> str:
        return self.title

    def get_absolute_url(self) -> str:
        """Where learners find it."""
        return reverse("courses:course", args=[self.slug])


class Membership(Row):
    """Somebody's one role in a course."""

    course = models.ForeignKey(
        Course, on_delete=models.CASCADE, related_name="memberships", verbose_name=_("course")
    )
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("user"),
        on_delete=models.CASCADE,
        related_name="course_memberships",
    )
    role = models.CharField(_("role"), max_length=10, choices=Role, default=Role.LEARNER)

    class Meta:
        verbose_name = _("membership")
        verbose_name_plural = _("memberships")
        ordering = ["course_id", "id"]
        constraints = [
            models.UniqueConstraint(fields=["course", "user"], name="courses_membership_once"),
            models.CheckConstraint(
                name="courses_membership_role_known", condition=Q(role__in=Role.values)
            ),
        ]

    def __str__(self) -> str:
        return f"{self.user} · {self.get_role_display()}"
