"""Files without a row: left by a process that died between the two, or replaced since."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

from django.db.models import Model

from narration import storage
from narration.models import Consent, ReferenceRecording, Rendition, TrackFile, VoiceLatents
from narration.pipeline.upkeep.clock import Deadline

#: A file comes before its row, by seconds. So old a file waits for none any more.
AGE = timedelta(days=1)
#: Who names the files of each kind, and in which field.
ROWS: dict[str, tuple[type[Model], str]] = {
    "renditions": (Rendition, "storage_name"),
    "tracks": (TrackFile, "storage_name"),
    "references": (ReferenceRecording, "file"),
    "latents": (VoiceLatents, "file"),
    "evidence": (Consent, "evidence_file"),
}
#: Names asked for in one query.
BATCH = 500


@dataclass(slots=True)
class Orphans:
    """How many files were looked at, had no row, and were deleted because they are old too."""

    files: int = 0
    orphans: int = 0
    deleted: int = 0

    def __bool__(self) -> bool:
        return self.deleted > 0


def prune_orphans(seconds: float | None = None) -> Orphans:
    """Delete old files that no row names, a folder at a time, in an order that chance chooses.

    By chance, so that short calls meet every folder sooner or later and nothing is to be kept.
    """
    deadline, told = Deadline(seconds), Orphans()
    folders = storage.list_folders()
    random.shuffle(folders)
    for folder in folders:
        if deadline.is_over:
            break
        for name in _iter_orphans(folder, told):
            told.deleted += storage.delete_older(name, AGE)
    return told


def count_orphans() -> Orphans:
    """As :func:`prune_orphans` would find them, young ones too; nothing is deleted."""
    told = Orphans()
    for folder in storage.list_folders():
        for _name in _iter_orphans(folder, told):
            pass
    return told


def _iter_orphans(folder: str, told: Orphans) -> Iterator[str]:
    """Names without a row; a query for each 500 files."""
    names = storage.list_files(folder)
    model, field = ROWS[folder.partition("/")[0]]
    for start in range(0, len(names), BATCH):
        some = names[start : start + BATCH]
        rows = model._default_manager.filter(**{f"{field}__in": some})  # noqa: SLF001
        orphans = set(some) - set(rows.values_list(field, flat=True))
        told.files += len(some)
        told.orphans += len(orphans)
        yield from sorted(orphans)
