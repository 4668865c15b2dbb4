"""The edition of an object in a language, and the segments of its newest plan."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.contrib.contenttypes.fields import GenericForeignKey
from django.contrib.contenttypes.models import ContentType
from django.db import models
from django.utils.translation import gettext_lazy as _

from narration.models.base import Row, build_actor_field, build_choices_check
from narration.models.voices import Voice
from narration.values import Role

if TYPE_CHECKING:
    from narration.models.sound import Track


class RoleChoices(models.TextChoices):
    TITLE = Role.TITLE.value, _("title")
    HEADING = Role.HEADING.value, _("heading")
    BODY = Role.BODY.value, _("body")
    LIST_ITEM = Role.LIST_ITEM.value, _("list item")
    QUOTATION = Role.QUOTATION.value, _("quotation")
    TABLE_ROW = Role.TABLE_ROW.value, _("table row")
    CODE = Role.CODE.value, _("code")
    FIGURE = Role.FIGURE.value, _("figure")
    FOOTNOTE = Role.FOOTNOTE.value, _("footnote")


class Narration(Row):
    """One object, one language, one edition. Counts describe the newest plan."""

    content_type = models.ForeignKey(ContentType, on_delete=models.CASCADE, related_name="+")
    object_id = models.CharField(max_length=64)
    source_object = GenericForeignKey("content_type", "object_id")
    language = models.CharField(_("language"), max_length=35)
    edition = models.CharField(_("edition"), max_length=40, default="main")
    source_version = models.PositiveBigIntegerField(default=0)
    plan_digest = models.CharField(max_length=64, blank=True, default="")
    planned_at = models.DateTimeField(null=True, blank=True)
    reading_version = models.PositiveSmallIntegerField(default=0)
    segments = models.PositiveIntegerField(_("segments"), default=0)
    missing = models.PositiveIntegerField(_("missing"), default=0)
    failed = models.PositiveIntegerField(_("failed"), default=0)
    # Names of the speech rules its text has something for, and languages nobody speaks in it.
    traits = models.JSONField(default=list, blank=True)
    unvoiced = models.JSONField(default=list, blank=True)
    draft_track = models.ForeignKey(
        "narration.Track", null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    published_track = models.ForeignKey(
        "narration.Track", null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )

    class Meta:
        verbose_name = _("narration")
        verbose_name_plural = _("narrations")
        constraints = [
            models.UniqueConstraint(
                fields=["content_type", "object_id", "language", "edition"],
                name="narration_edition_once",
            )
        ]

    def __str__(self) -> str:
        kind = self.content_type
        return f"{kind.app_label}.{kind.model}:{self.object_id} ({self.language})"

    @property
    def is_planned(self) -> bool:
        """Whether its text was ever planned."""
        return bool(self.plan_digest)

    def has_current(self, track: Track | None) -> bool:
        """Whether ``track`` speaks the newest plan."""
        return track is not None and self.is_planned and track.plan_digest == self.plan_digest


class Segment(Row):
    """An ordered piece of the newest plan, usually a sentence.

    ``word_map`` lists ``[spoken start, spoken end, start, end]`` for every spoken word, the last
    two in ``display_text``. ``anchor_offset`` is where ``display_text`` begins in the anchor's
    text: more than 0 only where an engine's limit cut a sentence into clauses.
    """

    narration = models.ForeignKey(Narration, on_delete=models.CASCADE)
    position = models.PositiveIntegerField()
    text_key = models.CharField(max_length=64, db_index=True)
    occurrence = models.PositiveIntegerField(default=0)
    role = models.CharField(max_length=20, choices=RoleChoices)
    language = models.CharField(max_length=35)
    anchor = models.CharField(max_length=80, blank=True, default="")
    anchor_offset = models.PositiveIntegerField(default=0)
    display_text = models.TextField()
    spoken_text = models.TextField()
    # How it is written (see pipeline.written), so that it can be said anew without its source.
    runs = models.JSONField(default=list, null=True)
    word_map = models.JSONField(default=list)
    pause_ms = models.PositiveIntegerField(default=0)
    voice = models.ForeignKey(Voice, on_delete=models.PROTECT, related_name="+")
    take = models.PositiveIntegerField(default=0)
    utterance_digest = models.CharField(max_length=64, db_index=True)

    class Meta:
        verbose_name = _("segment")
        verbose_name_plural = _("segments")
        ordering = ["narration_id", "position"]
        constraints = [
            models.UniqueConstraint(
                fields=["narration", "position"], name="narration_segment_position"
            ),
            models.UniqueConstraint(
                fields=["narration", "text_key", "occurrence"], name="narration_segment_occurrence"
            ),
            build_choices_check("segment", "role", RoleChoices),
        ]

    def __str__(self) -> str:
        return f"{self.position + 1}. {self.display_text[:60]}"


class OverrideKind(models.TextChoices):
    SPOKEN = "spoken", _("spoken form")
    SILENCE = "silence", _("silence")
    PAUSE = "pause", _("pause after")
    TAKE = "take", _("take")
    VOICE = "voice", _("voice")
    RECORDING = "recording", _("recording")


class Override(Row):
    """An author's word on one sentence, hung on what is said, not on where it stands."""

    narration = models.ForeignKey(Narration, on_delete=models.CASCADE)
    text_key = models.CharField(max_length=64)
    occurrence = models.IntegerField(default=-1, help_text=_("-1: every occurrence."))
    kind = models.CharField(max_length=10, choices=OverrideKind)
    value = models.TextField(blank=True, default="")
    rendition = models.ForeignKey(
        "narration.Rendition", null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    by = build_actor_field()
    by_name = models.CharField(max_length=150, blank=True, default="")
    orphaned_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = _("override")
        verbose_name_plural = _("overrides")
        constraints = [
            models.UniqueConstraint(
                fields=["narration", "text_key", "occurrence", "kind"],
                name="narration_override_once",
            ),
            build_choices_check("override", "kind", OverrideKind),
            # The rendition of a recording is of a human voice, which names its person.
            models.CheckConstraint(
                name="narration_override_recording_is_there",
                condition=~models.Q(kind="recording") | models.Q(rendition__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind}: {self.value[:40]}"


class Verdict(models.TextChoices):
    APPROVED = "approved", _("approved")
    REJECTED = "rejected", _("rejected")


class Review(Row):
    """Somebody's verdict on how a sentence sounds."""

    narration = models.ForeignKey(Narration, on_delete=models.CASCADE)
    utterance_digest = models.CharField(max_length=64)
    verdict = models.CharField(max_length=10, choices=Verdict)
    by = build_actor_field()
    by_name = models.CharField(max_length=150, blank=True, default="")
    note = models.TextField(blank=True, default="")
    at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name = _("review")
        verbose_name_plural = _("reviews")
        constraints = [
            models.UniqueConstraint(
                fields=["narration", "utterance_digest", "by"], name="narration_review_once"
            ),
            build_choices_check("review", "verdict", Verdict),
        ]

    def __str__(self) -> str:
        return f"{self.verdict} ({self.by_name})"
