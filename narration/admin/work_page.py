"""The admin page *Work*: who works, what waits and why, what failed and what to do about it.

It stands among the tables of the app, because that is where people look for it; a proxy of ``Job``
that no other part of Django knows of makes that so, without a table or a permission of its own.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.apps.registry import Apps
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import Count, Exists, OuterRef, Prefetch, Q, QuerySet
from django.db.models.fields.json import KT
from django.db.models.functions import Now
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.decorators import method_decorator
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_POST, require_safe

from narration import api
from narration.admin.narrated import build_htmx_script
from narration.admin.readonly import ReadOnlyAdmin
from narration.admin.work_engines import build_engines
from narration.admin.work_rows import build_failures, build_work
from narration.exceptions import NarrationError, NarrationNotFound, NotAllowed
from narration.models import Job, JobError, JobKind, JobState

#: How long failures are shown, and how many.
FAILURE_DAYS = 7
FAILURES = 50
#: How many sentences a failed job names; its own page has them all.
NAMED_SENTENCES = 3
#: How many failed jobs one press of *Retry all* asks for again.
RETRIED_AT_ONCE = 500
FAILED_STATES = (JobState.PARTIAL, JobState.FAILED, JobState.QUARANTINED)

Wish = Callable[[], object]
View = Callable[..., HttpResponse]


class Work(Job):
    """What the page stands for in lists of the admin; never stored, never migrated."""

    class Meta:
        proxy = True
        app_label = "narration"
        apps = Apps()
        verbose_name = gettext_lazy("work")
        verbose_name_plural = gettext_lazy("work")


@admin.register(Work)
class WorkAdmin(ReadOnlyAdmin):
    """One page in place of a list. Who may see jobs sees it; its buttons need more."""

    def has_module_permission(self, request: HttpRequest) -> bool:
        """Whether it is listed."""
        return self.has_view_permission(request)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """The right to see jobs."""
        return request.user.has_perm("narration.view_job")

    def get_urls(self) -> list[URLPattern]:
        """The page, and what its buttons post to."""
        wrap = self.admin_site.admin_view
        return [
            path("", self._wrap_polled(self.changelist_view), name="narration_work_changelist"),
            path("retry/", wrap(self.retry_all), name="narration_work_retry_all"),
            path("retry/<uuid:uid>/", wrap(self.retry), name="narration_work_retry"),
            path("cancel/<uuid:uid>/", wrap(self.cancel), name="narration_work_cancel"),
            path("warm/<str:alias>/", wrap(self.warm), name="narration_work_warm"),
            path("lane/<str:name>/", wrap(self.resume), name="narration_work_resume"),
        ]

    def _wrap_polled(self, view: View) -> View:
        """A page left open past its session must not fetch the login form into its middle."""
        wrapped = self.admin_site.admin_view(view)

        def poll(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            if _is_part(request) and not self.admin_site.has_permission(request):
                return HttpResponse(headers={"HX-Refresh": "true"})
            return wrapped(request, *args, **kwargs)

        return poll

    @method_decorator(require_safe)
    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """The page, or with htmx the part of it that changes."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        failures = find_failures()
        total = failures.count()
        context = {
            **self.admin_site.each_context(request),
            "title": _("Work"),
            "opts": Job._meta,
            "work": build_work(),
            "engines": build_engines(),
            "failures": build_failures(failures[:FAILURES], NAMED_SENTENCES),
            "failures_total": total,
            "failures_left": max(0, total - FAILURES),
            "failure_days": FAILURE_DAYS,
            "may_change": may_change(request),
            "htmx": build_htmx_script(),
            **(extra_context or {}),
        }
        name = "work_body" if _is_part(request) else "work"
        response = TemplateResponse(request, f"admin/narration/{name}.html", context)
        response["Cache-Control"] = "no-store"
        return response

    @method_decorator(require_POST)
    def retry(self, request: HttpRequest, uid: UUID) -> HttpResponse:
        """Ask again for what one job did not bring to a good end."""
        done = _("It waits to be tried again.")
        return self._fulfil(request, lambda: api.retry_job(uid, user=request.user), done)

    @method_decorator(require_POST)
    def cancel(self, request: HttpRequest, uid: UUID) -> HttpResponse:
        """End one job between two sentences."""
        done = _("It ends after the sentence it is at; what was made is kept.")
        return self._fulfil(request, lambda: api.cancel_job(uid, user=request.user), done)

    @method_decorator(require_POST)
    def resume(self, request: HttpRequest, name: str) -> HttpResponse:
        """Let a resting lane try again now."""
        done = _("The lane %(lane)s tries again.") % {"lane": name}
        return self._fulfil(request, lambda: api.resume_lane(name, user=request.user), done)

    @method_decorator(require_POST)
    def warm(self, request: HttpRequest, alias: str) -> HttpResponse:
        """Have a worker load an engine ahead of use."""
        done = _("A worker loads %(engine)s as soon as it is free.") % {"engine": alias}
        return self._fulfil(request, lambda: api.request_warm(alias, user=request.user), done)

    @method_decorator(require_POST)
    def retry_all(self, request: HttpRequest) -> HttpResponse:
        """Ask again for everything that failed and is this user's to narrate."""
        _require_change(request)
        uids = list(find_failures().values_list("uid", flat=True)[:RETRIED_AT_ONCE])
        count = sum(_try_again(uid, request.user) for uid in uids)
        words = ngettext("%(count)d job is tried again.", "%(count)d jobs are tried again.", count)
        level = messages.SUCCESS if count else messages.WARNING
        self.message_user(request, words % {"count": count}, level)
        if left := len(uids) - count:
            words = ngettext(
                "%(count)d job left as it was: it cannot be tried again, or is not yours.",
                "%(count)d jobs left as they were: they cannot be tried again, or are not yours.",
                left,
            )
            self.message_user(request, words % {"count": left}, messages.WARNING)
        return self._go_back()

    def _fulfil(self, request: HttpRequest, wish: Wish, done: str) -> HttpResponse:
        _require_change(request)
        try:
            wish()
        except NarrationError as error:
            self.message_user(request, _explain(error), messages.ERROR)
        else:
            self.message_user(request, done, messages.SUCCESS)
        return self._go_back()

    def _go_back(self) -> HttpResponse:
        name = f"{self.admin_site.name}:narration_work_changelist"
        return HttpResponseRedirect(reverse(name))


