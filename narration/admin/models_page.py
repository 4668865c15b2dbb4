"""The admin page *Models*: what is on this machine, under which terms, and who accepted them.

Models are files, no rows: a proxy of ``LicenceAcceptance`` that no other part of Django knows of
lists the page among the tables of the app, as *Work* is.
"""

from __future__ import annotations

from typing import Any

from django.apps.registry import Apps
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.decorators import method_decorator
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_safe

from narration import api
from narration.admin.readonly import ReadOnlyAdmin
from narration.exceptions import NarrationError
from narration.models import LicenceAcceptance
from narration.modelstore import Presence, explain_no_engine

#: What a badge is called, and its colour.
PRESENCES = {
    Presence.MISSING: (gettext_lazy("not here"), "partial"),
    Presence.CARD_ONLY: (gettext_lazy("card only"), "published"),
    Presence.UNREADABLE: (gettext_lazy("not readable"), "failed"),
    Presence.DAMAGED: (gettext_lazy("damaged"), "failed"),
    Presence.HERE: (gettext_lazy("here"), "published"),
}
#: The megabyte of the command line and of those who publish models.
MEGABYTE = 1_000_000
NAME_LENGTH = LicenceAcceptance._meta.get_field("name").max_length


class SpeechModel(LicenceAcceptance):
    """What the page stands for in lists of the admin; never stored, never migrated."""

    class Meta:
        proxy = True
        app_label = "narration"
        apps = Apps()
        verbose_name = gettext_lazy("model")
        verbose_name_plural = gettext_lazy("models")


@admin.register(SpeechModel)
class SpeechModelAdmin(ReadOnlyAdmin):
    """One page in place of a list. Who may see acceptances sees it; to accept needs more."""

    def has_module_permission(self, request: HttpRequest) -> bool:
        """Whether it is listed."""
        return self.has_view_permission(request)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """The right to see who accepted what."""
        return request.user.has_perm("narration.view_licenceacceptance")

    def get_urls(self) -> list[URLPattern]:
        """The page, and the terms of each model."""
        wrap = self.admin_site.admin_view
        return [
            path("", wrap(self.changelist_view), name="narration_speechmodel_changelist"),
            path("<str:name>/", wrap(self.accept), name="narration_speechmodel_accept"),
        ]

    @method_decorator(require_safe)
    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Every model of a configured engine, as it lies on this machine."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        rows = [_build_row(state) for state in api.list_models()]
        context = {
            **self.admin_site.each_context(request),
            "title": _("Models"),
            "opts": LicenceAcceptance._meta,
            "rows": rows,
            "no_engine": explain_no_engine(),
            "may_accept": may_accept(request),
            **(extra_context or {}),
        }
        return TemplateResponse(request, "admin/narration/models.html", context)

    @method_decorator(require_http_methods(["GET", "HEAD", "POST"]))
    def accept(self, request: HttpRequest, name: str) -> HttpResponse:
        """The terms in full words; posted, the acceptance by the name in the form."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        state = _get_state(name)
        if request.method == "POST":
            return self._record(request, state)
        context = {
            **self.admin_site.each_context(request),
            "title": state.inspection.model.spec.title,
            "opts": LicenceAcceptance._meta,
            "row": _build_row(state),
            "may_accept": may_accept(request) and state.is_waiting_for_acceptance,
            "who": _guess_name(request.user),
            "name_length": NAME_LENGTH,
        }
        return TemplateResponse(request, "admin/narration/models_accept.html", context)

    def _record(self, request: HttpRequest, state: api.ModelState) -> HttpResponse:
        """What was read is what is accepted: the form names the very files."""
        if not may_accept(request):
            raise PermissionDenied
        name, card = state.inspection.model.name, state.inspection.card
        if card is not None and request.POST.get("fingerprint") != card.fingerprint:
            words = _("The model has changed since you opened the page: read its terms again.")
            self.message_user(request, words, messages.ERROR)
            return HttpResponseRedirect(request.path)
        who = request.POST.get("name", "").strip()[:NAME_LENGTH]
        try:
            row = api.accept_licence(name, name=who, user=request.user)
        except NarrationError as error:
            words = _("Say who accepts.") if error.code == "name_missing" else str(error)
            self.message_user(request, words, messages.ERROR)
        else:
            words = _("%(name)s accepted %(licence)s.")
            names = {"name": row.name, "licence": row.licence}
            self.message_user(request, words % names, messages.SUCCESS)
        url = reverse(f"{self.admin_site.name}:narration_speechmodel_changelist")
        return HttpResponseRedirect(url)


def may_accept(request: HttpRequest) -> bool:
    """Whether the button is offered."""
    return request.user.has_perm(api.ACCEPT_PERMISSION)


def _get_state(name: str) -> api.ModelState:
    for state in api.list_models():
        if state.inspection.model.name == name:
            return state
    raise Http404


def _build_row(state: api.ModelState) -> dict[str, Any]:
    found = state.inspection
    label, colour = PRESENCES[found.presence]
    terms = found.model.spec.terms
    summary = _(terms.summary)
    return {
        "state": state,
        "model": found.model,
        "terms": terms,
        "summary": summary,
        # What nobody translated is English.
        "summary_language": "en" if summary == terms.summary else "",
        "card": found.card,
        "size": f"{found.card.size / MEGABYTE:.0f} MB" if found.card else "",
        "is_wanted": found.card is None and found.presence != Presence.UNREADABLE,
        "label": label,
        "colour": colour,
        "faults": found.faults,
        "is_verified": found.is_verified,
        "acceptance": state.acceptance,
        "is_waiting": state.is_waiting_for_acceptance,
    }


def _guess_name(user: Any) -> str:
    return str(user.get_full_name() or user.get_username())
