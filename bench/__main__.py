"""``python -m bench [--quick]``: lines of JSON on stdout, tables on stderr.

Everything happens in a throw-away folder: a SQLite database, a storage, an nginx configuration.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from pathlib import Path

#: Sentences of the small, medium and large lesson; rounds; lessons of a few and of many; rounds
#: and requests of the ranges.
FULL = ((10, 64, 300), 3, (10, 100), 5, 300)
QUICK = ((5, 10, 20), 1, (2, 4), 1, 30)


def main() -> None:
    """Measure in a folder that is gone afterwards."""
    parser = argparse.ArgumentParser(prog="bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="small numbers: a test of the bench")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="narration-bench-") as folder:
        os.environ["DJANGO_SETTINGS_MODULE"] = "config.settings.bench"
        os.environ["NARRATION_VAR_DIR"] = folder
        os.environ["DATABASE_URL"] = f"sqlite:///{Path(folder) / 'bench.sqlite3'}"
        measure(*(QUICK if arguments.quick else FULL))


def measure(
    sizes: tuple[int, int, int],
    rounds: int,
    lessons: tuple[int, int],
    range_rounds: int,
    requests: int,
) -> None:
    """All measurements, in the order in which they need each other."""
    import django
    from django.core.management import call_command

    django.setup()
    call_command("migrate", verbosity=0)

    from django.contrib.auth import get_user_model

    from bench.lessons import create_course
    from bench.pages import measure_pages
    from bench.path import measure_path, start_engine
    from bench.ranges import measure_ranges
    from bench.report import Report
    from narration.speaking import close_all

    report, began = Report(), time.perf_counter()
    admin = get_user_model().objects.create_superuser("admin", password="admin")
    learner = get_user_model().objects.create_user("learner", password="learner")
    try:
        engine = start_engine(report)
        run = measure_path(report, create_course(admin), engine, sizes, rounds)
        measure_pages(report, admin, *lessons)
        measure_ranges(report, run.text, learner, rounds=range_rounds, requests=requests)
    finally:
        close_all()
    report.add("bench.wall", time.perf_counter() - began)
    report.show()


if __name__ == "__main__":
    main()
