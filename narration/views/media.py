"""Sound over HTTP: permission asked at every request, single byte ranges, validators, HEAD.

Django's ``FileResponse`` ignores ``Range``, and a browser that cannot seek plays from the start.
The rules are those of RFC 9110, sections 13 and 14.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import IO

from django.db import connections
from django.http import (
    Http404,
    HttpRequest,
    HttpResponse,
    HttpResponseBase,
    StreamingHttpResponse,
)
from django.utils.cache import get_conditional_response, patch_vary_headers
from django.utils.http import content_disposition_header, http_date, quote_etag
from django.utils.text import slugify
from django.views.decorators.http import require_safe

from narration import conf, manifests, permissions, storage
from narration.exceptions import StorageUnreachable
from narration.models import ReferenceRecording, Rendition, Track, TrackFile
from narration.signing import get_token
from narration.sources import get_source

logger = logging.getLogger(__name__)

BLOCK_SIZE = 64 * 1024
#: When a browser may ask again while the storage does not answer.
RETRY_SECONDS = "30"

CONTENT_TYPES = {**manifests.CONTENT_TYPES, "vtt": "text/vtt; charset=utf-8"}

# More digits than any file has bytes is no range we would serve, so it is read as malformed.
_BYTE_RANGES = re.compile(r"bytes=(.*)", re.IGNORECASE | re.DOTALL)
_RANGE_SPEC = re.compile(r"([0-9]{0,18})-([0-9]{0,18})")


@dataclass(frozen=True, slots=True)
class MediaFile:
    """A stored file that this response may show. ``get_name`` is asked only for a download."""

    storage_name: str
    size: int
    sha256: str
    content_type: str
    made_at: datetime
    get_name: Callable[[], str]


@dataclass(frozen=True, slots=True)
class ByteRange:
    """Bytes ``first`` to ``last`` of a file, both included."""

    first: int
    last: int

    @property
    def size(self) -> int:
        """How many bytes that is."""
        return self.last - self.first + 1


class UnsatisfiableRangeError(Exception):
    """The ranges asked for lie outside the file: 416."""


class FileSlice:
    """Reads ``size`` bytes of an open file from ``first`` on, in blocks."""

    def __init__(self, file: IO[bytes], first: int, size: int):
        self._file = file
        self._left = size
        file.seek(first)

    def __iter__(self) -> Iterator[bytes]:
        _release_connections()
        while self._left > 0:
            block = self._file.read(min(BLOCK_SIZE, self._left))
            if not block:
                return
            self._left -= len(block)
            yield block

    def close(self) -> None:
        """Give the file back; Django calls it however the response ends."""
        self._file.close()


@require_safe
def serve_media(request: HttpRequest, kind: str, token: str, extension: str) -> HttpResponseBase:
    """The file behind a media URL; 404 alike for what is unknown and for what is not this user's.

    ``kind`` is "tracks" or "renditions". ``?download=1`` asks for an attachment.
    """
    media: MediaFile | None = None
    if kind == "tracks":
        media = _from_track_file(permissions.find_track_file(token, extension, request.user))
    elif kind == "renditions" and extension == "flac":
        media = _from_rendition(permissions.find_rendition(token, request.user))
    if media is None:
        raise Http404
    return serve_file(request, media)


def serve_track(request: HttpRequest, track: Track, file_format: str) -> HttpResponseBase:
    """One file of a track that the caller has already checked permission for; 404 without it."""
    file = track.files.select_related("track__narration").filter(format=file_format).first()
    media = _from_track_file(file)
    if media is None:
        raise Http404
    return serve_file(request, media)


def serve_file(request: HttpRequest, media: MediaFile) -> HttpResponseBase:
    """Answer with the file, a range of it, 304, 412 or 416, as the request's headers ask.

    503 while the storage does not answer.
    """
    try:
        is_whole = storage.is_whole(media.storage_name, media.size)
    except StorageUnreachable:
        logger.exception("%s cannot be served now.", media.storage_name)
        return HttpResponse(status=503, headers={"Retry-After": RETRY_SECONDS})
    if not is_whole:
        logger.error("%s is missing or truncated and was not served.", media.storage_name)
        raise Http404
    headers = _build_headers(request, media)
    response = _build_response(request, media)
    for name, value in headers.items():
        response[name] = value
    patch_vary_headers(response, ["Cookie"])
    return response


def serve_recording(request: HttpRequest, recording: ReferenceRecording) -> HttpResponseBase:
    """What a cloned voice imitates, to whom the caller lets hear it; nothing is to keep it."""
    media = MediaFile(
        recording.file,
        recording.size,
        recording.sha256,
        CONTENT_TYPES["flac"],
        recording.added_at,
        lambda: "recording.flac",
    )
    response = serve_file(request, media)
    response["Cache-Control"] = "private, no-store"
    return response


def parse_range(header: str, size: int) -> ByteRange | None:
    """The one range of a file of ``size`` bytes to send, None for the whole file.

    None also for what RFC 9110 lets a server ignore: other units, malformed specifiers, and more
    than one satisfiable range (no player asks for those, and multipart answers invite abuse).
    ``UnsatisfiableRangeError`` when every range lies outside the file.
    """
    match = _BYTE_RANGES.fullmatch(header.strip())
    specs = [spec.strip(" \t") for spec in match[1].split(",")] if match else []
    matches = [_RANGE_SPEC.fullmatch(spec) for spec in specs if spec]
    if not matches or not size:
        return None
    ranges = []
    for spec in matches:
        if spec is None or not _is_valid(spec[1], spec[2]):
            return None
        ranges.append(_resolve(spec[1], spec[2], size))
    satisfiable = [found for found in ranges if found is not None]
    if not satisfiable:
        raise UnsatisfiableRangeError
    return satisfiable[0] if len(satisfiable) == 1 else None


def _release_connections() -> None:
    """A slow listener must not keep a connection that the site does not mean to keep."""
    for connection in connections.all(initialized_only=True):
        if not connection.in_atomic_block:
            connection.close_if_unusable_or_obsolete()


def _is_valid(first: str, last: str) -> bool:
    if first and last:
        return int(first) <= int(last)
    return bool(first or last)


def _resolve(first: str, last: str, size: int) -> ByteRange | None:
    """The bytes meant by ``first-last``, ``first-`` or ``-count``; None when there are none."""
    if not first:
        count = min(int(last), size)
        return ByteRange(size - count, size - 1) if count else None
    if int(first) >= size:
        return None
    return ByteRange(int(first), min(int(last), size - 1) if last else size - 1)


def _build_response(request: HttpRequest, media: MediaFile) -> HttpResponseBase:
    prefix = conf.get_configuration().x_accel_prefix
    if prefix:
        # The front server knows ranges and validators, and its own are those of the file on disk.
        location = f"/{prefix.strip('/')}/{media.storage_name}"
        return HttpResponse(headers={"X-Accel-Redirect": location})
    conditional: HttpResponseBase | None = get_conditional_response(
        request, _get_etag(media), _get_seconds(media)
    )
    return conditional or _build_content(request, media)


def _build_content(request: HttpRequest, media: MediaFile) -> HttpResponseBase:
    if request.method == "HEAD":  # ranges are defined for GET alone
        return HttpResponse(headers={"Content-Length": str(media.size)})
    try:
        wanted = _find_range(request, media)
    except UnsatisfiableRangeError:
        return HttpResponse(status=416, headers={"Content-Range": f"bytes */{media.size}"})
    part = wanted or ByteRange(0, media.size - 1)
    response = StreamingHttpResponse(_open_slice(media, part), status=206 if wanted else 200)
    response.headers["Content-Length"] = str(part.size)
    if wanted:
        response.headers["Content-Range"] = f"bytes {part.first}-{part.last}/{media.size}"
    return response


def _find_range(request: HttpRequest, media: MediaFile) -> ByteRange | None:
    header = request.headers.get("Range", "")
    condition = request.headers.get("If-Range")
    # Only the very same entity: a weak ETag never equals our strong one, nor does a later date.
    if condition is not None and condition.strip() not in (
        _get_etag(media),
        http_date(_get_seconds(media)),
    ):
        return None
    return parse_range(header, media.size)


def _open_slice(media: MediaFile, part: ByteRange) -> FileSlice:
    try:
        return FileSlice(storage.get_storage().open(media.storage_name), part.first, part.size)
    except OSError as error:  # pruned since it was measured
        logger.exception("%s vanished while it was being served.", media.storage_name)
        raise Http404 from error


def _build_headers(request: HttpRequest, media: MediaFile) -> dict[str, str]:
    headers = {
        "Content-Type": media.content_type,
        "Content-Disposition": _build_disposition(request, media),
        "Accept-Ranges": "bytes",
        # The name pins the content, yet permission may end: keep it, and ask before each use.
        "Cache-Control": "private, no-cache",
        "X-Content-Type-Options": "nosniff",
    }
    if not conf.get_configuration().x_accel_prefix:
        headers["ETag"] = _get_etag(media)
        headers["Last-Modified"] = http_date(_get_seconds(media))
    return headers


def _build_disposition(request: HttpRequest, media: MediaFile) -> str:
    if request.GET.get("download") != "1":
        return "inline"
    return content_disposition_header(as_attachment=True, filename=media.get_name()) or "attachment"


def _get_etag(media: MediaFile) -> str:
    return quote_etag(media.sha256)


def _get_seconds(media: MediaFile) -> int:
    return int(media.made_at.timestamp())


def _from_track_file(file: TrackFile | None) -> MediaFile | None:
    if file is None:
        return None
    return _build_media(file, file.format, file.track.made_at, lambda: _build_track_name(file))


def _from_rendition(rendition: Rendition | None) -> MediaFile | None:
    if rendition is None:
        return None
    name = f"{get_token(rendition.storage_name)[:12]}.flac"
    return _build_media(rendition, "flac", rendition.made_at, lambda: name)


def _build_media(
    row: TrackFile | Rendition, file_format: str, made_at: datetime, get_name: Callable[[], str]
) -> MediaFile:
    content_type = CONTENT_TYPES[file_format]
    return MediaFile(row.storage_name, row.size, row.sha256, content_type, made_at, get_name)


def _build_track_name(file: TrackFile) -> str:
    narration = file.track.narration
    obj = narration.source_object
    title = get_source(obj).get_title(obj, narration.language) if obj is not None else ""
    stem = slugify(title, allow_unicode=True) or "narration"
    extension = file.storage_name.rpartition(".")[2]
    return f"{stem}.{narration.language}.{extension}"
