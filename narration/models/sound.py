"""Sound: immutable renditions of utterances, and the tracks stitched from them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date
from typing import TypeVar

from django.db import models
from django.db.models import Exists, F, OuterRef, Q
from django.db.models.expressions import Combinable
from django.db.models.fields.json import KT
from django.db.models.functions import Coalesce, Now, TruncDate
from django.utils.translation import gettext_lazy as _

from narration.models.base import Row, build_actor_field, build_choices_check
from narration.models.narrations import Narration, Override, Segment
from narration.models.voices import Voice
from narration.models.work import Job, JobKind

#: Databases bound the parameters of one query.
CHUNK = 500


K = TypeVar("K", str, int)


def iter_chunks(keys: Iterable[K]) -> Iterator[list[K]]:
    """Distinct keys in lists that one query may hold."""
    wanted = list(dict.fromkeys(keys))
    for start in range(0, len(wanted), CHUNK):
        yield wanted[start : start + CHUNK]


class RenditionKind(models.TextChoices):
    SYNTHETIC = "synthetic", _("synthetic")
    RECORDING = "recording", _("recording")


class GateVerdict(models.TextChoices):
    OK = "ok", _("fine")
    FLAGGED = "flagged", _("flagged")
    INCONCLUSIVE = "inconclusive", _("inconclusive")


class RenditionState(models.TextChoices):
    OK = "ok", _("fine")
    QUARANTINED = "quarantined", _("quarantined")


class RenditionQuerySet(models.QuerySet["Rendition"]):
    def usable(self) -> RenditionQuerySet:
        """Those whose file was not found wanting."""
        return self.filter(state=RenditionState.OK)

    def find_digests(self, digests: Iterable[str]) -> set[str]:
        """Which of these utterances have a usable rendition; a query per 500 digests."""
        return {
            digest
            for chunk in iter_chunks(digests)
            for digest in self.usable().filter(digest__in=chunk).values_list("digest", flat=True)
        }

    def in_digests(self, digests: Iterable[str]) -> dict[str, Rendition]:
        """Usable renditions by digest; a query per 500 digests."""
        return {
            row.digest: row
            for chunk in iter_chunks(digests)
            for row in self.usable().filter(digest__in=chunk)
        }

    def unused(self) -> RenditionQuerySet:
        """Those nothing needs: no track, no newest plan, no author's choice, no waiting preview."""
        tracks = TrackRendition.objects.filter(rendition=OuterRef("pk"))
        plans = Segment.objects.filter(utterance_digest=OuterRef("digest"))
        choices = Override.objects.filter(rendition=OuterRef("pk"))
        previews = Job.objects.active().filter(kind=JobKind.PREVIEW)
        previews = previews.annotate(wanted=KT("payload__digest")).filter(wanted=OuterRef("digest"))
        return self.filter(~Exists(tracks), ~Exists(plans), ~Exists(choices), ~Exists(previews))

    def by_last_use(self) -> RenditionQuerySet:
        """The longest unused first: by the day it was stitched or asked for last, or made."""
        return self.order_by(Coalesce("last_used_on", TruncDate("made_at")), "pk")

    def used_before(self, day: date) -> RenditionQuerySet:
        """Those made before a day and not used since."""
        return self.filter(Q(last_used_on__lt=day) | Q(last_used_on=None), made_at__date__lt=day)

    def marked_before(self, moment: Combinable) -> RenditionQuerySet:
        """Those chosen for deletion before a moment of the database's clock."""
        return self.filter(marked_at__lt=moment)


