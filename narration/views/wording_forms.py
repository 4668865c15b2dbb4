"""What authors fill in about how things are said."""

from __future__ import annotations

from copy import copy
from typing import Any

from django import forms
from django.utils.translation import get_language_info
from django.utils.translation import gettext_lazy as _

from narration import api, conf
from narration.audio.gaps import DEFAULT_GAPS, Gaps
from narration.exceptions import NarrationError
from narration.models import LexiconEntry, SpeechPolicy, Voice, VoiceKind
from narration.speaking import describe_engine
from narration.text.policy import CHOICES
from narration.values import Role

#: Roles that voices are chosen for on the page; the data may name any.
CAST_ROLES = {
    Role.BODY: _("text"),
    Role.HEADING: _("headings"),
    Role.QUOTATION: _("quotations"),
    Role.CODE: _("code"),
    Role.FIGURE: _("figures"),
    Role.FOOTNOTE: _("footnotes"),
}
RULE_LABELS = {
    "code": _("Code blocks"),
    "tables": _("Tables"),
    "footnotes": _("Footnotes"),
    "citations": _("Citations"),
    "figures": _("Figures"),
    "numbers": _("Numbers of list items"),
    "callouts": _("Boxes without a heading"),
    "formulas": _("Formulas"),
}
CHOICE_LABELS = {
    ("code", "announce"): _("say that there is code"),
    ("code", "read"): _("read it line by line"),
    ("tables", "headers"): _("row by row, each cell behind its column's name"),
    ("tables", "cells"): _("row by row, cells only"),
    ("tables", "announce"): _("say that there is a table, its size and columns"),
    ("footnotes", "after"): _("behind the sentence they belong to"),
    ("footnotes", "end"): _("at the end"),
    ("citations", "read"): _("read author and year"),
    ("figures", "describe"): _("read what they show"),
    ("numbers", "read"): _("read them"),
    ("callouts", "announce"): _("name them: “Note:”"),
    ("callouts", "plain"): _("do not name them"),
    ("formulas", "read"): _("read them"),
    ("formulas", "announce"): _("only say “formula”"),
}
SKIP = _("leave out")
GAP_LABELS = {
    "sentence_ms": _("between sentences"),
    "list_item_ms": _("between list items"),
    "paragraph_ms": _("between paragraphs"),
    "heading_before_ms": _("before a heading"),
    "heading_after_ms": _("after a heading"),
    "ends_ms": _("at both ends"),
}


CHANGED = _("Somebody changed this meanwhile. Look at it again.")


