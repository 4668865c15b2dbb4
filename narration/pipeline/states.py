"""What people are told of a narration: one word, a few numbers, and sentence by sentence."""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from django.contrib.contenttypes.models import ContentType
from django.db import models
from django.utils.translation import gettext_lazy as _

from narration.manifests import build_media_url
from narration.models import (
    ACTIVE_STATES,
    GateVerdict,
    Job,
    JobError,
    JobKind,
    JobState,
    Narration,
    Rendition,
    Segment,
    SynthesisFailure,
)
from narration.pipeline.consents import find_faults
from narration.pipeline.doubts import count_flagged, explain_doubts, load_accepted
from narration.pipeline.explanations import explain, explain_job
from narration.pipeline.plans import supports_takes
from narration.sources import get_source

#: Spoken characters a second, where no rendition of the narration tells better.
CHARACTERS_PER_SECOND = 14


class Status(models.TextChoices):
    """The one word for an object's narration."""

    NONE = "none", _("not narrated")
    QUEUED = "queued", _("waiting")
    RUNNING = "running", _("being narrated")
    STALE = "stale", _("out of date")
    PARTIAL = "partial", _("incomplete")
    FAILED = "failed", _("failed")
    READY = "ready", _("ready to publish")
    PUBLISHED = "published", _("published")


@dataclass(frozen=True, slots=True)
class JobProgress:
    """Where a job stands. ``total`` counts distinct utterances; 0 until the text is planned."""

    uid: uuid.UUID
    state: str
    total: int
    done: int
    synthesized: int
    reused: int
    failed: int
    error: str = ""
    error_code: str = ""

    @property
    def is_active(self) -> bool:
        """Whether it waits or works."""
        return self.state in ACTIVE_STATES

    @property
    def explanation(self) -> str:
        """Why it ended badly, in the reader's language; "" when it did not."""
        return explain_job(self.error_code) if self.error_code else ""


@dataclass(frozen=True, slots=True)
class NarrationState:
    """What is true of one object in one language, as lists and pages show it."""

    status: Status
    language: str
    narration_uid: uuid.UUID | None = None
    segments: int = 0
    missing: int = 0
    failed: int = 0
    job: JobProgress | None = None
    has_published: bool = False
    is_stale: bool = False
    #: Whether the newest text is not the one learners read; told where one object is asked for.
    is_text_newer: bool = False
    can_publish: bool = False
    duration_ms: int = 0
    #: Sentences that may sound wrong and nobody accepted; told where one object is asked for.
    flagged: int = 0

    @property
    def label(self) -> str:
        """The status in the reader's language."""
        return str(self.status.label)


@dataclass(frozen=True, slots=True)
class SegmentState:
    """One sentence of the newest plan, as an author sees it."""

    position: int
    anchor: str
    role: str
    display_text: str
    spoken_text: str
    state: str
    #: Why it failed, or why its voice may not speak here; in plain words.
    error: str
    audio_url: str
    duration_ms: int
    voice_name: str
    take: int
    supports_takes: bool
    #: What the quality gate says of its sound: "ok", "flagged", "inconclusive"; "" without sound.
    verdict: str = ""
    #: What it heard that should not be, in plain words; empty once somebody has accepted it.
    doubts: tuple[str, ...] = ()
    accepted_by: str = ""


@dataclass(frozen=True, slots=True)
class Estimate:
    """What a request would cost: distinct utterances, those to be made, their characters."""

    segments: int
    utterances: int
    reused: int
    missing: int
    characters: int
    speech_ms: int


def load_states(
    objects: Sequence[models.Model], *, language: str, edition: str
) -> dict[Any, dict[str, NarrationState]]:
    """States by object key and language; two queries for objects of one model."""
    if not objects:
        return {}
    keys = {str(obj.pk): obj.pk for obj in objects}
    narrations = Narration.objects.filter(
        content_type=ContentType.objects.get_for_model(objects[0]),
        object_id__in=keys,
        edition=edition,
    ).select_related("draft_track", "published_track")
    if language:
        narrations = narrations.filter(language=language)
    rows = list(narrations)
    jobs = _load_latest_jobs(rows)
    states: dict[Any, dict[str, NarrationState]] = defaultdict(dict)
    for row in rows:
        states[keys[row.object_id]][row.language] = build_state(row, jobs.get(row.pk))
    if len(objects) == 1 and rows:
        _note_details(objects[0], rows, states)
    return dict(states)


def build_state(narration: Narration, job: Job | None) -> NarrationState:
    """One narration's state from its row, its two tracks and its latest job."""
    published, draft = narration.published_track, narration.draft_track
    is_published = narration.has_current(published)
    track = published or draft
    return NarrationState(
        status=_choose_status(narration, job),
        language=narration.language,
        narration_uid=narration.uid,
        segments=narration.segments,
        missing=narration.missing,
        failed=narration.failed,
        job=build_progress(job) if job is not None else None,
        has_published=published is not None,
        is_stale=published is not None and not is_published,
        can_publish=narration.has_current(draft) and not is_published,
        duration_ms=track.duration_ms if track is not None else 0,
    )


def build_progress(job: Job) -> JobProgress:
    """A job as people follow it."""
    return JobProgress(
        uid=job.uid,
        state=job.state,
        total=job.total,
        done=job.done,
        synthesized=job.synthesized,
        reused=job.reused,
        failed=job.failed,
        error=job.error,
        error_code=job.error_code,
    )


