"""The forms of voices and consents: settings as numbers, a cloned voice on one page."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.formats import number_format
from django.utils.translation import get_language, gettext
from django.utils.translation import gettext_lazy as _

from narration import api, conf
from narration.admin.choosing import (
    OfferingInput,
    build_scope_field,
    explain_languages,
    label_languages,
)
from narration.audio.uploads import EXTENSIONS, LIMITS
from narration.exceptions import NarrationError
from narration.models import Consent, Voice, VoiceKind
from narration.models.statements import CURRENT, STATEMENTS, get_statement
from narration.pipeline.references import MOST_RECORDINGS, explain_refusal
from narration.speaking import describe_engine
from narration.values import EngineFacts, SettingSpec
from narration.views.wording_forms import say_language

SETTING = "setting_"
#: How many languages of a voice its offer names.
MOST_TAGS = 4


def find_facts(alias: str) -> EngineFacts | None:
    """What an engine declares; None where it is not there (any more)."""
    try:
        return describe_engine(alias)
    except NarrationError:
        return None


def iter_cloning() -> Iterator[tuple[str, EngineFacts]]:
    """The engines that imitate voices, by alias."""
    for alias in conf.get_engines():
        facts = find_facts(alias)
        if facts is not None and facts.supports_cloning:
            yield alias, facts


def list_engine_voices(alias: str = "") -> list[tuple[str, str]]:
    """What an engine, or each of all, calls its voices, with how they are shown."""
    found = []
    for each in [alias] if alias else conf.get_engines():
        for voice in getattr(find_facts(each), "voices", ()):
            tags = ", ".join(voice.languages[:MOST_TAGS])
            tags += ", …" if len(voice.languages) > MOST_TAGS else ""
            found.append((voice.name, f"{voice.label or voice.name} · {each} ({tags})"))
    return found


class VoiceForm(forms.ModelForm):  # type: ignore[type-arg]
    """A voice with its engine's settings as numbers; only what differs from a default is stored."""

    specs: Mapping[str, SettingSpec] = {}
    #: Whose voices are offered; "" offers those of all engines.
    alias = ""

    class Meta:
        model = Voice
        exclude = ("settings", "profile")  # noqa: DJ006 - the admin names the rest

    def __init__(self, *args: Any, **kwargs: Any):
        super().__init__(*args, **kwargs)
        offers = {"engine": [(alias, alias) for alias in conf.get_engines()]}
        offers["engine_voice"] = list_engine_voices(self.alias)
        for name, values in offers.items():
            if name in self.fields:
                attrs = self.fields[name].widget.attrs
                self.fields[name].widget = OfferingInput(values, attrs)
        for key, spec in self.specs.items():
            value = self.instance.settings.get(key, spec.default)
            self.initial.setdefault(f"{SETTING}{key}", value)

    def clean(self) -> dict[str, Any]:
        """Collect the settings into the row, which then asks the engine about all of it."""
        values = super().clean() or self.cleaned_data
        chosen = {key: values.get(f"{SETTING}{key}") for key in self.specs}
        self.instance.settings = {
            key: value
            for key, value in chosen.items()
            if value is not None and value != self.specs[key].default
        }
        return values


def build_voice_form(alias: str) -> type[VoiceForm]:
    """The form of a voice of this engine."""
    facts = find_facts(alias) if alias else None
    specs = dict(facts.settings) if facts is not None else {}
    fields = {f"{SETTING}{key}": _build_field(key, spec) for key, spec in specs.items()}
    return type("VoiceOfEngineForm", (VoiceForm,), {**fields, "specs": specs, "alias": alias})


