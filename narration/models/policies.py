"""How things are said, by scope: lexicon entries and speech policies."""

from __future__ import annotations

from typing import Any

from django.apps import apps
from django.core.exceptions import ValidationError
from django.db import models
from django.utils.translation import gettext_lazy as _

from narration.audio.gaps import build_gaps
from narration.exceptions import ConfigurationError, NarrationError
from narration.models.base import Row, build_actor_field, build_choices_check
from narration.speaking import describe_engine
from narration.text.policy import build_rules
from narration.values import Role


class CaseRule(models.TextChoices):
    EXACT = "exact", _("exact case")
    ANY = "any", _("any case")


class LexiconState(models.TextChoices):
    PROPOSED = "proposed", _("proposed")
    ACTIVE = "active", _("active")
    DISABLED = "disabled", _("disabled")


def validate_scope_key(value: str) -> None:
    """ "" or ``app.model:key`` of an object that is there or may come, in its one spelling."""
    label, separator, key = value.partition(":")
    try:
        field = apps.get_model(label)._meta.pk
        is_one = bool(separator) and str(field.to_python(key)) == key != ""
    except (LookupError, ValueError, ValidationError):
        is_one = False
    if value and not is_one:
        raise ValidationError(_("A scope is empty or looks like courses.course:3."))


class LexiconEntry(Row):
    """Grapheme → alias or phoneme, in the words of the W3C's PLS."""

    scope_key = models.CharField(
        _("scope"), max_length=120, blank=True, default="", validators=[validate_scope_key]
    )
    language = models.CharField(_("language"), max_length=35)
    grapheme = models.CharField(_("grapheme"), max_length=200)
    alias = models.CharField(_("alias"), max_length=400, blank=True, default="")
    phoneme = models.CharField(_("phoneme"), max_length=400, blank=True, default="")
    case_rule = models.CharField(_("case"), max_length=10, choices=CaseRule, default=CaseRule.EXACT)
    whole_words = models.BooleanField(_("whole words only"), default=True)
    engine = models.CharField(_("engine"), max_length=50, blank=True, default="")
    state = models.CharField(
        _("state"), max_length=10, choices=LexiconState, default=LexiconState.PROPOSED
    )
    updated_by = build_actor_field()
    updated_by_name = models.CharField(max_length=150, blank=True, default="")
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        verbose_name = _("lexicon entry")
        verbose_name_plural = _("lexicon entries")
        constraints = [
            models.UniqueConstraint(
                fields=["scope_key", "language", "grapheme", "case_rule", "engine"],
                name="narration_lexicon_once",
            ),
            models.CheckConstraint(
                name="narration_lexicon_says_one_thing",
                condition=~models.Q(grapheme="")
                & (
                    (models.Q(alias="") & ~models.Q(phoneme=""))
                    | (~models.Q(alias="") & models.Q(phoneme=""))
                ),
                violation_error_message=_("Give either an alias or a phoneme."),
            ),
            build_choices_check("lexicon", "case_rule", CaseRule),
            build_choices_check("lexicon", "state", LexiconState),
        ]

    def __str__(self) -> str:
        return f"{self.grapheme} → {self.alias or self.phoneme}"

    def clean(self) -> None:
        """Refuse what no engine would say; ``ValidationError`` by field."""
        self.grapheme = " ".join(self.grapheme.split())
        self.alias = " ".join(self.alias.split())
        self.phoneme = " ".join(self.phoneme.split())
        if not any(char.isalnum() for char in self.grapheme):
            raise ValidationError({"grapheme": _("Give a word or phrase with a letter or digit.")})
        if not (self.alias or self.phoneme):
            raise ValidationError({"alias": _("Say how it is to be said.")})
        if self.alias and self.phoneme:
            raise ValidationError({"alias": _("Give either an alias or a phoneme.")})
        if self.alias and not any(char.isalnum() for char in self.alias):
            raise ValidationError({"alias": _("There is nothing in this that can be spoken.")})
        if self.phoneme:
            self._check_phoneme()

    def _check_phoneme(self) -> None:
        if not self.engine:
            raise ValidationError({"engine": _("Phonemes are of one engine: say of which.")})
        if not _find_alphabet(self.engine):
            raise ValidationError({"phoneme": _("This engine takes no phonemes; give an alias.")})
        if set(self.phoneme) & set("[]"):
            raise ValidationError({"phoneme": _("Square brackets are no phonemes.")})


