"""Who speaks and how words are said: the rows an administrator edits."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.forms import ModelForm
from django.http import HttpRequest

from narration import api
from narration.admin.readonly import ReadOnlyAdmin
from narration.models import (
    Consent,
    LexiconEntry,
    LicenceAcceptance,
    ReferenceRecording,
    SpeechPolicy,
    Voice,
    VoiceLatents,
    get_actor_name,
)


@admin.register(Voice)
class VoiceAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    list_display = ["name", "engine", "engine_voice", "kind", "retired_at"]
    list_filter = ["engine", "kind"]
    search_fields = ["name", "engine_voice"]
    readonly_fields = ["version"]

    def save_model(
        self, request: HttpRequest, obj: Voice, form: ModelForm[Any], change: bool
    ) -> None:
        """Store it; what it spoke with other settings is out of date."""
        api.apply_change(api.change_voice(obj), user=request.user)


@admin.register(LexiconEntry)
class LexiconEntryAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
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
        """What it said is said otherwise now."""
        api.apply_change(api.change_entry(obj, removes=True), user=request.user)

    def delete_queryset(self, request: HttpRequest, queryset: Any) -> None:
        """One by one: each reaches sentences of its own."""
        for entry in queryset:
            self.delete_model(request, entry)


@admin.register(SpeechPolicy)
class SpeechPolicyAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    list_display = ["__str__", "version"]
    search_fields = ["scope_key"]
    readonly_fields = ["version"]

    def save_model(
        self, request: HttpRequest, obj: SpeechPolicy, form: ModelForm[Any], change: bool
    ) -> None:
        """Store it and refresh the plans it reaches."""
        api.apply_change(api.change_policy(obj), user=request.user)

    def delete_model(self, request: HttpRequest, obj: SpeechPolicy) -> None:
        """A policy that says nothing any more is then gone."""
        obj.casting, obj.gaps, obj.rules = {}, {}, {}
        api.apply_change(api.change_policy(obj), user=request.user)
        obj.delete()

    def delete_queryset(self, request: HttpRequest, queryset: Any) -> None:
        """One by one: each reaches sentences of its own."""
        for policy in queryset:
            self.delete_model(request, policy)


@admin.register(Consent)
class ConsentAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    list_display = ["person", "scope", "given_at", "expires_at", "revoked_at"]
    list_filter = ["scope"]
    search_fields = ["person"]
    exclude = ["recorded_by", "revoked_by"]
    readonly_fields = ["recorded_by_name", "revoked_by_name"]

    def has_delete_permission(self, request: HttpRequest, obj: Consent | None = None) -> bool:
        """Nobody: a consent is revoked, which is a fact, and not forgotten."""
        return False

    def save_model(
        self, request: HttpRequest, obj: Consent, form: ModelForm[Any], change: bool
    ) -> None:
        """Remember who recorded it, and who revoked it."""
        if not change:
            obj.recorded_by, obj.recorded_by_name = request.user, get_actor_name(request.user)
        if obj.revoked_at and not obj.revoked_by_name:
            obj.revoked_by, obj.revoked_by_name = request.user, get_actor_name(request.user)
        super().save_model(request, obj, form, change)


@admin.register(ReferenceRecording)
class ReferenceRecordingAdmin(ReadOnlyAdmin):
    list_display = ["voice", "duration_ms"]
    list_select_related = ["voice"]


@admin.register(VoiceLatents)
class VoiceLatentsAdmin(ReadOnlyAdmin):
    list_display = ["voice", "digest"]
    list_select_related = ["voice"]


@admin.register(LicenceAcceptance)
class LicenceAcceptanceAdmin(ReadOnlyAdmin):
    list_display = ["licence", "engine", "name", "at"]
