"""``python -m bench.jobs [--quick]``: lines of JSON, on the database of ``DATABASE_URL``.

Started by ``python -m bench`` for each database, with a folder and a database of its own.
"""

import argparse
from dataclasses import dataclass


@dataclass(frozen=True)
class Sizes:
    lessons: int = 1000
    waiting: tuple[int, ...] = (1000, 10_000)
    rounds: int = 100
    waits: int = 9
    bulk: int = 1000
    radius: int = 100


QUICK = Sizes(lessons=6, waiting=(20, 60), rounds=5, waits=2, bulk=200, radius=2)


def main() -> None:
    parser = argparse.ArgumentParser(prog="bench.jobs")
    parser.add_argument("--quick", action="store_true")
    measure(QUICK if parser.parse_args().quick else Sizes())


def measure(sizes: Sizes) -> None:
    import django

    django.setup()
    from django.contrib.auth import get_user_model
    from django.core.management import call_command

    from bench.jobs import bursts, claims, costs, radius, waiting
    from narration.queue import bell
    from narration.speaking import close_all

    call_command("migrate", verbosity=0)
    author = get_user_model().objects.create_superuser("bench", password="bench")
    bursts.measure(author, sizes.lessons)
    waiting.measure(author, sizes.waits, sizes.bulk)
    bell.ring = lambda _lane: None  # from here on all is done in this process
    claims.measure(list(sizes.waiting), sizes.rounds)
    costs.measure(author, sizes.rounds)
    radius.measure(author, sizes.radius)
    close_all()


if __name__ == "__main__":
    main()
