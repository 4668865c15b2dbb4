"""Voices of persons: who is cast and silent, whose word ends soon, what is left."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from django.utils import timezone
from django.utils.translation import gettext as _

from narration.diagnosis.findings import Finding, State
from narration.exceptions import ConsentError
from narration.models import Consent, SpeechPolicy, Voice

#: How long before its end there is time to ask a person whether they consent anew.
SOON = timedelta(days=14)


def check_consents() -> Iterator[Finding]:
    """Nothing is told where nobody's voice is kept."""
    rows = Voice.objects.needing_consent().filter(retired_at=None).order_by("name")
    persons = list(rows.select_related("consent"))
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
    silent = [voice.name for voice in persons if voice.name in cast and not holds(voice)]
    ending = [voice.name for voice in persons if _ends_soon(voice)]
    facts = {"voices": len(persons), "silent": silent, "unsettled": left, "ending": ending}
    if left:
        words = _("Consents have ended and not all that was made with them is deleted yet.")
        advice = _("Every sweep tries again: see that a worker runs and the storage answers.")
        yield Finding("consents", title, State.WARNING, words, advice, facts)
    if silent:
        words = _("Speech policies name voices that may not speak: %(names)s.")
        advice = _("Choose other voices there; texts that are cast with them are not narrated.")
        names = {"names": ", ".join(silent)}
        yield Finding("consents", title, State.WARNING, words % names, advice, facts)
    if ending:
        words = _("The consents to these voices end within %(days)d days: %(names)s.")
        advice = _("Ask the persons, and renew: Consents → the person → Renew.")
        told = {"names": ", ".join(ending), "days": SOON.days}
        yield Finding("consents", title, State.WARNING, words % told, advice, facts)
    if not left and not silent and not ending:
        words = _("Every voice of a person that is chosen may speak.")
        yield Finding("consents", title, State.OK, words, facts=facts)


def _ends_soon(voice: Voice) -> bool:
    now = timezone.now()
    end = voice.consent.expires_at if voice.consent is not None else None
    return end is not None and now < end < now + SOON and holds(voice)


def holds(voice: Voice) -> bool:
    """Whether the person it belongs to, if any, lets it speak somewhere."""
    try:
        Voice.objects.filter(pk=voice.pk).demand_consent(None)
    except ConsentError:
        return False
    return True
