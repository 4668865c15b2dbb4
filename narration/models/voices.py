"""Who speaks: voices, the recordings and consents behind them, the licences accepted."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NoReturn

from django.core.exceptions import ValidationError
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from narration import conf
from narration.engines.base import check_utterance, has_language
from narration.exceptions import (
    ConsentError,
    LicenceNotAccepted,
    NarrationError,
    NotAllowed,
    UnsupportedUtterance,
)
from narration.models.base import Row, build_actor_field, build_choices_check
from narration.models.consents import FAULTS, Consent
from narration.models.policies import require_names
from narration.speaking import describe_engine
from narration.values import CLONED_PREFIX, EngineFacts, Utterance

#: How many of an engine's voices a refusal names.
MOST_NAMED = 6


class VoiceKind(models.TextChoices):
    BUILTIN = "builtin", _("built in")
    CLONED = "cloned", _("cloned")
    HUMAN = "human", _("human recording")


#: What a cloned voice is called inside its engine is nobody's to choose: it is what it imitates.
IMITATES = models.Q(engine_voice__startswith=CLONED_PREFIX)
NO_ENGINES_OWN = _("An engine's own voice has no name that begins with '@': that is a person's.")


class VoiceQuerySet(models.QuerySet["Voice"]):
    def get_default(self, language: str) -> Voice:
        """The configured voice of a language ("pt-BR", then "pt"), made at its first use.

        ``UnsupportedUtterance`` when no voice is configured for it.
        """
        voices = conf.get_configuration().default_voices
        name = voices.get(language) or voices.get(language.split("-", maxsplit=1)[0])
        if name is None:
            raise UnsupportedUtterance(
                f"No voice speaks '{language}': add it to NARRATION['DEFAULT_VOICES'].",
                code="no_voice_for_language",
            )
        alias, _separator, engine_voice = name.partition(":")
        return self._get_builtin(alias, engine_voice, language)

    def find_speaking(self, language: str, engine: str) -> Voice | None:
        """A voice for a phrase in another language: the configured one, else ``engine``'s own."""
        try:
            return self.get_default(language)
        except UnsupportedUtterance:
            own = _find_engine_voice(engine, language)
            return self._get_builtin(engine, own, language) if own else None

    def needing_consent(self) -> VoiceQuerySet:
        """Those that are a person's, or like a person's, whatever they say they are."""
        return self.filter(~models.Q(kind=VoiceKind.BUILTIN) | IMITATES)

    def demand_consent(self, scope_chain: Sequence[str] | None, *, lock: bool = False) -> None:
        """``ConsentError`` unless every one of these may speak in these scopes now.

        The one place that says so; by the database's clock. None for ``scope_chain`` asks only
        whether the consents hold. With ``lock``, inside a transaction, they go on to hold until
        it is committed.
        """
        voices = self.needing_consent().order_by("pk")
        rows = list(voices.values_list("name", "kind", "consent"))
        if not rows:
            return
        consents = Consent.objects.filter(pk__in={row[-1] for row in rows}).order_by("pk")
        if lock:
            consents = consents.select_for_update()
        found = {consent.pk: consent for consent in consents.with_fault()}
        for name, kind, pk in rows:
            consent = None if kind == VoiceKind.BUILTIN else found.get(pk)
            if code := _find_fault(consent, scope_chain):
                raise ConsentError(f"{FAULTS[code]} ({name})", code=code)

    def _get_builtin(self, alias: str, engine_voice: str, language: str) -> Voice:
        if engine_voice.startswith(CLONED_PREFIX):
            raise UnsupportedUtterance(str(NO_ENGINES_OWN), code="unsupported_voice")
        identity = {"engine": alias, "engine_voice": engine_voice, "kind": VoiceKind.BUILTIN}
        voice = self.filter(**identity, retired_at=None).order_by("pk").first()
        if voice is None:
            label = _get_label(alias, engine_voice)
            voice, _created = self.get_or_create(
                name=label, defaults={**identity, "languages": [language]}
            )
        return voice


def _find_fault(consent: Any, scope_chain: Sequence[str] | None) -> str:
    if consent is None:
        return "consent_missing"
    if not consent.fault and scope_chain is not None and not consent.covers(scope_chain):
        return "consent_scope"
    return str(consent.fault)


def _find_engine_voice(alias: str, language: str) -> str:
    """The engine's first voice of this very language, else of its primary one, else ""."""
    primary = language.split("-", maxsplit=1)[0]
    voices = describe_engine(alias).voices
    for wanted in (language, primary):
        for voice in voices:
            if wanted in voice.languages:
                return voice.name
    return ""


