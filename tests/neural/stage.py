"""A site whose lessons XTTS and StyleTTS2 speak: pages here, a supervised cluster of lane gpu.

The models are small and random, the processor stands in for the card; queue, supervisor, engine
processes, database and files are real.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from courses import api as courses
from courses.models import Lesson, Visibility
from narration import api
from narration.models import Job, Rendition
from tests.clusters import ROOT, build_environment, wait_for
from tests.processes import MARK, find_marked, kill

ENGINES = {
    "xtts": "narration.engines.xtts.XttsEngine",
    "styletts2": "narration.engines.styletts2.StyleTTS2Engine",
}
MODELS = {"xtts": "xtts_v2", "styletts2": "styletts2_libritts"}
#: Each engine's lesson: Portuguese by the one that speaks it, English by the one that times words.
LANGUAGES = {"xtts": "pt-BR", "styletts2": "en"}
VOICES = {"pt-BR": "xtts:Ana Florence", "en": "styletts2:sampled-1"}
TEXTS = {
    "pt-BR": "O rio nasce na serra. Ele é frio e claro.\n\n## Abaixo\n\nDepois ele cresce.\n",
    "en": "A river begins in the hills. It is cold there.\n\n## Downstream\n\nThen it grows.\n",
}
#: Distinct utterances of each text, its heading included.
SENTENCES = 4
EDITS = {"pt-BR": ("frio e claro", "frio e fundo"), "en": ("cold there", "clear there")}
ENDED = ("done", "partial", "failed", "quarantined", "cancelled")


class Stage:
    """One test's site. ``narration`` is its ``settings.NARRATION``, for pages and workers alike."""

    def __init__(self, settings: Any, folder: Path, models: Mapping[str, Path], author: Any):
        self.author = author
        self.folder = folder
        self.models_dir = folder / "models"
        self.files = Path(settings.STORAGES["narration"]["OPTIONS"]["location"])
        for name, source in models.items():
            shutil.copytree(source / name, self.models_dir / name, copy_function=os.link)
        self._settings = settings
        self.narration: dict[str, Any] = {
            "ENGINES": {
                alias: {"BACKEND": backend, "LANE": "gpu", "OPTIONS": {"device": "cpu"}}
                for alias, backend in ENGINES.items()
            },
            "DEFAULT_VOICES": VOICES,
            "MODELS_DIR": str(self.models_dir),
            # Random speech is rarely what the gate wants: counted sentences are made once.
            "GATE_ATTEMPTS": 1,
            "DEADLINE_BASE_SECONDS": 240,
            "RETRY_SECONDS": 1,
            "SWEEP_SECONDS": 1,
        }
        settings.NARRATION = self.narration
        settings.Q_CLUSTER = {**settings.Q_CLUSTER, "ALT_CLUSTERS": {"gpu": {"workers": 1}}}

    def accept(self) -> None:
        for name in MODELS.values():
            api.accept_licence(name, name="Ada Lovelace, Example Institute")

    def write_lesson(self, language: str, markdown: str = "") -> Lesson:
        """A public lesson with one saved version, not published."""
        course = courses.create_course(
            self.author, title="Rivers", language=language, visibility=Visibility.PUBLIC
        )
        text = courses.create_lesson(course, title="The source")
        self.save(text.lesson, language, markdown or TEXTS[language])
        return text.lesson

    def save(self, lesson: Lesson, language: str, markdown: str) -> None:
        text = lesson.texts.get(language=language)
        text.save_revision(
            markdown=markdown,
            title="The source",
            author=self.author,
            expected_version=text.version,
        )

    def request(self, lesson: Lesson, language: str, *, publish: bool = True) -> Job:
        return api.request_narration(lesson, language=language, user=self.author, publish=publish)

    def narrate(self, lesson: Lesson, language: str) -> Job:
        """Ask, wait for the worker, and the job as it ended."""
        job = self.request(lesson, language)
        return self.finish(job)

    def finish(self, job: Job, seconds: float = 400) -> Job:
        ended = Job.objects.filter(pk=job.pk, state__in=ENDED)
        wait_for(ended.exists, seconds=seconds, what=f"the end of job {job.pk}")
        job.refresh_from_db()
        return job

    def wait_made(self, count: int) -> None:
        wait_for(lambda: Rendition.objects.count() >= count, seconds=400, what=f"{count} sentences")

    @contextmanager
    def cluster(self, **narration: Any) -> Iterator[None]:
        """A worker of the lane, with settings of its own where ``narration`` says so."""
        temporary = self.folder / "temporary"
        temporary.mkdir(exist_ok=True)
        environment = {
            **build_environment(self._settings, settings_module="tests.neural.site"),
            MARK: str(self.folder),
            "TMPDIR": str(temporary),
            "OMP_NUM_THREADS": "1",
            "Q_LANES": "gpu",
            "Q_CLUSTER_NAME": "gpu",
            "TEST_NARRATION": json.dumps({**self.narration, **narration}),
        }
        command = [sys.executable, "-W", "ignore", "manage.py", "narration_worker"]
        process = subprocess.Popen(command, cwd=ROOT, env=environment, start_new_session=True)
        try:
            yield
            process.terminate()
            assert process.wait(60) == 0
        finally:
            self.clear()
            process.wait()

    def clear(self) -> None:
        """Kill whatever is left of this test."""
        wait_for(lambda: not self._kill_all(), what="the end of every process")

    def _kill_all(self) -> list[int]:
        pids = find_marked(str(self.folder))
        kill(*pids)
        return pids

    def find_engines(self, alias: str = "") -> list[int]:
        """The engine processes of this test, or those of one engine."""
        wanted = f"narration.engines\0{ENGINES.get(alias, '')}".encode()
        return [pid for pid in find_marked(str(self.folder)) if wanted in _read_command(pid)]

    def list_stored(self) -> list[Path]:
        """Every file in the storage of sound."""
        return _list_files(self.files)

    def list_latents(self) -> list[Path]:
        """What the worker has learnt of voices."""
        return _list_files(self.models_dir / "voices")

    def list_temporary(self) -> list[Path]:
        """What workers and engines left where temporary files go."""
        return _list_files(self.folder / "temporary")


def get_page(lesson: Lesson) -> str:
    """Where learners read it."""
    return f"/courses/{lesson.course.slug}/{lesson.slug}/"


def _list_files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())


def _read_command(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""
