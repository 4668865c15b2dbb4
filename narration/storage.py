"""Where sound is kept: atomic writes, unguessable names, size and checksum verified on reading.

Any storage of Django's will do. What a file system adds (room that can be measured, a file moved
aside before it is deleted) is asked for here and nowhere else.
"""

from __future__ import annotations

import errno
import hashlib
import hmac
import os
import secrets
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from django.core.files.base import ContentFile, File
from django.core.files.storage import FileSystemStorage, Storage, storages
from django.utils import timezone

from narration import conf
from narration.exceptions import (
    ConfigurationError,
    StorageCorrupt,
    StorageFull,
    StorageUnreachable,
)

ALIAS = "narration"
#: The folders that are ours; whatever else lies in the storage is left alone.
KINDS = ("renditions", "tracks", "references", "latents", "evidence")
BLOCK_SIZE = 256 * 1024
#: How often a running job asks for the room that is left, in seconds.
ROOM_CHECK_SECONDS = 5.0

_NO_ROOM = frozenset({errno.ENOSPC, errno.EDQUOT})
# One file is damaged, or something else is in its place; the others may be as they were.
_OF_ONE_FILE = {errno.EIO, errno.EISDIR, errno.ENOTDIR, errno.ELOOP}


class AtomicFileStorage(FileSystemStorage):
    """Files that are whole or absent, whatever is pulled out of the wall.

    Django's own storage neither syncs nor renames. A name is written once: saving the same name
    again replaces it by an equally whole file.
    """

    def get_available_name(self, name: str, max_length: int | None = None) -> str:
        """Names are digests: the same name is the same content."""
        return name

    def _save(self, name: str, content: File) -> str:  # type: ignore[type-arg]
        target = Path(self.path(name))
        target.parent.mkdir(parents=True, exist_ok=True)
        descriptor = _open_nameless(target.parent)
        try:
            for chunk in content.chunks():
                _write_all(descriptor, chunk)
            os.fchmod(descriptor, self.file_permissions_mode or 0o640)
            os.fsync(descriptor)
            _give_name(descriptor, target)
        finally:
            os.close(descriptor)
        _sync_folder(target.parent)
        return name

    def delete_older(self, name: str, age: timedelta) -> bool:
        """Delete a file last written more than ``age`` ago; whether it was.

        It is moved aside and looked at again first: somebody may have written the same name a
        moment ago, and what is new must stay.
        """
        target = Path(self.path(name))
        aside = target.parent / f".deleted-{secrets.token_hex(8)}"
        try:
            if _is_young(target, age):
                return False
            target.rename(aside)
        except FileNotFoundError:
            return False
        is_young = _is_young(aside, age)
        if is_young:
            with suppress(FileExistsError):
                os.link(aside, target)
        aside.unlink()
        return not is_young


@dataclass(frozen=True, slots=True)
class StoredFile:
    """What a row keeps about its file: where, how long in bytes, SHA-256 in hex."""

    name: str
    size: int
    sha256: str


def get_storage() -> Storage:
    """``STORAGES["narration"]``."""
    return storages[ALIAS]


def build_name(kind: str, identity: str, extension: str) -> str:
    """An HMAC of ``identity``: who knows the text can guess a digest, not this name."""
    key = conf.get_configuration().signing_key.encode()
    token = hmac.new(key, f"{kind}:{identity}".encode(), hashlib.sha256).hexdigest()[:40]
    return build_path(kind, token, extension)


def build_path(kind: str, token: str, extension: str) -> str:
    """The storage name of a token; folders of two hex digits keep listings short."""
    return f"{kind}/{token[:2]}/{token}.{extension}"


def find_free_bytes() -> int | None:
    """Bytes that may still be written; None where the storage is no file system."""
    store = get_storage()
    if not isinstance(store, FileSystemStorage):
        return None
    folder = Path(store.location)
    while not folder.exists():  # the first write makes it
        folder = folder.parent
    facts = os.statvfs(folder)
    return facts.f_bavail * facts.f_frsize


def check_room() -> None:
    """``StorageFull`` when fewer bytes are free than the site keeps (``MIN_FREE_BYTES``)."""
    floor = conf.get_configuration().min_free_bytes
    free = find_free_bytes()
    if free is not None and free < floor:
        raise StorageFull(f"{free} bytes are free in the storage, fewer than {floor}.")


class RoomWatch:
    """Asks for room every few seconds only: on a network a look may cost more than a sentence."""

    def __init__(self) -> None:
        self._next_look = 0.0

    def check(self) -> None:
        """``StorageFull`` when the room went below the floor since the last look."""
        if time.monotonic() >= self._next_look:
            check_room()
            self._next_look = time.monotonic() + ROOM_CHECK_SECONDS


def write(kind: str, identity: str, extension: str, content: bytes) -> StoredFile:
    """Store ``content`` durably and tell what to keep about it; the row comes after.

    ``StorageFull`` when there is no room, ``StorageUnreachable`` when it does not answer.
    """
    sha256 = hashlib.sha256(content).hexdigest()
    # The content is part of the name, so a file that was re-made never races the old row.
    file = StoredFile(build_name(kind, f"{identity}:{sha256}", extension), len(content), sha256)
    with _in_our_words():
        saved = get_storage().save(file.name, ContentFile(content))
    if saved != file.name:
        delete(saved)
        raise ConfigurationError(f'STORAGES["{ALIAS}"] must replace a file of the same name.')
    try:
        _verify_written(file)
    except StorageCorrupt as error:
        raise StorageCorrupt(
            f"{saved} was not stored whole.", code="storage_short_write"
        ) from error
    return file


