"""Terms of models: nothing is spoken under terms that nobody has accepted.

Every path to sound goes through ``Permits``: a request, so that nothing waits in vain, and the
worker before it asks an engine, so that nothing gets past.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from django.db import IntegrityError, transaction
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from narration import conf
from narration.exceptions import EngineError
from narration.models import LicenceAcceptance, VoiceKind, get_actor_name
from narration.permissions import get_actor
from narration.pipeline.casting import CastVoice
from narration.pipeline.events import record
from narration.speaking.client import find_engine_class
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
    found = {_compose(facts.terms, facts.licence) for facts in engines}
    return sorted(found - {""})


def say_licences(licences: Iterable[str]) -> list[str]:
    """What a track keeps of its licences, in the reader's language.

    It is kept in English; what no configured engine says any more is left so.
    """
    said = {}
    for config in conf.get_engines().values():
        try:
            engine = find_engine_class(config)
        except EngineError:
            continue
        terms = engine.model.terms if engine.model is not None else None
        said[_compose(terms, engine.licence)] = _compose(terms, engine.licence, _)
    return [said.get(words, words) for words in licences]


def _compose(terms: Terms | None, licence: str, say: Callable[[str], str] = str) -> str:
    if terms is None:
        return say(licence)
    return f"{terms.licence}: {say(terms.summary)} {terms.url}".strip()


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
