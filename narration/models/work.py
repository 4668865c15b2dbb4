"""Work and facts: jobs, workers, the append-only record of what happened, usage."""

from __future__ import annotations

from django.db import models
from django.db.models import Exists, OuterRef, Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from narration.models.base import Row, build_actor_field, build_choices_check
from narration.models.narrations import Narration
from narration.models.voices import Voice
from narration.models.workers import WorkerQuerySet


class JobKind(models.TextChoices):
    NARRATE = "narrate", _("narrate")
    PREVIEW = "preview", _("preview")
    ESTIMATE = "estimate", _("estimate")
    EXPORT = "export", _("export")
    WARM = "warm", _("warm")


class JobState(models.TextChoices):
    QUEUED = "queued", _("queued")
    RUNNING = "running", _("running")
    DONE = "done", _("done")
    PARTIAL = "partial", _("partial")
    FAILED = "failed", _("failed")
    QUARANTINED = "quarantined", _("quarantined")
    CANCELLED = "cancelled", _("cancelled")


ACTIVE_STATES = (JobState.QUEUED, JobState.RUNNING)


class Worker(Row):
    """A process that claims jobs, as it was at its last heartbeat."""

    node = models.CharField(max_length=100)
    lane = models.CharField(max_length=20)
    pid = models.PositiveIntegerField()
    started_at = models.DateTimeField()
    heartbeat_at = models.DateTimeField()
    facts = models.JSONField(default=dict, blank=True)

    objects = WorkerQuerySet.as_manager()

    class Meta:
        verbose_name = _("worker")
        verbose_name_plural = _("workers")
        constraints = [
            models.UniqueConstraint(fields=["node", "lane", "pid"], name="narration_worker_once")
        ]

    def __str__(self) -> str:
        return f"{self.node}:{self.pid} ({self.lane})"


class Lane(Row):
    """What workers know about a lane in common: whether it rests after repeated failures."""

    name = models.CharField(_("name"), max_length=20, unique=True)
    failures = models.PositiveIntegerField(
        _("failures in a row"), default=0, help_text=_("Jobs that ended alike, one after another.")
    )
    error_code = models.CharField(max_length=60, blank=True, default="")
    paused_until = models.DateTimeField(_("rests until"), null=True, blank=True)

    class Meta:
        verbose_name = _("lane")
        verbose_name_plural = _("lanes")

    def __str__(self) -> str:
        return self.name


class JobQuerySet(models.QuerySet["Job"]):
    def due(self) -> JobQuerySet:
        """Waiting jobs that may begin now, by the database's clock."""
        return self.filter(Q(not_before=None) | Q(not_before__lte=Now()), state=JobState.QUEUED)

    def claimable(self, lane: str) -> JobQuerySet:
        """Due jobs of a lane, most urgent first, whose narration nobody works on."""
        busy = Job.objects.filter(state=JobState.RUNNING, narration=OuterRef("narration"))
        return self.due().filter(~Exists(busy), lane=lane).in_order()

    def in_order(self) -> JobQuerySet:
        """As they are claimed: the most urgent first, then by turns of who asked."""
        return self.order_by("priority", "turn", "pk")

    def expired(self) -> JobQuerySet:
        """Running jobs whose worker was silent past its lease, by the database's clock."""
        return self.filter(state=JobState.RUNNING, lease_until__lt=Now())

    def running_on(self, node: str) -> JobQuerySet:
        """Running jobs of the workers of one machine."""
        return self.filter(state=JobState.RUNNING, worker__node=node).select_related("worker")

    def active(self) -> JobQuerySet:
        """Jobs that wait or work."""
        return self.filter(state__in=ACTIVE_STATES)


