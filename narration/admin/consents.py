"""Consents in the admin: recorded once, looked at, renewed, taken back; never edited or deleted."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.forms import ModelForm
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.formats import date_format
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.timezone import localtime
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from narration import api, storage
from narration.admin.voice_forms import ConsentForm, RenewForm
from narration.exceptions import NarrationError
from narration.models import Consent, Voice
from narration.models.statements import CURRENT, STATEMENTS

FACTS = (
    "person",
    "state",
    "statement_version",
    "statement",
    "scope",
    "scope_key",
    "evidence",
    "evidence_link",
    "given_at",
    "recorded_by_name",
    "revoked_at",
    "revoked_by_name",
    "revoked_reason",
    "settled_at",
    "renewed",
    "voices",
)


@admin.register(Consent)
class ConsentAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    form = ConsentForm
    list_display = ["person", "state", "scope", "given_at", "expires_at"]
    list_filter = ["scope"]
    search_fields = ["person"]

    class Media:
        css = {"all": ["narration/voices.css"]}

    def get_queryset(self, request: HttpRequest) -> Any:
        """With what each is worth now."""
        return Consent.objects.with_fault()

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """All facts; of one that is recorded, only the end may be brought nearer."""
        return ["expires_at", *FACTS] if obj else list(ConsentForm.field_order)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """What was said."""
        return FACTS if obj else ()

    def get_form(
        self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any
    ) -> Any:
        """Of a recorded one nothing is asked again."""
        form = super().get_form(request, obj, change, **kwargs)
        if obj:
            for name in ("statement_language", "evidence_upload"):
                form.base_fields.pop(name, None)
        return form

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Who manages voices."""
        return api.can_manage_voices(request.user)

    def has_change_permission(self, request: HttpRequest, obj: Consent | None = None) -> bool:
        """Who manages voices."""
        return api.can_manage_voices(request.user)

    def has_delete_permission(self, request: HttpRequest, obj: Consent | None = None) -> bool:
        """Nobody: a consent is revoked, which is a fact, and not forgotten."""
        return False

    def get_urls(self) -> list[URLPattern]:
        """The pages that renew one and take one back, and the evidence."""
        wrap = self.admin_site.admin_view
        own = [
            path("<int:pk>/renew/", wrap(self.renew), name="narration_consent_renew"),
            path("<int:pk>/revoke/", wrap(self.revoke), name="narration_consent_revoke"),
            path("<int:pk>/evidence/", wrap(self.download), name="narration_consent_evidence"),
        ]
        return [*own, *super().get_urls()]

    def add_view(self, request: HttpRequest, form_url: str = "", extra_context: Any = None) -> Any:
        """With the words that were agreed to."""
        words = {"statements": STATEMENTS[CURRENT], **(extra_context or {})}
        return super().add_view(request, form_url, words)

    def save_model(
        self, request: HttpRequest, obj: Consent, form: ModelForm[Any], change: bool
    ) -> None:
        """Record it, or bring its end nearer."""
        if change:
            if obj.expires_at and "expires_at" in form.changed_data:
                api.shorten_consent(obj, obj.expires_at, user=request.user)
            return
        api.save_consent(obj, user=request.user, evidence=_read_evidence(form))

    def renew(self, request: HttpRequest, pk: int) -> HttpResponse:
        """The same person's new word, by which the voices go on; shows which they are."""
        consent = self._find(request, pk)
        form, fault = RenewForm(consent, request.POST or None, request.FILES or None), ""
        try:
            api.check_renewable(consent)
        except NarrationError as error:
            fault = str(error)
        if request.method == "POST" and not fault and form.is_valid():
            new = form.save(commit=False)
            evidence = _read_evidence(form)
            try:
                api.renew_consent(consent, new, user=request.user, evidence=evidence)
            except NarrationError as error:
                form.add_error("expires_at" if error.code == "new_ended" else None, str(error))
            except ValidationError as error:
                form.add_error(None, error.messages)
            else:
                messages.success(request, _("Renewed. The voices speak by this consent now."))
                return self._go(new)
        voices = list(Voice.objects.filter(consent=consent))
        context = {
            "form": form,
            "fault": fault,
            "voices": voices,
            "uses": api.list_uses(voices),
            "statements": STATEMENTS[CURRENT],
        }
        title = _("Renew the consent of %(person)s") % {"person": consent.person}
        return self._show(request, consent, "consent_renew", title, context)

    def revoke(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Ask once, saying what will be gone and what goes on; then it is."""
        consent = self._find(request, pk)
        foreseen = api.foresee_revocation(consent)
        if request.method == "POST":
            reason = request.POST.get("reason", "")
            try:
                api.revoke_consent(consent, user=request.user, reason=reason)
            except NarrationError as error:
                messages.error(request, str(error))
            else:
                _tell_end(request, foreseen)
            return self._go(consent)
        context = {"foreseen": foreseen, "uses": api.list_uses(foreseen.voices)}
        title = _("Take back the consent of %(person)s") % {"person": consent.person}
        return self._show(request, consent, "consent_revoke", title, context)

    def _find(self, request: HttpRequest, pk: int) -> Consent:
        if not api.can_manage_voices(request.user):
            raise PermissionDenied
        return get_object_or_404(Consent.objects.with_fault(), pk=pk)

    def _go(self, consent: Consent) -> HttpResponse:
        return HttpResponseRedirect(_get_page(consent))

    def _show(
        self,
        request: HttpRequest,
        consent: Consent,
        name: str,
        title: str,
        context: dict[str, Any],
    ) -> HttpResponse:
        shared = {
            **self.admin_site.each_context(request),
            "title": title,
            "opts": Consent._meta,
            "consent": consent,
            "page": _get_page(consent),
        }
        return TemplateResponse(request, f"admin/narration/{name}.html", {**shared, **context})

    def download(self, request: HttpRequest, pk: int) -> HttpResponseBase:
        """The evidence, as a download for who manages voices."""
        consent = get_object_or_404(Consent, pk=pk)
        if not api.can_manage_voices(request.user) or not consent.evidence_file:
            raise Http404
        file = storage.StoredFile(
            consent.evidence_file, consent.evidence_size, consent.evidence_sha256
        )
        try:
            content = storage.read(file)
        except NarrationError as error:
            raise Http404 from error
        # Never shown by the browser: somebody may have sent a page with scripts.
        response = HttpResponse(content, content_type="application/octet-stream")
        response.headers["Content-Disposition"] = "attachment"
        response.headers["X-Content-Type-Options"] = "nosniff"
        response.headers["Cache-Control"] = "private, no-store"
        return response

    @admin.display(description=gettext_lazy("state"))
    def state(self, consent: Consent) -> str:
        """In a word or two."""
        words = {
            "": _("holds"),
            "consent_revoked": _("taken back"),
            "consent_expired": _("expired"),
            "leaving": _("being deleted"),
        }
        fault = getattr(consent, "fault", "")
        if fault and consent.settled_at is None:
            return f"{words[fault]}, {words['leaving']}"
        return words[fault]

    @admin.display(description=gettext_lazy("evidence as a file"))
    def evidence_link(self, consent: Consent) -> SafeString | str:
        """A download."""
        if not consent.evidence_file:
            return "–"
        url = reverse("admin:narration_consent_evidence", args=[consent.pk])
        return format_html('<a href="{}">{}</a>', url, consent.evidence_name or _("Download"))

    @admin.display(description=gettext_lazy("voices"))
    def voices(self, consent: Consent) -> str:
        """Which speak by it."""
        return ", ".join(voice.name for voice in Voice.objects.filter(consent=consent)) or "–"

    @admin.display(description=gettext_lazy("renewals"))
    def renewed(self, consent: Consent) -> SafeString | str:
        """The same person's other words about these voices, the oldest first."""
        others = Consent.objects.family(consent).exclude(pk=consent.pk).order_by("pk")
        links = ((_get_page(each), date_format(localtime(each.given_at))) for each in others)
        return format_html_join(", ", '<a href="{}">{}</a>', links) or "–"


def _get_page(consent: Consent) -> str:
    return reverse("admin:narration_consent_change", args=[consent.pk])


def _read_evidence(form: ModelForm[Any]) -> api.Evidence | None:
    file = form.cleaned_data.get("evidence_upload")
    return api.Evidence(file.name, file.read()) if file else None


def _tell_end(request: HttpRequest, foreseen: api.Revocation) -> None:
    """What is silent now, and what is not."""
    if foreseen.voices:
        messages.success(request, _("Taken back. Nothing is spoken in this voice any more."))
    else:
        messages.success(request, _("Taken back. No voice spoke by it."))
    if foreseen.speaking:
        words = _(
            "Another consent of %(person)s holds, and by it these voices speak on: %(names)s. "
            "If it is the same person, take it back as well."
        )
        names = ", ".join(voice.name for voice in foreseen.speaking)
        person = foreseen.consents[0].person
        messages.warning(request, words % {"person": person, "names": names})
