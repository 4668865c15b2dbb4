"""What is here: looked at quickly for lists, byte by byte on request."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from django.utils.translation import gettext as _

from narration.engines.models import (
    CARD,
    ModelCard,
    build_fingerprint,
    get_user,
    is_withheld,
    read_card,
)
from narration.exceptions import EngineError
from narration.modelstore import place
from narration.modelstore.configured import ConfiguredModel
from narration.modelstore.published import Report, be_silent


class Presence(StrEnum):
    """How much of a model is on this machine."""

    MISSING = "missing"
    #: Enough to plan with: what a machine needs that speaks nothing.
    CARD_ONLY = "card_only"
    #: Withheld from the user this process runs as; nothing is known to be wrong with it.
    UNREADABLE = "unreadable"
    DAMAGED = "damaged"
    HERE = "here"


@dataclass(frozen=True, slots=True)
class Inspection:
    """A model as it lies here; ``faults`` name files and what is wrong with each."""

    model: ConfiguredModel
    presence: Presence
    card: ModelCard | None = None
    faults: tuple[str, ...] = ()

    @property
    def is_verified(self) -> bool:
        """Whether it was made from files with pinned checksums alone."""
        return self.card is not None and self.card.is_verified


def inspect(model: ConfiguredModel) -> Inspection:
    """By names and sizes only: quick enough for a page."""
    return _look(model, is_thorough=False, report=be_silent)


def verify(model: ConfiguredModel, report: Report = be_silent) -> Inspection:
    """Read every byte and compare it with the card."""
    return _look(model, is_thorough=True, report=report)


def _look(model: ConfiguredModel, *, is_thorough: bool, report: Report) -> Inspection:
    try:
        card = read_card({"models_dir": str(model.models_dir)}, model.spec)
    except EngineError as error:
        if error.code == "model_unreadable":
            return Inspection(model, Presence.UNREADABLE, faults=(_withhold(CARD),))
        is_missing = error.code == "model_missing"
        presence = Presence.MISSING if is_missing else Presence.DAMAGED
        words = _("%(file)s cannot be read: %(error)s")
        words %= {"file": model.folder / CARD, "error": error.__cause__ or error}
        return Inspection(model, presence, faults=() if is_missing else (words,))
    present = {
        path.relative_to(model.folder).as_posix(): path for path in _iter_files(model.folder)
    }
    if not present:
        faults = _find_card_faults(model, card)
        return Inspection(model, Presence.DAMAGED if faults else Presence.CARD_ONLY, card, faults)
    if withheld := [name for name, path in present.items() if is_withheld(path)]:
        faults = tuple(_withhold(name) for name in withheld)
        return Inspection(model, Presence.UNREADABLE, card, faults)
    faults = (
        *_find_card_faults(model, card),
        *(
            _("%(file)s: not in the card") % {"file": name}
            for name in sorted(set(present) - set(card.files))
        ),
        *(
            f"{name}: {fault}"
            for name in sorted(card.files)
            if (fault := _find_fault(card, name, present.get(name), is_thorough, report))
        ),
    )
    return Inspection(model, Presence.DAMAGED if faults else Presence.HERE, card, faults)


def _withhold(name: str) -> str:
    words = _("%(file)s cannot be read by user %(user)s")
    return words % {"file": name, "user": get_user()}


def _iter_files(folder: Path) -> list[Path]:
    """Everything that lies there but folders and the card."""
    return [
        path
        for path in sorted(folder.rglob("*"))
        if not (path.is_dir() and not path.is_symlink()) and path != folder / CARD
    ]


def _find_card_faults(model: ConfiguredModel, card: ModelCard) -> tuple[str, ...]:
    if card.model != model.name:
        words = _("%(file)s: it is the card of '%(name)s'")
        return (words % {"file": CARD, "name": card.model},)
    published = {name: file.sha256 for name, file in card.published.items()}
    if published and build_fingerprint(published) != card.fingerprint:
        return (_("%(file)s: the fingerprint is not that of its files") % {"file": CARD},)
    pins = {file.name: file.sha256 for file in model.spec.files if file.sha256}
    return tuple(
        _("%(file)s: it was made from another file than the published one") % {"file": name}
        for name, sha256 in published.items()
        if pins.get(name, sha256) != sha256
    )


def _find_fault(
    card: ModelCard, name: str, path: Path | None, is_thorough: bool, report: Report
) -> str:
    """What is wrong with a file of the card; "" when nothing is."""
    if path is None:
        return _("missing")
    if path.is_symlink() or not path.is_file():
        return _("no plain file")
    wanted, size = card.files[name], path.stat().st_size
    if size != wanted.size:
        return _("%(size)s bytes, not %(wanted)s") % {"size": size, "wanted": wanted.size}
    if not is_thorough:
        return ""
    report(name, 0, size)
    sha256 = place.hash_file(path)
    report(name, size, size)
    return "" if sha256 == wanted.sha256 else _("altered")