def _get_label(alias: str, engine_voice: str) -> str:
    """What editors and learners call an engine's voice."""
    voices = {voice.name: voice.label for voice in describe_engine(alias).voices}
    return f"{voices.get(engine_voice) or engine_voice} · {alias}"


class Voice(Row):
    """Who speaks, by a name editors know. ``settings`` holds only what is not the default."""

    name = models.CharField(_("name"), max_length=100, unique=True)
    # A human's voice has no engine, a cloned one no name of the engine's own.
    engine = models.CharField(
        _("engine"), max_length=50, blank=True, help_text=_("Alias in the settings.")
    )
    engine_voice = models.CharField(_("engine voice"), max_length=100, blank=True)
    languages = models.JSONField(_("languages"), default=list, blank=True)
    settings = models.JSONField(_("settings"), default=dict, blank=True)
    profile = models.CharField(_("profile"), max_length=40, blank=True, default="")
    kind = models.CharField(_("kind"), max_length=10, choices=VoiceKind, default=VoiceKind.BUILTIN)
    consent = models.ForeignKey(
        Consent, null=True, blank=True, on_delete=models.PROTECT, verbose_name=_("consent")
    )
    version = models.PositiveIntegerField(_("version"), default=1, editable=False)
    retired_at = models.DateTimeField(_("retired at"), null=True, blank=True)

    objects = VoiceQuerySet.as_manager()

    class Meta:
        verbose_name = _("voice")
        verbose_name_plural = _("voices")
        ordering = ["name"]
        constraints = [
            build_choices_check("voice", "kind", VoiceKind),
            models.CheckConstraint(
                name="narration_voice_of_person_has_consent",
                condition=models.Q(kind="builtin") | models.Q(consent__isnull=False),
                violation_error_message=_("A voice of a person needs their consent."),
            ),
            models.CheckConstraint(
                name="narration_voice_has_speaker",
                condition=models.Q(kind="human")
                | (models.Q(kind="cloned") & ~models.Q(engine=""))
                | (~models.Q(engine="") & ~models.Q(engine_voice="")),
                violation_error_message=_("Say which engine speaks, and with which voice."),
            ),
            models.CheckConstraint(
                name="narration_voice_imitates_nobody_by_name",
                condition=models.Q(kind="cloned", engine_voice="")
                | (~models.Q(kind="cloned") & ~IMITATES),
                violation_error_message=NO_ENGINES_OWN,
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def needs_consent(self) -> bool:
        """Whether it is a person's, or like a person's: as ``VoiceQuerySet.needing_consent``."""
        return self.kind != VoiceKind.BUILTIN or self.engine_voice.startswith(CLONED_PREFIX)

    def clean(self) -> None:
        """Refuse in the form what the engine would refuse in the night.

        A voice that is retired speaks no more: its engine may be gone.
        """
        self.languages = [] if self.languages is None else self.languages
        self.settings = {} if self.settings is None else self.settings
        require_names("languages", self.languages)
        is_cloned = self.kind == VoiceKind.CLONED
        if self.engine_voice.startswith(CLONED_PREFIX) or (is_cloned and self.engine_voice):
            raise ValidationError({"engine_voice": NO_ENGINES_OWN})
        if self.retired_at or self.kind == VoiceKind.HUMAN:
            return
        speaker = f"{CLONED_PREFIX}{0:064x}" if is_cloned else self.engine_voice
        try:
            facts = describe_engine(self.engine)
            for language in self.languages or facts.languages[:1]:
                self._require_voice(facts, language)
                check_utterance(facts, Utterance("a", language, speaker, self.settings))
        except NarrationError as error:
            raise ValidationError(str(error)) from error

    def _require_voice(self, facts: EngineFacts, language: str) -> None:
        """``ValidationError`` naming those there are, where the engine has none of this name."""
        own = [each.name for each in facts.voices if has_language(each.languages, language)]
        is_spoken = has_language(facts.languages, language)
        if self.kind == VoiceKind.CLONED or self.engine_voice in own or not is_spoken:
            return
        told = {"engine": self.engine, "voice": self.engine_voice, "language": language}
        if not own:
            words = _("%(engine)s has no voices of its own for '%(language)s'.")
            raise ValidationError({"engine_voice": words % told})
        words = _("%(engine)s has no voice '%(voice)s' for '%(language)s'. It has: %(voices)s")
        left = ", …" if len(own) > MOST_NAMED else "."
        told["voices"] = ", ".join(own[:MOST_NAMED]) + left
        raise ValidationError({"engine_voice": words % told})

    def speaks(self, language: str) -> bool:
        """Whether its engine says this language in it; ``NarrationError`` where it is not there."""
        facts = describe_engine(self.engine)
        speaker = f"{CLONED_PREFIX}{0:064x}" if self.kind == VoiceKind.CLONED else self.engine_voice
        try:
            check_utterance(facts, Utterance("a", language, speaker, self.settings))
        except UnsupportedUtterance:
            return False
        return True

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Every change raises ``version``: request keys see it without comparing settings."""
        if self.pk is not None and kwargs.get("update_fields") is None:
            self.version += 1
        super().save(*args, **kwargs)


class ReferenceRecording(Row):
    """A sample that a cloning engine imitates: mono FLAC, levelled. ``sha256`` is that of the file.

    ``checks`` holds what was measured, and ``advice``: codes of what should be better.
    """

    voice = models.ForeignKey(Voice, on_delete=models.CASCADE, related_name="recordings")
    name = models.CharField(_("name"), max_length=200, blank=True, default="")
    file = models.CharField(max_length=200, unique=True)
    sha256 = models.CharField(max_length=64)
    size = models.PositiveIntegerField(default=0)
    duration_ms = models.PositiveIntegerField()
    checks = models.JSONField(default=dict, blank=True)
    added_at = models.DateTimeField(_("added at"), default=timezone.now, editable=False)
    added_by = build_actor_field()
    added_by_name = models.CharField(max_length=150, blank=True, default="")

    class Meta:
        verbose_name = _("reference recording")
        verbose_name_plural = _("reference recordings")
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(fields=["voice", "sha256"], name="narration_recording_once")
        ]

    def __str__(self) -> str:
        return f"{self.voice} ({self.duration_ms} ms)"


class VoiceLatents(Row):
    """What an engine computed once from a voice's recordings, kept by digest."""

    voice = models.ForeignKey(Voice, on_delete=models.CASCADE, related_name="latents")
    digest = models.CharField(max_length=64, unique=True)
    file = models.CharField(max_length=200, unique=True)
    sha256 = models.CharField(max_length=64, blank=True, default="")
    size = models.PositiveIntegerField(default=0)

    class Meta:
        verbose_name = _("voice latents")
        verbose_name_plural = _("voice latents")

    def __str__(self) -> str:
        return self.digest[:12]


class LicenceAcceptanceQuerySet(models.QuerySet["LicenceAcceptance"]):
    def find(self, engine: str, fingerprint: str, licence: str) -> LicenceAcceptance | None:
        """Who accepted this licence for this very model of an engine, by its own name."""
        return self.filter(engine=engine, model_fingerprint=fingerprint, licence=licence).first()

    def allows(self, facts: EngineFacts) -> bool:
        """Whether an engine with these facts may speak: without terms, or under accepted ones."""
        if facts.terms is None or not facts.terms.needs_acceptance:
            return True
        return self.find(facts.name, facts.model_fingerprint, facts.terms.licence) is not None

    def demand(self, facts: EngineFacts) -> None:
        """``LicenceNotAccepted`` unless an engine with these facts may speak."""
        if facts.terms is not None and not self.allows(facts):
            raise LicenceNotAccepted(
                f"The licence {facts.terms.licence} of {facts.name} is not accepted. Read it "
                f"({facts.terms.url}), then run `manage.py models accept {facts.name} --name "
                '"WHO"` or accept it in the admin under Models.'
            )

    def delete(self) -> NoReturn:
        """Never: who answers for what was spoken is not forgotten."""
        raise NotAllowed("Who accepted a licence is not forgotten.")


class LicenceAcceptance(Row):
    """Who accepted a model's licence; its engine stays off until someone has.

    ``engine`` is the engine's own name, ``name`` that of who answers for it.
    """

    engine = models.CharField(max_length=50)
    model_fingerprint = models.CharField(max_length=100)
    licence = models.CharField(max_length=100)
    name = models.CharField(max_length=200)
    user = build_actor_field()
    at = models.DateTimeField()

    objects = LicenceAcceptanceQuerySet.as_manager()

    class Meta:
        verbose_name = _("licence acceptance")
        verbose_name_plural = _("licence acceptances")
        constraints = [
            models.UniqueConstraint(
                fields=["engine", "model_fingerprint", "licence"], name="narration_licence_once"
            )
        ]

    def __str__(self) -> str:
        return f"{self.licence} ({self.name})"

    def delete(self, *args: Any, **kwargs: Any) -> NoReturn:
        """Never, as of many."""
        raise NotAllowed("Who accepted a licence is not forgotten.")
