"""Models: whether what the engines load is here, whole, and may be used."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.utils.translation import gettext as _

from narration import modelstore
from narration.diagnosis.findings import Finding, State
from narration.engines.models import get_user
from narration.models import LicenceAcceptance
from narration.modelstore import Inspection, Presence

MEGABYTE = 1_000_000


def check_models() -> Iterator[Finding]:
    """Each model of a configured engine, by names and sizes; ``models verify`` reads every byte."""
    for model in modelstore.list_models():
        found = modelstore.inspect(model)
        title = _("Model %(name)s") % {"name": model.name}
        state, words, advice = _judge(found)
        yield Finding("model", title, state, words, advice, facts=_describe(found))


def find_acceptance(found: Inspection) -> LicenceAcceptance | None:
    """Who accepted the terms of the model that is here; None too where none is."""
    if found.card is None:
        return None
    licence = found.model.spec.terms.licence
    return LicenceAcceptance.objects.find(found.model.engine, found.card.fingerprint, licence)


def _judge(found: Inspection) -> tuple[State, str, str]:
    """How it is, in words, and what to do."""
    model = found.model
    names = {"title": model.spec.title, "name": model.name, "licence": model.spec.terms.licence}
    if found.presence == Presence.MISSING:
        return (
            State.WARNING,
            _("%(title)s is not here; its engine says nothing.") % names,
            _(
                "Run `manage.py models download %(name)s`, or `models import %(name)s PATH`; on a "
                "machine that speaks nothing, `models card %(name)s --read FILE`."
            )
            % names,
        )
    if found.presence == Presence.UNREADABLE:
        words = _("%(title)s is here and cannot be read: %(faults)s.")
        advice = _("Give it to that user: `chown -R %(user)s %(folder)s`.")
        faults = "; ".join(found.faults[:3])
        where = {"user": get_user(), "folder": model.models_dir}
        return State.BROKEN, words % {**names, "faults": faults}, advice % where
    if found.presence == Presence.DAMAGED:
        words = _("%(title)s is damaged: %(faults)s.")
        advice = _("Run `manage.py models verify %(name)s`, then download or import it anew.")
        faults = "; ".join(found.faults[:3])
        return State.BROKEN, words % {**names, "faults": faults}, advice % names
    if model.spec.terms.needs_acceptance and find_acceptance(found) is None:
        return (
            State.WARNING,
            _("%(title)s may not speak: nobody has accepted its terms (%(licence)s).") % names,
            _(
                "Read and accept them in the admin under Models, or run "
                "`manage.py models accept %(name)s`."
            )
            % names,
        )
    return State.OK, _say_well(found), ""


def _say_well(found: Inspection) -> str:
    assert found.card is not None  # noqa: S101 - it is here
    where = _("The card of %(title)s is here, its weights are on another machine")
    if found.presence == Presence.HERE:
        where = _("%(title)s is here")
    proof = _("checksums verified") if found.is_verified else _("checksums not vouched for")
    return "{} ({}, {:.0f} MB, {}).".format(
        where % {"title": found.model.spec.title},
        found.card.fingerprint[:12],
        found.card.size / MEGABYTE,
        proof,
    )


def _describe(found: Inspection) -> dict[str, Any]:
    model, card = found.model, found.card
    accepted = find_acceptance(found)
    return {
        "name": model.name,
        "engines": list(model.aliases),
        "presence": str(found.presence),
        "faults": list(found.faults),
        "verified": found.is_verified,
        "fingerprint": card.fingerprint if card else "",
        "bytes": card.size if card else 0,
        "licence": model.spec.terms.licence,
        "needs_acceptance": model.spec.terms.needs_acceptance,
        "accepted_by": accepted.name if accepted else "",
    }