def list_segment_states(narration: Narration) -> list[SegmentState]:
    """All sentences of the newest plan, in five queries, and a few for voices of persons.

    Sound of a voice that may not speak here is none, though it may be heard elsewhere.
    """
    segments = list(Segment.objects.filter(narration=narration).select_related("voice"))
    silent = _find_silent(narration, segments)
    digests = [segment.utterance_digest for segment in segments]
    renditions = Rendition.objects.in_digests(digests)
    failures = SynthesisFailure.objects.find_digests(digests)
    errors = _load_errors(narration) if failures else {}
    accepted = load_accepted(narration)
    takes = {segment.voice.engine: supports_takes(segment.voice) for segment in segments}
    return [
        _build_segment_state(
            segment,
            None if segment.voice_id in silent else renditions.get(segment.utterance_digest),
            silence=silent.get(segment.voice_id, ""),
            error=errors.get(segment.utterance_digest, "failed")
            if segment.utterance_digest in failures
            else "",
            takes=takes[segment.voice.engine],
            accepted=accepted.get(segment.utterance_digest),
        )
        for segment in segments
    ]


def _find_silent(narration: Narration, segments: Sequence[Segment]) -> dict[int, str]:
    """Voices that may not speak this text now, by key, with the reason in plain words."""
    voices = {segment.voice.pk: segment.voice for segment in segments}
    names = {each.name: each.pk for each in voices.values() if each.needs_consent}
    obj = narration.source_object if names else None
    if obj is None:
        return {}
    faults = find_faults(names, get_source(obj).get_scope_chain(obj))
    return {names[name]: reason for name, reason in faults.items()}


def build_estimate(narration: Narration) -> Estimate:
    """The numbers of the stored plan."""
    rows = dict(
        Segment.objects.filter(narration=narration).values_list("utterance_digest", "spoken_text")
    )
    missing = rows.keys() - Rendition.objects.find_digests(rows)
    characters = sum(len(rows[digest]) for digest in missing)
    return Estimate(
        segments=narration.segments,
        utterances=len(rows),
        reused=len(rows) - len(missing),
        missing=len(missing),
        characters=characters,
        speech_ms=round(characters * 1000 / CHARACTERS_PER_SECOND),
    )


def _load_latest_jobs(narrations: Sequence[Narration]) -> dict[int, Job]:
    """The job that tells most: one that works before one that waits before the last that ended."""
    latest = (
        Job.objects.filter(narration=models.OuterRef("pk"), kind=JobKind.NARRATE)
        .annotate(is_running=models.Q(state=JobState.RUNNING))
        .order_by("-is_running", "-pk")
        .values("pk")[:1]
    )
    chosen = Narration.objects.filter(pk__in=[n.pk for n in narrations]).values(
        latest_job=models.Subquery(latest)
    )
    return {job.narration_id: job for job in Job.objects.filter(pk__in=chosen) if job.narration_id}


def _choose_status(narration: Narration, job: Job | None) -> Status:
    if job is not None and job.is_active:
        return Status.RUNNING if job.state == JobState.RUNNING else Status.QUEUED
    if narration.has_current(narration.published_track):
        return Status.PUBLISHED
    if narration.has_current(narration.draft_track):
        return Status.READY
    if job is not None and job.state in (JobState.FAILED, JobState.QUARANTINED):
        return Status.FAILED
    if job is not None and job.state == JobState.PARTIAL and narration.failed:
        return Status.PARTIAL
    has_track = narration.published_track or narration.draft_track
    return Status.STALE if has_track else Status.NONE


def _note_details(
    obj: models.Model, rows: Sequence[Narration], states: dict[Any, dict[str, NarrationState]]
) -> None:
    """A text may change without changing what is said, and what is said without the text."""
    source = get_source(obj)
    flagged = count_flagged(rows)
    for row in rows:
        state = states[obj.pk][row.language]
        can_publish = state.can_publish
        if row.has_current(row.draft_track) and not can_publish:
            public = source.get_public_version(obj, row.language)
            can_publish = public is not None and public != row.source_version
        is_newer = state.is_stale and _is_text_newer(obj, row)
        states[obj.pk][row.language] = replace(
            state,
            can_publish=can_publish,
            is_text_newer=is_newer,
            flagged=flagged.get(row.pk, 0),
        )


def _is_text_newer(obj: models.Model, narration: Narration) -> bool:
    """Whether the planned text is another than the public one, or than the track's where hidden."""
    public = get_source(obj).get_public_version(obj, narration.language)
    track = narration.published_track
    spoken = track.source_version if track is not None else None
    return narration.source_version != (spoken if public is None else public)


def _load_errors(narration: Narration) -> dict[str, str]:
    """Error codes by utterance digest, of the narration's newest job that met any."""
    errors = JobError.objects.filter(job__narration=narration).order_by("pk")
    return dict(errors.values_list("utterance_digest", "code"))


def _build_segment_state(
    segment: Segment,
    rendition: Rendition | None,
    *,
    silence: str,
    error: str,
    takes: bool,
    accepted: str | None,
) -> SegmentState:
    """``silence`` is why its voice may not speak here, "" where it may."""
    is_flagged = rendition is not None and rendition.verdict == GateVerdict.FLAGGED
    state = "ready" if rendition is not None else "failed" if error and not silence else "missing"
    return SegmentState(
        position=segment.position,
        anchor=segment.anchor,
        role=segment.role,
        display_text=segment.display_text,
        spoken_text=segment.spoken_text,
        state=state,
        error=silence or (explain(error) if state == "failed" else ""),
        audio_url=build_media_url("renditions", rendition.storage_name) if rendition else "",
        duration_ms=rendition.duration_ms if rendition else 0,
        voice_name=segment.voice.name,
        take=segment.take,
        supports_takes=takes,
        verdict=rendition.verdict if rendition else "",
        doubts=explain_doubts(rendition) if rendition and is_flagged and accepted is None else (),
        accepted_by=(accepted or "?") if is_flagged and accepted is not None else "",
    )
