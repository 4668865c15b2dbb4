"""Plain words for people who wait or look after a site: places in line, times, what to do."""

from __future__ import annotations

import datetime as dt

from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

_LATER = gettext_lazy("Try it again later.")
_REWORD = gettext_lazy("Reword the sentence, then try again.")
_SETTINGS = gettext_lazy("Run `manage.py check` on the server and mend what it reports.")
_ENGINE = gettext_lazy("Look into the log of the worker, mend the engine, then try again.")
_VOICE = gettext_lazy("Choose another voice for this language, then try again.")
_CASTING = gettext_lazy("Choose another voice in the speech policy, then try again.")
_STORAGE = gettext_lazy("Look at the disk and at the storage of the sound, then try again.")
_NOTHING = gettext_lazy("There is nothing to do.")
_TEXT = gettext_lazy("Write the text first, then try again.")

#: What helps after a job or a sentence ended with this code.
ADVICE = {
    "configuration": _SETTINGS,
    "bad_option": _SETTINGS,
    "device_lost": gettext_lazy(
        "It is tried again by itself. If that goes on, look at the card with `nvidia-smi` on the "
        "worker's machine, and restart that machine."
    ),
    "device_unfit": gettext_lazy(
        "Install the build of PyTorch for this driver, or set the engine's option `device` to "
        "`cpu` (slow); then try again."
    ),
    "engine_busy": gettext_lazy(
        "Try again when the running narration has ended, or raise NARRATION['WARM_ENGINES']."
    ),
    "consent_expired": _CASTING,
    "consent_missing": _CASTING,
    "consent_revoked": _CASTING,
    "consent_scope": _CASTING,
    "engine_crashed": gettext_lazy("Try again; if it happens again, reword the sentence."),
    "engine_facts_differ": gettext_lazy(
        "Give both machines the same version of this software and the same card of the model "
        "(`models card`); then try again."
    ),
    "engine_hung": gettext_lazy("Try again; if it happens again, reword the sentence."),
    "engine_not_configured": gettext_lazy(
        "Restart the worker of this lane; it must read the settings the site reads "
        "(`DJANGO_SETTINGS_MODULE`). Then try again; or choose another voice."
    ),
    "engine_not_installed": gettext_lazy("Install the engine, or choose another voice."),
    "engine_not_loaded": _ENGINE,
    "engine_not_started": _ENGINE,
    "human_voice": _CASTING,
    "internal": gettext_lazy(
        "Try again; if it happens again, look into the log of the worker and report what it says."
    ),
    "kills_worker": gettext_lazy(
        "Look into the log of the worker, often its memory ran out; then try again."
    ),
    "licence_not_accepted": gettext_lazy(
        "Accept the terms in the admin under Models, then try again; or choose another voice."
    ),
    "model_damaged": gettext_lazy(
        "Run `manage.py models verify`, then download or import it anew."
    ),
    "model_unreadable": gettext_lazy(
        "Give the folder of models to the user the worker runs as (`chown -R`), then try again."
    ),
    "model_missing": gettext_lazy("Download the model with `manage.py models`, then try again."),
    "no_gpu": gettext_lazy(
        "Look whether `nvidia-smi` on the worker's machine shows the card. Start the worker of "
        "this lane where one is, or set the engine's option `device` to `cpu` (slow)."
    ),
    "no_language": _NOTHING,
    "no_version": _NOTHING,
    "no_voice_for_language": gettext_lazy("Add a voice for this language, then try again."),
    "nothing_to_say": _TEXT,
    "out_of_memory": gettext_lazy(
        "It is tried again by itself. Give the card to this worker alone, take the engine's "
        "profile `gpu-bf16`, or cut long sentences."
    ),
    "partial": gettext_lazy("Reword the sentences named here, or try again."),
    "database_away": gettext_lazy("Nothing to do: it goes on when the database answers."),
    "quota_day": gettext_lazy("Try again tomorrow, or raise the quota of the speech policy."),
    "quota_run": gettext_lazy("Cut the text in two, or raise the quota of the speech policy."),
    "set_aside": _REWORD,
    "setting_out_of_range": _SETTINGS,
    "source_gone": _NOTHING,
    "storage_full": gettext_lazy("Make room on the disk; it goes on by itself."),
    "storage_unreachable": gettext_lazy("Bring the storage back; it goes on by itself."),
    "storage_altered": _STORAGE,
    "storage_corrupt": _STORAGE,
    "storage_missing": _STORAGE,
    "storage_short_write": _STORAGE,
    "superseded": _NOTHING,
    "text_keeps_changing": _LATER,
    "text_too_long": gettext_lazy("Cut the sentence in two, then try again."),
    "unsupported_language": _VOICE,
    "unsupported_setting": _SETTINGS,
    "unsupported_voice": _SETTINGS,
    "voice_without_recordings": _CASTING,
}

#: Endings of English ordinals; elsewhere the translations are alike.
_ORDINALS = {
    1: gettext_lazy("%(number)dst"),
    2: gettext_lazy("%(number)dnd"),
    3: gettext_lazy("%(number)drd"),
}
_OTHER_ORDINAL = gettext_lazy("%(number)dth")


def advise(code: str) -> str:
    """What to do after ``code``, in the reader's language; "" where nothing went wrong."""
    if not code:
        return ""
    return str(ADVICE.get(code, _("Try again; if it fails once more, look into the log.")))


def show_ordinal(number: int) -> str:
    """4 → "4th"; 11, 12 and 13 are no exceptions to the rule but to its exceptions."""
    is_teen = number % 100 in (11, 12, 13)
    form = _OTHER_ORDINAL if is_teen else _ORDINALS.get(number % 10, _OTHER_ORDINAL)
    return str(form % {"number": number})


def show_length(seconds: float) -> str:
    """A length of time as people guess it: "less than a minute", "3 min", "2 h 10 min"."""
    minutes = round(seconds / 60)
    if minutes < 1:
        return _("less than a minute")
    hours, minutes = divmod(minutes, 60)
    if hours:
        return _("%(hours)d h %(minutes)d min") % {"hours": hours, "minutes": minutes}
    return _("%(minutes)d min") % {"minutes": minutes}


def show_age(seconds: float) -> str:
    """How long ago: "12 s ago", "3 min ago", "5 h ago", "2 days ago"."""
    if seconds < 90:
        return _("%(count)d s ago") % {"count": max(0, round(seconds))}
    if seconds < 90 * 60:
        return _("%(count)d min ago") % {"count": round(seconds / 60)}
    if seconds < 36 * 3600:
        return _("%(count)d h ago") % {"count": round(seconds / 3600)}
    days = round(seconds / 86400)
    return ngettext("%(count)d day ago", "%(count)d days ago", days) % {"count": days}


def show_moment(moment: dt.datetime) -> str:
    """A point in time in the site's time zone; its day too where that is not today."""
    local = timezone.localtime(moment)
    is_today = local.date() == timezone.localdate()
    return date_format(local, "TIME_FORMAT" if is_today else "SHORT_DATETIME_FORMAT")
