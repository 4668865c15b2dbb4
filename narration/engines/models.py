"""Models on disk, as engines see them: what was published, and the card of what is here.

A folder ``<models_dir>/<name>`` holds the converted weights and ``model.json``, its card. The card
alone is enough to plan with: a web machine that speaks nothing needs no weights. Whoever reads it
trusts its checksums; ``narration.modelstore`` writes it and compares them with the files.
"""

from __future__ import annotations

import hashlib
import json
import os
import pwd
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from narration.exceptions import EngineError
from narration.values import EngineVoice, Terms

CARD = "model.json"
CARD_FORMAT = 1
#: What an engine answers whose model is not here, or not as it should be.
WITHOUT_MODEL = frozenset({"model_missing", "model_damaged", "model_unreadable"})


@dataclass(frozen=True, slots=True)
class ModelFile:
    """A file as it was published.

    ``sha256`` is "" where nobody has vouched for one: what is imported first is then recorded and
    shown as unverified. ``size`` in bytes is 0 where it is not known.
    """

    name: str
    url: str
    sha256: str = ""
    size: int = 0


@dataclass(frozen=True, slots=True)
class ModelSpec:
    """A published model an engine can load: its files, and the terms it may be used under."""

    name: str
    title: str
    terms: Terms
    files: tuple[ModelFile, ...]


@dataclass(frozen=True, slots=True)
class CardFile:
    """A file in a model's folder, or as it was published.

    ``is_verified``: its source had a pinned checksum.
    """

    sha256: str
    size: int
    is_verified: bool = False


@dataclass(frozen=True, slots=True)
class ModelCard:
    """What is known of a model that is here.

    ``fingerprint`` identifies the weights in every utterance digest; ``facts`` are the engine's
    own, such as the configuration it was trained with. ``published`` are the files it was made
    from, by their published names: they need not be here any more.
    """

    model: str
    fingerprint: str
    files: Mapping[str, CardFile]
    voices: tuple[EngineVoice, ...] = ()
    facts: Mapping[str, Any] = field(default_factory=dict)
    published: Mapping[str, CardFile] = field(default_factory=dict)

    @property
    def is_verified(self) -> bool:
        """Whether every published file was held against a pinned checksum."""
        return bool(self.published) and all(each.is_verified for each in self.published.values())

    @property
    def size(self) -> int:
        """Bytes of its files."""
        return sum(file.size for file in self.files.values())


def build_fingerprint(published: Mapping[str, str]) -> str:
    """What identifies a model: SHA-256 over the names and checksums of its published files.

    The same on every machine, however its files were converted.
    """
    rows = [[name, sha256] for name, sha256 in sorted(published.items())]
    return hashlib.sha256(json.dumps(rows).encode()).hexdigest()


def get_model_dir(options: Mapping[str, Any], spec: ModelSpec) -> Path:
    """The folder of a model; ``EngineError`` when no folder for models is configured."""
    models_dir = str(options.get("models_dir") or "")
    if not models_dir:
        raise EngineError(
            "No folder for models: set NARRATION['MODELS_DIR'].", code="model_missing"
        )
    return Path(models_dir) / spec.name


def is_withheld(path: Path) -> bool:
    """Whether a file or folder is there, and this process may not read it."""
    try:
        path.stat()
    except OSError as error:
        return isinstance(error, PermissionError)
    return not os.access(path, os.R_OK)


def get_user() -> str:
    """Who this process runs as: the name, or the number where it has none."""
    try:
        return pwd.getpwuid(os.geteuid()).pw_name
    except KeyError:
        return str(os.geteuid())


def build_unreadable(path: Path) -> EngineError:
    """The error of a file that is withheld from this process: it names the user."""
    words = f"{path} cannot be read by user {get_user()}: give the folder of models to that user."
    return EngineError(words, code="model_unreadable")


def read_card(options: Mapping[str, Any], spec: ModelSpec) -> ModelCard:
    """The card of a model; ``EngineError`` (one of ``WITHOUT_MODEL``) without one."""
    path = get_model_dir(options, spec) / CARD
    try:
        return decode_card(json.loads(path.read_text()))
    except FileNotFoundError as error:
        raise EngineError(
            f"{spec.title} is not here: run `manage.py models download {spec.name}`, or "
            f"`models import {spec.name} PATH` with the published files.",
            code="model_missing",
        ) from error
    except PermissionError as error:
        raise build_unreadable(path) from error
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise EngineError(f"{path} cannot be read: {error}", code="model_damaged") from error


def encode_card(card: ModelCard) -> dict[str, Any]:
    """As JSON."""
    return {
        "format": CARD_FORMAT,
        "model": card.model,
        "fingerprint": card.fingerprint,
        "files": _encode_files(card.files),
        "published": _encode_files(card.published),
        "voices": [[v.name, list(v.languages), v.label] for v in card.voices],
        "facts": dict(card.facts),
    }


def decode_card(data: Mapping[str, Any]) -> ModelCard:
    """From JSON; ``ValueError``, ``KeyError``, ``TypeError`` or ``AttributeError`` when it is none.

    Nothing of another type gets in: it would be met on a page, or in an engine that loads.
    """
    if data["format"] != CARD_FORMAT:
        raise ValueError(f"format {data['format']!r} is not {CARD_FORMAT}")
    return ModelCard(
        model=_text(data["model"]),
        fingerprint=_text(data["fingerprint"]),
        files=_decode_files(data["files"]),
        published=_decode_files(data.get("published", {})),
        voices=tuple(
            EngineVoice(_text(name), tuple(_text(tag) for tag in _list(languages)), _text(label))
            for name, languages, label in _list(data.get("voices", []))
        ),
        facts=dict(data.get("facts", {})),
    )


def _encode_files(files: Mapping[str, CardFile]) -> dict[str, Any]:
    return {
        name: {"sha256": file.sha256, "size": file.size, "is_verified": file.is_verified}
        for name, file in sorted(files.items())
    }


def _decode_files(data: Mapping[str, Any]) -> dict[str, CardFile]:
    files = {name: CardFile(**file) for name, file in data.items()}
    for name, file in files.items():
        is_size = isinstance(file.size, int) and file.size >= 0
        if not is_size or not isinstance(file.is_verified, bool):
            raise ValueError(f"{name}: not a size, or neither verified nor not")
        _text(file.sha256)
    return files


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{str(value)[:40]} is no text")
    return value


def _list(value: Any) -> list[Any]:
    if not isinstance(value, list | tuple):
        raise TypeError(f"{str(value)[:40]} is no list")
    return list(value)
