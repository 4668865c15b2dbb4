"""kill −9 of anything, now and then SIGTERM as an update would, and a new supervisor after it."""

import os
import random
import subprocess
import sys
import threading
import time
from collections import Counter

from tests.clusters import ROOT
from tests.processes import MARK, find_cluster, find_marked, kill

#: Deaths come after a random wait of so many seconds on average.
MEAN_SECONDS = 3.0
ROLES = ("engine", "worker", "monitor", "pusher", "sentinel", "parent", "supervisor", "stop")
#: How long a supervisor that is asked to stop may take, in seconds.
STOP_SECONDS = 90


class Killer(threading.Thread):
    """Owns the supervisor and everything below it; ``deaths`` counts what it killed, by role."""

    def __init__(self, mark: str, seed: int):
        super().__init__(daemon=True)
        self.mark = mark
        self.deaths: Counter[str] = Counter()
        self.rng = random.Random(seed)
        self.ended = threading.Event()
        self.bad_stops: list[str] = []
        self.process = self.begin()

    def begin(self) -> subprocess.Popen:
        return subprocess.Popen(
            [sys.executable, "-W", "ignore", "-m", "bench.soak.worker"],
            cwd=ROOT,
            env={**os.environ, MARK: self.mark},
            start_new_session=True,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )

    def run(self) -> None:
        while not self.ended.wait(max(1.0, self.rng.expovariate(1 / MEAN_SECONDS))):
            role = self.rng.choice(ROLES)
            if role == "stop":
                self.ask_to_stop()
            elif victim := self.find(role):
                kill(victim)
                self.deaths[role] += 1
            if self.process.poll() is not None:
                self.process = self.begin()

    def ask_to_stop(self) -> None:
        """SIGTERM, as at every update: it must end by itself, well, and leave nobody."""
        if find_cluster(self.process.pid) is None:
            return
        self.deaths["stop"] += 1
        self.process.terminate()
        try:
            status = self.process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.bad_stops.append(f"a supervisor did not stop in {STOP_SECONDS} s")
            self.process.kill()
            return
        if status:
            self.bad_stops.append(f"a supervisor that was asked to stop ended with {status}")

    def find(self, role: str) -> int | None:
        if role == "supervisor":
            return self.process.pid
        cluster = find_cluster(self.process.pid)
        if cluster is None:
            # One that is being born, or dies: sometimes that is hit too.
            everybody = find_marked(self.mark) if self.rng.random() < 1 / 3 else []
            return self.rng.choice(everybody) if everybody else None
        several = {"engine": cluster.engines, "worker": list(cluster.workers)}
        choices = several.get(role) or [getattr(cluster, role, None)]
        return self.rng.choice(choices)

    def stop_killing(self) -> None:
        self.ended.set()
        self.join()
        if self.process.poll() is not None:
            self.process = self.begin()

    def stop(self) -> int:
        """SIGTERM for the supervisor; its exit status."""
        deadline = time.monotonic() + 60
        while find_cluster(self.process.pid) is None and time.monotonic() < deadline:
            time.sleep(0.1)
        self.process.terminate()
        return self.process.wait(90)

    def find_left(self) -> list[int]:
        """Who is still alive, a moment after everybody should be gone."""
        deadline = time.monotonic() + 30
        while (left := find_marked(self.mark)) and time.monotonic() < deadline:
            time.sleep(0.2)
        return left
