"""What learners heard. The first two tables are personal data; the third names nobody."""

from __future__ import annotations

from django.conf import settings
from django.contrib.contenttypes.models import ContentType
from django.db import models
from django.utils.translation import gettext_lazy as _

from narration.models.base import Row


class Heard(Row):
    """How much of a sentence a learner has heard; hung on what is said, so it survives edits."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    content_type = models.ForeignKey(ContentType, on_delete=models.CASCADE, related_name="+")
    object_id = models.CharField(max_length=64)
    language = models.CharField(max_length=35)
    text_key = models.CharField(max_length=64)
    heard_ms = models.PositiveIntegerField(default=0)
    at = models.DateTimeField(auto_now=True)

    class Meta:
        verbose_name = _("heard sentence")
        verbose_name_plural = _("heard sentences")
        constraints = [
            models.UniqueConstraint(
                fields=["user", "content_type", "object_id", "language", "text_key"],
                name="narration_heard_once",
            )
        ]

    def __str__(self) -> str:
        return f"{self.heard_ms} ms"


class Position(Row):
    """Where a learner left off."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    content_type = models.ForeignKey(ContentType, on_delete=models.CASCADE, related_name="+")
    object_id = models.CharField(max_length=64)
    language = models.CharField(max_length=35)
    edition = models.CharField(max_length=40, default="main")
    text_key = models.CharField(max_length=64)
    occurrence = models.PositiveIntegerField(default=0)
    offset_ms = models.PositiveIntegerField(default=0)
    completed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = _("position")
        verbose_name_plural = _("positions")
        constraints = [
            models.UniqueConstraint(
                fields=["user", "content_type", "object_id", "language", "edition"],
                name="narration_position_once",
            )
        ]

    def __str__(self) -> str:
        return f"{self.offset_ms} ms"


class ListeningHour(Row):
    """What authors see: seconds and plays by the hour, nobody's name."""

    object_ref = models.CharField(max_length=120)
    language = models.CharField(max_length=35)
    hour = models.DateTimeField()
    seconds = models.PositiveIntegerField(default=0)
    plays = models.PositiveIntegerField(default=0)

    class Meta:
        verbose_name = _("listening hour")
        verbose_name_plural = _("listening hours")
        constraints = [
            models.UniqueConstraint(
                fields=["object_ref", "language", "hour"], name="narration_hour_once"
            )
        ]

    def __str__(self) -> str:
        return f"{self.object_ref} {self.seconds} s"
