"""Download a model: every published file, checked and kept, then imported like one brought."""

from __future__ import annotations

import shutil
import time
from pathlib import Path
from urllib.parse import urlsplit

from django.utils.translation import gettext as _

from narration.engines.models import ModelCard, ModelFile
from narration.exceptions import ModelError
from narration.modelstore import hub, place
from narration.modelstore.configured import ConfiguredModel
from narration.modelstore.install import import_from
from narration.modelstore.published import Report, be_silent
from narration.modelstore.transfer import Pause, check_reachable, fetch, find_fault

DOWNLOADS = "downloads"


def download(
    model: ConfiguredModel,
    report: Report = be_silent,
    *,
    pause: Pause = time.sleep,
) -> ModelCard:
    """Fetch what is missing, then import it; what came is kept until the model is in its place.

    ``ModelError`` as ``check_reachable``, ``fetch`` and ``import_from`` raise.
    """
    folder = get_downloads(model)
    sizes = sum(file.size for file in model.spec.files)
    with place.hold(model.models_dir, f"{model.name}-download"):
        folder.mkdir(parents=True, exist_ok=True)
        # The published files, and what is converted from them.
        place.check_room(model.models_dir, 2 * sizes - _count_bytes(folder))
        _check_hosts(model, folder)
        for file in model.spec.files:
            _fetch(model, file, folder / file.name, report, pause)
        card = import_from(model, folder, report)
        shutil.rmtree(folder)
    return card


def get_downloads(model: ConfiguredModel) -> Path:
    """Where its published files lie while they come."""
    return model.models_dir / DOWNLOADS / model.name


def remove(model: ConfiguredModel) -> int:
    """Take a model away, with what was fetched of it; the bytes that are free again.

    ``ModelError`` when it is not here.
    """
    downloads = get_downloads(model)
    with (
        place.hold(model.models_dir, f"{model.name}-download"),
        place.hold(model.models_dir, model.name),
    ):
        is_here = model.folder.exists() or model.folder.is_symlink()
        if not is_here and not downloads.exists():
            words = _("%(title)s is not here.") % {"title": model.spec.title}
            raise ModelError(words, code="model_missing")
        freed = _count_bytes(model.folder) + _count_bytes(downloads)
        if is_here:
            place.take_away(model.folder)
        shutil.rmtree(downloads, ignore_errors=True)
    return freed


def _check_hosts(model: ConfiguredModel, folder: Path) -> None:
    """``ModelError`` when a host of what is still missing is out of reach."""
    if hub.has_mirror():
        return  # who set it knows that the published address is not the one that answers
    missing = [file.url for file in model.spec.files if not (folder / file.name).is_file()]
    for url in {urlsplit(url).netloc: url for url in missing}.values():
        check_reachable(url)


def _fetch(
    model: ConfiguredModel, file: ModelFile, target: Path, report: Report, pause: Pause
) -> None:
    if target.is_file() and not find_fault(file, target):  # whole: it has its name
        report(file.name, target.stat().st_size, target.stat().st_size)
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    if hub.fetch(file, target, model.models_dir) and not find_fault(file, target):
        return
    fetch(file, target, report, pause=pause)


def _count_bytes(folder: Path) -> int:
    """Of what goes with a folder: not of what links lead to, be it the folder itself."""
    if folder.is_symlink():
        return 0
    files = (path for path in folder.rglob("*") if path.is_file() and not path.is_symlink())
    return sum(path.stat().st_size for path in files)
