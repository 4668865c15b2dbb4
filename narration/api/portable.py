"""Wording and sound that leave the site or come to it: what exports and imports of hosts use."""

from __future__ import annotations

from typing import Any

from django.db import models

from narration import permissions, storage
from narration.api.narrations import find_narration, get_or_create_narration, get_track
from narration.exceptions import NarrationNotFound, NotAllowed
from narration.pipeline import portable, requests


def dump_wording(scope_key: str) -> dict[str, Any]:
    """A scope's own lexicon and policy as plain data."""
    return portable.dump_wording(scope_key)


def load_wording(scope_key: str, data: Any, *, user: Any = None) -> list[str]:
    """Add such data to a scope; what could not be taken, in words. Plans are not refreshed."""
    return portable.load_wording(scope_key, data, user=user)


def dump_overrides(obj: models.Model, *, language: str) -> list[dict[str, Any]]:
    """What authors decided of single sentences, as plain data."""
    return portable.dump_overrides(find_narration(obj, language=language))


def load_overrides(obj: models.Model, rows: Any, *, language: str, user: Any = None) -> None:
    """Add such data to an object's narration. Plans are not refreshed."""
    if not permissions.can(user, "narrate", obj):
        raise NotAllowed("You may not do this.")
    portable.load_overrides(get_or_create_narration(obj, language), rows, user=user)


def request_refresh(obj: models.Model, *, language: str, user: Any = None) -> None:
    """Have an object's plan refreshed in the background: for hosts that change many texts."""
    requests.request_refresh(get_or_create_narration(obj, language), user=user)


def read_track_file(obj: models.Model, *, language: str, file_format: str, user: Any) -> bytes:
    """A file of the published track ("mp3", "opus", "vtt"), verified; for downloads."""
    track = get_track(obj, language=language, user=user)
    file = track.files.filter(format=file_format).first()
    if file is None:
        raise NarrationNotFound("There is no such file.")
    return storage.read(storage.StoredFile(file.storage_name, file.size, file.sha256))
