"""Scopes as people meet them: whether one is there, what is wrong with a key, which are chosen."""

from __future__ import annotations

from django.apps import apps
from django.utils.translation import gettext as _

from narration.sources import INSTALLATION, find_scope_pk, get_scope_key, get_sources


def is_scope(scope_key: str) -> bool:
    """Whether it is the whole site or a scope that a source knows."""
    return scope_key == INSTALLATION or any(source.is_scope(scope_key) for source in get_sources())


def explain_scope(scope_key: str) -> str:
    """Why nothing can be said about this scope, in plain words; "" where it is one."""
    if is_scope(scope_key):
        return ""
    label, _separator, key = scope_key.partition(":")
    try:
        model = apps.get_model(label)
    except (LookupError, ValueError):
        model = None
    if model is None or not key:
        return _("A scope is empty or looks like courses.course:3.")
    found = find_scope_pk(model, scope_key)
    if found is None or not model._default_manager.filter(pk=found).exists():  # noqa: SLF001
        words = _("There is no such %(kind)s: %(key)s.")
        return words % {"kind": model._meta.verbose_name, "key": key}
    return _("Nothing that can be narrated belongs to %(scope)s.") % {"scope": scope_key}


def list_scopes(limit: int) -> list[tuple[str, str]]:
    """Keys and titles of the scopes that hosts offer, by title; no more than ``limit``."""
    found: dict[str, str] = {}
    for source in get_sources():
        for obj in source.get_scopes()[: max(0, limit - len(found))]:
            found[get_scope_key(obj)] = str(obj)
    return sorted(found.items(), key=lambda scope: (scope[1].casefold(), scope[0]))
