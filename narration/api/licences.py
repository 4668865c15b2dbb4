"""Models and their terms: what is here, and who answers for its use."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from narration import modelstore
from narration.diagnosis.models import find_acceptance
from narration.exceptions import ModelError, NotAllowed
from narration.models import LicenceAcceptance
from narration.modelstore import Inspection
from narration.pipeline import licences

ACCEPT_PERMISSION = "narration.add_licenceacceptance"


@dataclass(frozen=True, slots=True)
class ModelState:
    """A model of a configured engine, as it lies here, and who accepted its terms."""

    inspection: Inspection
    acceptance: LicenceAcceptance | None

    @property
    def is_waiting_for_acceptance(self) -> bool:
        """Whether it could speak, if only somebody accepted its terms."""
        is_needed = self.inspection.model.spec.terms.needs_acceptance
        return is_needed and self.inspection.card is not None and self.acceptance is None


def list_models() -> list[ModelState]:
    """The models of all configured engines, by names and sizes on this machine's disk."""
    found = [modelstore.inspect(model) for model in modelstore.list_models()]
    return [ModelState(each, find_acceptance(each)) for each in found]


def accept_licence(model: str, *, name: str, user: Any = None) -> LicenceAcceptance:
    """Record that ``name`` accepts the terms of the model that is here, for its engine.

    Said once it stays: again, it returns who said it first. ``ModelError`` when no such model is
    here, ``NotAllowed`` for who may not.
    """
    if user is not None and not user.has_perm(ACCEPT_PERMISSION):
        raise NotAllowed(_("You may not accept licences."))
    found = modelstore.inspect(modelstore.get_model(model))
    if found.card is None:
        raise ModelError(
            _("%(title)s is not here yet: its terms are accepted for the very files.")
            % {"title": found.model.spec.title},
            code="model_missing",
        )
    if not name.strip():
        raise ModelError(_("Say who accepts."), code="name_missing")
    terms = found.model.spec.terms
    return licences.accept(
        found.model.engine, found.card.fingerprint, terms, name=name.strip(), user=user
    )


def has_accepted_before(model: str) -> bool:
    """Whether somebody accepted the same terms for any files of this model's engine."""
    found = modelstore.get_model(model)
    rows = LicenceAcceptance.objects.filter(engine=found.engine)
    return rows.filter(licence=found.spec.terms.licence).exists()