def _build_field(key: str, spec: SettingSpec) -> forms.Field:
    words = gettext("%(help)s From %(minimum)s to %(maximum)s; %(default)s is the default.")
    bounds = ("minimum", "maximum", "default")
    numbers = {name: number_format(f"{getattr(spec, name):g}") for name in bounds}
    facts: dict[str, Any] = {
        "label": gettext(spec.label) or key.replace("_", " ").capitalize(),
        "required": False,
        "help_text": words % {"help": gettext(spec.help), **numbers},
    }
    if spec.is_whole:
        lowest, highest = math.ceil(spec.minimum), math.floor(spec.maximum)
        return forms.IntegerField(min_value=lowest, max_value=highest, **facts)
    return forms.FloatField(
        min_value=spec.minimum,
        max_value=spec.maximum,
        widget=forms.NumberInput(attrs={"step": "any"}),
        **facts,
    )


class ConsentForm(forms.ModelForm):  # type: ignore[type-arg]
    """A person's word, as it was given: the statement that was shown, its scope, the evidence."""

    statement_language = forms.ChoiceField(
        label=_("Language of the statement"),
        choices=[(tag, say_language(tag)) for tag in STATEMENTS[CURRENT]],
        help_text=_("In which the person read it. Its words are kept with the consent."),
    )
    evidence_upload = forms.FileField(
        label=_("Evidence as a file"),
        required=False,
        help_text=_("A scan, a mail, a recording in which the statement is read out; 20 MB."),
    )

    class Meta:
        model = Consent
        fields = ("person", "scope", "scope_key", "evidence", "given_at", "expires_at")

    field_order: tuple[str, ...] = (
        "person",
        "statement_language",
        "scope",
        "scope_key",
        "given_at",
        "expires_at",
        "evidence",
        "evidence_upload",
    )

    def __init__(self, *args: Any, **kwargs: Any):
        super().__init__(*args, **kwargs)
        if "scope_key" in self.fields:
            self.fields["scope_key"] = build_scope_field(self.instance.scope_key)
        if "statement_language" in self.fields:
            is_portuguese = (get_language() or "").startswith("pt")
            self.initial.setdefault("statement_language", "pt-BR" if is_portuguese else "en")
            self.initial["given_at"] = self.initial.get("given_at") or timezone.now()

    def clean(self) -> dict[str, Any]:
        """Refuse what the database would refuse, by field."""
        values = super().clean() or self.cleaned_data
        if "statement_language" in values:
            self.instance.statement_version = CURRENT
            self.instance.statement = get_statement(values["statement_language"])
        if "evidence" in values and not (values["evidence"] or values.get("evidence_upload")):
            self.add_error("evidence", _("Give the evidence: a file, or where it is kept."))
        return values

    def clean_scope_key(self) -> str:
        """A course that is there."""
        scope_key: str = self.cleaned_data["scope_key"]
        if fault := api.explain_scope(scope_key):
            raise ValidationError(fault)
        return scope_key

    def clean_evidence_upload(self) -> Any:
        """Asked before it is read."""
        file = self.cleaned_data["evidence_upload"]
        if file and file.size > api.EVIDENCE_BYTES:
            raise ValidationError(_("The evidence is bigger than 20 MB."))
        return file

    def clean_given_at(self) -> Any:
        """Nobody has consented tomorrow."""
        given_at = self.cleaned_data["given_at"]
        if given_at > timezone.now():
            raise ValidationError(_("This is in the future."))
        return given_at

    def clean_expires_at(self) -> Any:
        """It may end sooner, never later."""
        wanted = self.cleaned_data["expires_at"]
        before = Consent.objects.filter(uid=self.instance.uid).values_list("expires_at", flat=True)
        old = before.first()
        if old is not None and (wanted is None or wanted > old):
            raise ValidationError(_("A consent is never extended: renew it with a new one."))
        if wanted and self.instance.given_at and wanted <= self.instance.given_at:
            raise ValidationError(_("It expires before it was given."))
        return wanted


class RenewForm(ConsentForm):
    """The same person's new word, with what was agreed to before as a proposal."""

    class Meta:
        model = Consent
        fields = ("scope", "scope_key", "evidence", "given_at", "expires_at")

    def __init__(self, old: Consent, *args: Any, **kwargs: Any):
        new = Consent(person=old.person, scope=old.scope, scope_key=old.scope_key)
        super().__init__(*args, instance=new, **kwargs)
        show_as_one_field(self, "given_at", "expires_at")


