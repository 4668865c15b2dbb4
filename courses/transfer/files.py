"""Folders and zip archives as a list of files, read under limits and never unpacked to disk."""

from __future__ import annotations

import os
import re
import stat
import struct
import unicodedata
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from io import BytesIO
from pathlib import Path, PurePosixPath

from django.conf import settings
from django.utils.translation import gettext as _

from courses.models.base import get_text_languages
from narration.exceptions import NarrationError

PIECE = 64 * 1024
#: Bytes of an archive's files together from which on their ratio counts.
SWOLLEN = 1024 * 1024
TEXTS = (".md", ".markdown")
WANTED = (*TEXTS, ".json")
#: Files that are read for the title of the course alone.
CONFIGURATIONS = ("_config.yml", "_config.yaml", "config.yml", "config.yaml")
PICTURES = (".png", ".jpg", ".jpeg", ".gif", ".svg", ".webp")
LONGEST_PATH = 400
_UNSTORABLE = re.compile("[\0\ud800-\udfff]")
_WINDOWS = {"con", "prn", "aux", "nul", *(f"{p}{n}" for p in ("com", "lpt") for n in range(1, 10))}


class TransferError(NarrationError):
    """The whole import or export is refused; the message names the file."""

    code = "transfer"


#: What the standard library says of archives that are none, are broken, or are packed unusually.
_UNREADABLE = (
    zipfile.BadZipFile,
    zlib.error,
    NotImplementedError,
    EOFError,
    OSError,
    RuntimeError,
    ValueError,
    OverflowError,
    struct.error,
)


@dataclass(frozen=True, slots=True)
class Limits:
    """What an import may hold: files, bytes, and how much an archive may swell."""

    max_files: int = 1000
    max_file_bytes: int = 2_000_000
    max_total_bytes: int = 100_000_000
    max_ratio: int = 100


@dataclass(frozen=True, slots=True)
class SourceFile:
    """One file: its path below the course's folder with "/", and what is in it."""

    path: str
    content: bytes

    @property
    def text(self) -> str:
        """Its text; ``TransferError`` names the first byte that is no UTF-8."""
        try:
            text = self.content.decode("utf-8-sig").replace("\r\n", "\n").replace("\r", "\n")
        except UnicodeDecodeError as error:
            words = _("%(path)s is not UTF-8: byte %(place)d is %(byte)s.") % {
                "path": self.path,
                "place": error.start + 1,
                "byte": f"0x{self.content[error.start]:02x}",
            }
            raise TransferError(words) from error
        return require_storable(text, self.path)


@dataclass(frozen=True, slots=True)
class Files:
    """What was read, how many pictures were seen and left, and what folder or archive it was."""

    files: tuple[SourceFile, ...]
    pictures: int = 0
    name: str = ""


def require_storable(text: str, path: str) -> str:
    """The text, unless no database keeps it: NUL, or half a character; ``TransferError``."""
    if _UNSTORABLE.search(text):
        words = _("%(path)s holds a character that cannot be stored.")
        raise TransferError(words % {"path": path})
    return text


def fold_path(path: str) -> str:
    """What two paths share that some system takes for one: case and composition aside."""
    return unicodedata.normalize("NFC", path).casefold()


def get_limits() -> Limits:
    """``settings.COURSES_IMPORT`` over the defaults."""
    return Limits(**getattr(settings, "COURSES_IMPORT", {}))


def read_files(place: Path) -> Files:
    """The files of a folder, a zip archive, or one text."""
    if place.is_dir():
        return replace(_collect(_iter_folder(place)), name=place.resolve().name)
    if not place.is_file():
        raise TransferError(_("There is no folder or archive “%(path)s”.") % {"path": place})
    try:
        return read_upload(place.name, place.read_bytes())
    except OSError as error:
        words = _("“%(path)s” cannot be read: %(error)s.")
        raise TransferError(words % {"path": place, "error": error.strerror}) from error


def read_upload(name: str, content: bytes) -> Files:
    """The files of an archive, or the one text that ``name`` says it is."""
    if name.lower().endswith(TEXTS):
        files = _collect(iter([(name, content)]))
        return replace(files, name=PurePosixPath(name).stem)
    return replace(read_archive(content), name=PurePosixPath(name).stem)


def read_archive(content: bytes) -> Files:
    """The files of a zip archive in memory."""
    try:
        with zipfile.ZipFile(BytesIO(content)) as archive:
            return _strip_folder(_collect(_iter_archive(archive)))
    except _UNREADABLE as error:
        raise TransferError(_("This is no zip archive that can be read.")) from error


def _iter_folder(folder: Path) -> Iterator[tuple[str, bytes | None]]:
    """Links are not followed: they could lead anywhere."""
    for root, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(names):
            path = Path(root, name)
            if path.is_symlink() or not path.is_file() or name.startswith("."):
                continue
            relative = path.relative_to(folder).as_posix()
            if not _is_wanted(relative):
                yield relative, None
                continue
            with path.open("rb") as file:
                yield relative, file.read(get_limits().max_file_bytes + 1)


