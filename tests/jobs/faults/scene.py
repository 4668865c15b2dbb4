"""The stage of a fault test: lessons, supervised clusters, and one look at what was left behind."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from unittest import mock

from django.db.models import Sum

from narration import api, storage
from narration.models import Event, Job, JobState, Rendition, Track, TrackFile, UsageDay
from tests.clusters import ROOT, build_environment, wait_for
from tests.helpers import get_narration, narrate
from tests.processes import MARK, Cluster, find_cluster, find_marked, kill
from tests.testapp.models import Note

ENDED = ("done", "partial", "failed", "quarantined", "cancelled")
#: What a worker that is killed takes along: one sentence being spoken, one lined up behind it.
IN_HAND = 2

_undisturbed: dict[str, tuple] = {}


class Scene:
    """Processes of one test meet its database and its files; ``narration`` overrides settings."""

    def __init__(self, settings, folder: Path, owner):
        self.owner = owner
        self.folder = folder
        self.files = Path(settings.STORAGES["narration"]["OPTIONS"]["location"])
        self.log = folder / "spoken"
        self.narration: dict = {}
        self.dummy: dict = {"delay_ms": 60}
        self.variables: dict[str, str] = {}
        self.workers = 2
        self._settings = settings

    # Before.

    def write_lesson(self, name: str = "lesson", *, sentences: int = 20, body: str = "") -> Note:
        """A text of different sentences, and how it sounds when nothing disturbs it."""
        lines = (f"This is sentence number {n} of {name}." for n in range(sentences))
        body = body or "\n\n".join(lines)
        self.rehearse(body)
        return Note.objects.create(title=name, owner=self.owner, body=body)

    def rehearse(self, body: str) -> None:
        """Narrate a text in peace, in this process, and forget all about it but the sound."""
        if body not in _undisturbed:
            assert not Job.objects.exists()
            note = Note.objects.create(title="In peace", owner=self.owner, body=body)
            with mock.patch("narration.queue.bell.ring"):
                assert narrate(note).state == "done"
            _undisturbed[body] = (self.hear(note), self.list_renditions())
            for model in (Track, Rendition, Job, UsageDay, Event):
                model.objects.all().delete()
            note.delete()

    @contextmanager
    def cluster(self) -> Iterator[Troupe]:
        """A supervised cluster, whole; it ends in order and leaves no process."""
        troupe = Troupe(self, self.start())
        try:
            troupe.wait_whole()
            yield troupe
        except BaseException:
            self.clear()
            troupe.process.wait()
            raise
        if troupe.process.poll() is None:
            troupe.process.terminate()
        assert troupe.process.wait(60) == 0

    def start(self) -> subprocess.Popen:
        """A supervisor in a session of its own."""
        command = [sys.executable, "-W", "ignore", "manage.py", "narration_worker"]
        return subprocess.Popen(
            command, cwd=ROOT, env=self.build_environment(), start_new_session=True
        )

    def build_environment(self) -> dict[str, str]:
        """The variables of every process of this test."""
        dummy = {**self.dummy, "log": str(self.log)}
        environment = build_environment(
            self._settings, settings_module="tests.jobs.faults.settings", **dummy
        )
        return {
            **environment,
            MARK: str(self.folder),
            "TEST_NARRATION": json.dumps(self.narration),
            **self.variables,
        }

    def clear(self) -> None:
        """Kill whatever this test started."""
        wait_for(lambda: not self._kill_all(), what="the end of every process")

    def _kill_all(self) -> list[int]:
        pids = find_marked(str(self.folder))
        kill(*pids)
        return pids

    # Meanwhile.

    def request(self, note: Note, **kwargs) -> Job:
        return api.request_narration(note, language="en", **kwargs)

    def wait_made(self, count: int) -> None:
        wait_for(lambda: Rendition.objects.count() >= count, what=f"{count} sentences")

    def finish(self, *jobs: Job, seconds: float = 90) -> None:
        """Wait until these have ended, and read them again."""
        pks = [job.pk for job in jobs]
        active = Job.objects.filter(pk__in=pks).exclude(state__in=ENDED)
        wait_for(lambda: not active.exists(), seconds=seconds, what="the end of the jobs")
        for job in jobs:
            job.refresh_from_db()

    def get_worker(self, job: Job) -> int:
        """The pid of who works on a job now."""
        running = Job.objects.filter(pk=job.pk, state=JobState.RUNNING, worker__isnull=False)
        wait_for(running.exists, what=f"a worker of job {job.pk}")
        return running.values_list("worker__pid", flat=True).get()

    # Afterwards.

    def count_spoken(self) -> Counter[str]:
        """How often the engines of this test spoke each sentence."""
        return Counter(self.log.read_text().splitlines() if self.log.exists() else [])

    def hear(self, note: Note) -> tuple:
        """What a learner gets: the cues, and the checksum of each audio file."""
        track = get_narration(note).draft_track
        files = TrackFile.objects.filter(track=track).order_by("format")
        for file in files:
            storage.read(storage.StoredFile(file.storage_name, file.size, file.sha256))
        return track.manifest["segments"], list(files.values_list("format", "sha256"))

    def list_renditions(self, besides: Collection[str] = ()) -> dict[str, str]:
        rows = Rendition.objects.exclude(spoken_text__in=besides)
        return dict(rows.values_list("digest", "sha256"))

    def assert_whole(
        self,
        *notes: Note,
        deaths: int = 0,
        lanes: int = 1,
        made_again: int = 0,
        besides: Collection[str] = (),
    ) -> None:
        """Nothing lost, nothing twice, nothing left.

        ``deaths`` is how often somebody was killed while ``lanes`` workers were speaking: each
        may cost what was in hand. ``made_again`` is how many sentences had to be; ``besides``
        are those that other texts than ``notes`` left behind.
        """
        expected: dict[str, str] = {}
        for note in notes:
            note.refresh_from_db()
            heard, renditions = _undisturbed[note.body]
            assert self.hear(note) == heard
            expected |= renditions
        assert self.list_renditions(besides) == expected
        for rendition in Rendition.objects.all():
            file = storage.StoredFile(rendition.storage_name, rendition.size, rendition.sha256)
            storage.read(file)
        jobs = Job.objects.filter(kind="narrate")
        assert set(jobs.values_list("state", flat=True)) == {"done"}
        assert Event.objects.filter(kind="job_done").count() == jobs.count()
        wanted = len(expected) + len(besides)
        # A sentence that was stored is never made again.
        assert UsageDay.objects.aggregate(made=Sum("made"))["made"] <= wanted + made_again
        spoken = self.count_spoken()
        assert len(spoken) == wanted
        twice = spoken.total() - wanted
        assert twice <= IN_HAND * deaths * lanes + made_again, spoken.most_common(5)
        self.assert_tidy()

    def assert_tidy(self) -> None:
        """No job works, no temporary file, no process of this test."""
        assert not Job.objects.filter(state=JobState.RUNNING).exists()
        assert list(self.files.rglob(".partial-*")) == []
        wait_for(
            lambda: not find_marked(str(self.folder)), seconds=10, what="the end of every process"
        )


class Troupe:
    """A supervisor and its cluster."""

    def __init__(self, scene: Scene, process: subprocess.Popen):
        self.scene = scene
        self.process = process

    def restart(self) -> None:
        """Another supervisor in place of one that has ended."""
        self.process = self.scene.start()
        self.wait_whole()

    def wait_whole(self, *, but: set[int] = frozenset()) -> Cluster:
        """The cluster once it has all its processes and none of those in ``but``."""

        def find() -> Cluster | None:
            found = find_cluster(self.process.pid, workers=self.scene.workers)
            return found if found and not found.pids & but else None

        return wait_for(find, what="a whole cluster")


def run_code(scene: Scene, code: str) -> subprocess.Popen:
    """Python in another process of this test, with Django set up."""
    code = f"import django; django.setup()\n{code}"
    return subprocess.Popen(
        [sys.executable, "-W", "ignore", "-c", code],
        cwd=ROOT,
        env={**os.environ, **scene.build_environment()},
    )