def show_as_one_field(form: forms.BaseForm, *names: str) -> None:
    """Moments in one field, as pages of our own show them."""
    for name in names:
        widget = forms.DateTimeInput({"type": "datetime-local"}, format="%Y-%m-%dT%H:%M")
        form.fields[name].widget = widget


class _ManyFilesInput(forms.ClearableFileInput):
    allow_multiple_selected = True


class ManyFilesField(forms.FileField):
    """One or more files."""

    def __init__(self, *args: Any, **kwargs: Any):
        attrs = {"accept": ",".join((*EXTENSIONS, "audio/*")), "data-recordings": ""}
        kwargs.setdefault("widget", _ManyFilesInput(attrs=attrs))
        super().__init__(*args, **kwargs)

    def clean(self, data: Any, initial: Any = None) -> list[Any]:
        """Each of them."""
        files = data if isinstance(data, list | tuple) else [data]
        cleaned = [super(ManyFilesField, self).clean(file, initial) for file in files]
        if len(cleaned) > MOST_RECORDINGS:
            words = _("A voice has at most %(count)d recordings.")
            raise ValidationError(words % {"count": MOST_RECORDINGS})
        for file in cleaned:
            if file.size > LIMITS.size:
                raise ValidationError(explain_refusal("upload_too_big"))
        return cleaned


class RecordingsForm(forms.Form):
    """Recordings of one person: files, or what was just recorded in the page."""

    recordings = ManyFilesField(
        label=_("Recordings"),
        help_text=_(
            "Ten to thirty seconds of one person who speaks calmly in a quiet room, without music: "
            "WAV, FLAC, MP3, OGG, M4A or WebM, each up to three minutes and 48 MB."
        ),
    )

    def read(self) -> list[tuple[str, bytes]]:
        """Names and contents."""
        return [(file.name, file.read()) for file in self.cleaned_data["recordings"]]


class CloneForm(ConsentForm):
    """A cloned voice on one page: whose it is, what they agreed to, what is imitated."""

    name = forms.CharField(
        label=_("Name of the voice"),
        max_length=100,
        help_text=_("What editors choose it by; learners read it beside the player."),
    )
    engine = forms.ChoiceField(label=_("engine"))
    languages = forms.MultipleChoiceField(
        label=_("languages"), widget=forms.CheckboxSelectMultiple, help_text=_("It is offered for.")
    )
    recordings = RecordingsForm.base_fields["recordings"]

    field_order = ("name", "engine", "languages", "recordings", *ConsentForm.field_order)

    def __init__(self, *args: Any, **kwargs: Any):
        super().__init__(*args, **kwargs)
        engines = dict(iter_cloning())
        choices: dict[str, list[Any]] = {
            "engine": [(alias, f"{alias} ({facts.name})") for alias, facts in engines.items()],
            "languages": label_languages(engines),
        }
        for name, options in choices.items():
            self.fields[name].choices = options  # type: ignore[attr-defined]
        show_as_one_field(self, "given_at", "expires_at")

    def clean_languages(self) -> list[str]:
        """Those that the chosen engine speaks."""
        chosen: list[str] = self.cleaned_data["languages"]
        alias = self.cleaned_data.get("engine", "")
        facts = find_facts(alias)
        if facts is not None and (fault := explain_languages(alias, facts, chosen)):
            raise ValidationError(fault)
        return chosen

    def clean_name(self) -> str:
        """Nobody else's."""
        name: str = self.cleaned_data["name"]
        if Voice.objects.filter(name=name).exists():
            raise ValidationError(_("There is a voice of this name already."))
        return name

    def build_voice(self) -> Voice:
        """The voice, not yet stored."""
        values = self.cleaned_data
        return Voice(
            name=values["name"],
            engine=values["engine"],
            languages=values["languages"],
            kind=VoiceKind.CLONED,
        )

    def read(self) -> list[tuple[str, bytes]]:
        """Names and contents of the recordings."""
        return [(file.name, file.read()) for file in self.cleaned_data["recordings"]]
