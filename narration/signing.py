"""Checks on what comes back from a browser inside a media URL."""

from __future__ import annotations

import re

from narration.storage import build_path

#: The token of a media URL is the HMAC that names the file.
TOKEN = re.compile(r"[0-9a-f]{40}")


def build_storage_name(kind: str, token: str, extension: str) -> str:
    """The storage name behind a media URL's token; ``ValueError`` for anything else."""
    if not TOKEN.fullmatch(token):
        raise ValueError("not a media token")
    return build_path(kind, token, extension)


def get_token(storage_name: str) -> str:
    """The token under which a stored file is served."""
    return storage_name.rsplit("/", 1)[-1].partition(".")[0]