def _find_alphabet(engine: str) -> str:
    try:
        return describe_engine(engine).phoneme_alphabet
    except NarrationError as error:
        raise ValidationError({"engine": str(error)}) from error


def validate_casting(value: Any) -> None:
    """``{language: {role: voice name}}``, with known roles."""
    roles = {str(role) for role in Role}
    is_shaped = isinstance(value, dict) and all(
        isinstance(cast, dict) and all(isinstance(voice, str) for voice in cast.values())
        for cast in value.values()
    )
    if not is_shaped:
        raise ValidationError(_('A casting looks like {"en": {"body": "name of a voice"}}.'))
    unknown = sorted({role for cast in value.values() for role in cast} - roles)
    if unknown:
        raise ValidationError(_("Unknown roles: %(roles)s"), params={"roles": ", ".join(unknown)})


def validate_rules(value: Any) -> None:
    """``{rule: choice}`` as in ``narration.text.policy.CHOICES``."""
    _validate(value, build_rules, {"code": "announce"})


def validate_gaps(value: Any) -> None:
    """``{gap: milliseconds}`` as in ``narration.audio.gaps.Gaps``."""
    _validate(value, build_gaps, {"paragraph_ms": 650})


def require_names(field: str, value: Any) -> None:
    """``ValidationError`` at ``field`` unless it is a list of words."""
    if not isinstance(value, list) or not all(isinstance(name, str) and name for name in value):
        words = _("Give a list such as %(example)s.")
        raise ValidationError({field: ValidationError(words, params={"example": '["en"]'})})


#: What a scope may limit: characters spoken, narrations waiting or working.
QUOTAS = (
    "characters_a_day_per_user",
    "characters_a_day",
    "characters_a_run",
    "queued_jobs_per_user",
    "queued_jobs",
)


def validate_quotas(value: Any) -> None:
    """``{limit: whole number}`` with the limits of ``QUOTAS``."""
    example = {"characters_a_day": 200_000}
    is_known = isinstance(value, dict) and set(value) <= set(QUOTAS)
    if not is_known or not all(type(n) is int and n >= 0 for n in value.values()):
        raise ValidationError(
            _("Give an object such as %(example)s, with any of: %(names)s."),
            params={"example": example, "names": ", ".join(QUOTAS)},
        )


def _validate(value: Any, build: Any, example: Any) -> None:
    if not isinstance(value, dict):
        raise ValidationError(_("Give an object such as %(example)s."), params={"example": example})
    try:
        build(value)
    except (ConfigurationError, TypeError) as error:
        raise ValidationError(str(error)) from error


class SpeechPolicy(Row):
    """The rules of one scope; what it leaves out comes from the wider scope."""

    scope_key = models.CharField(
        _("scope"),
        max_length=120,
        blank=True,
        default="",
        unique=True,
        validators=[validate_scope_key],
    )
    casting = models.JSONField(
        _("casting"), default=dict, blank=True, validators=[validate_casting]
    )
    allowed_voices = models.JSONField(_("allowed voices"), default=list, blank=True)
    allowed_languages = models.JSONField(_("allowed languages"), default=list, blank=True)
    quotas = models.JSONField(_("quotas"), default=dict, blank=True, validators=[validate_quotas])
    gaps = models.JSONField(
        _("gaps in milliseconds"), default=dict, blank=True, validators=[validate_gaps]
    )
    rules = models.JSONField(
        _("rules for code, tables, footnotes"),
        default=dict,
        blank=True,
        validators=[validate_rules],
    )
    version = models.PositiveIntegerField(_("version"), default=1, editable=False)

    class Meta:
        verbose_name = _("speech policy")
        verbose_name_plural = _("speech policies")

    def __str__(self) -> str:
        return self.scope_key or "installation"

    def clean(self) -> None:
        """An emptied field says nothing: it is no null."""
        for name in ("casting", "quotas", "gaps", "rules"):
            if getattr(self, name) is None:
                setattr(self, name, {})
        for name in ("allowed_voices", "allowed_languages"):
            if getattr(self, name) is None:
                setattr(self, name, [])
            require_names(name, getattr(self, name))

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Every change raises ``version``: request keys read it instead of the rules."""
        if self.pk is not None and kwargs.get("update_fields") is None:
            self.version += 1
        super().save(*args, **kwargs)
