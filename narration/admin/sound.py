"""Narrations, segments, renditions and tracks: to look at and to listen to."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from narration import api
from narration.admin.readonly import ReadOnlyAdmin, ReadOnlyInline, build_player, show_seconds
from narration.manifests import build_media_url
from narration.models import (
    Narration,
    Override,
    Rendition,
    Review,
    Segment,
    SynthesisFailure,
    Track,
    TrackFile,
    TrackRendition,
    TrackVoice,
)


@admin.register(Narration)
class NarrationAdmin(ReadOnlyAdmin):
    list_display = [
        "__str__",
        "language",
        "segments",
        "missing",
        "failed",
        "flagged",
        "planned_at",
    ]
    list_filter = ["language", "content_type"]
    list_select_related = ["content_type"]
    search_fields = ["object_id", "uid"]

    def get_changelist_instance(self, request: HttpRequest) -> Any:
        """Count what may sound wrong for the whole page at once."""
        changelist = super().get_changelist_instance(request)
        rows = list(changelist.result_list)
        flagged = api.count_flagged(rows)
        for row in rows:
            row.flagged_sentences = flagged.get(row.pk, 0)
        return changelist

    @admin.display(description=_("may sound wrong"))
    def flagged(self, narration: Narration) -> int:
        """Sentences that the quality gate doubts and nobody has accepted."""
        return int(getattr(narration, "flagged_sentences", 0))


@admin.register(Segment)
class SegmentAdmin(ReadOnlyAdmin):
    list_display = ["__str__", "narration", "role", "voice", "take"]
    list_filter = ["language", "role", "voice"]
    list_select_related = ["narration__content_type", "voice"]
    search_fields = ["display_text", "spoken_text"]
    readonly_fields = ["listen"]

    @admin.display(description=_("listen"))
    def listen(self, segment: Segment) -> SafeString | str:
        """Its sound, if there is any."""
        rendition = Rendition.objects.usable().filter(digest=segment.utterance_digest).first()
        return build_player("renditions", rendition.storage_name) if rendition else "–"


@admin.register(Override)
class OverrideAdmin(ReadOnlyAdmin):
    list_display = ["kind", "value", "narration", "by_name", "orphaned_at"]
    list_filter = ["kind"]
    list_select_related = ["narration__content_type"]


@admin.register(Review)
class ReviewAdmin(ReadOnlyAdmin):
    list_display = ["verdict", "narration", "by_name", "at"]
    list_filter = ["verdict"]
    list_select_related = ["narration__content_type"]


@admin.register(Rendition)
class RenditionAdmin(ReadOnlyAdmin):
    list_display = [
        "spoken",
        "listen",
        "voice",
        "language",
        "duration",
        "verdict",
        "made_at",
        "state",
    ]
    list_filter = ["verdict", "state", "kind", "language", "engine", "voice"]
    list_select_related = ["voice"]
    search_fields = ["spoken_text", "digest"]
    readonly_fields = ["listen"]

    @admin.display(description=_("spoken text"), ordering="spoken_text")
    def spoken(self, rendition: Rendition) -> str:
        """What is said, shortened."""
        return str(rendition)

    @admin.display(description=_("duration"), ordering="duration_ms")
    def duration(self, rendition: Rendition) -> str:
        """In seconds."""
        return show_seconds(rendition.duration_ms)

    @admin.display(description=_("listen"))
    def listen(self, rendition: Rendition) -> SafeString:
        """The sound itself."""
        return build_player("renditions", rendition.storage_name)


@admin.register(SynthesisFailure)
class SynthesisFailureAdmin(ReadOnlyAdmin):
    list_display = ["error_code", "count", "until", "digest"]
    list_filter = ["error_code"]
    search_fields = ["digest"]


class TrackFileInline(ReadOnlyInline):
    model = TrackFile
    fields = readonly_fields = ("format", "link", "size", "sha256")

    @admin.display(description=_("file"))
    def link(self, file: TrackFile) -> SafeString:
        """A download, for who may hear the track."""
        return _build_link(file)


@admin.register(Track)
class TrackAdmin(ReadOnlyAdmin):
    list_display = ["narration", "listen", "duration", "loudness", "made_at", "published_at"]
    list_filter = ["synthetic", "withdrawn_at"]
    list_select_related = ["narration__content_type"]
    readonly_fields = ["listen"]
    inlines = [TrackFileInline]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """With the files, which the players of a whole page need."""
        return super().get_queryset(request).prefetch_related("files")

    @admin.display(description=_("duration"), ordering="duration_ms")
    def duration(self, track: Track) -> str:
        """In seconds."""
        return show_seconds(track.duration_ms)

    @admin.display(description=_("listen"))
    def listen(self, track: Track) -> SafeString | str:
        """Its MP3."""
        name = next((file.storage_name for file in track.files.all() if file.format == "mp3"), "")
        return build_player("tracks", name) if name else "–"


@admin.register(TrackFile)
class TrackFileAdmin(ReadOnlyAdmin):
    list_display = ["track", "format", "link", "size"]
    list_filter = ["format"]
    list_select_related = ["track__narration__content_type"]

    @admin.display(description=_("file"))
    def link(self, file: TrackFile) -> SafeString:
        """A download, for who may hear the track."""
        return _build_link(file)


@admin.register(TrackRendition)
class TrackRenditionAdmin(ReadOnlyAdmin):
    list_display = ["track", "position", "rendition"]
    list_select_related = ["track__narration__content_type", "rendition"]


@admin.register(TrackVoice)
class TrackVoiceAdmin(ReadOnlyAdmin):
    list_display = ["track", "voice"]
    list_select_related = ["track__narration__content_type", "voice"]


def _build_link(file: TrackFile) -> SafeString:
    url = build_media_url("tracks", file.storage_name)
    return format_html('<a href="{}?download=1">{}</a>', url, file.format)
