"""Read the whole storage through, the longest unread first, and mend what was altered in silence.

A damaged rendition is quarantined: the next job makes it again. A damaged track that is offered or
published is stitched again at once from its renditions, without an engine.
"""

from __future__ import annotations

import logging
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Count, F, Q, QuerySet, Sum
from django.db.models.functions import Now

from narration import storage
from narration.exceptions import NarrationError, StorageCorrupt, StorageUnreachable
from narration.models import Rendition, Track, TrackFile
from narration.pipeline.events import record
from narration.pipeline.renditions import quarantine
from narration.pipeline.requests import request_job
from narration.pipeline.stitch import restitch_track
from narration.pipeline.upkeep.clock import Deadline

logger = logging.getLogger(__name__)

#: The rolling scrub leaves alone what was read since.
INTERVAL = timedelta(days=7)
#: SQLite's clock counts milliseconds, and compares them as text with what has more digits.
TICK = timedelta(milliseconds=1)
BATCH = 50
#: So many files and every one missing: that is an empty disk in place of ours, not damage.
SUSPICIOUS = 20
#: A repair waits behind what people ask for.
PRIORITY = 10

FileRow = Rendition | TrackFile


@dataclass(slots=True)
class Scrubbed:
    """Files read, their bytes, those found damaged, and tracks stitched again."""

    files: int = 0
    bytes: int = 0
    damaged: int = 0
    repaired: int = 0

    def __bool__(self) -> bool:
        return self.files > 0


@dataclass(slots=True)
class _Findings:
    """What one batch turned out to be."""

    sound: list[int] = field(default_factory=list)
    damaged: list[FileRow] = field(default_factory=list)
    missing: int = 0

    @property
    def is_suspicious(self) -> bool:
        """Whether what was looked at cannot be our storage."""
        return self.missing >= SUSPICIOUS and not self.sound and self.missing == len(self.damaged)


def scrub(
    seconds: float | None = None, *, files: int | None = None, interval: timedelta = INTERVAL
) -> Scrubbed:
    """Read files that nobody has read for ``interval``, at most so many and for so long.

    A track that is being made again is finished past the time. ``StorageUnreachable`` when the
    storage is away, or so empty that it must be another one: then nothing is judged.
    """
    deadline, told = Deadline(seconds), Scrubbed()
    waiting = _list_due(interval)
    random.shuffle(waiting)  # so that no short call ever meets the same half alone
    while waiting and not deadline.is_over and (files is None or told.files < files):
        due = waiting.pop(0)
        rows: list[FileRow] = list(
            due[: BATCH if files is None else min(BATCH, files - told.files)]
        )
        if rows:
            _scrub_batch(rows, deadline, told)
            waiting.append(due)
    return told


def count_unscrubbed(interval: timedelta = INTERVAL) -> Scrubbed:
    """How many files, and bytes, :func:`scrub` would read now."""
    told = Scrubbed()
    for due in _list_due(interval):
        facts = due.aggregate(count=Count("pk"), bytes=Sum("size"))
        told.files += facts["count"]
        told.bytes += facts["bytes"] or 0
    return told


def _list_due(interval: timedelta) -> list[QuerySet[Any]]:
    """Renditions and track files to read, the longest unread first.

    The moment is fixed by the database's clock at the start, so that reading comes to an end.
    """
    due = []
    for rows in (Rendition.objects.usable(), TrackFile.objects.all()):
        start: datetime | None = rows.annotate(now=Now()).values_list("now", flat=True).first()
        if start is not None:
            before = start - interval - TICK
            unread = rows.filter(Q(scrubbed_at=None) | Q(scrubbed_at__lt=before))
            due.append(unread.order_by(F("scrubbed_at").asc(nulls_first=True), "pk"))
    return due


def _scrub_batch(rows: Sequence[FileRow], deadline: Deadline, told: Scrubbed) -> None:
    found = _Findings()
    for row in rows:
        _look_at(row, found)
        told.files += 1
        told.bytes += row.size
        if deadline.is_over:
            break
    if found.is_suspicious:
        raise StorageUnreachable(
            f"All of {found.missing} files are missing: is this the right storage?"
        )
    everything = Rendition.objects if isinstance(rows[0], Rendition) else TrackFile.objects
    everything.filter(pk__in=found.sound).update(scrubbed_at=Now())
    told.damaged += len(found.damaged)
    for row in _iter_renditions(found):
        quarantine(row)
    for count, files in enumerate(_group_by_track(found)):
        if count and deadline.is_over:
            break  # these are still the longest unread, and come first the next time
        told.repaired += _mend(files)


def _look_at(row: FileRow, found: _Findings) -> None:
    file = storage.StoredFile(row.storage_name, row.size, row.sha256)
    try:
        storage.verify(file)
    except StorageCorrupt as error:
        found.damaged.append(row)
        found.missing += error.code == "storage_missing"
    else:
        found.sound.append(row.pk)


def _iter_renditions(found: _Findings) -> Iterator[Rendition]:
    return (row for row in found.damaged if isinstance(row, Rendition))


def _group_by_track(found: _Findings) -> list[list[TrackFile]]:
    groups: dict[int, list[TrackFile]] = {}
    for row in found.damaged:
        if isinstance(row, TrackFile):
            groups.setdefault(row.track_id, []).append(row)
    return list(groups.values())


def _mend(files: Sequence[TrackFile]) -> bool:
    """Make the files of one track again, or see to it that they are never served."""
    track = Track.objects.select_related("narration").filter(pk=files[0].track_id).first()
    if track is None:
        return False
    narration = track.narration
    is_repaired = False
    if track.pk in (narration.draft_track_id, narration.published_track_id):
        is_repaired = _restitch(track)
    if not is_repaired:
        _withhold(files)
        _request_new(track)
    formats = sorted(file.format for file in files)
    logger.warning("Track %s: %s damaged, repaired: %s.", track.uid, formats, is_repaired)
    facts = {"track": str(track.uid), "formats": formats, "repaired": is_repaired}
    record("track_damaged", narration=narration, data=facts)
    return is_repaired


def _restitch(track: Track) -> bool:
    try:
        restitch_track(track)
    except NarrationError as error:
        logger.warning("Track %s could not be stitched again: %s", track.uid, error)
        return False
    return True


def _withhold(files: Sequence[TrackFile]) -> None:
    """A row without its file is a miss: nobody is served it, and the next job makes it again."""
    for file in files:
        if TrackFile.objects.filter(pk=file.pk, storage_name=file.storage_name).exists():
            storage.delete(file.storage_name)
    TrackFile.objects.filter(pk__in=[file.pk for file in files]).update(scrubbed_at=Now())


def _request_new(track: Track) -> None:
    """A job makes the damaged sentences again and stitches, if this is still what is to be said."""
    narration = track.narration
    obj = narration.source_object
    if obj is None or track.plan_digest != narration.plan_digest:
        return
    try:
        request_job(narration, obj, user=None, publish=False, priority=PRIORITY)
    except NarrationError as error:
        logger.warning("Track %s waits for its next narration: %s", track.uid, error)
