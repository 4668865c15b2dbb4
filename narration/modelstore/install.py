"""From published files to a model in its place: checked, converted, described by its card."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import stat
import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from django.utils.translation import gettext as _

from narration.engines.models import (
    CARD,
    CardFile,
    ModelCard,
    build_fingerprint,
    decode_card,
    encode_card,
)
from narration.exceptions import ModelError
from narration.modelstore import place
from narration.modelstore.configured import ConfiguredModel
from narration.modelstore.published import (
    Report,
    be_silent,
    check_published,
    find_published,
    measure_published,
    unpack,
)
from narration.speaking.launch import build_environment, is_foreign

CONVERTER = "narration.engines.neural.convert"
#: A converter that takes longer hangs, in seconds.
CONVERT_SECONDS = 3600
#: How much of what a converter says is shown when it fails, in lines.
SHOWN_LINES = 5


def import_from(model: ConfiguredModel, path: Path, report: Report = be_silent) -> ModelCard:
    """Put a model in its place from a folder or a zip of its published files.

    ``ModelError`` when a file is missing or is not the pinned one, when there is no room, when
    the conversion fails, or when somebody else is at it; the model that was there stays.
    """
    if not path.exists():
        words = _("%(path)s is not there.") % {"path": path}
        raise ModelError(words, code="files_missing")
    models_dir = model.models_dir
    with (
        place.hold(models_dir, model.name) as lock,
        place.make_room(models_dir, model.name) as room,
    ):
        if path.is_dir():
            source = find_published(model.spec, path)
        else:
            (room / "published").mkdir()
            source = unpack(model.spec, path, room / "published", report)
        # Reading gigabytes for nothing takes minutes: room is asked for first.
        place.check_room(models_dir, measure_published(model.spec, source))
        published = check_published(model.spec, source, report)
        made = room / model.name
        made.mkdir()
        report("", 0, 0)
        told = convert(model, source, made, lock)
        card = build_card(model, made, published, told)
        write_card(made, card)
        _open_to_readers(made)
        place.put_in_place(made, model.folder)
    return card


def convert(model: ConfiguredModel, source: Path, target: Path, lock: int) -> dict[str, Any]:
    """Have the engine's own interpreter convert the files; what it tells of voices and facts.

    The converter inherits the lock, so that it is never cleared up under its hands.
    """
    config = model.config
    with tempfile.TemporaryDirectory(prefix="narration-convert-") as link:
        room = Path(link) if is_foreign(config) else None
        command = [config.python, "-P", "-m", CONVERTER, config.backend, str(source), str(target)]
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=build_environment(room),
            start_new_session=True,
            pass_fds=[lock],
        )
        try:
            said, complained = process.communicate(timeout=CONVERT_SECONDS)
        except subprocess.TimeoutExpired:
            raise ModelError(
                _("Converting %(title)s took longer than %(seconds)s s.")
                % {"title": model.spec.title, "seconds": CONVERT_SECONDS},
                code="conversion_failed",
            ) from None
        finally:
            if process.poll() is None:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)
                process.communicate()
    return _read_answer(model, process.returncode, said, complained)


def build_card(
    model: ConfiguredModel,
    made: Path,
    published: Mapping[str, CardFile],
    told: Mapping[str, Any],
) -> ModelCard:
    """The card of what a converter made. Nothing but plain files may be there."""
    is_verified = all(file.is_verified for file in published.values())
    files: dict[str, CardFile] = {}
    for path in sorted(made.rglob("*")):
        if path.is_symlink() or not (path.is_file() or path.is_dir()):
            words = _("The converter made %(name)s, which is no file.") % {"name": path.name}
            raise ModelError(words, code="conversion_failed")
        if path.is_file():
            name = path.relative_to(made).as_posix()
            files[name] = CardFile(place.hash_file(path), path.stat().st_size, is_verified)
    fingerprint = build_fingerprint({name: file.sha256 for name, file in published.items()})
    drawn = {
        "format": 1,
        "model": model.name,
        "fingerprint": fingerprint,
        "files": {},
        "voices": told.get("voices", []),
        "facts": told.get("facts", {}),
    }
    try:
        card = decode_card(drawn)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise ModelError(
            _("The converter's answer is not understood: %(error)s") % {"error": error},
            code="conversion_failed",
        ) from error
    return ModelCard(card.model, fingerprint, files, card.voices, card.facts, dict(published))


def write_card(folder: Path, card: ModelCard) -> None:
    """Beside the weights; written whole or not at all."""
    fresh = folder / f".{CARD}"
    fresh.write_text(json.dumps(encode_card(card), indent=1, ensure_ascii=False) + "\n")
    fresh.replace(folder / CARD)


def _open_to_readers(folder: Path) -> None:
    """Give the files of a model the mode of the card, which the umask decides.

    What writes weights makes files for one user alone, and another one is to load them. Nothing in
    here is anybody's secret: persons' recordings and latents lie elsewhere.
    """
    mode = stat.S_IMODE((folder / CARD).stat().st_mode)
    for path in folder.rglob("*"):
        if path.is_file():
            path.chmod(mode)


def _read_answer(model: ConfiguredModel, status: int, said: str, complained: str) -> dict[str, Any]:
    """The converter's line of JSON; ``ModelError`` with its reason when it failed."""
    answer: Any = None
    with contextlib.suppress(ValueError, IndexError):
        answer = json.loads(said.strip().splitlines()[-1])
    if status == 0 and isinstance(answer, dict) and "error" not in answer:
        return answer
    how = _("killed by signal %(number)s") if status < 0 else _("exit status %(number)s")
    reason = "\n".join(complained.strip().splitlines()[-SHOWN_LINES:])
    if isinstance(answer, dict) and isinstance(answer.get("error"), dict):
        reason = str(answer["error"].get("message", reason))
    raise ModelError(
        _("%(title)s could not be converted by %(python)s (%(how)s). %(reason)s")
        % {
            "title": model.spec.title,
            "python": model.config.python,
            "how": how % {"number": abs(status)},
            "reason": reason,
        },
        code="conversion_failed",
    )