def _iter_archive(archive: zipfile.ZipFile) -> Iterator[tuple[str, bytes | None]]:
    limits = get_limits()
    if len(archive.infolist()) > 10 * limits.max_files:
        raise TransferError(_("The archive holds too many entries."))
    packed = unpacked = 0
    for info in archive.infolist():
        if info.is_dir() or stat.S_ISLNK(info.external_attr >> 16):
            continue
        _check_path(info.filename)
        if not _is_wanted(info.filename):
            yield info.filename, None
            continue
        if info.flag_bits & 0x1:
            raise TransferError(_("%(path)s is encrypted.") % {"path": info.filename})
        content = _read_entry(archive, info, limits)
        packed, unpacked = packed + max(info.compress_size, 1), unpacked + len(content)
        if unpacked > SWOLLEN and unpacked > limits.max_ratio * packed:
            raise TransferError(_("The archive swells too much when unpacked."))
        yield info.filename, content


def _read_entry(archive: zipfile.ZipFile, info: zipfile.ZipInfo, limits: Limits) -> bytes:
    """Measured while it is read: what the archive says of its sizes is only a claim."""
    pieces: list[bytes] = []
    size = 0
    with archive.open(info) as file:
        while piece := file.read(PIECE):
            size += len(piece)
            pieces.append(piece)
            if size > limits.max_file_bytes:
                break
            if size > PIECE and size > limits.max_ratio * max(info.compress_size, 1):
                raise TransferError(
                    _("%(path)s swells too much when unpacked.") % {"path": info.filename}
                )
    return b"".join(pieces)


def _collect(entries: Iterator[tuple[str, bytes | None]]) -> Files:
    limits = get_limits()
    found: dict[str, SourceFile] = {}
    pictures = total = 0
    for path, content in entries:
        if content is None:
            pictures += path.lower().endswith(PICTURES)
            continue
        _check_path(path)
        total += len(content)
        if len(content) > limits.max_file_bytes:
            raise TransferError(_too_big(path, limits.max_file_bytes))
        if len(found) >= limits.max_files or total > limits.max_total_bytes:
            words = _("There is too much: %(files)d files and %(bytes)d bytes are allowed.")
            raise TransferError(
                words % {"files": limits.max_files, "bytes": limits.max_total_bytes}
            )
        if fold_path(path) in found:
            raise TransferError(_("Two files are called %(path)s.") % {"path": path})
        found[fold_path(path)] = SourceFile(path, content)
    return Files(tuple(found.values()), pictures)


def _too_big(path: str, limit: int) -> str:
    return _("%(path)s is bigger than %(limit)d bytes.") % {"path": path, "limit": limit}


def _is_wanted(path: str) -> bool:
    parts = PurePosixPath(path).parts
    if any(part.startswith(".") or part == "__MACOSX" for part in parts):
        return False
    return path.lower().endswith(WANTED) or parts[-1].lower() in CONFIGURATIONS


def is_text_path(path: str) -> bool:
    """Whether a file at this path would be read as a text."""
    return is_allowed(path) and _is_wanted(path) and path.lower().endswith(TEXTS)


def is_allowed(path: str) -> bool:
    """Whether it could mean no place outside of the archive, here or on another system."""
    parts = path.split("/")
    return not (
        path.startswith("/")
        or "\\" in path
        or any(ord(char) < 32 or "\ud800" <= char <= "\udfff" for char in path)
        or (len(parts[0]) == 2 and parts[0][1] == ":")
        or any(part in {"", ".", ".."} for part in parts)
        or any(part.split(".")[0].lower() in _WINDOWS for part in parts)
        or len(path) > LONGEST_PATH
    )


def _check_path(path: str) -> None:
    if not is_allowed(path):
        shown = path[:200].encode("utf-8", "replace").decode()
        raise TransferError(_("The path “%(path)s” is not allowed.") % {"path": shown})


def _strip_folder(files: Files) -> Files:
    """Archives often hold one folder that holds everything; unless it names a language."""
    tops = {file.path.split("/", 1)[0] for file in files.files}
    if len(tops) != 1 or not all("/" in file.path for file in files.files):
        return files
    top = tops.pop()
    if find_language(top):
        return files
    stripped = (SourceFile(f.path.removeprefix(f"{top}/"), f.content) for f in files.files)
    return replace(files, files=tuple(stripped))


def find_language(tag: str) -> str:
    """The site's language that a folder or suffix names: "pt" means "pt-BR" here; "" for none."""
    wanted = tag.replace("_", "-").lower()
    languages = [language for language, _name in get_text_languages()]
    exact = next((language for language in languages if language.lower() == wanted), "")
    primary = next((lang for lang in languages if lang.lower().split("-")[0] == wanted), "")
    return exact or primary
