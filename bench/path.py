"""The espeak path: whole and in parts, as it grows, after an edit, and when nothing changed."""

from __future__ import annotations

import time
from dataclasses import dataclass
from itertools import count
from statistics import median

from bench.clock import SUBMIT, Spent, measure
from bench.lessons import build_lesson, build_markdown, create_text, narrate, save_text
from bench.report import PARTS, Report
from courses.models import Course, LessonText
from narration.models import Track
from narration.speaking import EngineProcess, get_engine_process

_seeds = count(1)


@dataclass
class Run:
    """One narration: what it cost, how long its sound is, how much was synthesized."""

    text: LessonText
    sentences: list[str]
    spent: Spent
    audio: float
    syntheses: int

    @property
    def wall_each(self) -> float:
        """Wall seconds per sentence."""
        return self.spent.wall / len(self.sentences)

    @property
    def cpu_each(self) -> float:
        """CPU seconds per sentence."""
        return self.spent.cpu / len(self.sentences)


def start_engine(report: Report) -> EngineProcess:
    """The warm engine all runs use, as a worker keeps one."""
    began = time.perf_counter()
    engine = get_engine_process("espeak")
    report.add("engine.start", time.perf_counter() - began)
    return engine


def measure_path(
    report: Report, course: Course, engine: EngineProcess, sizes: tuple[int, int, int], rounds: int
) -> Run:
    """All measurements of the path; the last run of the largest lesson, for others to use."""
    small, medium, large = sizes
    run_new(course, engine, small)  # imports, caches and tables are warm from here on
    runs: dict[str, list[Run]] = {"small": [], "medium": [], "large": []}
    for _round in range(rounds):
        runs["small"].append(run_new(course, engine, small))
        runs["medium"].append(run_new(course, engine, medium))
        runs["large"].append(run_new(course, engine, large))
    _report_sizes(report, runs)
    _report_whole(report, runs["large"])
    _report_parts(report, runs)
    _report_growth(report, runs["medium"], runs["large"])
    _measure_edits(report, engine, runs["large"])
    _measure_unchanged(report, engine, runs["large"])
    return runs["large"][-1]


def run_new(course: Course, engine: EngineProcess, size: int) -> Run:
    """Narrate a lesson none of whose sentences was ever spoken."""
    sentences = build_lesson(size, next(_seeds))
    return _run(create_text(course, build_markdown(sentences)), sentences, engine, size)


def _run(text: LessonText, sentences: list[str], engine: EngineProcess, expected: int) -> Run:
    pid = engine.pid
    if pid is None:
        raise RuntimeError("The engine is not running.")
    with measure(pid) as spent:
        job = narrate(text)
    if job.total != len(sentences) or job.synthesized != expected:
        raise RuntimeError(f"{job.synthesized} of {job.total} were made, {expected} expected.")
    return Run(text, sentences, spent, job.audio_ms / 1000, job.synthesized)


def _report_sizes(report: Report, runs: dict[str, list[Run]]) -> None:
    for size, of_size in runs.items():
        n = len(of_size)
        report.add(f"size.{size}.sentences", len(of_size[0].sentences), n=n)
        report.add(f"size.{size}.wall", median(run.spent.wall for run in of_size), n=n)
        report.add(f"size.{size}.cpu", median(run.spent.cpu for run in of_size), n=n)
        report.add(f"size.{size}.audio", median(run.audio for run in of_size), n=n)


def _report_whole(report: Report, runs: list[Run]) -> None:
    n = len(runs)
    report.add("path.audio_per_wall", median(run.audio / run.spent.wall for run in runs), n=n)
    report.add("path.audio_per_cpu", median(run.audio / run.spent.cpu for run in runs), n=n)
    shares = [run.spent.own_cpu / run.audio for run in runs]
    report.add("path.share_not_engine", median(shares), n=n)
    report.add("path.share_engine", median(run.spent.engine_cpu / run.audio for run in runs), n=n)


def _report_parts(report: Report, runs: dict[str, list[Run]]) -> None:
    large, n = runs["large"], len(runs["large"])
    for part in PARTS:
        share = median(run.spent.part_cpu[part] / run.audio for run in large)
        report.add(f"part.{part}.share", share, n=n)
        report.add(f"part.{part}.audio_per_cpu", 1 / share if share > 0 else None, n=n)
        if part == "engine":
            continue
        wall = median(run.spent.part_wall[part] / run.audio for run in large)
        report.add(f"part.{part}.audio_per_wall", 1 / wall if wall > 0 else None, n=n)
        growth = _get_part_growth(part, runs["medium"], large)
        report.add(f"part.{part}.growth", growth, n=n)


def _get_part_growth(part: str, medium: list[Run], large: list[Run]) -> float | None:
    """CPU seconds per sentence, large to medium; None where there is too little to compare."""
    each = [
        median(run.spent.part_cpu[part] / len(run.sentences) for run in runs)
        for runs in (medium, large)
    ]
    return each[1] / each[0] if each[0] > 0 else None


def _report_growth(report: Report, medium: list[Run], large: list[Run]) -> None:
    pairs = list(zip(medium, large, strict=True))
    walls = [b.wall_each / a.wall_each for a, b in pairs]
    report.add("growth.wall", median(walls), n=len(pairs))
    report.add("growth.wall_worst", max(walls), n=len(pairs))
    report.add("growth.cpu", median(b.cpu_each / a.cpu_each for a, b in pairs), n=len(pairs))


def _measure_edits(report: Report, engine: EngineProcess, runs: list[Run]) -> None:
    """One sentence in the middle of each large lesson is replaced by one never spoken."""
    edits: list[Run] = []
    for run in runs:
        sentences = list(run.sentences)
        # Not the first of a section: headings are spoken without their stop, so as other text.
        sentences[len(sentences) // 2 + 1] = build_lesson(1, next(_seeds))[0]
        save_text(run.text, build_markdown(sentences))
        edits.append(_run(run.text, sentences, engine, 1))
    pairs, n = list(zip(runs, edits, strict=True)), len(edits)
    report.add("edit.syntheses", max(edit.spent.calls[SUBMIT] for edit in edits), n=n)
    report.add("edit.wall", median(edit.spent.wall for edit in edits), n=n)
    report.add("edit.ratio", median(b.spent.wall / a.spent.wall for a, b in pairs), n=n)
    report.add("edit.cpu_ratio", median(b.spent.cpu / a.spent.cpu for a, b in pairs), n=n)


def _measure_unchanged(report: Report, engine: EngineProcess, runs: list[Run]) -> None:
    before = Track.objects.count()
    again = [_run(run.text, run.sentences, engine, 0) for run in runs]
    n = len(again)
    report.add("unchanged.engine_calls", max(run.spent.calls[SUBMIT] for run in again), n=n)
    report.add("unchanged.tracks", Track.objects.count() - before, n=n)
    report.add("unchanged.wall", median(run.spent.wall for run in again), n=n)
    ratios = [b.spent.wall / a.spent.wall for a, b in zip(runs, again, strict=True)]
    report.add("unchanged.ratio", median(ratios), n=n)
