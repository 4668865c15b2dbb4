"""Published files as an operator brings them: a folder, or a zip of which nothing else is read."""

from __future__ import annotations

import lzma
import stat
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterable
from pathlib import Path, PurePosixPath

from django.utils.translation import gettext as _

from narration.engines.models import CardFile, ModelSpec
from narration.exceptions import ModelError
from narration.modelstore import place

#: Entries of an archive; the published models have a dozen files.
MAX_ENTRIES = 10_000
#: Bytes all files of a model may have, unpacked.
MAX_BYTES = 32 * 1024**3

#: Hears of a file by name: bytes that are done, of how many (0: not known).
Report = Callable[[str, int, int], None]


def be_silent(_name: str, _done: int, _total: int) -> None:
    """A ``Report`` that tells nobody."""


def find_published(spec: ModelSpec, folder: Path) -> Path:
    """The folder that holds every published file under its name: this one, or one inside it.

    ``ModelError`` names what is missing.
    """
    wanted = [PurePosixPath(file.name) for file in spec.files]
    candidates = [folder, *_find_roots(folder, wanted[0])]
    best = min(candidates, key=lambda root: len(_list_missing(root, wanted)))
    if missing := _list_missing(best, wanted):
        raise ModelError(
            _(
                "%(folder)s lacks %(names)s. Every file of %(title)s must be there under its "
                "published name."
            )
            % {
                "folder": folder,
                "names": ", ".join(str(name) for name in missing),
                "title": spec.title,
            },
            code="files_missing",
        )
    for name in wanted:
        if not (best / name).is_file():
            words = _("%(path)s is no file.") % {"path": best / name}
            raise ModelError(words, code="files_missing")
    return best


# Whatever a damaged or strange archive makes Python's readers raise.
_UNREADABLE = (
    zipfile.BadZipFile,
    zlib.error,
    lzma.LZMAError,
    struct.error,
    NotImplementedError,
    RuntimeError,
    EOFError,
    OSError,
    ValueError,  # names that are no text, places before the beginning
)


def unpack(spec: ModelSpec, archive: Path, room: Path, report: Report = be_silent) -> Path:
    """Take the published files, and nothing else, out of a zip into ``room``.

    Names never come from the archive: whatever it holds, files are written under the names of
    the specification. ``ModelError`` when it is no zip, lacks a file, or unpacks to too much.
    """
    try:
        with zipfile.ZipFile(archive) as opened:
            entries = _choose_entries(spec, opened)
            total = sum(entry.file_size for entry in entries.values())
            if total > MAX_BYTES:
                words = _("%(name)s unpacks to %(size)s bytes: too many.")
                words %= {"name": archive.name, "size": total}
                raise ModelError(words, code="bad_archive")
            place.check_room(room, 2 * total)  # with what is converted from them
            for name, entry in entries.items():
                _extract(opened, entry, name, room / name, report)
    except _UNREADABLE as error:
        words = _("%(path)s cannot be unpacked: %(error)s") % {"path": archive, "error": error}
        raise ModelError(words, code="bad_archive") from error
    return room


def measure_published(spec: ModelSpec, folder: Path) -> int:
    """Bytes of the published files: about as many will be made of them."""
    return sum((folder / file.name).stat().st_size for file in spec.files)


def check_published(
    spec: ModelSpec, folder: Path, report: Report = be_silent
) -> dict[str, CardFile]:
    """Every published file with its checksum, held against the pin where there is one.

    ``ModelError`` when one is another file than the pinned one.
    """
    found: dict[str, CardFile] = {}
    for file in spec.files:
        path = folder / file.name
        size = path.stat().st_size
        report(file.name, 0, size)
        sha256 = place.hash_file(path)
        report(file.name, size, size)
        if file.sha256 and sha256 != file.sha256:
            raise ModelError(
                _(
                    "%(name)s is not the published file: its SHA-256 is %(found)s, not "
                    "%(wanted)s. Download it again."
                )
                % {"name": file.name, "found": sha256, "wanted": file.sha256},
                code="checksum_mismatch",
            )
        found[file.name] = CardFile(sha256, size, is_verified=bool(file.sha256))
    return found


def _find_roots(folder: Path, name: PurePosixPath) -> list[Path]:
    """Folders below ``folder`` in which ``name`` is found, the nearest first."""
    depth = len(name.parts)
    paths = [path for path in folder.rglob(name.name) if path.parts[-depth:] == name.parts]
    return sorted((path.parents[depth - 1] for path in paths), key=lambda path: len(path.parts))


def _list_missing(root: Path, wanted: Iterable[PurePosixPath]) -> list[PurePosixPath]:
    return [name for name in wanted if not (root / name).exists()]


def _choose_entries(spec: ModelSpec, opened: zipfile.ZipFile) -> dict[str, zipfile.ZipInfo]:
    """The entries of the published files by name, all below the same folder of the archive."""
    entries = opened.infolist()
    if len(entries) > MAX_ENTRIES:
        words = _("The archive has %(count)s entries: too many.") % {"count": len(entries)}
        raise ModelError(words, code="bad_archive")
    by_name = {entry.filename: entry for entry in entries}
    first = spec.files[0].name
    found = [name for name in by_name if name == first or name.endswith(f"/{first}")]
    roots = sorted((name.removesuffix(first) for name in found), key=len)
    for root in roots:
        chosen = {f.name: by_name[root + f.name] for f in spec.files if root + f.name in by_name}
        if len(chosen) == len(spec.files):
            for name, entry in chosen.items():
                _check_entry(name, entry)
            return chosen
    missing = [f.name for f in spec.files if f.name not in by_name] or [first]
    words = _("The archive lacks %(names)s.") % {"names": ", ".join(missing)}
    raise ModelError(words, code="files_missing")


def _check_entry(name: str, entry: zipfile.ZipInfo) -> None:
    mode = entry.external_attr >> 16
    if entry.is_dir() or (mode and stat.S_IFMT(mode) not in (0, stat.S_IFREG)):
        words = _("%(name)s is no plain file in the archive.") % {"name": name}
        raise ModelError(words, code="bad_archive")


def _extract(
    opened: zipfile.ZipFile, entry: zipfile.ZipInfo, name: str, target: Path, report: Report
) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    done = 0
    with opened.open(entry) as source, target.open("xb") as file:
        while block := source.read(place.BLOCK_SIZE):
            done += len(block)
            if done > entry.file_size:  # it says it is smaller than it is
                words = _("%(name)s lies about its size.") % {"name": name}
                raise ModelError(words, code="bad_archive")
            file.write(block)
            report(name, done, entry.file_size)
