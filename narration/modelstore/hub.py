"""Files of the Hugging Face hub through its own library, where that is installed.

It goes on with what broke off, and knows tokens and mirrors. Where it is not installed, or cannot,
plain HTTP does.
"""

from __future__ import annotations

import importlib
import logging
import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from narration.engines.models import ModelFile
from narration.modelstore import place

logger = logging.getLogger(__name__)

_URL = re.compile(r"https://huggingface\.co/([^/]+/[^/]+)/resolve/([^/]+)/([^?#]+)")


def fetch(file: ModelFile, target: Path, models_dir: Path) -> bool:
    """Fetch a file of the hub to ``target``; False where plain HTTP is to try.

    Its caches lie below ``models_dir``, and it draws its own progress bar.
    """
    found = _URL.fullmatch(file.url)
    library = _find_library(models_dir) if found else None
    if found is None or library is None:
        return False
    repository, revision, name = found.groups()
    room = target.parent / f".hub-{target.name}"
    try:
        with _quieten():
            path = library.hf_hub_download(
                repo_id=repository, filename=name, revision=revision, local_dir=str(room)
            )
    except Exception as error:  # noqa: BLE001 - the other way is tried, whatever is wrong with it
        logger.warning("huggingface_hub could not fetch %s: %s", file.name, type(error).__name__)
        return False
    Path(path).replace(target)
    shutil.rmtree(room, ignore_errors=True)  # what it notes to go on with
    return True


def has_mirror() -> bool:
    """Whether the library asks another host than the one the published addresses name."""
    return bool(os.environ.get("HF_ENDPOINT"))


@contextmanager
def _quieten() -> Iterator[None]:
    """Every try it repeats it tells twice, to its own handler and to ours: we tell the outcome."""
    theirs = logging.getLogger("huggingface_hub")
    before = theirs.level
    theirs.setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        theirs.setLevel(before)


def _find_library(models_dir: Path) -> Any:
    """huggingface_hub, told where its caches are before its first import; None without it."""
    home = models_dir / place.CACHE / "huggingface"
    os.environ.setdefault("HF_HOME", str(home))
    os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
    try:
        return importlib.import_module("huggingface_hub")
    except ImportError:
        return None
