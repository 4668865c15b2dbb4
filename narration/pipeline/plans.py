"""Keeping the newest plan: planned from the host's text, written as segments, counted."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.db import transaction
from django.db.models import Model
from django.db.models.functions import Now

from narration.exceptions import NarrationError, SourceError
from narration.models import Narration, Override, Rendition, Segment, SynthesisFailure, Voice
from narration.pipeline.casting import NO_AMENDMENT, Amendment, load_casting
from narration.pipeline.events import record
from narration.pipeline.plan import Plan, PlannedSegment, build_plan, find_languages
from narration.pipeline.written import pack_runs
from narration.sources import get_source
from narration.speaking import describe_engine
from narration.text import READING_VERSION

BATCH = 200
#: How often the wording may change under a plan that is being made.
ROUNDS = 5


def refresh_plan(narration: Narration) -> tuple[Plan, int]:
    """Plan the newest text and keep it; the plan and the version of the text it speaks.

    Writes segments only when the plan changed, and the ``stale`` event once.
    """
    obj = narration.source_object
    if obj is None:
        raise SourceError("The narrated object is gone.", code="source_gone")
    for _round in range(ROUNDS):
        basis = _read_basis(narration, obj)
        plan, version = plan_newest(narration, obj)
        if _store_plan(narration, obj, plan, version, basis):
            return plan, version
    raise NarrationError(
        "How it is said kept changing while it was planned.",
        code="text_keeps_changing",
        is_permanent=False,
    )


def plan_newest(
    narration: Narration, obj: Model, amendment: Amendment = NO_AMENDMENT
) -> tuple[Plan, int]:
    """The plan of the newest text and its version; nothing is written."""
    source = get_source(obj)
    version = source.get_version(obj, narration.language)
    passages = source.get_passages(obj, narration.language, version)
    casting = load_casting(
        source.get_scope_chain(obj),
        narration.language,
        foreign=find_languages(passages, narration.language),
        amendment=amendment,
    )
    overrides = list(Override.objects.filter(narration=narration))
    plan = build_plan(passages, language=narration.language, casting=casting, overrides=overrides)
    return plan, version


def _read_basis(narration: Narration, obj: Model) -> tuple[Any, ...]:
    """What a plan is made from besides the text: it changes when any of that does."""
    casting = load_casting(get_source(obj).get_scope_chain(obj), narration.language)
    words = Override.objects.filter(narration=narration).order_by("pk")
    return (*casting.versions, *words.values_list("pk", "value"))


def _store_plan(
    narration: Narration, obj: Model, plan: Plan, version: int, basis: tuple[Any, ...]
) -> bool:
    """Write the plan unless a newer text was planned meanwhile; ``narration`` is refreshed.

    False, and nothing is written, when voices, rules or words were changed since ``basis``: the
    plan that somebody else made with them stays.
    """
    with transaction.atomic():
        row = Narration.objects.select_for_update().get(pk=narration.pk)
        if _read_basis(narration, obj) != basis:
            return False
        if row.source_version <= version:
            if row.plan_digest != plan.digest:
                _write_segments(row, plan)
                _record_stale(row, plan)
            Narration.objects.filter(pk=row.pk).update(
                source_version=version,
                plan_digest=plan.digest,
                planned_at=Now(),
                reading_version=READING_VERSION,
                segments=len(plan.segments),
                traits=list(plan.traits),
                unvoiced=list(plan.unvoiced),
                **count_missing(plan),
            )
    narration.refresh_from_db()
    return True


def demand_consents(narration: Narration, obj: Model) -> None:
    """``ConsentError`` unless every voice of the stored plan may speak this text now."""
    spoken = Segment.objects.filter(narration=narration).values("voice")
    voices = Voice.objects.filter(pk__in=spoken).needing_consent()
    if voices.exists():
        voices.demand_consent(get_source(obj).get_scope_chain(obj))


def count_missing(plan: Plan) -> dict[str, int]:
    """How many distinct utterances have no sound yet, and how many could not be spoken."""
    wanted = plan.get_utterances()
    missing = wanted.keys() - Rendition.objects.find_digests(wanted)
    return {"missing": len(missing), "failed": len(find_failed(missing))}


def find_failed(digests: Iterable[str]) -> set[str]:
    """Which utterances their engine could not speak when it last tried."""
    return SynthesisFailure.objects.find_digests(digests)


def _write_segments(narration: Narration, plan: Plan) -> None:
    Segment.objects.filter(narration=narration).delete()
    rows = [_build_row(narration, at, segment) for at, segment in enumerate(plan.segments)]
    Segment.objects.bulk_create(rows, batch_size=BATCH)


def _build_row(narration: Narration, position: int, segment: PlannedSegment) -> Segment:
    return Segment(
        narration=narration,
        position=position,
        text_key=segment.text_key,
        occurrence=segment.occurrence,
        role=segment.role,
        language=segment.language,
        anchor=segment.anchor,
        anchor_offset=segment.anchor_offset,
        display_text=segment.display_text,
        spoken_text=segment.spoken.text,
        runs=None if segment.runs is None else pack_runs(segment.runs),
        word_map=[[w.spoken_start, w.spoken_end, w.start, w.end] for w in segment.spoken.words],
        pause_ms=segment.pause_ms,
        voice=segment.voice,
        take=segment.utterance.take,
        utterance_digest=segment.digest,
    )


def _record_stale(narration: Narration, plan: Plan) -> None:
    """The published track spoke the plan that is now replaced: said once, at the change."""
    track = narration.published_track
    if track is not None and track.plan_digest == narration.plan_digest != plan.digest:
        record("stale", narration=narration, data={"track": str(track.uid)})


def supports_takes(voice: Voice) -> bool:
    """Whether this voice can say a sentence in another way; not one whose engine is gone."""
    try:
        return describe_engine(voice.engine).supports_takes
    except NarrationError:
        return False
