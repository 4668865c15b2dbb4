"""Prune what nobody uses: tracks that were superseded long ago, then the longest unused renditions.

A rendition is marked first and deleted in a later run, an hour on, when it is asked again, in the
transaction that deletes it, whether anything uses it. Who uses it takes the mark away
(``narration.pipeline.renditions.keep``). The row goes first; a file without a row harms nobody.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import timedelta
from functools import partial

from django.db import transaction
from django.db.models import Sum
from django.db.models.functions import Now
from django.utils import timezone

from narration import conf, storage
from narration.exceptions import NarrationError
from narration.models import Narration, Rendition, Track, TrackFile
from narration.models.sound import RenditionQuerySet, TrackQuerySet
from narration.pipeline.upkeep.clock import Deadline

logger = logging.getLogger(__name__)

#: How long a mark is there for all to see before what it marks may go.
WAIT = timedelta(hours=1)
#: A file written since is somebody's who made the same sound again; see ``storage.delete_older``.
FRESH = WAIT / 2
#: Rows of one transaction: others wait for it, on SQLite all of them.
BATCH = 200
#: Rows that are marked together: finding the longest unused looks at all of them.
MARK_BATCH = 5000


@dataclass(slots=True)
class Pruned:
    """What was marked, and what was deleted: rows, and bytes of their files."""

    marked: int = 0
    renditions: int = 0
    tracks: int = 0
    bytes: int = 0

    def __bool__(self) -> bool:
        return bool(self.marked or self.renditions or self.tracks)


def prune(seconds: float | None = None) -> Pruned:
    """Delete superseded tracks, mark what nobody uses any more, delete what was marked before."""
    deadline, told = Deadline(seconds), Pruned()
    _repeat(partial(_delete_tracks, told), deadline)
    _mark_old(told, deadline)
    surplus = _measure_surplus()
    while surplus > 0 and not deadline.is_over:
        marked = _mark_surplus(told, surplus)
        if not marked:
            break
        surplus -= marked
    _repeat(partial(_delete_marked, told), deadline)
    return told


def count_prunable() -> Pruned:
    """What :func:`prune` would mark and delete now; nothing is written."""
    due = Rendition.objects.unused().marked_before(Now() - WAIT)
    old = Rendition.objects.filter(pk__in=_find_old().values("pk"))
    surplus, marked = _measure_surplus(), old.count()
    surplus -= _sum_sizes(old)
    if surplus > 0:
        marked += len(_choose_surplus(_find_unmarked().exclude(pk__in=old), surplus, limit=None))
    tracks = _find_superseded()
    return Pruned(
        marked=marked,
        renditions=due.count(),
        tracks=tracks.count(),
        bytes=_sum_sizes(due)
        + (TrackFile.objects.filter(track__in=tracks).aggregate(n=Sum("size"))["n"] or 0),
    )


def _repeat(step: Callable[[], bool], deadline: Deadline) -> None:
    while not deadline.is_over and step():
        pass


def _find_unmarked() -> RenditionQuerySet:
    return Rendition.objects.filter(marked_at=None).unused().by_last_use()


def _find_old() -> RenditionQuerySet:
    days = conf.get_configuration().keep_unused_days
    return _find_unmarked().used_before(timezone.localdate() - timedelta(days=days))


def _find_superseded() -> TrackQuerySet:
    days = conf.get_configuration().keep_unused_days
    return Track.objects.superseded(Now() - timedelta(days=days))


def _mark_old(told: Pruned, deadline: Deadline) -> None:
    """In the order of the rows, so that none is looked at twice however many there are."""
    last = 0
    while not deadline.is_over:
        rows = _find_old().filter(pk__gt=last).order_by("pk")
        pks = list(rows.values_list("pk", flat=True)[:BATCH])
        if not pks:
            return
        told.marked += _set_mark(pks)
        last = pks[-1]


def _mark_surplus(told: Pruned, surplus: int) -> int:
    """Mark the longest unused renditions until ``surplus`` bytes are covered; how many bytes are.

    So many at a time that no list grows with the storage; 0 when nothing unused is left.
    """
    chosen = _choose_surplus(_find_unmarked(), surplus, limit=MARK_BATCH)
    told.marked += _set_mark(pk for pk, _size in chosen)
    return sum(size for _pk, size in chosen)


def _choose_surplus(
    rows: RenditionQuerySet, surplus: int, *, limit: int | None
) -> list[tuple[int, int]]:
    chosen: list[tuple[int, int]] = []
    for pk, size in rows.values_list("pk", "size")[:limit].iterator(chunk_size=BATCH):
        if surplus <= 0:
            break
        chosen.append((pk, size))
        surplus -= size
    return chosen


def _set_mark(pks: Iterable[int]) -> int:
    return Rendition.objects.filter(pk__in=list(pks), marked_at=None).update(marked_at=Now())


def _measure_surplus() -> int:
    """Bytes of renditions above ``MAX_RENDITION_BYTES`` that no mark covers yet."""
    limit = conf.get_configuration().max_rendition_bytes
    return _sum_sizes(Rendition.objects.filter(marked_at=None)) - limit if limit else 0


def _sum_sizes(rows: RenditionQuerySet) -> int:
    total: int | None = rows.aggregate(total=Sum("size"))["total"]
    return total or 0


def _delete_marked(told: Pruned) -> bool:
    """Delete one batch whose mark has waited; a rendition that is used again loses its mark."""
    with transaction.atomic():
        due = Rendition.objects.marked_before(Now() - WAIT).order_by("digest")
        # Locked, so that a track that is stitched now waits and then finds them gone.
        locked = list(due.select_for_update(skip_locked=True).values_list("pk", flat=True)[:BATCH])
        # Asked anew: what committed while we waited for the locks counts.
        files = dict(
            Rendition.objects.filter(pk__in=locked).unused().values_list("pk", "storage_name")
        )
        used = set(locked) - files.keys()
        Rendition.objects.filter(pk__in=used).update(marked_at=None)
        gone = Rendition.objects.filter(pk__in=files)
        told.bytes += _sum_sizes(gone)
        told.renditions += len(files)
        gone.delete()
        transaction.on_commit(partial(_delete_files, list(files.values())))
    return len(locked) == BATCH


def _delete_tracks(told: Pruned) -> bool:
    """Delete one batch of superseded tracks with their files."""
    found = dict(_find_superseded().values_list("pk", "narration")[:BATCH])
    with transaction.atomic():
        # Who chooses a track, plans or publishes holds its narration.
        list(
            Narration.objects.select_for_update()
            .filter(pk__in=set(found.values()))
            .order_by("pk")
            .values_list("pk")
        )
        gone = list(_find_superseded().filter(pk__in=found).values_list("pk", flat=True))
        files = dict(TrackFile.objects.filter(track__in=gone).values_list("storage_name", "size"))
        Track.objects.filter(pk__in=gone).delete()
        told.tracks += len(gone)
        told.bytes += sum(files.values())
        transaction.on_commit(partial(_delete_files, list(files)))
    return len(gone) == BATCH


def _delete_files(names: list[str]) -> None:
    """What cannot be deleted now has no row any more and goes with the orphans."""
    for name in names:
        try:
            storage.delete_older(name, FRESH)
        except NarrationError as error:
            logger.warning("%s stays until orphans are pruned: %s", name, error)
            return
