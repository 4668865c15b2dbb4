"""``python -m bench.soak --minutes 10``: a line of JSON on stdout, a table on stderr.

SQLite, or the server of ``SOAK_DATABASE_URL`` (PostgreSQL), in a database that is made for the run
and dropped after it. Ends with 1 where something was lost, doubled or left behind.
"""

import argparse
import json
import os
import random
import sys
import tempfile
import time
from pathlib import Path

from bench.databases import make_database

#: How long the last jobs may take after the last death, in seconds.
DRAIN_SECONDS = 600


def main() -> None:
    parser = argparse.ArgumentParser(prog="bench.soak", description="Kill anything; lose nothing.")
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--seed", type=int, default=random.randrange(10**6))
    options = parser.parse_args()
    prefix = "narration-soak-"
    server = os.environ.get("SOAK_DATABASE_URL", "")
    with tempfile.TemporaryDirectory(prefix=prefix) as folder, make_database(folder, server) as url:
        os.environ |= {
            "NARRATION_VAR_DIR": folder,
            "DATABASE_URL": url,
            "DJANGO_SETTINGS_MODULE": "bench.soak.settings",
        }
        violations = soak(Path(folder), options.minutes, options.seed)
    sys.exit(1 if violations else 0)


def soak(folder: Path, minutes: float, seed: int) -> list[str]:
    import django

    django.setup()
    from django.contrib.auth import get_user_model
    from django.core.management import call_command
    from django.db import connection

    from bench.soak import verdict
    from bench.soak.killer import Killer
    from bench.soak.traffic import Authors
    from narration.models import Job, Rendition

    call_command("migrate", verbosity=0)
    authors = Authors(get_user_model().objects.create_superuser("soak", password="soak"), seed)
    killer = Killer(str(folder), seed)
    killer.start()
    try:
        authors.work(60 * minutes)
        killer.stop_killing()
        authors.settle()
        began = time.monotonic()
        has_ended = verdict.wait_for_the_end(DRAIN_SECONDS)
        drained = time.monotonic() - began
        status = killer.stop()
    finally:
        killer.ended.set()
        left = killer.find_left()
    waiting = Job.objects.active().count()
    violations = [] if has_ended else [f"{waiting} jobs are left that nobody ended in time"]
    violations += [f"process {pid} is left" for pid in left]
    violations += killer.bad_stops
    if status:
        violations.append(f"the supervisor ended with {status}")
    log, deaths = folder / "spoken", killer.deaths.total()
    violations += verdict.find_violations(authors.texts, log, deaths)
    facts = {
        "name": "soak",
        "database": connection.vendor,
        "minutes": minutes,
        "seed": seed,
        **authors.done,
        "jobs": Job.objects.filter(kind="narrate").count(),
        "renditions": Rendition.objects.count(),
        "spoken twice": verdict.count_twice(verdict.count_spoken(log)),
        "deaths": deaths,
        **{f"deaths: {role}": count for role, count in sorted(killer.deaths.items())},
        "drained in s": round(drained, 1),
    }
    if has_ended:  # else it would compare what is not there yet
        violations += verdict.compare_with_peace(authors.texts)
    show({**facts, "violations": violations})
    connection.close()
    return violations


def show(facts: dict) -> None:
    from rich.console import Console
    from rich.table import Table

    from narration.speaking import close_all

    close_all()
    print(json.dumps(facts), flush=True)
    table = Table("What", "Value", title="Soak: " + ("FAILED" if facts["violations"] else "whole"))
    for name, value in facts.items():
        lines = "\n".join(value) if isinstance(value, list) else value
        table.add_row(name, str(lines or "none" if isinstance(value, list) else value))
    Console(stderr=True).print(table)


if __name__ == "__main__":
    main()
