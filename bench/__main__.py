"""``python -m bench [--quick] [--only sound|jobs]``: lines of JSON on stdout, a table on stderr.

What concerns jobs is measured on SQLite and on the PostgreSQL server of ``BENCH_DATABASE_URL``,
in a database of its own that is dropped afterwards.
"""

import argparse
import os
import tempfile

from bench import both, report


def main() -> None:
    parser = argparse.ArgumentParser(prog="bench", description="Measure; bounded to some minutes.")
    parser.add_argument("--quick", action="store_true", help="Small numbers: a smoke test.")
    parser.add_argument("--only", choices=("sound", "jobs"), help="One half of it.")
    options = parser.parse_args()
    if options.only != "jobs":
        measure_sound(quick=options.quick)
    if options.only != "sound":
        both.measure(os.environ.get("BENCH_DATABASE_URL", ""), quick=options.quick)
    report.show()


def measure_sound(*, quick: bool) -> None:
    with tempfile.TemporaryDirectory(prefix="narration-bench-") as folder:
        os.environ["NARRATION_VAR_DIR"] = folder
        # Never the database that this shell may name for a real site.
        os.environ["DATABASE_URL"] = f"sqlite:///{folder}/bench.sqlite3"
        os.environ["DJANGO_SETTINGS_MODULE"] = "bench.settings"
        measure(quick=quick)


def measure(*, quick: bool) -> None:
    import django

    django.setup()
    from django.contrib.auth import get_user_model
    from django.core.management import call_command

    from bench import narrating, serving
    from narration.queue import bell
    from narration.speaking import close_all

    call_command("migrate", verbosity=0)
    bell.ring = lambda _lane: None  # no queue here: jobs are worked off in this process
    admin = get_user_model().objects.create_superuser("bench", password="bench")
    text = narrating.measure(admin, [5, 10, 20] if quick else [10, 64, 300])
    serving.measure_queries(admin, *((3, 6) if quick else (10, 100)))
    serving.measure_ranges(text, *((10, 1) if quick else (300, 5)))
    close_all()


if __name__ == "__main__":
    main()