def find_failures() -> QuerySet[Job]:
    """Jobs of the last days that ended badly and that no later job has taken up, newest first."""
    later = Job.objects.filter(pk__gt=OuterRef("pk"), kind=OuterRef("kind"))
    same_engine = later.filter(kind=JobKind.WARM).annotate(engine=KT("payload__engine"))
    taken_up = (
        Exists(later.filter(narration=OuterRef("narration")))
        | Exists(later.filter(request_key=OuterRef("request_key")))
        | Exists(same_engine.filter(engine=OuterRef("warmed")))
    )
    errors = Prefetch("errors", queryset=JobError.objects.order_by("pk"))
    return (
        Job.objects.filter(
            Q(state__in=FAILED_STATES), finished_at__gte=Now() - timedelta(days=FAILURE_DAYS)
        )
        .annotate(warmed=KT("payload__engine"))
        .filter(~taken_up)
        .select_related("narration__content_type")
        .prefetch_related(errors)
        .annotate(sentences=Count("errors"))
        .order_by("-finished_at")
    )


def _is_part(request: HttpRequest) -> bool:
    """Whether htmx asks for the part that changes."""
    return request.headers.get("HX-Request") == "true"


def may_change(request: HttpRequest) -> bool:
    """Whether the buttons are offered; each object is asked besides."""
    return request.user.has_perm("narration.change_job")


def _require_change(request: HttpRequest) -> None:
    if not may_change(request):
        raise PermissionDenied


def _try_again(uid: UUID, user: Any) -> bool:
    try:
        api.retry_job(uid, user=user)
    except NarrationError:
        return False
    return True


def _explain(error: NarrationError) -> str:
    """Why a button did nothing; what is not this user's looks like what is not there."""
    if isinstance(error, NarrationNotFound | NotAllowed):
        return _("It is not there any more, or not yours to narrate.")
    return api.explain_error(error)
