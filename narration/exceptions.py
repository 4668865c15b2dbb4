"""Every error a host may meet. ``code`` is stable and short; the message is for people."""

from __future__ import annotations


class NarrationError(Exception):
    """Base of all; ``code`` names the fault for programs, ``is_permanent`` whether to retry."""

    code = "narration_error"
    is_permanent = True

    def __init__(self, message: str = "", *, code: str = "", is_permanent: bool | None = None):
        super().__init__(message)
        self.message = message
        if code:
            self.code = code
        if is_permanent is not None:
            self.is_permanent = is_permanent


class ConfigurationError(NarrationError):
    """``settings.NARRATION`` is wrong; also reported by ``manage.py check``."""

    code = "configuration"


class SourceError(NarrationError):
    """The object cannot be narrated: not registered, not saved, or without such a language."""

    code = "source"


class NotAllowed(NarrationError):
    """The actor may not do this to this object."""

    code = "not_allowed"


class NarrationNotFound(NarrationError):
    """No such narration, job or track for this actor."""

    code = "not_found"


class ConflictError(NarrationError):
    """The state moved on: the text changed, the job ended, or someone else was first."""

    code = "conflict"


class ConsentError(NarrationError):
    """A person's voice may not speak: ``consent_missing``, ``consent_revoked``,
    ``consent_expired`` or ``consent_scope``.
    """

    code = "consent_missing"


class EngineError(NarrationError):
    """An engine could not speak an utterance."""

    code = "engine"


class UnsupportedUtterance(EngineError):
    """The engine does not support the language, voice, setting or take, or the text is unfit."""

    code = "unsupported"


class LicenceNotAccepted(EngineError):
    """The terms of a model are accepted by nobody yet; until then its engine says nothing."""

    code = "licence_not_accepted"


class EngineCrashed(EngineError):
    """The engine process died or went silent past its deadline while speaking."""

    code = "engine_crashed"
    is_permanent = False


class ModelError(NarrationError):
    """A model cannot be fetched, checked, converted or put in its place."""

    code = "model"


class UploadRefused(NarrationError):
    """A file somebody sent is too big, is no sound, or is of no use."""

    code = "upload"


class StorageCorrupt(NarrationError):
    """A stored file is missing, truncated or altered."""

    code = "storage_corrupt"
    is_permanent = False


class QuotaExceeded(NarrationError):
    """A person, a course or one run would have more spoken than its quota allows."""

    code = "quota"


class StorageFull(NarrationError):
    """There is no room for new sound, or less than the site keeps free."""

    code = "storage_full"
    is_permanent = False


class StorageUnreachable(NarrationError):
    """The storage does not answer, or not to us: nothing is known of the files in it."""

    code = "storage_unreachable"
    is_permanent = False
