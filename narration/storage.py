"""Where sound is kept: atomic writes, unguessable names, size and checksum verified on reading."""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import os
import tempfile
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
        descriptor, temporary = tempfile.mkstemp(prefix=".partial-", dir=target.parent)
        try:
            with os.fdopen(descriptor, "wb") as file:
                for chunk in content.chunks():
                    file.write(chunk)
                file.flush()
                os.fsync(file.fileno())
            os.chmod(temporary, self.file_permissions_mode or 0o640)  # noqa: PTH101
            os.replace(temporary, target)  # noqa: PTH105
        except BaseException:
            with contextlib.suppress(OSError):
                os.unlink(temporary)  # noqa: PTH108
            raise
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


def _sync_folder(folder: Path) -> None:
    """A rename is durable only when its folder is."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
