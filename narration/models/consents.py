"""Consent: a person's word that a voice may be theirs, or like theirs. It is a fact, and ends."""

from __future__ import annotations

from collections.abc import Sequence

from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Case, Q, Value, When
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from narration.models.base import Row, build_actor_field, build_choices_check
from narration.models.policies import validate_scope_key


class ConsentScope(models.TextChoices):
    COURSE = "course", _("one course")
    INSTALLATION = "installation", _("everything on this site")


#: Why somebody may not speak, in plain words; the keys are for programs.
FAULTS = {
    "consent_missing": _("Nobody has consented to this voice."),
    "consent_revoked": _("The person took back their consent to this voice."),
    "consent_expired": _("The consent to this voice has expired."),
    "consent_scope": _("The consent to this voice is for another course."),
}


class ConsentQuerySet(models.QuerySet["Consent"]):
    def live(self) -> ConsentQuerySet:
        """Those that hold now, by the database's clock."""
        is_lasting = Q(expires_at=None) | Q(expires_at__gt=Now())
        return self.filter(is_lasting, ended_at=None, revoked_at=None)

    def with_fault(self) -> ConsentQuerySet:
        """With ``fault``: a code of ``FAULTS`` wherever they may be used, "" while they hold."""
        is_over = Q(ended_at__isnull=False) | Q(expires_at__lte=Now())
        return self.annotate(
            fault=Case(
                When(revoked_at__isnull=False, then=Value("consent_revoked")),
                When(is_over, then=Value("consent_expired")),
                default=Value(""),
            )
        )

    def due_to_end(self) -> ConsentQuerySet:
        """Those that have expired, and nobody has noticed yet."""
        return self.filter(ended_at=None, expires_at__lte=Now())

    def family(self, consent: Consent) -> ConsentQuerySet:
        """It, what it renews and what renews it: one person's word about the same voices."""
        rows, known, layer = Consent.objects, {consent.pk}, {consent.pk}
        while layer:
            older = rows.filter(renewals__in=layer).values_list("pk", flat=True)
            newer = rows.filter(renews__in=layer).values_list("pk", flat=True)
            layer = {*older, *newer} - known
            known |= layer
        return self.filter(pk__in=known)

    def unsettled(self) -> ConsentQuerySet:
        """Those that have ended while something of theirs may still be there."""
        return self.filter(ended_at__isnull=False, settled_at=None)


class Consent(Row):
    """What a person agreed to, as it was shown to them.

    ``ended_at`` is when its end was put into effect, ``settled_at`` when all that was made with
    it was deleted. ``renews`` is the same person's earlier word, whose voices speak by this one
    since. What it says never changes, and it ends once: the database holds both, see
    ``narration.models.triggers``.
    """

    person = models.CharField(_("person"), max_length=200)
    renews = models.ForeignKey(
        "self",
        null=True,
        blank=True,
        editable=False,
        on_delete=models.PROTECT,
        related_name="renewals",
        verbose_name=_("renews"),
    )
    statement_version = models.CharField(_("statement version"), max_length=40)
    statement = models.TextField(_("statement"), blank=True, default="")
    scope = models.CharField(
        _("scope"), max_length=20, choices=ConsentScope, default=ConsentScope.INSTALLATION
    )
    scope_key = models.CharField(
        _("course"),
        max_length=120,
        blank=True,
        default="",
        validators=[validate_scope_key],
        help_text=_("For one course: its key, such as courses.course:3."),
    )
    evidence = models.TextField(
        _("evidence"),
        blank=True,
        default="",
        help_text=_("How it was given: a letter, a message, a recording, and where it is kept."),
    )
    evidence_file = models.CharField(max_length=200, blank=True, default="")
    evidence_name = models.CharField(_("evidence"), max_length=200, blank=True, default="")
    evidence_sha256 = models.CharField(max_length=64, blank=True, default="")
    evidence_size = models.PositiveIntegerField(default=0)
    given_at = models.DateTimeField(_("given at"))
    expires_at = models.DateTimeField(
        _("expires at"), null=True, blank=True, help_text=_("It may be shortened, never extended.")
    )
    recorded_by = build_actor_field()
    recorded_by_name = models.CharField(
        _("recorded by"), max_length=150, blank=True, default="", editable=False
    )
    revoked_at = models.DateTimeField(_("revoked at"), null=True, blank=True)
    revoked_by = build_actor_field()
    revoked_by_name = models.CharField(
        _("revoked by"), max_length=150, blank=True, default="", editable=False
    )
    revoked_reason = models.CharField(_("reason"), max_length=200, blank=True, default="")
    ended_at = models.DateTimeField(_("ended at"), null=True, blank=True)
    settled_at = models.DateTimeField(_("all deleted at"), null=True, blank=True)

    objects = ConsentQuerySet.as_manager()

    class Meta:
        verbose_name = _("consent")
        verbose_name_plural = _("consents")
        ordering = ["-pk"]
        constraints = [
            build_choices_check("consent", "scope", ConsentScope),
            # Those of before this was asked have ended; see the migration.
            models.CheckConstraint(
                name="narration_consent_scope_is_named",
                condition=Q(ended_at__isnull=False)
                | Q(scope="installation", scope_key="")
                | (Q(scope="course") & ~Q(scope_key="")),
                violation_error_message=_("Name the course, or consent to everything."),
            ),
            models.CheckConstraint(
                name="narration_consent_has_evidence",
                condition=Q(ended_at__isnull=False)
                | (~Q(person="") & ~Q(statement="") & (~Q(evidence="") | ~Q(evidence_file=""))),
                violation_error_message=_("Give the evidence: a file, or where it is kept."),
            ),
            models.CheckConstraint(
                name="narration_consent_begins_before_it_ends",
                condition=Q(expires_at=None) | Q(expires_at__gt=models.F("given_at")),
                violation_error_message=_("It expires before it was given."),
            ),
            models.CheckConstraint(
                name="narration_consent_revoked_has_ended",
                condition=Q(revoked_at=None) | Q(ended_at__isnull=False),
            ),
            models.CheckConstraint(
                name="narration_consent_settled_has_ended",
                condition=Q(settled_at=None) | Q(ended_at__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return self.person

    def clean(self) -> None:
        """Refuse in the form what the database would refuse."""
        if (self.scope == ConsentScope.COURSE) != bool(self.scope_key):
            raise ValidationError({"scope_key": _("Name the course, or consent to everything.")})

    def covers(self, scope_chain: Sequence[str]) -> bool:
        """Whether it was given for a text in these scopes."""
        return self.scope == ConsentScope.INSTALLATION or self.scope_key in scope_chain
