"""What is measured, by name, and how it is told: JSON lines on stdout, tables on stderr."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from dataclasses import asdict, dataclass

from rich.console import Console
from rich.table import Table

#: The parts of the path in the order in which they run. CPU seconds of ``engine`` are those of
#: the engine process; ``synthesize`` is our side of it: lining up, waiting, taking results.
PARTS = {
    "engine": "the engine process itself",
    "plan": "text to segments and digests, segments written",
    "lookup": "which renditions are there",
    "synthesize": "streaming to the engine and waiting for it",
    "store": "FLAC, file and row of each rendition; files of the track",
    "progress": "lease, counters and usage after each sentence",
    "load": "renditions read, verified, decoded",
    "stitch": "trim, resample, fade, join",
    "loudness": "measure, gain, measure",
    "mp3": "encode MP3",
    "opus": "encode Opus",
    "captions": "WebVTT",
    "peaks": "peaks and waveform picture",
    "publish": "the swap for learners",
    "rest": "claim, manifest, rows of the track, everything else",
}
PER_WALL, PER_CPU, SHARE = "audio s / wall s", "audio s / CPU s", "CPU s / audio s"


@dataclass(frozen=True)
class Measure:
    """What a name means; ``goal`` is the bound it should keep, with its direction."""

    unit: str
    meaning: str
    goal: str = ""


@dataclass(frozen=True)
class Measurement:
    """One line: the median of ``n`` rounds. ``value`` is None where it was skipped."""

    name: str
    value: float | None
    unit: str
    n: int
    note: str = ""


def _build_measures() -> dict[str, Measure]:
    measures = {
        "path.audio_per_wall": Measure(PER_WALL, "the whole path, longest lesson"),
        "path.audio_per_cpu": Measure(PER_CPU, "the same, our process and the engine's"),
        "path.share_not_engine": Measure(SHARE, "everything that is not the engine", "≤ 0.05"),
        "path.share_engine": Measure(SHARE, "the engine process"),
        "engine.start": Measure("s", "start and load the engine process"),
    }
    for part, meaning in PARTS.items():
        if part != "engine":
            measures[f"part.{part}.audio_per_wall"] = Measure(PER_WALL, meaning)
            measures[f"part.{part}.growth"] = Measure("ratio", f"CPU per sentence: {meaning}")
        measures[f"part.{part}.audio_per_cpu"] = Measure(PER_CPU, meaning)
        measures[f"part.{part}.share"] = Measure(SHARE, meaning)
    for size in ("small", "medium", "large"):
        measures[f"size.{size}.sentences"] = Measure("sentences", "in the lesson (N)")
        measures[f"size.{size}.wall"] = Measure("s", "request to published, all made anew")
        measures[f"size.{size}.cpu"] = Measure("CPU s", "the same, both processes")
        measures[f"size.{size}.audio"] = Measure("s", "length of its track")
    large_to_medium = "per sentence, large ÷ medium, same round"
    measures |= {
        "growth.wall": Measure("ratio", f"wall {large_to_medium}", "≤ 1.1"),
        "growth.wall_worst": Measure("ratio", "the worst round"),
        "growth.cpu": Measure("ratio", f"CPU {large_to_medium}", "≤ 1.1"),
        "edit.syntheses": Measure("syntheses", "one sentence of the large lesson edited", "= 1"),
        "edit.wall": Measure("s", "request to published after that edit"),
        "edit.ratio": Measure("ratio", "that ÷ the full run of the same text"),
        "edit.cpu_ratio": Measure("ratio", "the same in CPU seconds"),
        "unchanged.engine_calls": Measure("calls", "large lesson requested again", "= 0"),
        "unchanged.tracks": Measure("tracks", "made by that", "= 0"),
        "unchanged.wall": Measure("s", "request to done"),
        "unchanged.ratio": Measure("ratio", "that ÷ the full run of the same text"),
    }
    for page, meaning in {
        "lesson": "learner's lesson page",
        "author": "author's lesson list",
        "admin": "admin's lesson list",
    }.items():
        for size in ("few", "many"):
            measures[f"page.{page}.queries_{size}"] = Measure("queries", f"{meaning}, {size}")
            measures[f"page.{page}.ms_{size}"] = Measure("ms", f"{meaning}, {size}, in process")
        measures[f"page.{page}.queries_growth"] = Measure("queries", f"{meaning}, more", "= 0")
    measures |= {
        "ranges.ours": Measure("requests / s", "our media view, one connection, signed in"),
        "ranges.nginx": Measure("requests / s", "nginx, same file, same ranges"),
        "ranges.accel": Measure("requests / s", "nginx, permission asked of us (X-Accel-Redirect)"),
        "ranges.ours_to_nginx": Measure("ratio", "median of rounds"),
        "ranges.ours_to_nginx_worst": Measure("ratio", "the worst round"),
        "ranges.accel_to_ours": Measure("ratio", "median of rounds"),
        "bench.wall": Measure("s", "the whole benchmark"),
    }
    return measures


MEASURES: Mapping[str, Measure] = _build_measures()


class Report:
    """Tells each measurement at once and all of them in the end."""

    def __init__(self) -> None:
        self.lines: dict[str, Measurement] = {}

    def add(self, name: str, value: float | None, *, n: int = 1, note: str = "") -> None:
        """One measurement; ``KeyError`` when its name is not in ``MEASURES``."""
        rounded = None if value is None else float(f"{value:.4g}")
        line = Measurement(name, rounded, MEASURES[name].unit, n, note)
        self.lines[name] = line
        sys.stdout.write(json.dumps(asdict(line)) + "\n")
        sys.stdout.flush()

    def show(self) -> None:
        """The tables, for people."""
        console = Console(stderr=True)
        console.print(self._build_parts())
        console.print(self._build_table())

    def _build_parts(self) -> Table:
        columns = ("audio_per_wall", "audio_per_cpu", "share", "growth")
        table = Table(title="Parts of the path", title_justify="left")
        table.add_column("Part")
        for heading in (PER_WALL, PER_CPU, SHARE, "growth"):
            table.add_column(heading, justify="right")
        for part in PARTS:
            lines = [self.lines.get(f"part.{part}.{column}") for column in columns]
            table.add_row(part, *(_format(line.value) if line else "" for line in lines))
        return table

    def _build_table(self) -> Table:
        table = Table(title="Measurements", title_justify="left")
        for heading in ("Name", "Value", "Unit", "n", "Goal", "What"):
            table.add_column(heading, justify="right" if heading in ("Value", "n") else "left")
        for line in self.lines.values():
            measure = MEASURES[line.name]
            if not line.name.startswith("part."):
                what = f"{measure.meaning} ({line.note})" if line.note else measure.meaning
                row = (line.name, _format(line.value), line.unit, str(line.n), measure.goal, what)
                table.add_row(*row)
        return table


def _format(value: float | None) -> str:
    return "skipped" if value is None else f"{value:.4g}"