class EntryForm(forms.ModelForm):  # type: ignore[type-arg]
    """One lexicon entry; ``seen`` is the state of the row that the page showed."""

    seen = forms.CharField(required=False, widget=forms.HiddenInput)

    class Meta:
        model = LexiconEntry
        fields = (
            "grapheme", "alias", "language", "case_rule", "whole_words", "state",
            "phoneme", "engine",
        )  # fmt: skip
        labels = {
            "grapheme": _("Written"),
            "alias": _("Say"),
            "case_rule": _("Capitals"),
            "whole_words": _("Whole words only"),
            "phoneme": _("Or phonemes"),
            "engine": _("For this engine only"),
        }
        help_texts = {
            "grapheme": _("The word or phrase as it stands in the text."),
            "alias": _("In ordinary letters, as you would explain it to a reader."),
            "state": _("A proposed or disabled entry changes nothing."),
            "phoneme": _("In the alphabet of the engine, for what letters cannot say."),
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.label_suffix = ""
        # The model refuses an empty word itself, and once is enough.
        self.fields["grapheme"].required = False
        self.fields["grapheme"].widget.attrs["required"] = True
        #: The row as it is now; the form changes ``instance``.
        self.before = LexiconEntry.objects.filter(pk=self.instance.pk).first()
        languages = conf.get_configuration().default_voices
        own = self.instance.language
        self.fields["language"] = forms.ChoiceField(
            label=_("Language"),
            choices=[(tag, say_language(tag)) for tag in sorted({*languages, own} - {""})],
        )
        engines = list(_iter_phoneme_engines())
        self.fields["engine"] = forms.ChoiceField(
            label=_("For this engine only"),
            choices=[("", _("every engine")), *((name, name) for name in engines)],
            required=False,
        )
        if not engines:
            del self.fields["phoneme"], self.fields["engine"]
        if self.instance.pk and not self.is_bound:
            self.initial["seen"] = self.instance.updated_at.isoformat()

    def clean(self) -> dict[str, Any]:
        """Refuse words that changed under the reader."""
        cleaned = super().clean() or self.cleaned_data
        if self.instance.pk and self._has_changed_meanwhile(cleaned.get("seen", "")):
            self.add_error(None, CHANGED)
        return cleaned

    def _post_clean(self) -> None:
        """Refuse a second entry for the same word, once the model has said what it refuses.

        A field refused any sooner is no longer copied to the row: the model would miss the word.
        """
        super()._post_clean()  # type: ignore[misc]
        row = self.instance
        same = LexiconEntry.objects.filter(
            scope_key=row.scope_key,
            language=row.language,
            grapheme=row.grapheme,
            case_rule=row.case_rule,
            engine=row.engine,
        ).exclude(pk=row.pk)
        if "grapheme" not in self.errors and same.exists():
            self.add_error("grapheme", _("There is an entry for this word already."))

    def _has_changed_meanwhile(self, seen: str) -> bool:
        row = self.before
        return row is None or (bool(seen) and row.updated_at.isoformat() != seen)


class PolicyForm(forms.Form):
    """Rules, gaps and voices of a scope; what is left empty comes from the wider scope.

    ``seen`` is the version of the policy that the page showed.
    """

    seen = forms.IntegerField(required=False, widget=forms.HiddenInput)

    def __init__(self, *args: Any, policy: SpeechPolicy, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.label_suffix = ""
        self.policy = policy
        self.initial["seen"] = policy.version if policy.pk else 0
        for name, choices in CHOICES.items():
            self.fields[f"rule_{name}"] = forms.ChoiceField(
                label=RULE_LABELS[name],
                required=False,
                initial=policy.rules.get(name, ""),
                choices=[("", _("as everywhere")), *_label_choices(name, choices)],
            )
        for name, label in GAP_LABELS.items():
            self.fields[f"gap_{name}"] = forms.IntegerField(
                label=label,
                required=False,
                min_value=0,
                max_value=60_000,
                initial=policy.gaps.get(name),
                widget=forms.NumberInput(attrs={"placeholder": _get_default(name), "step": 50}),
            )
        chain = api.get_scope_chain(policy.scope_key)
        faults = api.find_silent_voices(policy)
        voices = api.list_castable_voices(chain)
        for language in conf.get_configuration().default_voices:
            names = [voice.name for voice in voices if _speaks(voice, language)]
            for role in CAST_ROLES:
                chosen = policy.casting.get(language, {}).get(role, "")
                field = _build_cast_field(role, chosen, names, faults.get(chosen, ""))
                self.fields[f"cast_{language}_{role}"] = field

    def clean(self) -> dict[str, Any]:
        """Refuse what was filled in on rules that somebody changed since."""
        cleaned = super().clean() or self.cleaned_data
        seen = cleaned.get("seen")
        if seen is not None and seen != (self.policy.version if self.policy.pk else 0):
            self.add_error(None, CHANGED)
        return cleaned

    def build_policy(self) -> SpeechPolicy:
        """The policy as the form has it; roles and languages the page does not show are kept."""
        data = self.cleaned_data
        policy = copy(self.policy)
        policy.rules = {name: data[f"rule_{name}"] for name in CHOICES if data[f"rule_{name}"]}
        policy.gaps = {
            name: data[f"gap_{name}"] for name in GAP_LABELS if data[f"gap_{name}"] is not None
        }
        casting = {language: dict(cast) for language, cast in policy.casting.items()}
        for name in [name for name in self.fields if name.startswith("cast_")]:
            _prefix, language, role = name.split("_", 2)
            cast = casting.setdefault(language, {})
            cast[role] = data[name]
        policy.casting = {
            language: kept
            for language, cast in casting.items()
            if (kept := {role: voice for role, voice in cast.items() if voice})
        }
        return policy

    @property
    def rule_fields(self) -> list[Any]:
        """The fields of the rules."""
        return [self[name] for name in self.fields if name.startswith("rule_")]

    @property
    def gap_fields(self) -> list[Any]:
        """The fields of the gaps."""
        return [self[name] for name in self.fields if name.startswith("gap_")]

    @property
    def cast_fields(self) -> list[tuple[str, list[Any]]]:
        """The fields of the voices, by language."""
        return [
            (language, [self[f"cast_{language}_{role}"] for role in CAST_ROLES])
            for language in conf.get_configuration().default_voices
        ]


def _label_choices(rule: str, choices: Any) -> list[tuple[str, Any]]:
    return [(choice, CHOICE_LABELS.get((rule, choice), SKIP)) for choice in choices]


def _get_default(gap: str) -> str:
    assert gap in Gaps.__slots__  # noqa: S101 - the table above names the fields of Gaps
    return str(getattr(DEFAULT_GAPS, gap))


def _build_cast_field(role: Role, chosen: str, names: list[str], fault: str) -> forms.ChoiceField:
    """With ``fault``, the voice that was chosen may not speak any more, and says so."""
    offered = sorted({*names, chosen} - {""})
    labels = {chosen: f"{chosen}: {fault}"} if fault else {}
    return forms.ChoiceField(
        label=CAST_ROLES[role],
        required=False,
        initial=chosen,
        choices=[
            ("", _("as everywhere")),
            *((name, labels.get(name, name)) for name in offered),
        ],
    )


def _speaks(voice: Voice, language: str) -> bool:
    try:
        facts = describe_engine(voice.engine)
    except NarrationError:
        return False
    if voice.kind == VoiceKind.CLONED:
        return facts.supports_cloning and language in (voice.languages or facts.languages)
    voices = facts.voices
    return any(each.name == voice.engine_voice and language in each.languages for each in voices)


def say_language(tag: str) -> str:
    """A language's own name: "Português brasileiro"."""
    try:
        return str(get_language_info(tag.lower())["name_local"]).capitalize()
    except KeyError:
        return tag


def _iter_phoneme_engines() -> Any:
    for alias in conf.get_configuration().engines:
        try:
            if describe_engine(alias).phoneme_alphabet:
                yield alias
        except NarrationError:
            continue