class Rendition(Row):
    """The stored sound of one utterance, made once, shared by everyone who says it."""

    digest = models.CharField(max_length=64, unique=True)
    digest_version = models.PositiveSmallIntegerField()
    kind = models.CharField(max_length=10, choices=RenditionKind, default=RenditionKind.SYNTHETIC)
    storage_name = models.CharField(max_length=200, unique=True)
    spoken_text = models.TextField()
    language = models.CharField(max_length=35)
    voice = models.ForeignKey(Voice, on_delete=models.PROTECT, related_name="+")
    engine = models.CharField(max_length=50)
    sound_version = models.PositiveIntegerField()
    model_fingerprint = models.CharField(max_length=100, blank=True, default="")
    profile = models.CharField(max_length=40, blank=True, default="")
    take = models.PositiveIntegerField(default=0)
    # Facts from here on: they describe the sound and are no part of its identity.
    device = models.CharField(max_length=40, blank=True, default="cpu")
    attempt = models.PositiveSmallIntegerField(default=0)
    verdict = models.CharField(max_length=12, choices=GateVerdict, default=GateVerdict.OK)
    gate = models.JSONField(default=dict, blank=True)
    sha256 = models.CharField(max_length=64)
    size = models.PositiveIntegerField()
    sample_rate = models.PositiveIntegerField()
    duration_ms = models.PositiveIntegerField()
    peak_db = models.FloatField(null=True)
    loudness = models.FloatField(null=True)
    word_timings = models.JSONField(default=list)
    engine_ms = models.PositiveIntegerField(default=0)
    made_at = models.DateTimeField(auto_now_add=True)
    last_used_on = models.DateField(null=True)
    # Chosen for deletion; using it again takes the mark away.
    marked_at = models.DateTimeField(null=True, blank=True)
    # When its file was last read whole and found as it was written.
    scrubbed_at = models.DateTimeField(null=True, blank=True)
    state = models.CharField(max_length=12, choices=RenditionState, default=RenditionState.OK)

    objects = RenditionQuerySet.as_manager()

    class Meta:
        verbose_name = _("rendition")
        verbose_name_plural = _("renditions")
        constraints = [
            build_choices_check("rendition", "kind", RenditionKind),
            build_choices_check("rendition", "verdict", GateVerdict),
            build_choices_check("rendition", "state", RenditionState),
        ]

    def __str__(self) -> str:
        return self.spoken_text[:80]


class SynthesisFailureQuerySet(models.QuerySet["SynthesisFailure"]):
    def set_aside(self) -> SynthesisFailureQuerySet:
        """Those whose engine is not to be tried again yet."""
        return self.filter(until__gt=Now())

    def find_digests(self, digests: Iterable[str]) -> set[str]:
        """Which of these utterances are here; a query per 500 digests."""
        return {
            digest
            for chunk in iter_chunks(digests)
            for digest in self.filter(digest__in=chunk).values_list("digest", flat=True)
        }


class SynthesisFailure(Row):
    """An utterance an engine could not speak; set aside until ``until`` if it broke the engine."""

    digest = models.CharField(max_length=64)
    sound_version = models.PositiveIntegerField()
    count = models.PositiveIntegerField(default=1)
    error_code = models.CharField(max_length=60)
    until = models.DateTimeField(null=True, blank=True)

    objects = SynthesisFailureQuerySet.as_manager()

    class Meta:
        verbose_name = _("synthesis failure")
        verbose_name_plural = _("synthesis failures")
        constraints = [
            models.UniqueConstraint(
                fields=["digest", "sound_version"], name="narration_failure_once"
            )
        ]

    def __str__(self) -> str:
        return f"{self.error_code} ×{self.count}"


class TrackQuerySet(models.QuerySet["Track"]):
    def superseded(self, before: Combinable) -> TrackQuerySet:
        """Tracks that nobody hears or can choose any more, since before that moment.

        Those a narration offers or publishes, that speak its newest plan, or whose narration is
        being worked on are none of them.
        """
        chosen = Narration.objects.filter(
            Q(draft_track=OuterRef("pk")) | Q(published_track=OuterRef("pk"))
        )
        working = Job.objects.active().filter(narration=OuterRef("narration"))
        later = Track.objects.filter(
            narration=OuterRef("narration"),
            published_at__gt=OuterRef("published_at"),
            published_at__lt=before,
        )
        return self.filter(
            ~Exists(chosen),
            ~Exists(working),
            ~Q(narration__plan_digest=F("plan_digest")),
            Q(published_at=None) | Q(withdrawn_at__lt=before) | Exists(later),
            made_at__lt=before,
        )


