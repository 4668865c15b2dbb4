"""Voices in the admin: settings as numbers, a cloned voice on one page, where a voice is used."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.forms import ModelForm
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from narration import api
from narration.admin.voice_forms import (
    SETTING,
    CloneForm,
    RecordingsForm,
    build_voice_form,
    find_facts,
    iter_cloning,
)
from narration.admin.wording_forms import WordingAdmin
from narration.exceptions import NarrationError, NarrationNotFound
from narration.models import Consent, Voice, VoiceKind
from narration.models.statements import CURRENT, STATEMENTS
from narration.views.media import serve_recording

PLAIN = ("name", "kind", "engine", "engine_voice", "languages", "consent", "retired_at")

#: What stays as it was when a voice was added.
FIXED: dict[str, tuple[str, ...]] = {
    VoiceKind.BUILTIN: ("kind",),
    VoiceKind.HUMAN: ("kind", "consent"),
    VoiceKind.CLONED: ("kind", "engine", "engine_voice", "consent"),
}


@admin.register(Voice)
class VoiceAdmin(WordingAdmin):
    list_display = ["name", "kind", "engine", "engine_voice", "consent", "retired_at"]
    list_filter = ["engine", "kind"]
    list_select_related = ["consent"]
    search_fields = ["name", "engine_voice"]

    class Media:
        css = {"all": ["narration/voices.css"]}

    def get_form(
        self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any
    ) -> Any:
        """With a field for each setting of the engine."""
        kwargs["form"] = build_voice_form(self._find_engine(request, obj))
        return super().get_form(request, obj, change, **kwargs)

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        """Who speaks; how; and what is told."""
        alias = self._find_engine(request, obj)
        names = [f"{SETTING}{key}" for key in getattr(find_facts(alias), "settings", ())]
        sections: list[Any] = [(None, {"fields": list(PLAIN)})]
        if names:
            sections.append((gettext_lazy("Settings of the engine"), {"fields": names}))
        if obj:
            sections.append((gettext_lazy("Facts"), {"fields": ["shown_profile", "version"]}))
        return sections

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """A person's voice stays that person's, and of the engine that learnt it."""
        facts = ("shown_profile", "version")
        if obj is None:
            return facts
        return (*facts, *FIXED[obj.kind])

    def formfield_for_choice_field(self, db_field: Any, request: Any, **kwargs: Any) -> Any:
        """A cloned voice has a page of its own, with its consent."""
        if db_field.name == "kind":
            kwargs["choices"] = [each for each in VoiceKind.choices if each[0] != VoiceKind.CLONED]
        return super().formfield_for_choice_field(db_field, request, **kwargs)

    def formfield_for_foreignkey(self, db_field: Any, request: Any, **kwargs: Any) -> Any:
        """Only consents that hold give somebody a voice."""
        if db_field.name == "consent":
            kwargs["queryset"] = Consent.objects.live()
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    def has_delete_permission(self, request: HttpRequest, obj: Voice | None = None) -> bool:
        """Not a person's: its consent is taken back, which deletes what is to be deleted."""
        is_persons = obj is not None and obj.kind != VoiceKind.BUILTIN
        return not is_persons and super().has_delete_permission(request, obj)

    def save_model(
        self, request: HttpRequest, obj: Voice, form: ModelForm[Any], change: bool
    ) -> None:
        """Store it; what it spoke with other settings is out of date."""
        api.apply_change(api.change_voice(obj), user=request.user)

    @admin.display(description=gettext_lazy("profile"))
    def shown_profile(self, voice: Voice) -> str:
        """The engine's, which a site chooses in its settings."""
        facts = find_facts(voice.engine)
        return (facts.profile if facts else "") or "–"

    def get_urls(self) -> list[URLPattern]:
        """Pages of persons' voices."""
        wrap = self.admin_site.admin_view
        own = [
            path("clone/", wrap(self.clone), name="narration_voice_clone"),
            path("<int:pk>/recordings/", wrap(self.recordings), name="narration_voice_recordings"),
            path("<int:pk>/uses/", wrap(self.uses), name="narration_voice_uses"),
            path("recording/<uuid:uid>/", wrap(self.listen), name="narration_voice_recording"),
            path(
                "recording/<uuid:uid>/remove/", wrap(self.remove), name="narration_voice_unrecord"
            ),
        ]
        return [*own, *super().get_urls()]

    def clone(self, request: HttpRequest) -> HttpResponse:
        """Add a cloned voice: who, what they agreed to, what is imitated."""
        self._require(request)
        form = CloneForm(request.POST or None, request.FILES or None)
        if request.method == "POST" and form.is_valid():
            file = form.cleaned_data.get("evidence_upload")
            evidence = api.Evidence(file.name, file.read()) if file else None
            try:
                voice = api.create_cloned_voice(
                    form.build_voice(),
                    form.save(commit=False),
                    form.read(),
                    user=request.user,
                    evidence=evidence,
                )
            except NarrationError as error:
                form.add_error("name" if error.code == "same_name" else "recordings", str(error))
            except ValidationError as error:
                form.add_error(None, error.messages)
            else:
                messages.success(request, _("The voice can be chosen now."))
                return self._go("recordings", voice)
        context = {"form": form, "statements": STATEMENTS[CURRENT], "engines": dict(iter_cloning())}
        return self._show(request, "voice_clone", _("Add a cloned voice"), context)

    def recordings(self, request: HttpRequest, pk: int) -> HttpResponse:
        """What a cloned voice imitates, with advice; more of it."""
        self._require(request)
        voice = get_object_or_404(Voice, pk=pk, kind=VoiceKind.CLONED)
        form = RecordingsForm(request.POST or None, request.FILES or None)
        if request.method == "POST" and form.is_valid():
            try:
                api.add_recordings(voice, form.read(), user=request.user)
            except NarrationError as error:
                form.add_error("recordings", str(error))
            else:
                return self._go("recordings", voice)
        rows = [{"row": row, "advice": api.list_advice(row)} for row in voice.recordings.all()]
        title = _("Recordings of %(voice)s") % {"voice": voice}
        context = {"voice": voice, "form": form, "rows": rows}
        return self._show(request, "voice_recordings", title, context)

    def remove(self, request: HttpRequest, uid: UUID) -> HttpResponse:
        """Delete one recording."""
        recording = self._find(request, uid)
        if request.method == "POST":
            api.remove_recording(recording, user=request.user)
        return self._go("recordings", recording.voice)

    def uses(self, request: HttpRequest, pk: int) -> HttpResponse:
        """What a voice is used in, in plain words."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        voice = get_object_or_404(Voice.objects.select_related("consent"), pk=pk)
        title = _("What %(voice)s is used in") % {"voice": voice}
        context = {"voice": voice, "uses": api.list_uses([voice])}
        return self._show(request, "voice_uses", title, context)

    def listen(self, request: HttpRequest, uid: UUID) -> HttpResponseBase:
        """The recording itself, for who manages voices; for everybody else it is not there."""
        if request.method not in ("GET", "HEAD"):
            return HttpResponse(status=405)
        return serve_recording(request, self._find(request, uid))

    def _find(self, request: HttpRequest, uid: UUID) -> Any:
        try:
            return api.get_recording(uid, user=request.user)
        except NarrationNotFound as error:
            raise Http404 from error

    def _require(self, request: HttpRequest) -> None:
        if not api.can_manage_voices(request.user):
            raise PermissionDenied

    def _go(self, page: str, voice: Voice) -> HttpResponse:
        return HttpResponseRedirect(reverse(f"admin:narration_voice_{page}", args=[voice.pk]))

    def _show(
        self, request: HttpRequest, name: str, title: str, context: dict[str, Any]
    ) -> HttpResponse:
        shared = {**self.admin_site.each_context(request), "title": title, "opts": Voice._meta}
        response = TemplateResponse(request, f"admin/narration/{name}.html", {**shared, **context})
        response["Cache-Control"] = "no-store"
        return response

    def _find_engine(self, request: HttpRequest, obj: Voice | None) -> str:
        """The engine whose settings are asked for: the stored one, else the one just chosen."""
        if obj is not None and obj.kind == VoiceKind.CLONED:
            return obj.engine
        return request.POST.get("engine", "") or (obj.engine if obj is not None else "")
