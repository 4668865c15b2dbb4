"""Stored sound as tests of its upkeep want it: aged, damaged, listed."""

from __future__ import annotations

import os
import time
from datetime import timedelta
from pathlib import Path

from django.core.files.base import ContentFile
from django.core.files.storage import storages
from django.db.models.functions import Now
from django.utils import timezone

from narration import storage
from narration.models import Rendition, Track
from tests.views.rows import make_rendition

DAYS = timedelta(days=1)


def damage(name, how):
    """Do one of the three things that happen to files."""
    store = storages["narration"]
    with store.open(name) as file:
        content = file.read()
    store.delete(name)
    if how == "bit flip":
        middle = len(content) // 2
        flipped = bytes([content[middle] ^ 1])
        store.save(name, ContentFile(content[:middle] + flipped + content[middle + 1 :]))
    elif how == "truncation":
        store.save(name, ContentFile(content[:-9]))


def age_file(name, days):
    then = time.time() - days * 86400
    os.utime(storages["narration"].path(name), (then, then))


def age_rendition(rendition, days):
    """As if made and used last so long ago; its file too, where it has a path."""
    then = timezone.now() - days * DAYS
    Rendition.objects.filter(pk=rendition.pk).update(made_at=then, last_used_on=then.date())
    age_file(rendition.storage_name, days)


def age_track(track, days):
    then = timezone.now() - days * DAYS
    rows = Track.objects.filter(pk=track.pk)
    rows.update(made_at=then)
    rows.exclude(published_at=None).update(published_at=then)
    for file in track.files.all():
        age_file(file.storage_name, days)


def let_marks_wait():
    """As if everything that is marked was marked two hours ago."""
    rows = Rendition.objects.exclude(marked_at=None)
    rows.update(marked_at=Now() - timedelta(hours=2))


def list_files():
    location = Path(storages["narration"].location)
    return {str(path.relative_to(location)) for path in location.rglob("*") if path.is_file()}


def list_named():
    """The files that rows name."""
    rows = [*Rendition.objects.all(), *(f for t in Track.objects.all() for f in t.files.all())]
    return {row.storage_name for row in rows}


def is_sound(row):
    file = storage.StoredFile(row.storage_name, row.size, row.sha256)
    try:
        storage.verify(file)
    except storage.StorageCorrupt:
        return False
    return True


def make_old(text="Nobody says this.", days=40, **kwargs):
    rendition = make_rendition(text, **kwargs)
    age_rendition(rendition, days)
    return rendition


def age_everything(days=40):
    for rendition in Rendition.objects.all():
        age_rendition(rendition, days)
    for track in Track.objects.all():
        age_track(track, days)