def is_whole(name: str, size: int) -> bool:
    """Whether the file is there with its size; cheap, for every use.

    ``StorageUnreachable`` when nobody can say: what cannot be looked at is not damaged.
    """
    try:
        with _in_our_words():
            return get_storage().size(name) == size
    except (FileNotFoundError, StorageCorrupt):
        return False


def read(file: StoredFile) -> bytes:
    """The verified content; ``StorageCorrupt`` when it is missing, truncated or altered."""
    blocks = list(_iter_blocks(file.name))
    _judge(file, sum(map(len, blocks)), hashlib.sha256(b"".join(blocks)).hexdigest())
    return b"".join(blocks)


def verify(file: StoredFile) -> None:
    """Read the file through, a block at a time; ``StorageCorrupt`` as :func:`read`."""
    size, seen = 0, hashlib.sha256()
    for block in _iter_blocks(file.name):
        size += len(block)
        seen.update(block)
    _judge(file, size, seen.hexdigest())


def delete(name: str) -> None:
    """Delete a file, if it is there."""
    with _in_our_words():
        get_storage().delete(name)


def delete_older(name: str, age: timedelta) -> bool:
    """Delete a file last written more than ``age`` ago; whether it was.

    Names are made of content: a name that nobody used may be written again at any moment. On our
    own file storage the new file cannot be lost; elsewhere the time between a look and a deletion
    remains, and a file lost in it is found missing and made again.
    """
    store = get_storage()
    try:
        with _in_our_words():
            if isinstance(store, AtomicFileStorage):
                return store.delete_older(name, age)
            if timezone.now() - store.get_modified_time(name) < age:
                return False
            store.delete(name)
    except FileNotFoundError:
        return False
    return True


def list_folders() -> list[str]:
    """The folders that hold our files: some hundreds, however many files there are."""
    folders: list[str] = []
    for kind in KINDS:
        with suppress(FileNotFoundError), _in_our_words():
            folders += [f"{kind}/{name}" for name in get_storage().listdir(kind)[0]]
    return folders


def list_files(folder: str) -> list[str]:
    """The names of all files in one of those folders, temporary ones too."""
    try:
        with _in_our_words():
            return [f"{folder}/{name}" for name in get_storage().listdir(folder)[1]]
    except FileNotFoundError:
        return []


def _verify_written(file: StoredFile) -> None:
    """What a file system has synced it has; what went over a network is read back."""
    if not isinstance(get_storage(), FileSystemStorage):
        verify(file)
    elif not is_whole(file.name, file.size):
        raise StorageCorrupt(f"{file.name} has another size.")


def _iter_blocks(name: str) -> Iterator[bytes]:
    try:
        with _in_our_words(), get_storage().open(name) as handle:
            while block := handle.read(BLOCK_SIZE):
                yield block
    except FileNotFoundError as error:
        raise StorageCorrupt(f"{name} is missing.", code="storage_missing") from error


def _judge(file: StoredFile, size: int, sha256: str) -> None:
    if (size, sha256) != (file.size, file.sha256):
        raise StorageCorrupt(f"{file.name} was altered.", code="storage_altered")


@contextmanager
def _in_our_words() -> Iterator[None]:
    """Let callers meet our errors and ``FileNotFoundError`` only, whatever stores the files."""
    try:
        yield
    except FileNotFoundError:
        raise
    except OSError as error:
        # Not its own words: they name folders of the server.
        words = error.strerror or type(error).__name__
        if error.errno in _NO_ROOM:
            raise StorageFull(f"The storage has no room: {words}") from error
        if error.errno in _OF_ONE_FILE:
            raise StorageCorrupt(f"A file cannot be read: {words}") from error
        raise StorageUnreachable(f"The storage does not answer: {words}") from error
    except _get_client_errors() as error:
        words = type(error).__name__
        raise StorageUnreachable(f"The storage does not answer: {words}") from error


def _get_client_errors() -> tuple[type[Exception], ...]:
    """Errors of the S3 client, if one is loaded; no other storage brings errors of its own."""
    errors = (
        getattr(sys.modules.get(module), name, None)
        for module, name in (
            ("botocore.exceptions", "BotoCoreError"),
            ("botocore.exceptions", "ClientError"),
            ("boto3.exceptions", "Boto3Error"),
        )
    )
    return tuple(error for error in errors if error is not None)


def _is_young(path: Path, age: timedelta) -> bool:
    return time.time() - path.stat().st_mtime < age.total_seconds()


def _open_nameless(folder: Path) -> int:
    """A file without a name yet: if we are killed while writing it, nothing is left behind."""
    return os.open(folder, os.O_TMPFILE | os.O_RDWR, 0o600)


def _write_all(descriptor: int, chunk: bytes) -> None:
    rest = memoryview(chunk)
    while rest:
        rest = rest[os.write(descriptor, rest) :]


def _give_name(descriptor: int, target: Path) -> None:
    """Let the whole file appear as ``target``, over a damaged one if need be."""
    nameless = f"/proc/self/fd/{descriptor}"
    try:
        # With a folder given, Python asks linkat to follow; the path is absolute all the same.
        os.link(nameless, target, src_dir_fd=descriptor, follow_symlinks=True)
    except FileExistsError:
        beside = target.parent / f".partial-{secrets.token_hex(8)}"
        os.link(nameless, beside, src_dir_fd=descriptor, follow_symlinks=True)
        try:
            beside.replace(target)
        except OSError:
            beside.unlink()
            raise


def _sync_folder(folder: Path) -> None:
    """A rename is durable only when its folder is."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
