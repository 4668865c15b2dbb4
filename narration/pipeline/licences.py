"""Terms of models: nothing is spoken under terms that nobody has accepted.

Every path to sound goes through ``Permits``: a request, so that nothing waits in vain, and the
worker before it asks an engine, so that nothing gets past.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.db import IntegrityError, transaction
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from narration.models import LicenceAcceptance, VoiceKind, get_actor_name
from narration.permissions import get_actor
from narration.pipeline.casting import CastVoice
from narration.pipeline.events import record
from narration.values import EngineFacts, Terms


class Permits:
    """Which engines may speak now; asked of the database once for each."""

    def __init__(self) -> None:
        self._allowed: set[tuple[str, str]] = set()

    def require(self, engines: Iterable[EngineFacts]) -> None:
        """``LicenceNotAccepted`` unless every one of these engines may speak."""
        for facts in engines:
            key = (facts.name, facts.model_fingerprint)
            if key not in self._allowed:
                LicenceAcceptance.objects.demand(facts)
                self._allowed.add(key)


def accept(
    engine: str, fingerprint: str, terms: Terms, *, name: str, user: Any = None
) -> LicenceAcceptance:
    """Record that ``name`` accepts the terms of a model; what is recorded already stays."""
    identity = {"engine": engine, "model_fingerprint": fingerprint, "licence": terms.licence}
    try:
        with transaction.atomic():
            row = LicenceAcceptance.objects.create(
                **identity, name=name, user=get_actor(user), at=timezone.now()
            )
            record(
                "licence_accepted",
                actor=user,
                data={**identity, "name": name, "by": get_actor_name(user)},
                object_ref=engine,
            )
    except IntegrityError:
        return LicenceAcceptance.objects.get(**identity)
    return row


def list_licences(engines: Iterable[EngineFacts]) -> list[str]:
    """What holds for sound made by these engines, a sentence or two for each, for people."""
    found = set()
    for facts in engines:
        if facts.terms is not None:
            found.add(f"{facts.terms.licence}: {facts.terms.summary} {facts.terms.url}".strip())
        elif facts.licence:
            found.add(facts.licence)
    return sorted(found)


def list_duties(speakers: Iterable[CastVoice]) -> dict[str, bool]:
    """The flags of a manifest: what whoever shows or sells the sound must know.

    Whoever lends their voice was promised that listeners are told, whatever the model's terms say.
    """
    found = {(each.voice.kind, each.facts.terms) for each in speakers}
    terms = [terms for _kind, terms in found if terms is not None]
    return {
        "must_tell_listeners": any(each.must_tell_listeners for each in terms)
        or any(kind == VoiceKind.CLONED for kind, _terms in found),
        "non_commercial": any(each.is_non_commercial for each in terms),
    }


def say_synthetic(language: str) -> str:
    """The notice that goes with the sound itself, in its language."""
    with translation.override(language):
        return _("Read by a synthetic voice")
