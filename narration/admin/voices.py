"""Who speaks and how words are said: the rows an administrator edits."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.forms import ModelForm
from django.http import HttpRequest
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from narration import api
from narration.admin.readonly import ReadOnlyAdmin
from narration.admin.wording_forms import EntryForm, PolicyForm, WordingAdmin
from narration.models import (
    LexiconEntry,
    LicenceAcceptance,
    ReferenceRecording,
    SpeechPolicy,
    VoiceLatents,
    get_actor_name,
)


@admin.register(LexiconEntry)
class LexiconEntryAdmin(WordingAdmin):
    form = EntryForm
    list_display = ["grapheme", "alias", "phoneme", "language", "scope_key", "state"]
    list_filter = ["state", "language"]
    search_fields = ["grapheme", "alias"]
    exclude = ["updated_by", "updated_by_name"]

    def save_model(
        self, request: HttpRequest, obj: LexiconEntry, form: ModelForm[Any], change: bool
    ) -> None:
        """Remember who it was, and refresh the plans it reaches."""
        obj.updated_by, obj.updated_by_name = request.user, get_actor_name(request.user)
        api.apply_change(api.change_entry(obj), user=request.user)

    def delete_model(self, request: HttpRequest, obj: LexiconEntry) -> None:
        """What it said is said otherwise now; where its scope is gone, nothing said it."""
        if not api.is_scope(obj.scope_key):
            obj.delete()
            return
        api.apply_change(api.change_entry(obj, removes=True), user=request.user)

    def delete_queryset(self, request: HttpRequest, queryset: Any) -> None:
        """One by one: each reaches sentences of its own."""
        for entry in queryset:
            self.delete_model(request, entry)


@admin.register(SpeechPolicy)
class SpeechPolicyAdmin(WordingAdmin):
    form = PolicyForm
    list_display = ["__str__", "version", "broken"]
    search_fields = ["scope_key"]
    readonly_fields = ["broken", "version"]

    @admin.display(description=_("voices that may not speak"))
    def broken(self, policy: SpeechPolicy) -> str:
        """Who is cast and silent, why, and what to do."""
        faults = api.find_silent_voices(policy)
        if not faults:
            return "–"
        named = " ".join(f"{name}: {reason}" for name, reason in faults.items())
        advice = _("Texts that are cast with it cannot be narrated: choose another voice.")
        return f"{named} {advice}"

    def save_model(
        self, request: HttpRequest, obj: SpeechPolicy, form: ModelForm[Any], change: bool
    ) -> None:
        """Store it, refresh the plans it reaches, and say who will be silent there."""
        api.apply_change(api.change_policy(obj), user=request.user)
        where = obj.scope_key or gettext("the whole site")
        for name, reason in api.find_silent_voices(obj).items():
            words = gettext("Saved, but “%(voice)s” will not speak in %(scope)s: %(reason)s")
            messages.warning(request, words % {"voice": name, "scope": where, "reason": reason})

    def delete_model(self, request: HttpRequest, obj: SpeechPolicy) -> None:
        """A policy that says nothing any more is then gone."""
        obj.casting, obj.gaps, obj.rules = {}, {}, {}
        if api.is_scope(obj.scope_key):
            api.apply_change(api.change_policy(obj), user=request.user)
        obj.delete()

    def delete_queryset(self, request: HttpRequest, queryset: Any) -> None:
        """One by one: each reaches sentences of its own."""
        for policy in queryset:
            self.delete_model(request, policy)


@admin.register(ReferenceRecording)
class ReferenceRecordingAdmin(ReadOnlyAdmin):
    list_display = ["voice", "name", "duration_ms", "added_at"]
    list_select_related = ["voice"]


@admin.register(VoiceLatents)
class VoiceLatentsAdmin(ReadOnlyAdmin):
    list_display = ["voice", "digest"]
    list_select_related = ["voice"]


@admin.register(LicenceAcceptance)
class LicenceAcceptanceAdmin(ReadOnlyAdmin):
    list_display = ["licence", "engine", "name", "at"]
