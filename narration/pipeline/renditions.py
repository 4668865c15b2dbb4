"""Renditions: stored once per utterance, verified on reading, re-made when found wanting."""

from __future__ import annotations

import logging
from collections.abc import Iterable

import numpy as np
from django.db import IntegrityError, transaction
from django.utils import timezone

from narration import storage
from narration.audio.codec import decode, encode_flac
from narration.digests import UTTERANCE_VERSION
from narration.exceptions import ConsentError, StorageCorrupt
from narration.models import Rendition, RenditionState, SynthesisFailure, iter_chunks
from narration.pipeline.gating import Gated
from narration.pipeline.plan import PlannedSegment
from narration.values import Waveform, WordTiming

logger = logging.getLogger(__name__)


def store_rendition(segment: PlannedSegment, gated: Gated) -> Rendition:
    """Keep what an engine made: file first, then its row. Who stores a digest first wins.

    ``ConsentError``, and nothing is kept, where a person took back their word meanwhile.
    """
    sound = encode_flac(gated.result.waveform)
    file = storage.write("renditions", segment.digest, "flac", sound)
    facts = _build_facts(gated, file)
    rendition = None
    try:
        while rendition is None:  # again, if the row in our way is pruned in this moment
            with transaction.atomic():
                segment.cast.demand_consent(lock=True)
                rendition = _store_row(segment, facts)
    except ConsentError:
        storage.delete(file.name)
        raise
    SynthesisFailure.objects.filter(digest=segment.digest).delete()
    return rendition


def find_whole(digests: Iterable[str]) -> dict[str, Rendition]:
    """Renditions by digest whose file is there with its size; the others are quarantined.

    Whoever asks is about to use them: their marks for deletion are taken away.
    """
    found = Rendition.objects.in_digests(digests)
    marked = [row for row in found.values() if row.marked_at is not None]
    kept = keep(row.digest for row in marked)
    for row in marked:
        if row.digest not in kept:  # pruned since we looked
            del found[row.digest]
    broken = [row for row in found.values() if not storage.is_whole(row.storage_name, row.size)]
    for row in broken:
        quarantine(row)
        del found[row.digest]
    return found


def keep(digests: Iterable[str]) -> set[str]:
    """Say that these are used: no mark for deletion stays. Which of them are there.

    Locked in one order until the transaction ends: nobody prunes them meanwhile, and two lessons
    that share sentences do not wait for each other for ever.
    """
    kept: set[str] = set()
    with transaction.atomic():
        for chunk in iter_chunks(sorted(digests)):
            rows = Rendition.objects.filter(digest__in=chunk)
            kept.update(
                rows.select_for_update().order_by("digest").values_list("digest", flat=True)
            )
            rows.update(marked_at=None, last_used_on=timezone.localdate())
    return kept


def load_waveform(rendition: Rendition) -> Waveform:
    """The verified sound; ``StorageCorrupt`` after quarantining what was altered."""
    file = storage.StoredFile(rendition.storage_name, rendition.size, rendition.sha256)
    try:
        return decode(storage.read(file), "flac")
    except StorageCorrupt:
        quarantine(rendition)
        raise


def check_sound(digests: Iterable[str]) -> None:
    """Read these renditions through and quarantine every one that was altered.

    Where one is damaged others are: all are found before any is made again.
    """
    for rendition in Rendition.objects.in_digests(digests).values():
        file = storage.StoredFile(rendition.storage_name, rendition.size, rendition.sha256)
        try:
            storage.verify(file)
        except StorageCorrupt:
            quarantine(rendition)


def quarantine(rendition: Rendition) -> None:
    """Take a rendition out of use; the next run makes it again, unless somebody has already."""
    logger.warning("Rendition %s is damaged and will be made again.", rendition.digest[:12])
    Rendition.objects.filter(pk=rendition.pk, storage_name=rendition.storage_name).update(
        state=RenditionState.QUARANTINED
    )


def get_timings(rendition: Rendition) -> tuple[WordTiming, ...]:
    """The stored word timing, from the rendition's first sample."""
    return tuple(WordTiming(*row) for row in rendition.word_timings)


def _store_row(segment: PlannedSegment, facts: dict[str, object]) -> Rendition | None:
    try:
        with transaction.atomic():
            return Rendition.objects.create(**_build_identity(segment), **facts)
    except IntegrityError:
        return _replace_quarantined(segment, facts)


def _replace_quarantined(segment: PlannedSegment, facts: dict[str, object]) -> Rendition | None:
    """A damaged rendition gets the new file; a sound one stays as it is. None when it is gone.

    Its voice may be another row by now, with the same recordings and a new consent.
    """
    rows = Rendition.objects.filter(digest=segment.digest)
    quarantined = rows.filter(state=RenditionState.QUARANTINED)
    quarantined.update(scrubbed_at=None, voice=segment.voice, **facts)
    rows.update(marked_at=None)
    return rows.first()


def _build_identity(segment: PlannedSegment) -> dict[str, object]:
    facts = segment.cast.facts
    return {
        "digest": segment.digest,
        "digest_version": UTTERANCE_VERSION,
        "spoken_text": segment.spoken.text,
        "language": segment.language,
        "voice": segment.voice,
        "engine": facts.name,
        "sound_version": facts.sound_version,
        "model_fingerprint": facts.model_fingerprint,
        "profile": facts.profile,
        "take": segment.utterance.take,
    }


def _build_facts(gated: Gated, file: storage.StoredFile) -> dict[str, object]:
    result = gated.result
    return {
        "device": result.device[:40],
        "attempt": gated.attempt,
        "verdict": gated.verdict,
        "gate": gated.report,
        "storage_name": file.name,
        "size": file.size,
        "sha256": file.sha256,
        "sample_rate": result.waveform.sample_rate,
        "duration_ms": result.waveform.duration_ms,
        "peak_db": _measure_peak(result.waveform),
        "word_timings": [
            [w.spoken_start, w.spoken_end, w.start_ms, w.end_ms] for w in result.words
        ],
        "engine_ms": result.engine_ms,
        "state": RenditionState.OK,
    }


def _measure_peak(waveform: Waveform) -> float | None:
    """Sample peak in dBFS, None for silence."""
    peak = float(np.abs(waveform.samples).max(initial=0.0))
    return round(20 * float(np.log10(peak)), 2) if peak > 0 else None
