"""The measurements of jobs on SQLite and, where a server is named, on PostgreSQL."""

import json
import os
import subprocess
import sys
import tempfile

from bench import report
from bench.databases import make_database

#: What is set side by side in the end.
COMPARED = (
    "burst: request",
    "jobs a second: whole lessons",
    "jobs a second: claimed and ended, no more",
    "claim",
    "sentence: write down that it is made",
)


def measure(server: str, *, quick: bool) -> None:
    """In a process, a folder and a database of its own for each."""
    measure_on("sqlite", "", quick=quick)
    if not server:
        report.skip("jobs on PostgreSQL", "BENCH_DATABASE_URL names no server")
        return
    measure_on("postgresql", server, quick=quick)
    values = {(f.name, f.n, f.database): f.value for f in report.FIGURES}
    for name, n, database in list(values):
        if name in COMPARED and database == "sqlite":
            ratio = values[name, n, "postgresql"] / values[name, n, "sqlite"]
            report.tell(f"{name}: postgresql : sqlite", ratio, "ratio", n)


def measure_on(name: str, server: str, *, quick: bool) -> None:
    with (
        tempfile.TemporaryDirectory(prefix="narration-bench-") as folder,
        make_database(folder, server) as url,
    ):
        environment = {
            **os.environ,
            "BENCH_DATABASE_NAME": name,
            "DATABASE_URL": url,
            "DJANGO_SETTINGS_MODULE": "bench.jobs.settings",
            "NARRATION_VAR_DIR": folder,
        }
        command = [sys.executable, "-W", "ignore", "-m", "bench.jobs", *["--quick"] * quick]
        with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as child:
            for line in child.stdout:
                report.add(report.Figure(**json.loads(line)))
        if child.returncode:
            sys.exit(f"Measuring on {name} ended with {child.returncode}.")