class Job(Row):
    """One background run that brings a narration up to date. This row is the truth."""

    kind = models.CharField(max_length=10, choices=JobKind, default=JobKind.NARRATE)
    narration = models.ForeignKey(
        Narration, null=True, blank=True, on_delete=models.CASCADE, related_name="jobs"
    )
    payload = models.JSONField(default=dict, blank=True)
    request_key = models.CharField(max_length=64)
    # The widest scope below the installation, such as a course: its quotas count this job.
    scope_key = models.CharField(max_length=120, blank=True, default="")
    lane = models.CharField(max_length=20)
    priority = models.SmallIntegerField(default=0, help_text=_("The lowest number goes first."))
    # Virtual time of a fair queue: who asks for a thousand takes turns with who asks for one.
    turn = models.PositiveBigIntegerField(default=0)
    state = models.CharField(_("state"), max_length=12, choices=JobState, default=JobState.QUEUED)
    claims = models.PositiveSmallIntegerField(default=0)
    # Failures that may pass, each answered by a later try.
    attempts = models.PositiveSmallIntegerField(default=0)
    lease_token = models.CharField(max_length=32, blank=True, default="")
    lease_until = models.DateTimeField(null=True, blank=True)
    not_before = models.DateTimeField(null=True, blank=True)
    cancel_requested = models.BooleanField(default=False)
    total = models.PositiveIntegerField(default=0)
    done = models.PositiveIntegerField(default=0)
    reused = models.PositiveIntegerField(default=0)
    synthesized = models.PositiveIntegerField(default=0)
    failed = models.PositiveIntegerField(default=0)
    characters = models.PositiveIntegerField(default=0)
    audio_ms = models.PositiveBigIntegerField(default=0)
    engine_ms = models.PositiveBigIntegerField(default=0)
    requested_by = build_actor_field()
    requested_by_name = models.CharField(max_length=150, blank=True, default="")
    error_code = models.CharField(max_length=60, blank=True, default="")
    error = models.TextField(blank=True, default="")
    worker = models.ForeignKey(
        Worker, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    # The request that asked for it, so that its log lines are found together.
    request_id = models.CharField(max_length=64, blank=True, default="")
    queued_at = models.DateTimeField()
    started_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)
    # When who asked was told how it ended.
    noticed_at = models.DateTimeField(null=True, blank=True)

    objects = JobQuerySet.as_manager()

    class Meta:
        verbose_name = _("job")
        verbose_name_plural = _("jobs")
        ordering = ["-pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["kind", "request_key"],
                condition=models.Q(state="queued"),
                name="narration_job_queued_once",
            ),
            models.UniqueConstraint(
                fields=["narration"],
                condition=models.Q(state="running", kind="narrate"),
                name="narration_job_running_once",
            ),
            build_choices_check("job", "kind", JobKind),
            build_choices_check("job", "state", JobState),
        ]
        indexes = [
            models.Index(
                fields=["lane", "state", "priority", "turn"], name="narration_job_in_order"
            ),
            models.Index(fields=["requested_by", "state", "turn"], name="narration_job_turns"),
            models.Index(fields=["scope_key", "state"], name="narration_job_scopes"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.state}"

    @property
    def is_active(self) -> bool:
        """Whether it waits or works."""
        return self.state in ACTIVE_STATES


class JobError(Row):
    """One sentence of a job that could not be spoken, in plain words."""

    job = models.ForeignKey(Job, on_delete=models.CASCADE, related_name="errors")
    utterance_digest = models.CharField(max_length=64, blank=True, default="")
    text = models.TextField(blank=True, default="")
    code = models.CharField(max_length=60)
    permanent = models.BooleanField(default=True)
    at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name = _("job error")
        verbose_name_plural = _("job errors")

    def __str__(self) -> str:
        return f"{self.code}: {self.text[:60]}"


class Event(Row):
    """What happened, written in the transaction that made it happen. Append only."""

    kind = models.CharField(max_length=40, db_index=True)
    narration = models.ForeignKey(Narration, null=True, on_delete=models.SET_NULL, related_name="+")
    object_ref = models.CharField(max_length=120, blank=True, default="")
    job = models.ForeignKey(Job, null=True, on_delete=models.SET_NULL, related_name="+")
    actor = build_actor_field()
    actor_name = models.CharField(max_length=150, blank=True, default="")
    data = models.JSONField(default=dict)
    at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name = _("event")
        verbose_name_plural = _("events")
        ordering = ["-pk"]

    def __str__(self) -> str:
        return self.kind


class UsageDay(Row):
    """What was spoken in a day, by whom and in which scope."""

    day = models.DateField(help_text=_("In the site's time zone."))
    user = build_actor_field()
    scope_key = models.CharField(max_length=120, blank=True, default="")
    voice = models.ForeignKey(Voice, null=True, on_delete=models.SET_NULL, related_name="+")
    characters = models.PositiveBigIntegerField(default=0)
    audio_ms = models.PositiveBigIntegerField(default=0)
    engine_ms = models.PositiveBigIntegerField(default=0)
    made = models.PositiveIntegerField(default=0)
    reused = models.PositiveIntegerField(default=0)

    class Meta:
        verbose_name = _("usage day")
        verbose_name_plural = _("usage days")
        constraints = [
            models.UniqueConstraint(
                fields=["day", "user", "scope_key", "voice"],
                name="narration_usage_once",
            )
        ]

    def __str__(self) -> str:
        return f"{self.day} {self.scope_key}"
