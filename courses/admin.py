"""Courses in the admin: lessons with the state of their narration, revisions to read."""

from __future__ import annotations

from typing import Any, cast

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from courses.models import Course, Lesson, LessonQuerySet, LessonRevision, LessonText, Membership
from narration.admin import NarratedAdmin


class MembershipInline(admin.TabularInline):  # type: ignore[type-arg]
    """Who belongs to the course."""

    model = Membership
    autocomplete_fields = ["user"]
    extra = 0


@admin.register(Course)
class CourseAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """Courses and their members."""

    list_display = ["title", "language", "visibility", "requires_review", "archived_at"]
    list_filter = ["visibility", "language", "requires_review"]
    search_fields = ["title", "slug", "external_id"]
    prepopulated_fields = {"slug": ["title"]}
    inlines = [MembershipInline]


class LessonTextInline(admin.TabularInline):  # type: ignore[type-arg]
    """The languages of a lesson. Texts are written in the editor, where every save is a version."""

    model = LessonText
    fields = ["language", "title", "version", "published_revision"]
    readonly_fields = ["language", "title", "version", "published_revision"]
    extra = 0
    can_delete = False
    show_change_link = True

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Never here."""
        return False


@admin.register(Lesson)
class LessonAdmin(NarratedAdmin):
    """Lessons, with what the plugin adds: narration state, *Narrate*, *Cancel*, progress."""

    list_display = ["title", "narration_state", "course", "position"]
    list_filter = ["course"]
    search_fields = ["slug", "external_id", "texts__title"]
    ordering = ["course", "position"]
    inlines = [LessonTextInline]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Lesson]:
        """With titles, in a constant number of queries."""
        return cast("LessonQuerySet", super().get_queryset(request)).with_texts()


class ReadOnly(admin.ModelAdmin):  # type: ignore[type-arg]
    """To look at, not to touch."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Nobody."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nobody."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Only with the lesson it belongs to."""
        return obj is not None and request.user.has_perm("courses.delete_lesson")


@admin.register(LessonText)
class LessonTextAdmin(ReadOnly):
    """Texts, as their newest version stands."""

    list_display = ["title", "language", "lesson", "version", "published_revision"]
    list_filter = ["language", "lesson__course"]
    list_select_related = ["lesson__course", "published_revision"]
    search_fields = ["title"]


@admin.register(LessonRevision)
class LessonRevisionAdmin(ReadOnly):
    """Every version of every text."""

    list_display = ["title", "version", "text", "author_name", "at"]
    list_filter = ["text__language", "text__lesson__course"]
    list_select_related = ["text"]
    date_hierarchy = "at"
    search_fields = ["title", "author_name"]
