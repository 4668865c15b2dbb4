"""What every table of the app shares."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.db import models
from django.utils.text import slugify
from django.utils.translation import get_language_info


class Row(models.Model):
    """Bigint primary key, ``uid`` as the only public id."""

    uid = models.UUIDField(unique=True, default=uuid.uuid4, editable=False)

    class Meta:
        abstract = True


def is_staff_with(user: Any, permission: str) -> bool:
    """Whether ``user`` runs the site with this permission (``courses.view_course`` …)."""
    return bool(user.is_staff and user.has_perm(permission))


def get_text_languages() -> list[tuple[str, str]]:
    """The languages a text may be written in: (BCP 47 tag, the language's own name)."""
    return [
        (to_language_tag(code), get_language_info(code)["name_local"].capitalize())
        for code, _name in settings.LANGUAGES
    ]


def to_language_tag(code: str) -> str:
    """Django's ``pt-br`` as BCP 47 writes it: ``pt-BR``."""
    language, _hyphen, region = code.partition("-")
    return f"{language}-{region.upper()}" if region else language


def build_slug(title: str, is_taken: Callable[[str], bool], fallback: str) -> str:
    """A slug for ``title`` that is free; ``fallback`` where the title has no usable letter."""
    stem = slugify(title)[:60].strip("-") or fallback
    number, slug = 1, stem
    while is_taken(slug):
        number += 1
        slug = f"{stem}-{number}"
    return slug
