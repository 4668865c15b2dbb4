"""The manifest: everything a player needs of a track, in one JSON document."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from django.urls import reverse

from narration.models import Track, TrackFile
from narration.signing import get_token
from narration.values import Cue, CueWord, Role

MANIFEST_VERSION = 1

CONTENT_TYPES = {
    "mp3": "audio/mpeg",
    "opus": "audio/ogg",
    "vtt": "text/vtt",
    "peaks": "application/json",
    "png": "image/png",
    "flac": "audio/flac",
}
#: File extensions where they differ from the format's name.
EXTENSIONS = {"peaks": "json"}


def get_extension(file_format: str) -> str:
    """The file extension of a track format."""
    return EXTENSIONS.get(file_format, file_format)


def build_media_url(kind: str, storage_name: str) -> str:
    """Where a stored file is served, to those who may have it."""
    extension = storage_name.rpartition(".")[2]
    arguments = {"kind": kind, "token": get_token(storage_name), "extension": extension}
    return reverse("narration:media", kwargs=arguments)


def build_manifest(track: Track) -> dict[str, Any]:
    """The stored manifest with today's URLs of the track's files."""
    files = {file.format: build_file_entry(file) for file in track.files.all()}
    return {
        **track.manifest,
        "narration": str(track.narration.uid),
        "track": str(track.uid),
        "files": files,
    }


def build_file_entry(file: TrackFile) -> dict[str, Any]:
    """One file of a manifest: URL, media type, size in bytes."""
    url = build_media_url("tracks", file.storage_name)
    return {"url": url, "type": CONTENT_TYPES[file.format], "size": file.size}


def iter_cues(manifest: dict[str, Any]) -> Iterable[Cue]:
    """The cues of a stored manifest: the single source every caption format is written from."""
    for entry in manifest["segments"]:
        yield Cue(
            position=entry["position"],
            anchor=entry["anchor"],
            text=entry["text"],
            start_ms=entry["start_ms"],
            end_ms=entry["end_ms"],
            role=Role(entry["role"]),
            words=tuple(CueWord(*word) for word in entry["words"]),
        )


def build_words(words: Sequence[CueWord]) -> list[list[int]]:
    """Words as a manifest lists them: ``[start, end, start_ms, end_ms]``."""
    return [[word.start, word.end, word.start_ms, word.end_ms] for word in words]
