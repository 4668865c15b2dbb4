"""Progress on the command line: bars where somebody watches, a line a file where nobody does."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import IO, Any, cast

from django.core.management.base import OutputWrapper
from django.utils.translation import gettext as _

from narration.modelstore import Report

MEGABYTE = 1_000_000


@contextmanager
def show_progress(out: OutputWrapper) -> Iterator[Report]:
    """A ``Report`` that draws bars with rich on a terminal, else writes a line for each file."""
    if out.isatty() and importlib.util.find_spec("rich"):
        with _show_bars(out) as report:
            yield report
    else:
        yield _build_lines(out)


@contextmanager
def _show_bars(out: OutputWrapper) -> Iterator[Report]:
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        DownloadColumn,
        Progress,
        TextColumn,
        TimeRemainingColumn,
        TransferSpeedColumn,
    )

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        DownloadColumn(),
        TransferSpeedColumn(),
        TimeRemainingColumn(),
    )
    tasks: dict[str, Any] = {}
    with Progress(*columns, console=Console(file=cast("IO[str]", out))) as progress:

        def report(name: str, done: int, total: int) -> None:
            if name not in tasks:
                tasks[name] = progress.add_task(name or _("converting"), total=total or None)
            progress.update(tasks[name], completed=done, total=total or None)

        yield report


def _build_lines(out: OutputWrapper) -> Callable[[str, int, int], None]:
    begun: set[str] = set()

    def report(name: str, _done: int, total: int) -> None:
        if name in begun:
            return
        begun.add(name)
        size = f" ({total / MEGABYTE:.1f} MB)" if total else ""
        out.write(f"{name or _('converting')}{size} …")
        out.flush()

    return report
