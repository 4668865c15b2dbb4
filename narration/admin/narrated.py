"""``NarratedAdmin``: what a host's admin of a narrated model gains.

A column with the state of each language, the actions *Narrate* and *Cancel*, and on the page of
an object the author's panel, whose progress moves without reloading.
"""

from __future__ import annotations

from typing import Any

from django.apps import apps
from django.contrib import admin, messages
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from narration import api
from narration.permissions import can
from narration.sources import get_source

#: How many different reasons one action tells; they repeat where a setting is wrong.
MAXIMUM_REASONS = 3


class NarratedAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """Admin of a model with a registered source; use it instead of ``ModelAdmin``.

    Who may change the model in the admin is offered the actions; each object is then asked of its
    source, so that nobody narrates what the source would refuse them elsewhere.
    """

    change_form_template = "narration/admin/change_form.html"

    class Media:
        css = {"all": ["narration/narration.css"]}

    def __init__(self, model: type[Model], admin_site: admin.AdminSite):
        super().__init__(model, admin_site)
        # Here, so that a host's own ``actions`` add to ours instead of replacing them.
        self.actions = [*(self.actions or ()), "narrate_selected", "cancel_selected"]

    def get_list_display(self, request: HttpRequest) -> list[Any]:
        """The host's columns, and the state of the narration."""
        columns = list(super().get_list_display(request))
        return columns if "narration_state" in columns else [*columns, "narration_state"]

    def get_changelist_instance(self, request: HttpRequest) -> Any:
        """Fetch the states of the whole page at once."""
        changelist = super().get_changelist_instance(request)
        rows = list(changelist.result_list)
        states = api.states_for(rows)
        for row in rows:
            row.narration_states = states.get(row.pk, {})
        return changelist

    @admin.display(description=_("narration"))
    def narration_state(self, obj: Model) -> SafeString | str:
        """One badge per language that was ever narrated."""
        states = getattr(obj, "narration_states", {})
        badges = ((language, _show_state(state)) for language, state in sorted(states.items()))
        return format_html_join(" · ", "{} {}", badges) or "–"

    def has_narrate_permission(self, request: HttpRequest) -> bool:
        """Whether *Narrate* and *Cancel* are offered at all."""
        return self.has_change_permission(request)

    @admin.action(
        permissions=["narrate"], description=_("Narrate the selected %(verbose_name_plural)s")
    )
    def narrate_selected(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        """Request a narration of every language of the selected objects."""
        objects, left_out = self._select(request, queryset)
        requested = api.request_narrations(objects, user=request.user)
        count = len(requested.jobs)
        reasons = {str(refusal.error) for refusal in requested.refused}
        words = ngettext("%(count)d narration requested.", "%(count)d narrations requested.", count)
        self.message_user(request, words % {"count": count}, _get_level(count))
        for reason in sorted(reasons)[:MAXIMUM_REASONS]:
            self.message_user(request, reason, messages.ERROR)
        self._tell_left_out(request, left_out)

    @admin.action(
        permissions=["narrate"],
        description=_("Cancel narration of the selected %(verbose_name_plural)s"),
    )
    def cancel_selected(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        """Cancel what waits or works for the selected objects; what was made is kept."""
        objects, left_out = self._select(request, queryset)
        count = sum(api.cancel_jobs(obj, user=request.user) for obj in objects)
        words = ngettext("%(count)d job cancelled.", "%(count)d jobs cancelled.", count)
        self.message_user(request, words % {"count": count}, _get_level(count))
        self._tell_left_out(request, left_out)

    def render_change_form(
        self,
        request: HttpRequest,
        context: dict[str, Any],
        add: bool = False,
        change: bool = False,
        form_url: str = "",
        obj: Any = None,
    ) -> HttpResponse:
        """Add what the panel needs, for who may narrate this object."""
        if obj is not None and can(request.user, "narrate", obj):
            context["narration_languages"] = get_source(obj).get_languages(obj)
            context["narration_htmx"] = build_htmx_script()
        return super().render_change_form(request, context, add, change, form_url, obj)

    def _select(self, request: HttpRequest, queryset: QuerySet[Any]) -> tuple[list[Any], int]:
        """The selected objects that this user may narrate, and how many are left out."""
        keys = list(queryset.values_list("pk", flat=True))
        visible = get_source(self.model).visible_to(request.user, "narrate").filter(pk__in=keys)
        objects = list(visible)
        return objects, len(keys) - len(objects)

    def _tell_left_out(self, request: HttpRequest, count: int) -> None:
        if count:
            words = ngettext(
                "%(count)d was left out: you may not narrate it.",
                "%(count)d were left out: you may not narrate them.",
                count,
            )
            self.message_user(request, words % {"count": count}, messages.WARNING)


def _show_state(state: api.NarrationState) -> SafeString:
    job = state.job
    progress = f" {job.done}/{job.total}" if job and job.is_active and job.total else ""
    return format_html(
        '<span class="nr-badge" data-status="{}">{}{}</span>', state.status, state.label, progress
    )


def _get_level(count: int) -> int:
    return messages.SUCCESS if count else messages.WARNING


def build_htmx_script() -> str:
    """The script that moves the progress; without it the panel works by reloading."""
    if not apps.is_installed("django_htmx"):
        return ""
    from django_htmx.jinja import htmx_script

    return str(htmx_script())
