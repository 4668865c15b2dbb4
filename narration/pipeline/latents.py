"""Latents of cloned voices: computed once, stored, and laid out on the machine that speaks."""

from __future__ import annotations

import contextlib
import logging
import os
import re
import secrets
import shutil
import tempfile
import time
from collections.abc import Iterable
from pathlib import Path

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from narration import conf, storage
from narration.audio.codec import decode
from narration.engines.latents import FOLDER, get_latents_path
from narration.exceptions import ConfigurationError, ConflictError, StorageCorrupt
from narration.models import Voice, VoiceLatents, iter_chunks
from narration.pipeline.casting import CastVoice
from narration.speaking import EngineProcess
from narration.values import CLONED_PREFIX, EngineConfig, Latents, Waveform

logger = logging.getLogger(__name__)

#: How long an engine may take over the recordings of one voice, in seconds.
CLONE_SECONDS = 600.0
#: Longer than this nobody writes a file of some kilobytes.
PARTIAL_SECONDS = 600.0
_NAME = re.compile(r"([0-9a-f]{64})\.npz")


def lay_out(engine: EngineProcess, casts: Iterable[CastVoice]) -> None:
    """See to it that this machine has the latents of every cloned voice among these.

    From the storage where some worker made them before, else made here by ``engine``; seconds,
    once in a voice's life. ``ConsentError`` where a voice may not speak.
    """
    for cast in {cast.engine_voice: cast for cast in casts if cast.is_cloned}.values():
        path = get_latents_path(find_models_dir(engine.config), cast.engine_voice)
        row = VoiceLatents.objects.filter(digest=_get_digest(cast)).first()
        if row is not None and path.is_file():
            continue
        _write_private(path, _find_stored(row) or _make(engine, cast))
        _confirm(cast, path)


def sweep_local() -> int:
    """Delete the latents on this machine that have no row any more; how many there were.

    And what a process that was killed while it learnt a voice left behind.
    """
    gone = 0
    _sweep_rooms()
    for folder in {find_models_dir(config) for config in conf.get_engines().values()} - {""}:
        files = {
            match[1]: path
            for path in (Path(folder) / FOLDER).glob("*.npz")
            if (match := _NAME.fullmatch(path.name))
        }
        kept = {
            digest
            for chunk in iter_chunks(files)
            for digest in VoiceLatents.objects.filter(digest__in=chunk).values_list(
                "digest", flat=True
            )
        }
        for digest in files.keys() - kept:
            files[digest].unlink(missing_ok=True)
            gone += 1
        _sweep_partial(Path(folder) / FOLDER)
    if gone:
        logger.info("Latents of %d voices were deleted from this machine.", gone)
    return gone


def _sweep_rooms() -> None:
    """Recordings on their way to an engine."""
    for room in Path(tempfile.gettempdir()).glob("narration-clone-*"):
        with contextlib.suppress(FileNotFoundError):
            if time.time() - room.stat().st_mtime > 2 * CLONE_SECONDS:
                shutil.rmtree(room, ignore_errors=True)


def _sweep_partial(folder: Path) -> None:
    """What a process that was killed did not finish writing."""
    for path in folder.glob(".partial-*"):
        with contextlib.suppress(FileNotFoundError):
            if time.time() - path.stat().st_mtime > PARTIAL_SECONDS:
                path.unlink()


def find_models_dir(config: EngineConfig) -> str:
    """Where an engine looks for latents; "" where nobody said."""
    return str(config.options.get("models_dir") or config.models_dir)


def _get_digest(cast: CastVoice) -> str:
    return cast.engine_voice.removeprefix(CLONED_PREFIX)


def _find_stored(row: VoiceLatents | None) -> Latents | None:
    """What the row promises; a row whose file is damaged is deleted, and made again."""
    if row is None:
        return None
    try:
        return Latents(storage.read(storage.StoredFile(row.file, row.size, row.sha256)))
    except StorageCorrupt as error:
        logger.warning("Latents %s are made again: %s", row, error)
        row.delete()
        return None


def _make(engine: EngineProcess, cast: CastVoice) -> Latents:
    latents = engine.clone(_load_recordings(cast), timeout=CLONE_SECONDS)
    digest = _get_digest(cast)
    file = storage.write("latents", digest, "npz", latents.data)
    facts = {"file": file.name, "size": file.size, "sha256": file.sha256}
    try:
        with transaction.atomic():
            cast.demand_consent(lock=True)
            _demand_recordings(cast)
            VoiceLatents.objects.create(voice=cast.voice, digest=digest, **facts)
    except IntegrityError:  # another worker made them meanwhile: theirs are everybody's
        return _find_stored(VoiceLatents.objects.get(digest=digest)) or latents
    except BaseException:
        storage.delete(file.name)
        raise
    return latents


def _confirm(cast: CastVoice, path: Path) -> None:
    """What was taken away while it was laid out does not stay on this machine."""
    if not VoiceLatents.objects.filter(digest=_get_digest(cast)).exists():
        path.unlink(missing_ok=True)
        cast.demand_consent()
        raise _build_outdated()


def _demand_recordings(cast: CastVoice) -> None:
    """All that is imitated is there, until the transaction ends: who removes one waits."""
    voice = Voice.objects.select_for_update().get(pk=cast.voice.pk)
    there = set(voice.recordings.values_list("sha256", flat=True))
    if not there.issuperset(cast.references):
        raise _build_outdated()


def _build_outdated() -> ConflictError:
    words = _("A recording of this voice was removed meanwhile: it is learnt anew.")
    return ConflictError(words, code="voice_changed", is_permanent=False)


def _load_recordings(cast: CastVoice) -> list[Waveform]:
    rows = list(cast.voice.recordings.filter(sha256__in=cast.references).order_by("sha256"))
    if len(rows) < len(cast.references):
        raise _build_outdated()
    return [
        decode(storage.read(storage.StoredFile(row.file, row.size, row.sha256)), "flac")
        for row in rows
    ]


def _write_private(path: Path, latents: Latents) -> None:
    """Whole or absent, and readable by nobody else: they are a person's voice."""
    if not path.is_absolute() and path.parent == Path(FOLDER):
        raise ConfigurationError("Cloned voices need NARRATION['MODELS_DIR'].")
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    path.parent.chmod(0o700)
    beside = path.parent / f".partial-{secrets.token_hex(8)}"
    descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(latents.data)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(path)
    except BaseException:
        beside.unlink(missing_ok=True)
        raise
