"""The folder of models: who may write, how a folder takes another's place, what room is left.

A folder is made whole beside its place, under a hidden name, and then takes it in one rename: at
every moment the place holds the old model, or the new one, or (before the first) nothing.
"""

from __future__ import annotations

import ctypes
import errno
import fcntl
import hashlib
import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from django.utils.translation import gettext as _

from narration.engines.latents import FOLDER as VOICES
from narration.exceptions import ModelError

CACHE = "cache"
BLOCK_SIZE = 1 << 20
#: Bytes that stay free whatever a model takes.
MARGIN = 256 * 1024 * 1024
MEGABYTE = 1_000_000

_AT_FDCWD = -100
_RENAME_EXCHANGE = 2
#: What a kernel or a file system answers that cannot exchange two names.
_CANNOT = frozenset({errno.EINVAL, errno.ENOSYS, errno.EOPNOTSUPP, errno.EPERM})


def prepare_folders(models_dir: Path) -> None:
    """Make the folder of models, that of caches, and that of voices, which is nobody else's."""
    for folder in (models_dir, models_dir / CACHE):
        _make_folder(folder)
    voices = models_dir / VOICES
    _make_folder(voices, mode=0o700)
    with suppress(PermissionError):  # another user's, who looks after it
        voices.chmod(0o700)


@contextmanager
def hold(models_dir: Path, name: str) -> Iterator[int]:
    """Be the only one who changes a model; yields a descriptor that holds the lock.

    A process that inherits it holds it too. What a killed predecessor left is cleared away.
    ``ModelError`` when somebody else is at it.
    """
    prepare_folders(models_dir)
    descriptor = os.open(models_dir / f".lock-{name}", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise ModelError(
                _(
                    "The model %(name)s is being changed by another process; wait until it has "
                    "ended."
                )
                % {"name": name},
                code="model_busy",
                is_permanent=False,
            ) from None
        _clear_up(models_dir, name)
        yield descriptor
    finally:
        os.close(descriptor)


@contextmanager
def make_room(models_dir: Path, name: str) -> Iterator[Path]:
    """A hidden folder to make something in, gone in the end with whatever is left in it."""
    room = models_dir / f".making-{name}~{secrets.token_hex(4)}"
    room.mkdir(mode=0o755)
    try:
        yield room
    finally:
        shutil.rmtree(room, ignore_errors=True)


def put_in_place(made: Path, place: Path) -> None:
    """Let a finished folder take its place; the one that had it is gone afterwards."""
    sync_tree(made)
    if place.is_symlink():  # what it leads to is somebody else's, and stays
        place.unlink()
    if not place.exists():
        made.rename(place)
    elif _exchange(made, place):
        _discard(made)
    else:  # two renames: one killed between them is undone by the next who holds the lock
        old = place.with_name(f".old-{place.name}")
        place.rename(old)
        made.rename(place)
        _discard(old)
    _sync(place.parent)


def take_away(place: Path) -> None:
    """Remove a folder; from its first moment on nobody sees half of it."""
    aside = place.with_name(f".making-{place.name}~{secrets.token_hex(4)}")
    place.rename(aside)
    _discard(aside)


def sync_tree(folder: Path) -> None:
    """Have the disk keep a folder: what takes its place must outlive a power cut."""
    for path in folder.rglob("*"):
        _sync(path)
    _sync(folder)


def check_room(models_dir: Path, wanted: int) -> None:
    """``ModelError`` when fewer than ``wanted`` bytes, and some to spare, are free."""
    free = shutil.disk_usage(_find_existing(models_dir)).free
    if free < wanted + MARGIN:
        raise ModelError(
            _(
                "%(folder)s has %(free)s MB free; %(wanted)s MB are needed. Make room, or set "
                "NARRATION['MODELS_DIR'] to a larger disk."
            )
            % {
                "folder": models_dir,
                "free": free // MEGABYTE,
                "wanted": (wanted + MARGIN) // MEGABYTE,
            },
            code="no_room",
        )


def hash_file(path: Path) -> str:
    """SHA-256 of a file, in hex."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(BLOCK_SIZE):
            digest.update(block)
    return digest.hexdigest()


def _make_folder(folder: Path, mode: int = 0o777) -> None:
    """Make a folder and those above it; what root makes belongs to whom the folder above belongs.

    So the service can write where an operator who is root was first.
    """
    if folder.exists():
        return
    _make_folder(folder.parent)
    folder.mkdir(mode=mode, exist_ok=True)
    if os.geteuid() == 0:
        above = folder.parent.stat()
        with suppress(OSError):  # a file system that lets nobody give anything away
            os.chown(folder, above.st_uid, above.st_gid)


def _clear_up(models_dir: Path, name: str) -> None:
    """What somebody left who was killed: an old model goes back, half-made ones away."""
    old, place = models_dir / f".old-{name}", models_dir / name
    if old.exists() and not place.exists():
        old.rename(place)
    for left in (old, *models_dir.glob(f".making-{name}~*")):
        with suppress(OSError):
            _discard(left)


def _discard(path: Path) -> None:
    """Delete a folder, or what is none. What a link leads to is somebody else's, and stays."""
    if path.is_symlink() or path.is_file():
        path.unlink()
    else:
        shutil.rmtree(path)


def _exchange(one: Path, other: Path) -> bool:
    """Exchange two names in one step; False where the file system cannot."""
    libc = ctypes.CDLL(None, use_errno=True)
    if not hasattr(libc, "renameat2"):
        return False
    names = (os.fsencode(one), os.fsencode(other))
    if not libc.renameat2(_AT_FDCWD, names[0], _AT_FDCWD, names[1], _RENAME_EXCHANGE):
        return True
    number = ctypes.get_errno()
    if number in _CANNOT:
        return False
    raise OSError(number, os.strerror(number), str(other))


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _find_existing(folder: Path) -> Path:
    while not folder.exists():
        folder = folder.parent
    return folder
