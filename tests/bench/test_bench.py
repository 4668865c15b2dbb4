"""The benchmark runs, and what it prints can be read by programs."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from bench.jobs import claims
from bench.jobs.clocks import learn_sizes
from narration import runner
from narration.models import Job, JobState

ROOT = Path(__file__).parent.parent.parent


def measure(only, **environment):
    """Values by name, number and database, of a run that is as small as can be."""
    command = [sys.executable, "-W", "ignore", "-m", "bench", "--quick", "--only", only]
    done = subprocess.run(
        command,
        cwd=ROOT,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    figures = [json.loads(line) for line in done.stdout.splitlines()]
    return {(f["name"], f.get("n"), f.get("database")): f.get("value") for f in figures}


@pytest.mark.xdist_group("bench")
def test_every_line_is_json_and_the_promise_holds():
    values = {(name, n): value for (name, n, _), value in measure("sound").items()}
    assert values["unchanged: syntheses", 20] == 0
    assert values["one edit: syntheses", 20] == 1
    assert values["growth", 0] > 0
    for page in ("lesson page", "author's course page", "admin list"):
        assert values[f"queries: {page}", 3] == values[f"queries: {page}", 6]


@pytest.mark.cluster
@pytest.mark.xdist_group("bench")
def test_nothing_is_made_twice_and_every_part_has_its_figures():
    url = os.environ.get("TEST_DATABASE_URL", "")
    server = url if url.startswith("postgres") else ""
    values = measure("jobs", BENCH_DATABASE_URL=server)
    for database in ("sqlite", "postgresql") if server else ("sqlite",):
        mine = {name: value for (name, _, where), value in values.items() if where == database}
        for name in ("jobs beyond one a lesson", "sentences spoken twice", "sentences missing"):
            assert mine[f"burst: {name}"] == 0
        assert mine["burst: tracks made twice"] == 0
        assert mine["blast radius: an entry that nobody says: sentences"] == 0
        assert mine["blast radius: an entry that one lesson says: sentences"] == 99
        assert mine["blast radius: an entry in one sentence of each: sentences"] == 2
        assert mine["blast radius: an entry that all say: sentences"] == 198
        assert mine["blast radius: another voice for headings: sentences"] == 2
        assert mine["blast radius: a voice that speaks them all: sentences"] == 200
        assert mine["heartbeat: asked at every sentence: queries"] == 1
        assert mine["memory: idle: processes"] == 6
        for name in (
            "burst: request",
            "claim",
            "first sentence: the engine is warm",
            "jobs a second: whole lessons",
            "jobs a second: claimed and ended, no more",
            "memory: idle",
            "preview: beside a bulk job",
            "sentence: write down that it is made",
        ):
            assert mine[name] > 0


@pytest.mark.django_db(transaction=True)
def test_a_claim_finds_its_job_by_an_index_among_thousands():
    claims.fill(2000, JobState.QUEUED)
    learn_sizes()
    assert claims.INDEX in claims.explain()
    first = runner.claim(claims.LANE)
    assert first is not None
    assert first.turn == 0
    claims.clear()
    assert not Job.objects.exists()
