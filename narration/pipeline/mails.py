"""The e-mail that tells a requester how their narrations ended, all of them in one."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from typing import Any

from django.apps import apps
from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.mail import EmailMessage
from django.utils import translation
from django.utils.translation import gettext as _

from narration.pipeline.notices import (
    Notice,
    Told,
    give_back_mail,
    group_jobs,
    take_for_mail,
)

logger = logging.getLogger(__name__)

#: Attributes of a user, or of its profile, that may name the language of its pages.
LANGUAGE_ATTRIBUTES = ("language", "preferred_language", "locale")


def write_to_requester(user_id: Any) -> bool:
    """Send one mail about all that ended and was not yet written of; whether one was sent.

    Nothing while another of the requester's jobs waits or works. A mail that does not leave is
    logged; the next one tells of those jobs too, and their pages tell of them anyway.
    """
    user = get_user_model()._default_manager.filter(pk=user_id).first()  # noqa: SLF001
    if user is None or not find_address(user):
        return False
    jobs = take_for_mail(user)
    if not jobs:
        return False
    try:
        with translation.override(find_language(user)):
            _build_message(user, group_jobs(jobs)).send()
    except Exception:
        logger.exception("The mail about %d ended job(s) could not be sent.", len(jobs))
        give_back_mail(user, jobs)
        return False
    return True


def find_address(user: Any) -> str:
    """Where to write to; "" for accounts that are closed or gave no address."""
    return str(getattr(user, user.get_email_field_name(), "") or "") if user.is_active else ""


def find_language(user: Any) -> str:
    """The language a user chose, if their account says so and the site has it; else the site's."""
    known = {code.lower(): code for code, _name in settings.LANGUAGES}
    for owner in (user, getattr(user, "profile", None)):
        for name in LANGUAGE_ATTRIBUTES:
            code = str(getattr(owner, name, "") or "").replace("_", "-").lower()
            if code in known:
                return known[code]
    return settings.LANGUAGE_CODE


def build_address(path: str) -> str:
    """An absolute address where the host's source gives one or the site knows its name."""
    if not path.startswith("/") or not apps.is_installed("django.contrib.sites"):
        return path
    from django.contrib.sites.models import Site

    scheme = "https" if settings.SECURE_SSL_REDIRECT else "http"
    return f"{scheme}://{Site.objects.get_current().domain}{path}"


def _build_message(user: Any, notices: Sequence[Notice]) -> EmailMessage:
    subject = " ".join(" ".join(notice.text for notice in notices).split())
    name = user.get_short_name() or user.get_username()
    lines = [_("Hello %(name)s,") % {"name": name}, ""]
    for notice in notices:
        lines += _iter_lines(notice)
    lines.append(_("You get this message because you asked for these narrations."))
    return EmailMessage(_shorten(subject), "\n".join(lines), to=[find_address(user)])


def _iter_lines(notice: Notice) -> Iterator[str]:
    yield notice.text
    is_single = notice.count == 1
    for told in notice.named:
        yield from _iter_told(told, is_single=is_single)
    if notice.left:
        yield "- " + _("and %(count)d more") % {"count": notice.left}
    yield ""


def _iter_told(told: Told, *, is_single: bool) -> Iterator[str]:
    if not is_single:
        yield f"- {told.title}{': ' + told.reason if told.reason else ''}"
    if told.advice:
        yield told.advice if is_single else f"  {told.advice}"
    if told.url:
        address = build_address(told.url)
        yield address if is_single else f"  {address}"


def _shorten(subject: str) -> str:
    return subject if len(subject) <= 200 else f"{subject[:199]}…"
