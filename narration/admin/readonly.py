"""Rows that tell what happened: everybody with the permission reads them, nobody edits them."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from narration.manifests import build_media_url


class _ReadOnly:
    """No adding, no changing, no deleting: results never change."""

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nobody."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nobody."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nobody."""
        return False


class ReadOnlyAdmin(_ReadOnly, admin.ModelAdmin):  # type: ignore[type-arg]
    """Base of the admin of facts."""

    list_per_page = 50
    show_full_result_count = False


class ReadOnlyInline(_ReadOnly, admin.TabularInline):  # type: ignore[type-arg]
    """Base of the facts beside a fact."""

    extra = 0
    can_delete = False
    show_change_link = True


def build_player(kind: str, storage_name: str) -> SafeString:
    """A native player that loads nothing before it is started."""
    return format_html(
        '<audio controls preload="none" src="{}" aria-label="{}"></audio>',
        build_media_url(kind, storage_name),
        _("Listen"),
    )


def show_seconds(milliseconds: int) -> str:
    """Seconds with one decimal: 1.2 s."""
    return f"{milliseconds / 1000:.1f} s"