class Track(Row):
    """A lesson's encoded audio. Its manifest stands alone: it never reads segments."""

    narration = models.ForeignKey(Narration, on_delete=models.CASCADE, related_name="tracks")
    source_version = models.PositiveBigIntegerField()
    plan_digest = models.CharField(max_length=64)
    stitch_version = models.PositiveSmallIntegerField()
    manifest = models.JSONField()
    duration_ms = models.PositiveIntegerField()
    loudness = models.FloatField(null=True)
    synthetic = models.BooleanField(default=True)
    licences = models.JSONField(default=list)
    job = models.ForeignKey(
        "narration.Job", null=True, on_delete=models.SET_NULL, related_name="tracks"
    )
    made_at = models.DateTimeField(auto_now_add=True)
    published_at = models.DateTimeField(null=True, blank=True)
    published_by = build_actor_field()
    published_by_name = models.CharField(max_length=150, blank=True, default="")
    withdrawn_at = models.DateTimeField(null=True, blank=True)
    withdrawn_reason = models.CharField(max_length=200, blank=True, default="")

    objects = TrackQuerySet.as_manager()

    class Meta:
        verbose_name = _("track")
        verbose_name_plural = _("tracks")
        constraints = [
            models.UniqueConstraint(
                fields=["narration", "plan_digest", "stitch_version"], name="narration_track_once"
            )
        ]

    def __str__(self) -> str:
        return f"{self.narration} {self.duration_ms / 1000:.1f} s"


class TrackFormat(models.TextChoices):
    MP3 = "mp3", "MP3"
    OPUS = "opus", "Opus"
    VTT = "vtt", "WebVTT"
    PEAKS = "peaks", _("peaks")
    PNG = "png", _("waveform")


class TrackFile(Row):
    """One file of a track, named by an HMAC that nobody can guess from the text."""

    track = models.ForeignKey(Track, on_delete=models.CASCADE, related_name="files")
    format = models.CharField(max_length=10, choices=TrackFormat)
    storage_name = models.CharField(max_length=200, unique=True)
    sha256 = models.CharField(max_length=64)
    size = models.PositiveIntegerField()
    scrubbed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = _("track file")
        verbose_name_plural = _("track files")
        constraints = [
            models.UniqueConstraint(fields=["track", "format"], name="narration_trackfile_once"),
            build_choices_check("trackfile", "format", TrackFormat),
        ]

    def __str__(self) -> str:
        return f"{self.format} ({self.size} bytes)"


class TrackRendition(Row):
    """What a track was stitched from; protects those renditions from pruning."""

    track = models.ForeignKey(Track, on_delete=models.CASCADE, related_name="renditions")
    position = models.PositiveIntegerField()
    rendition = models.ForeignKey(Rendition, on_delete=models.PROTECT, related_name="uses")

    class Meta:
        verbose_name = _("track rendition")
        verbose_name_plural = _("track renditions")
        constraints = [
            models.UniqueConstraint(
                fields=["track", "position"], name="narration_trackrendition_once"
            )
        ]

    def __str__(self) -> str:
        return f"{self.position}: {self.rendition_id}"


class TrackVoice(Row):
    """Whose voices a track speaks in: asked whenever it is heard, and told when a voice is lost."""

    track = models.ForeignKey(Track, on_delete=models.CASCADE, related_name="voices")
    voice = models.ForeignKey(Voice, on_delete=models.PROTECT, related_name="tracks")

    class Meta:
        verbose_name = _("voice of a track")
        verbose_name_plural = _("voices of tracks")
        constraints = [
            models.UniqueConstraint(fields=["track", "voice"], name="narration_trackvoice_once")
        ]

    def __str__(self) -> str:
        return f"{self.track_id}: {self.voice_id}"
