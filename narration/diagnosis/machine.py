"""This machine and the site's settings: versions, codecs, checks, space, letters."""

from __future__ import annotations

import platform
import shutil
import smtplib
from collections.abc import Iterator
from pathlib import Path

import av
import django
from django.conf import settings
from django.core import checks, mail
from django.utils.translation import gettext as _

import narration
from narration import conf
from narration.diagnosis.findings import Finding, State
from narration.diagnosis.health import probe_storage
from narration.storage import get_storage

#: What sound is written with: renditions, then the two formats of a track.
ENCODERS = ("flac", "libmp3lame", "libopus")
#: Backends that write to nobody.
MUTE_BACKENDS = ("console", "dummy", "filebased", "locmem")
GIGABYTE = 1_000_000_000


def check_environment() -> Iterator[Finding]:
    """Versions, and whether the libraries inside PyAV can write our formats."""
    title = _("Environment")
    missing = [name for name in ENCODERS if not _has_encoder(name)]
    versions = {
        "narration": narration.__version__,
        "python": platform.python_version(),
        "django": django.get_version(),
        "pyav": av.__version__,
        "ffmpeg": str(getattr(av, "ffmpeg_version_info", "")),
        "system": platform.platform(terse=True),
    }
    words = ", ".join(f"{name} {version}" for name, version in versions.items() if version)
    if missing:
        fault = _("PyAV cannot write %(formats)s here.") % {"formats": ", ".join(missing)}
        advice = _("Install the wheel of PyAV from PyPI, which brings its own FFmpeg.")
        yield Finding("environment", title, State.BROKEN, fault, advice, versions)
    else:
        yield Finding("environment", title, State.OK, words, facts=versions)


def check_settings() -> Iterator[Finding]:
    """What ``manage.py check --tag narration --deploy`` says, message by message."""
    title = _("Settings")
    messages = checks.run_checks(tags=["narration"], include_deployment_checks=True)
    for message in messages:
        state = State.BROKEN if message.is_serious() else State.WARNING
        facts = {"id": message.id}
        yield Finding("settings", title, state, str(message.msg), str(message.hint or ""), facts)
    if not messages:
        yield Finding("settings", title, State.OK, _("The system checks find no fault."))


def check_storage() -> Iterator[Finding]:
    """Whether the storage keeps what it is given."""
    title = _("Storage")
    probe_storage()
    backend = type(get_storage())
    words = _("A file was written, read and deleted (%(backend)s).") % {"backend": backend.__name__}
    facts = {"backend": f"{backend.__module__}.{backend.__qualname__}"}
    yield Finding("storage", title, State.OK, words, facts=facts)


def check_disk() -> Iterator[Finding]:
    """Whether there is room for more sound."""
    title = _("Disk")
    folder = _find_folder()
    if folder is None:
        words = _("The storage is not a folder of this machine: its room is not known.")
        yield Finding("disk", title, State.OK, words)
        return
    free, floor = shutil.disk_usage(folder).free, conf.get_configuration().min_free_bytes
    facts = {"free_bytes": free, "min_free_bytes": floor}
    words = _("%(free).1f GB are free; below %(floor).1f GB nothing new is spoken.") % {
        "free": free / GIGABYTE,
        "floor": floor / GIGABYTE,
    }
    advice = _("Make room, or set NARRATION['MAX_RENDITION_BYTES'] so that unused sound goes.")
    if free < floor:
        yield Finding("disk", title, State.BROKEN, words, advice, facts)
    elif free < 2 * floor:
        yield Finding("disk", title, State.WARNING, words, advice, facts)
    else:
        yield Finding("disk", title, State.OK, words, facts=facts)


def check_email() -> Iterator[Finding]:
    """Whether who asked can be written to, where that is wished."""
    title = _("E-mail")
    if not conf.get_configuration().email_when_done:
        yield Finding("email", title, State.OK, _("Nobody is written to: EMAIL_WHEN_DONE is off."))
        return
    facts = {"backend": settings.EMAIL_BACKEND, "from": settings.DEFAULT_FROM_EMAIL}
    if any(f".{name}." in settings.EMAIL_BACKEND for name in MUTE_BACKENDS):
        words = _("EMAIL_WHEN_DONE is on, but %(backend)s sends nothing.") % facts
        advice = _("Set EMAIL_BACKEND and EMAIL_HOST, or turn EMAIL_WHEN_DONE off.")
        yield Finding("email", title, State.WARNING, words, advice, facts)
        return
    try:
        with mail.get_connection(timeout=5):
            pass
    except (OSError, smtplib.SMTPException) as error:
        words = _("The mail server does not take our letters: %(error)s.")
        words %= {"error": type(error).__name__}
        advice = _("Correct EMAIL_HOST, its port, user and password, or turn EMAIL_WHEN_DONE off.")
        yield Finding("email", title, State.BROKEN, words, advice, facts)
        return
    yield Finding("email", title, State.OK, _("The mail server answers."), facts=facts)


def check_signing_key() -> Iterator[Finding]:
    """Which key names media; how strong it is belongs to the system checks."""
    title = _("Signing key")
    given = conf.get_raw()["SIGNING_KEY"]
    words = (
        _("Media are named with a key of their own (SIGNING_KEY).")
        if given
        else _("Media are named with SECRET_KEY; rotating it renames what is made afterwards.")
    )
    yield Finding("signing_key", title, State.OK, words, facts={"is_own": bool(given)})


def _has_encoder(name: str) -> bool:
    try:
        av.Codec(name, "w")
    except ValueError:
        return False
    return True


def _find_folder() -> Path | None:
    """The storage's folder, or the nearest one that is there; None where it is no folder."""
    try:
        folder = Path(get_storage().path("")).absolute()
    except NotImplementedError:
        return None
    while not folder.exists():
        folder = folder.parent
    return folder
