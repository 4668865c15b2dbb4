"""Voices of persons: who is cast and may not speak, and what waits to be deleted."""

from __future__ import annotations

from collections.abc import Iterator

from django.utils.translation import gettext as _

from narration.diagnosis.findings import Finding, State
from narration.exceptions import ConsentError
from narration.models import Consent, SpeechPolicy, Voice


def check_consents() -> Iterator[Finding]:
    """Nothing is told where nobody's voice is kept."""
    persons = list(Voice.objects.needing_consent().filter(retired_at=None).order_by("name"))
    left = [str(consent.uid) for consent in Consent.objects.unsettled()]
    if not persons and not left:
        return
    title = _("Consents")
    cast = {
        name
        for policy in SpeechPolicy.objects.all()
        for roles in policy.casting.values()
        for name in roles.values()
    }
    silent = [voice.name for voice in persons if voice.name in cast and not _holds(voice)]
    facts = {"voices": len(persons), "silent": silent, "unsettled": left}
    if left:
        words = _("Consents have ended and not all that was made with them is deleted yet.")
        advice = _("Every sweep tries again: see that a worker runs and the storage answers.")
        yield Finding("consents", title, State.WARNING, words, advice, facts)
    if silent:
        words = _("Speech policies name voices that may not speak: %(names)s.")
        advice = _("Choose other voices there; texts that are cast with them are not narrated.")
        names = {"names": ", ".join(silent)}
        yield Finding("consents", title, State.WARNING, words % names, advice, facts)
    if not left and not silent:
        words = _("Every voice of a person that is chosen may speak.")
        yield Finding("consents", title, State.OK, words, facts=facts)


def _holds(voice: Voice) -> bool:
    try:
        Voice.objects.filter(pk=voice.pk).demand_consent(None)
    except ConsentError:
        return False
    return True
