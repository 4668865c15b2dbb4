"""How a segment is written, as its row keeps it: enough to say it anew without its source."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from narration.values import Aspect, Run, RunKind


def pack_runs(runs: Sequence[Run]) -> list[list[Any]]:
    """Runs as short JSON lists; one of plain prose alone packs to nothing at all."""
    if len(runs) == 1 and runs[0] == Run(runs[0].text):
        return []
    return [_pack(run) for run in runs]


def unpack_runs(packed: Sequence[Sequence[Any]], display_text: str) -> tuple[Run, ...]:
    """The runs that ``pack_runs`` packed."""
    return tuple(_unpack(*row) for row in packed) if packed else (Run(display_text),)


def _pack(run: Run) -> list[Any]:
    row = [run.text, str(run.kind), run.language, run.spoken, str(run.aspect)]
    defaults = [None, str(RunKind.PROSE), "", None, ""]
    while len(row) > 1 and row[-1] == defaults[len(row) - 1]:
        row.pop()
    return row


def _unpack(
    text: str,
    kind: str = RunKind.PROSE,
    language: str = "",
    spoken: str | None = None,
    aspect: str = "",
) -> Run:
    return Run(text, RunKind(kind), language, spoken, Aspect(aspect) if aspect else "")
