"""What ``manage.py demo`` does: child processes that never outlive it, and jobs watched live."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import CommandError
from rich.console import Console
from rich.markup import escape
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
)
from rich.table import Table

from courses.models import LessonText
from courses.templatetags.courses_tags import sound_length
from narration import api as narration

STALL_SECONDS = 60.0
STOP_SECONDS = 10.0
STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM)
FINISHED = {"done", "partial", "failed", "quarantined", "cancelled"}


class Child:
    """A ``manage.py`` command in a session of its own, its words in a log file.

    In its own session, so that Ctrl-C reaches only us and we stop it in order.
    """

    def __init__(self, *command: str) -> None:
        self.name = command[0]
        folder = Path(settings.VAR_DIR) / "log"
        folder.mkdir(parents=True, exist_ok=True)
        self.log = folder / f"demo-{self.name}.log"
        manage = str(Path(settings.BASE_DIR) / "manage.py")
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [sys.executable, manage, *command],
                stdout=log,
                stderr=subprocess.STDOUT,
                stdin=subprocess.DEVNULL,
                start_new_session=True,
            )

    def require_alive(self) -> None:
        """``CommandError`` with its last words when it has ended."""
        if self.process.poll() is None:
            return
        words = self.log.read_text("utf-8", "replace").strip().splitlines()[-15:]
        raise CommandError(
            f"{self.name} ended with status {self.process.returncode}. Its last words "
            f"({self.log}):\n  " + "\n  ".join(words)
        )

    def stop(self) -> None:
        """Ask it to end, wait, then end what is left of its group."""
        if self.process.poll() is None:
            self.process.terminate()
            with suppress(subprocess.TimeoutExpired):
                self.process.wait(STOP_SECONDS)
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()


@dataclass
class Run:
    """One lesson's job: ``started``, ``ended`` in seconds of our own clock."""

    text: LessonText
    job: Any
    started: float = field(default_factory=time.monotonic)
    ended: float | None = None

    @property
    def is_over(self) -> bool:
        """Whether the job has ended, well or badly."""
        return self.job.state in FINISHED

    @property
    def is_good(self) -> bool:
        """Whether every sentence is there."""
        return bool(self.job.state == "done")

    @property
    def wall_s(self) -> float:
        """From the moment a worker took it to its end; 0 where nobody ever did."""
        started, finished = self.job.started_at, self.job.finished_at
        return (finished - started).total_seconds() if started and finished else 0.0

    def refresh(self) -> tuple[str, int, int]:
        """Read the job again; what must change for us to say that it moves."""
        self.job = narration.get_job(uid=self.job.uid, user=None)
        return (self.job.state, self.job.done, self.job.total)


def watch(runs: Sequence[Run], console: Console, child: Child | None = None) -> None:
    """A bar per lesson until all jobs have ended; ``child`` is the worker, if it is ours.

    ``CommandError`` when the worker dies, or when nothing moves for ``STALL_SECONDS``.
    """
    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=console, disable=not console.is_terminal) as progress:
        bars = {run.text.pk: progress.add_task(escape(run.text.title), total=None) for run in runs}
        seen, moved_at = None, time.monotonic()
        while True:
            now = [run.refresh() for run in runs]
            if now != seen:
                seen, moved_at = now, time.monotonic()
            show(runs, progress, bars, console)
            if all(run.is_over for run in runs):
                return
            if child:
                child.require_alive()
            if time.monotonic() - moved_at > STALL_SECONDS:
                where = (
                    f"The worker's words are in {child.log}."
                    if child
                    else "Is a worker running (manage.py narration_worker)?"
                )
                raise CommandError(f"Nothing moved for {STALL_SECONDS:.0f} s. {where}")
            time.sleep(0.25)


def show(
    runs: Sequence[Run], progress: Progress, bars: dict[int, TaskID], console: Console
) -> None:
    """Move the bars; where there is no terminal, a line for every lesson that ended."""
    for run in runs:
        job = run.job
        total = job.total or None
        progress.update(bars[run.text.pk], completed=job.done, total=total)
        if run.is_over and run.ended is None:
            run.ended = time.monotonic()
            progress.update(bars[run.text.pk], completed=total or 1, total=total or 1)
            if not console.is_terminal:
                console.print(
                    f"{escape(run.text.title)}: {job.state} after {run.wall_s:.1f} s",
                    soft_wrap=True,
                )


def build_table(runs: Sequence[Run]) -> Table:
    """What was made: a row per lesson, and the sum."""
    table = Table(title="Narrated lessons", title_justify="left")
    table.add_column("Lesson", overflow="ellipsis", no_wrap=True)
    table.add_column("Language", no_wrap=True)
    for name in ("Sentences", "Synthesized", "Reused", "Audio", "Wall time"):
        table.add_column(name, justify="right", no_wrap=True)
    states = narration.states_for([run.text.lesson for run in runs])
    rows = [(run, states[run.text.lesson_id][run.text.language]) for run in runs]
    for run, state in rows:
        table.add_row(escape(run.text.title), run.text.language, *build_cells([run], [state]))
    table.add_section()
    table.add_row("All", "", *build_cells(runs, [state for _run, state in rows]))
    return table


def build_cells(runs: Sequence[Run], states: Sequence[narration.NarrationState]) -> list[str]:
    """The numbers of these lessons together; the word of a job that is not whole as the last."""
    bad = [str(run.job.state) for run in runs if not run.is_good]
    started = [run.job.started_at for run in runs if run.job.started_at]
    ended = [run.job.finished_at for run in runs if run.job.finished_at]
    wall = (max(ended) - min(started)).total_seconds() if started and ended else 0.0
    sentences = sum(state.segments for state in states)
    made = sum(run.job.synthesized for run in runs)
    # A sentence that stands twice in a lesson is made once and reused once.
    reused = sentences - made - sum(run.job.failed for run in runs)
    return [
        str(sentences),
        str(made),
        str(reused),
        sound_length(sum(state.duration_ms for state in states)),
        bad[0] if bad else f"{wall:.1f} s",
    ]


def is_port_free(port: int) -> bool:
    """Whether we could listen there."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def wait_until(is_true: Callable[[], bool], child: Child, *, seconds: float) -> None:
    """Until ``is_true``; ``CommandError`` when the child dies or the time is up."""
    end = time.monotonic() + seconds
    while not is_true():
        child.require_alive()
        if time.monotonic() > end:
            raise CommandError(f"{child.name} was not ready after {seconds:.0f} s ({child.log}).")
        time.sleep(0.1)


def raise_interrupt(_signum: int, _frame: Any) -> None:
    """SIGTERM stops us as Ctrl-C does; nothing then interrupts the stopping of the children."""
    for each in STOP_SIGNALS:
        signal.signal(each, signal.SIG_IGN)
    raise KeyboardInterrupt
