"""Jobs with their progress and errors, workers, events and usage."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from narration import api
from narration.admin.readonly import ReadOnlyAdmin, ReadOnlyInline
from narration.exceptions import ConflictError, NarrationNotFound, NotAllowed
from narration.models import (
    Event,
    Heard,
    Job,
    JobError,
    Lane,
    ListeningHour,
    Position,
    UsageDay,
    Worker,
)
from narration.pipeline.explanations import explain


class JobErrorInline(ReadOnlyInline):
    model = JobError
    fields = readonly_fields = ("text", "reason", "code", "permanent", "at")

    @admin.display(description=_("reason"))
    def reason(self, error: JobError) -> str:
        """The code in plain words."""
        return explain(error.code)


@admin.register(Job)
class JobAdmin(ReadOnlyAdmin):
    list_display = [
        "narration",
        "kind",
        "state",
        "progress",
        "failed",
        "requested_by_name",
        "queued_at",
        "finished_at",
    ]
    list_filter = ["state", "kind", "lane"]
    list_select_related = ["narration__content_type"]
    search_fields = ["uid", "error", "requested_by_name"]
    readonly_fields = ["progress"]
    inlines = [JobErrorInline]
    actions = ["cancel"]

    @admin.display(description=_("progress"))
    def progress(self, job: Job) -> SafeString | str:
        """Sentences done of all."""
        if not job.total:
            return "–"
        return format_html(
            '<progress max="{0}" value="{1}"></progress> {1}/{0}', job.total, job.done
        )

    def has_cancel_permission(self, request: HttpRequest) -> bool:
        """Whether *Cancel* is offered; each job's own object is asked besides."""
        return request.user.has_perm("narration.change_job")

    @admin.action(permissions=["cancel"], description=_("Cancel the selected jobs"))
    def cancel(self, request: HttpRequest, queryset: QuerySet[Job]) -> None:
        """Cancel those that still wait or work and whose objects this user may narrate."""
        uids = list(queryset.values_list("uid", flat=True))
        count = sum(_try_cancel(uid, request.user) for uid in uids)
        if count:
            words = ngettext("%(count)d job cancelled.", "%(count)d jobs cancelled.", count)
            self.message_user(request, words % {"count": count}, messages.SUCCESS)
        left = len(uids) - count
        if left:
            words = ngettext(
                "%(count)d job left as it was: it has ended, or it is not yours to cancel.",
                "%(count)d jobs left as they were: ended, or not yours to cancel.",
                left,
            )
            self.message_user(request, words % {"count": left}, messages.WARNING)


@admin.register(Worker)
class WorkerAdmin(ReadOnlyAdmin):
    list_display = ["node", "lane", "pid", "started_at", "heartbeat_at"]
    list_filter = ["lane", "node"]


@admin.register(Lane)
class LaneAdmin(ReadOnlyAdmin):
    list_display = ["name", "failures", "error_code", "paused_until"]


@admin.register(Event)
class EventAdmin(ReadOnlyAdmin):
    list_display = ["at", "kind", "object_ref", "actor_name"]
    list_filter = ["kind"]
    search_fields = ["object_ref", "actor_name"]


@admin.register(UsageDay)
class UsageDayAdmin(ReadOnlyAdmin):
    list_display = ["day", "user", "scope_key", "voice", "characters", "made"]
    list_filter = ["voice"]
    list_select_related = ["user", "voice"]
    date_hierarchy = "day"


@admin.register(Heard)
class HeardAdmin(ReadOnlyAdmin):
    list_display = ["user", "content_type", "object_id", "language", "heard_ms", "at"]
    list_select_related = ["user", "content_type"]


@admin.register(Position)
class PositionAdmin(ReadOnlyAdmin):
    list_display = ["user", "content_type", "object_id", "language", "completed_at"]
    list_select_related = ["user", "content_type"]


@admin.register(ListeningHour)
class ListeningHourAdmin(ReadOnlyAdmin):
    list_display = ["hour", "object_ref", "language", "seconds", "plays"]


def _try_cancel(uid: Any, user: Any) -> bool:
    try:
        api.cancel_job(uid, user=user)
    except (ConflictError, NarrationNotFound, NotAllowed):
        return False
    return True
