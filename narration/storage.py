"""Where sound is kept: atomic writes, unguessable names, size and checksum verified on reading."""

from __future__ import annotations

import hashlib
import hmac
import os
import secrets
from dataclasses import dataclass
from pathlib import Path

from django.core.files.base import ContentFile, File
from django.core.files.storage import FileSystemStorage, Storage, storages

from narration import conf
from narration.exceptions import StorageCorrupt

ALIAS = "narration"


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


def write(kind: str, identity: str, extension: str, content: bytes) -> StoredFile:
    """Store ``content`` durably and tell what to keep about it; the row comes after."""
    sha256 = hashlib.sha256(content).hexdigest()
    # The content is part of the name, so a file that was re-made never races the old row.
    name = build_name(kind, f"{identity}:{sha256}", extension)
    saved = get_storage().save(name, ContentFile(content))
    if get_storage().size(saved) != len(content):
        raise StorageCorrupt(f"{saved} was not stored whole.", code="storage_short_write")
    return StoredFile(saved, len(content), sha256)


def is_whole(name: str, size: int) -> bool:
    """Whether the file is there with its size; cheap, for every use."""
    try:
        return get_storage().size(name) == size
    except (OSError, FileNotFoundError):
        return False


def read(file: StoredFile) -> bytes:
    """The verified content; ``StorageCorrupt`` when it is missing, truncated or altered."""
    try:
        with get_storage().open(file.name) as handle:
            content: bytes = handle.read()
    except OSError as error:
        raise StorageCorrupt(f"{file.name} cannot be read.", code="storage_missing") from error
    if len(content) != file.size or hashlib.sha256(content).hexdigest() != file.sha256:
        raise StorageCorrupt(f"{file.name} was altered.", code="storage_altered")
    return content


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
        beside.replace(target)


def _sync_folder(folder: Path) -> None:
    """A rename is durable only when its folder is."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
