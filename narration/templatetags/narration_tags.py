"""``{% load narration_tags %}``: the player, the author's panel, the state of a narration."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from itertools import groupby
from typing import Any
from urllib.parse import urlencode

from django import template
from django.db.models import Model
from django.urls import reverse
from django.utils import translation
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from narration import api
from narration.exceptions import NarrationNotFound, NotAllowed, SourceError
from narration.permissions import can
from narration.sources import get_source
from narration.views.panel import build_names, build_panel

register = template.Library()

#: The attribute of the element that tells listeners whose voice they hear.
TOLD = "data-synthetic-voice"

#: Rules of normalization as authors know them.
RULE_NAMES = {
    "": gettext_lazy("as written"),
    "author": gettext_lazy("given in the text"),
    "override": gettext_lazy("decided for this sentence"),
    "address": gettext_lazy("address or name from code"),
    "date": gettext_lazy("date"),
    "telephone": gettext_lazy("telephone number"),
    "chemistry": gettext_lazy("chemical formula"),
    "quantity": gettext_lazy("quantity"),
    "Roman numeral": gettext_lazy("Roman numeral"),
    "formula": gettext_lazy("formula"),
    "number": gettext_lazy("number"),
    "acronym": gettext_lazy("acronym"),
    "symbol": gettext_lazy("symbol"),
    "abbreviation": gettext_lazy("abbreviation"),
    "time": gettext_lazy("time of day"),
}


@register.filter
def rule_name(rule: str) -> str:
    """A rule of normalization in the reader's language."""
    return str(RULE_NAMES.get(rule, rule))


@register.simple_tag
def query_string(grapheme: str, language: str) -> str:
    """What opens a new lexicon entry with a word filled in."""
    return urlencode({"grapheme": grapheme, "language": language})


@register.simple_tag(takes_context=True)
def narration_player(
    context: template.Context, obj: Model, language: str, *, draft: bool = False, scope: str = ""
) -> SafeString:
    """The learner's player of an object; nothing where this user has nothing to hear.

    ``scope`` is a CSS selector of the element that holds the text, "" for the whole page.
    ``draft`` plays what is not published yet, to who may narrate. Where a voice obliges to it,
    listeners are told that it is synthetic, whatever a host made of the template.
    """
    names = _build_player(context["request"].user, obj, language, draft=draft, scope=scope)
    assert context.template is not None  # noqa: S101 - a tag is rendered by one
    page = context.template.engine.get_template("narration/player.html")
    html: SafeString = page.render(context.new(names))
    must_tell = names.get("manifest", {}).get("must_tell_listeners", False)
    return html + _build_notice(names["voices"]) if must_tell else html


def _build_notice(voices: str) -> SafeString:
    """Beside the template and not in it: no template of a host's can leave it out."""
    words = _("Read by a synthetic voice: %(voices)s") % {"voices": voices}
    return format_html('<p class="nr-player__synthetic" {}>{}</p>', TOLD, words)


def _build_player(
    user: Any, obj: Model, language: str, *, draft: bool, scope: str
) -> dict[str, Any]:
    try:
        manifest = api.get_manifest(obj, language=language, user=user, draft=draft)
    except (NarrationNotFound, NotAllowed, SourceError):
        return {}
    names = build_names(obj, language)
    del names["object"]
    url = reverse("narration:manifest", kwargs=names)
    return {
        "manifest": manifest,
        "manifest_url": f"{url}?draft=1" if draft else url,
        "title": get_source(obj).get_title(obj, language),
        "voices": ", ".join(dict.fromkeys(voice["name"] for voice in manifest["voices"])),
        "transcript": build_transcript(manifest["segments"]),
        "language": language,
        "scope": scope,
        "draft": draft,
    }


@register.inclusion_tag("narration/panel.html", takes_context=True)
def narration_panel(context: template.Context, obj: Model, language: str) -> dict[str, Any]:
    """The author's panel of an object; nothing for who may not narrate it."""
    user = context["request"].user
    if not can(user, "narrate", obj):
        return {}
    return {**build_panel(obj, language, user), "csrf_token": context.get("csrf_token")}


@register.inclusion_tag("narration/notices.html", takes_context=True)
def narration_notices(context: template.Context) -> dict[str, Any]:
    """How the narrations this user asked for have ended, until they dismiss it.

    One query where there is nothing to tell; pages without a request or a user show nothing.
    """
    request = context.get("request")
    notices = api.list_notices(getattr(request, "user", None))
    return {"notices": notices, "csrf_token": context.get("csrf_token"), "request": request}


@register.inclusion_tag("narration/state.html")
def narration_state(obj: Model, language: str, *, state: Any = None) -> dict[str, Any]:
    """The badge of a narration's state. In lists give ``state`` from ``api.states_for``."""
    return {"state": state or api.state_of(obj, language=language)}


def build_transcript(segments: Iterable[dict[str, Any]]) -> list[dict[str, str]]:
    """The sentences of a manifest joined to passages ``{role, text}``, in reading order."""
    passages = groupby(segments, key=lambda each: (each["anchor"].rpartition("-")[0], each["role"]))
    return [
        {"role": role, "text": " ".join(each["text"] for each in sentences)}
        for (_anchor, role), sentences in passages
    ]


@register.filter
def duration(milliseconds: int) -> str:
    """65 000 → "1 min 5 s"."""
    minutes, seconds = divmod(round(milliseconds / 1000), 60)
    if not minutes:
        return _("%(seconds)d s") % {"seconds": seconds}
    return _("%(minutes)d min %(seconds)d s") % {"minutes": minutes, "seconds": seconds}


@register.filter
def language_name(tag: str) -> str:
    """A language in the reader's language; the tag itself where Django knows no name.

    Portuguese writes names of languages small: Django's "Português Brasileiro" begins our lines,
    so that its first word alone is capitalised, as where a language names itself.
    """
    for code in (tag.lower(), tag.lower().partition("-")[0]):
        try:
            name = str(translation.get_language_info(code)["name_translated"])
        except KeyError:
            continue
        is_small = (translation.get_language() or "").startswith("pt")
        return name.capitalize() if is_small else name
    return tag


@register.filter
def is_spoken_otherwise(segment: Any) -> bool:
    """Whether a sentence is spoken in other words than it is written in."""
    return bool(_fold(segment.display_text) != _fold(segment.spoken_text))


@register.filter
def mark_spoken(segment: Any) -> SafeString:
    """The spoken form as HTML, with what differs from the written form in ``<mark>``."""
    written, spoken = segment.display_text.split(), segment.spoken_text.split()
    matcher = difflib.SequenceMatcher(None, written, spoken, autojunk=False)
    parts = []
    for kind, _from, _to, start, end in matcher.get_opcodes():
        words = " ".join(spoken[start:end])
        if words:
            parts.append(format_html("{}" if kind == "equal" else "<mark>{}</mark>", words))
    return mark_safe(" ".join(parts))  # noqa: S308  every part went through format_html


def _fold(text: str) -> str:
    return " ".join(text.split())
