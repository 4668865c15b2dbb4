"""Wording and sound that leave the site or come to it: what exports and imports of hosts use."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.db import models
from django.utils.translation import gettext as _

from narration import permissions, storage
from narration.api.narrations import find_narration, get_or_create_narration, get_track
from narration.api.wording import get_scope_chain
from narration.exceptions import NarrationNotFound, NotAllowed
from narration.pipeline import portable, requests
from narration.pipeline.portable import Loaded


def dump_wording(scope_key: str) -> dict[str, Any]:
    """A scope's own lexicon and policy as plain data."""
    return portable.dump_wording(scope_key)


def dump_around(scope_key: str) -> dict[str, Any]:
    """What holds in a scope from the wider ones around it, as one wording."""
    return portable.dump_around(get_scope_chain(scope_key)[1:])


def load_wording(
    scope_key: str,
    data: Any,
    *,
    user: Any = None,
    around: Any = None,
    is_used: Callable[[str], bool] | None = None,
    is_new: bool = False,
    force: bool = False,
    dry_run: bool = False,
) -> Loaded:
    """Add such data to a scope; what was changed here since the last time stays, and is told.

    ``around`` is what ``dump_around`` gave: where the scope ``is_new``, it is made to say the same
    here. ``is_used`` tells whether a word may stand in its texts. With ``dry_run`` nothing is
    written. Plans are not refreshed.
    """
    return portable.load_wording(
        scope_key,
        data,
        user=user,
        around=around,
        wider=get_scope_chain(scope_key)[1:] if around is not None else (),
        is_used=is_used,
        is_new=is_new,
        force=force,
        dry_run=dry_run,
    )


def dump_overrides(obj: models.Model, *, language: str) -> list[dict[str, Any]]:
    """What authors decided of single sentences, as plain data."""
    return portable.dump_overrides(find_narration(obj, language=language))


def load_overrides(
    obj: models.Model,
    rows: Any,
    *,
    language: str,
    user: Any = None,
    force: bool = False,
    dry_run: bool = False,
) -> Loaded:
    """Add such data to an object's narration, as ``load_wording`` does. Plans are not refreshed."""
    if not permissions.can(user, "narrate", obj):
        raise NotAllowed(_("You may not do this."))
    found = find_narration(obj, language=language)
    if found is None and dry_run:
        return Loaded()
    narration = found or get_or_create_narration(obj, language)
    return portable.load_overrides(narration, rows, user=user, force=force, dry_run=dry_run)


def request_refresh(obj: models.Model, *, language: str, user: Any = None) -> None:
    """Have an object's plan refreshed in the background: for hosts that change many texts."""
    requests.request_refresh(get_or_create_narration(obj, language), user=user)


def read_track_file(obj: models.Model, *, language: str, file_format: str, user: Any) -> bytes:
    """A file of the published track ("mp3", "opus", "vtt"), verified; for downloads."""
    track = get_track(obj, language=language, user=user)
    file = track.files.filter(format=file_format).first()
    if file is None:
        raise NarrationNotFound(_("There is no such file."))
    return storage.read(storage.StoredFile(file.storage_name, file.size, file.sha256))
