"""Filters that put lengths and languages into people's words."""

from __future__ import annotations

from django import template
from django.db.models import Model
from django.utils.translation import get_language_info, gettext

from courses.models import Course
from narration.sources import get_scope_key

register = template.Library()


@register.filter
def sound_length(milliseconds: int | None) -> str:
    """``754000`` → ``12 min 34 s``; "" for nothing. A line never breaks inside it."""
    return _say_length(milliseconds).replace(" ", "\N{NO-BREAK SPACE}")


def _say_length(milliseconds: int | None) -> str:
    if not milliseconds:
        return ""
    minutes, seconds = divmod(round(milliseconds / 1000), 60)
    if not minutes:
        return gettext("%(seconds)d s") % {"seconds": seconds}
    if minutes >= 60:
        hours, minutes = divmod(minutes, 60)
        return gettext("%(hours)d h %(minutes)d min") % {"hours": hours, "minutes": minutes}
    return gettext("%(minutes)d min %(seconds)02d s") % {"minutes": minutes, "seconds": seconds}


@register.filter
def own_name(tag: str) -> str:
    """``pt-BR`` → ``Português brasileiro``: a language in its own words, the tag where unknown."""
    try:
        return str(get_language_info(tag.lower())["name_local"]).capitalize()
    except KeyError:
        return tag


@register.filter
def is_course(obj: object) -> bool:
    """Whether it is a course, among the objects that have a lexicon of their own."""
    return isinstance(obj, Course)


@register.filter
def scope_key(obj: Model) -> str:
    """The key of an object's own lexicon and rules."""
    return get_scope_key(obj)
