"""Who speaks and how words are said: the rows an administrator edits."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.forms import ModelForm
from django.http import HttpRequest

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


@admin.register(LexiconEntry)
class LexiconEntryAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    list_display = ["grapheme", "alias", "phoneme", "language", "scope_key", "state"]
    list_filter = ["state", "language"]
    search_fields = ["grapheme", "alias"]
    exclude = ["updated_by", "updated_by_name"]

    def save_model(
        self, request: HttpRequest, obj: LexiconEntry, form: ModelForm[Any], change: bool
    ) -> None:
        """Remember who it was."""
        obj.updated_by, obj.updated_by_name = request.user, get_actor_name(request.user)
        super().save_model(request, obj, form, change)


@admin.register(SpeechPolicy)
class SpeechPolicyAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    list_display = ["__str__", "version"]
    search_fields = ["scope_key"]
    readonly_fields = ["version"]


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
