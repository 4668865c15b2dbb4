"""Queries and time of the pages that list or show lessons, in a small and in a large course."""

from __future__ import annotations

import time
from statistics import median
from typing import Any

from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from bench.lessons import build_lesson, build_markdown, create_course, create_text, narrate
from bench.report import Report
from courses.models import Course

#: Of a seed no lesson of the path has; all lessons say the same, so that only two are synthesized.
SEED = 1_000_000
VISITS = 5


def measure_pages(report: Report, admin: Any, few: int, many: int) -> None:
    """Each page with ``few`` lessons, then with ``many``; all narrated and published."""
    course = create_course(admin)
    urls = {
        "lesson": lambda: course.lessons.first().get_absolute_url(),
        "author": lambda: reverse("courses:author-course", args=[course.slug]),
        "admin": lambda: f"{reverse('admin:courses_lesson_changelist')}?course__id={course.pk}",
    }
    queries: dict[str, list[int]] = {page: [] for page in urls}
    for size, lessons in (("few", few), ("many", many)):
        _fill(course, lessons)
        for page, get_url in urls.items():
            made, ms = _visit(admin, get_url())
            queries[page].append(made)
            report.add(f"page.{page}.queries_{size}", made, note=f"{lessons} lessons")
            report.add(f"page.{page}.ms_{size}", ms, n=VISITS, note=f"{lessons} lessons")
    for page, (at_few, at_many) in queries.items():
        report.add(f"page.{page}.queries_growth", at_many - at_few, note=f"{few} to {many} lessons")


def _fill(course: Course, lessons: int) -> None:
    markdown = build_markdown(build_lesson(2, SEED))
    while course.lessons.count() < lessons:
        narrate(create_text(course, markdown))


def _visit(user: Any, url: str) -> tuple[int, float]:
    """Queries of one visit and the median milliseconds of some; the first one is for the caches."""
    client = Client()
    client.force_login(user)
    times = []
    for _visit in range(VISITS + 1):
        began = time.perf_counter()
        response = client.get(url)
        times.append((time.perf_counter() - began) * 1000)
        if response.status_code != 200:
            raise RuntimeError(f"{url} answered {response.status_code}.")
    with CaptureQueriesContext(connection) as queries:
        client.get(url)
    return len(queries), median(times[1:])
