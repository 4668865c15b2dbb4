"""Pages and media: queries that must not grow, ranged requests beside nginx."""

import http.client
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path

from django.core.files.storage import storages
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from bench.report import skip, tell
from courses import api as courses
from courses.models import Visibility
from narration import api

RANGE = 65_536


def measure_queries(admin, few: int, many: int) -> None:
    """The same pages with few and with many lessons."""
    for count in (few, many):
        course = courses.create_course(
            admin, title=f"Course of {count}", language="en", visibility=Visibility.PUBLIC
        )
        for number in range(count):
            text = courses.create_lesson(course, title=f"Lesson {number}")
            text.save_revision(
                markdown=f"Sentence {number}.", title=text.title, author=admin, expected_version=0
            )
            courses.publish_text(text, user=admin)
        pages = {
            "lesson page": f"/courses/{course.slug}/{text.lesson.slug}/",
            "author's course page": f"/teach/{course.slug}/",
            "admin list": f"/admin/courses/lesson/?course__id__exact={course.pk}",
        }
        client = Client()
        client.force_login(admin)
        for name, path in pages.items():
            client.get(path)
            with CaptureQueriesContext(connection) as queries:
                assert client.get(path).status_code == 200
            tell(f"queries: {name}", len(queries), "queries", count)


def measure_ranges(text, requests: int, rounds: int) -> None:
    """Our ranged response and nginx on the same file, in turn."""
    if shutil.which("nginx") is None:
        skip("ranged requests", "nginx is not installed")
        return
    media = api.get_manifest(text.lesson, language="en", user=None)["files"]["mp3"]
    size = media["size"]
    name = media["url"].rsplit("/", 1)[-1]
    stored = next(Path(storages["narration"].base_location).rglob(name))
    with serve_ours() as ours, serve_nginx(stored.parent) as theirs:
        pairs = [
            (ask(ours, media["url"], size, requests), ask(theirs, f"/{name}", size, requests))
            for _ in range(rounds)
        ]
    tell(
        "ranged requests: ours (Django's threaded server)",
        statistics.median(a for a, _ in pairs),
        "1/s",
    )
    ratio = statistics.median(a / b for a, b in pairs)
    tell("ranged requests: nginx", statistics.median(b for _, b in pairs), "1/s")
    tell("ranged requests: ours : nginx", ratio, "ratio", rounds)


def ask(port: int, path: str, size: int, count: int) -> float:
    """Requests a second over one connection at a time, 64 kB each."""
    began = time.perf_counter()
    for number in range(count):
        link = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
        start = (number * RANGE) % max(size - RANGE, 1)
        link.request("GET", path, headers={"Range": f"bytes={start}-{start + RANGE - 1}"})
        answer = link.getresponse()
        assert answer.status == 206, answer.status
        answer.read()
        link.close()
    return count / (time.perf_counter() - began)


@contextmanager
def serve_ours():
    port = find_port()
    command = [sys.executable, "manage.py", "runserver", "--noreload", str(port)]
    with run([*command, "--settings", "bench.settings"], port):
        yield port


@contextmanager
def serve_nginx(folder: Path):
    port = find_port()
    with tempfile.TemporaryDirectory() as home:
        Path(home).chmod(0o755)
        config = Path(home) / "nginx.conf"
        config.write_text(
            f"daemon off; user root; worker_processes 1; pid {home}/pid; error_log {home}/log;"
            "events {} http { access_log off;"
            f" client_body_temp_path {home}/a; proxy_temp_path {home}/b;"
            f" fastcgi_temp_path {home}/c;"
            f" uwsgi_temp_path {home}/d; scgi_temp_path {home}/e;"
            f" server {{ listen 127.0.0.1:{port}; root {folder}; }} }}"
        )
        with run(["nginx", "-c", str(config)], port):
            yield port


@contextmanager
def run(command: list[str], port: int):
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        for _ in range(200):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.1)
        yield
    finally:
        process.terminate()
        process.wait(20)


def find_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
