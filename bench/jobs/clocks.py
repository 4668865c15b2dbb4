"""Time and queries of a deed; knows no host."""

import statistics
import time

from django.db import connection
from django.test.utils import CaptureQueriesContext

#: How long anything may take before a measurement is given up, in seconds.
PATIENCE = 900


def measure_ms(act, rounds: int) -> float:
    """Milliseconds of ``act()``, the median of some rounds."""
    spent = []
    for _ in range(rounds):
        began = time.perf_counter()
        act()
        spent.append(time.perf_counter() - began)
    return 1000 * statistics.median(spent)


def count_queries(act) -> int:
    with CaptureQueriesContext(connection) as queries:
        act()
    return len(queries)


def wait_until(condition, pause: float = 0.1):
    """What ``condition()`` gives when it gives something."""
    deadline = time.monotonic() + PATIENCE
    while not (found := condition()):
        if time.monotonic() > deadline:
            raise TimeoutError("A measurement did not come to its end.")
        time.sleep(pause)
    return found


def learn_sizes() -> None:
    """What a planner knows of a table it learns by itself within minutes: now."""
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
