"""Errors in plain words, by their codes: why a job or a sentence ended badly."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from narration.exceptions import ConfigurationError, NarrationError

_NO_ENGINE = _("The engine of this voice could not be started.")
_BAD_SETUP = _("The voices of this site are not set up correctly.")
_NO_TEXT = _("There is no text in this language any more.")
_BAD_FILE = _("A sound could not be stored, or was found damaged.")

#: Why a job ended badly. What the database keeps (``Job.error``) stays English, for the log.
JOB_EXPLANATIONS = {
    "configuration": _BAD_SETUP,
    "consent_expired": _("The consent to this voice has expired; choose another voice."),
    "consent_missing": _("Nobody has consented to this voice; choose another voice."),
    "consent_revoked": _("The person took back their consent to this voice; choose another voice."),
    "consent_scope": _("The consent to this voice is for another course; choose another voice."),
    "database_away": _("The database was away."),
    "engine_crashed": _("The engine crashed at every sentence; something is wrong with it."),
    "device_lost": _("The card stopped working while it spoke."),
    "device_unfit": _("The worker's card or its driver does not fit the engine's libraries."),
    "engine_busy": _("There was no room on the card beside the engine that is at work."),
    "engine_facts_differ": _("The engine on the worker is not the one this site planned with."),
    "engine_hung": _("The engine finished no sentence in time; something is wrong with it."),
    "engine_not_configured": _("The worker's settings do not know the engine of this voice."),
    "engine_not_installed": _("The engine of this voice is not installed."),
    "engine_not_loaded": _NO_ENGINE,
    "engine_not_started": _NO_ENGINE,
    "human_voice": _("This voice is in recordings only; choose another voice."),
    "internal": _("Something went wrong that nobody had foreseen."),
    "kills_worker": _(
        "The worker died each time it worked on this; it is set aside until someone looks."
    ),
    "licence_not_accepted": _(
        "The terms of this voice's model are not accepted yet. Whoever looks after this site "
        "can do it in the admin, under Models."
    ),
    "model_damaged": _("The model of this voice is damaged on the server."),
    "model_unreadable": _("The model of this voice is on the server, but its files are withheld."),
    "model_missing": _("The model of this voice is not on the server yet."),
    "no_language": _NO_TEXT,
    "no_version": _NO_TEXT,
    "no_voice_for_language": _("No voice of this site speaks this language."),
    "no_gpu": _("The worker has no card (GPU) that this engine could use."),
    "nothing_to_say": _("There is nothing in this text that can be spoken."),
    "out_of_memory": _("The memory of the card ran out."),
    "partial": _("Some sentences could not be spoken, so nothing was published."),
    "quota_day": _("As much as may be spoken in a day is spoken; go on tomorrow."),
    "quota_run": _("This text is longer than one run may speak here; ask for a larger quota."),
    "setting_out_of_range": _BAD_SETUP,
    "source_gone": _("What was to be narrated is no longer there."),
    "storage_altered": _BAD_FILE,
    "storage_corrupt": _BAD_FILE,
    "storage_full": _(
        "There is hardly any room left for new sound; what is there goes on playing. "
        "It continues by itself when somebody has made room."
    ),
    "storage_missing": _BAD_FILE,
    "storage_short_write": _BAD_FILE,
    "storage_unreachable": _(
        "The place where sound is kept does not answer. It continues by itself when it does."
    ),
    "superseded": _("The same narration was waiting already."),
    "text_keeps_changing": _("The text kept changing while it was narrated."),
    "unsupported_language": _("The voice does not speak this language; choose another voice."),
    "unsupported_setting": _BAD_SETUP,
    "unsupported_voice": _BAD_SETUP,
    "voice_without_recordings": _("This voice has no recordings yet; add one, or choose another."),
}

EXPLANATIONS = {
    "nothing_to_say": _("There is nothing in this sentence that can be spoken."),
    "text_too_long": _("This sentence is too long for the voice; cut it in two."),
    "unsupported_language": _("The voice does not speak this language; choose another voice."),
    "engine_hung": _("The engine did not finish this sentence in time; reword it or try again."),
    "engine_crashed": _("The engine stopped at this sentence; reword it or try again."),
    "device_lost": _("The card stopped working at this sentence, again and again; reword it."),
    "out_of_memory": _("The card has too little memory for this sentence; cut it in two."),
    "unfit_text": _("The voice cannot read something in this sentence; write it in words."),
    "unpronounceable": _(
        "The voice cannot pronounce something in this sentence; say in the lexicon how it sounds."
    ),
    "set_aside": _("This sentence stopped the engine twice; reword it or try again later."),
}


def explain(code: str) -> str:
    """An error code in plain words, with what to do."""
    return str(EXPLANATIONS.get(code, _("The engine refused this sentence; reword it.")))


def explain_job(code: str) -> str:
    """The error code of a job in plain words."""
    return str(JOB_EXPLANATIONS.get(code, _("The narration stopped before it was complete.")))


def explain_error(error: NarrationError) -> str:
    """An error in plain words; what an administrator must mend keeps its detail."""
    if error.code not in JOB_EXPLANATIONS:
        return str(error)
    words = explain_job(error.code)
    return f"{words} ({error})" if isinstance(error, ConfigurationError) else words
