"""Fields that offer what may be chosen, as lists where they are short and by typing where not."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _

from narration import api
from narration.engines.base import has_language
from narration.values import EngineFacts
from narration.views.wording_forms import say_language

#: What a list shows at most; more are found by typing.
MOST_IN_LIST = 200
#: What is offered while somebody types.
MOST_OFFERED = 1000


class OfferingInput(forms.TextInput):
    """A line of text that offers values while it is typed, without a script."""

    def __init__(self, offers: Sequence[tuple[str, str]], attrs: Any = None):
        super().__init__(attrs)
        self.offers = offers

    def render(self, name: str, value: Any, attrs: Any = None, renderer: Any = None) -> SafeString:
        """The line, then what it offers."""
        key = f"offers_{name}"
        line = super().render(name, value, {**(attrs or {}), "list": key}, renderer)
        options = format_html_join(
            "", '<option value="{}">{}</option>', ((str(k), str(v)) for k, v in self.offers)
        )
        return format_html('{}<datalist id="{}">{}</datalist>', line, key, options)


class ScopeLine(forms.CharField):
    """A scope by its key, or by its whole title where only one has it."""

    def __init__(self, scopes: Sequence[tuple[str, str]], **kwargs: Any):
        super().__init__(max_length=120, widget=OfferingInput(scopes), **kwargs)
        self._scopes = scopes

    def clean(self, value: Any) -> str:
        """The key."""
        words = str(super().clean(value))
        keys = [key for key, title in self._scopes if title == words]
        return keys[0] if len(keys) == 1 else words


def build_scope_field(current: str = "") -> forms.Field:
    """Which course: a list while they are few, with ``current``; else a line that offers them."""
    scopes = api.list_scopes(MOST_OFFERED)
    facts: dict[str, Any] = {"label": capfirst(_("course")), "required": False}
    if len(scopes) > MOST_IN_LIST:
        words = _("For one course: begin to type its title, or give its key (courses.course:3).")
        return ScopeLine(scopes, help_text=words, **facts)
    choices = [("", "—"), *((key, f"{title} ({key})") for key, title in scopes)]
    if current and current not in dict(scopes):
        choices.append((current, current))
    words = _("For one course: which.")
    return _ScopeList(choices=choices, help_text=words, **facts)


class _ScopeList(forms.ChoiceField):
    def valid_value(self, value: str) -> bool:
        """Other scopes than those of the list are chosen by their key, where a script posts one."""
        return super().valid_value(value) or not api.explain_scope(value)

    def validate(self, value: Any) -> None:
        """Why not, in plain words."""
        if value and not self.valid_value(value):
            raise ValidationError(api.explain_scope(value))
        super().validate(value)


def label_languages(engines: Mapping[str, EngineFacts]) -> list[tuple[str, str]]:
    """Every language that one of these engines speaks, with who does where not all do."""
    tags = sorted({tag for facts in engines.values() for tag in facts.languages})
    return [(tag, _label(tag, engines)) for tag in tags]


def _label(tag: str, engines: Mapping[str, EngineFacts]) -> str:
    name = f"{say_language(tag)} ({tag})"
    who = [alias for alias, facts in engines.items() if has_language(facts.languages, tag)]
    return name if len(who) == len(engines) else f"{name} · {', '.join(who)}"


def explain_languages(alias: str, facts: EngineFacts, chosen: Iterable[str]) -> str:
    """Which of the chosen languages an engine does not speak, and which it does; "" if all."""
    wrong = [tag for tag in chosen if not has_language(facts.languages, tag)]
    if not wrong:
        return ""
    words = _("%(engine)s does not speak %(wrong)s. It speaks: %(languages)s.")
    told = {"engine": alias, "wrong": _list(wrong), "languages": _list(facts.languages)}
    return str(words % told)


def _list(tags: Iterable[str]) -> str:
    return ", ".join(f"{say_language(tag)} ({tag})" for tag in tags)
