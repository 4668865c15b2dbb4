"""Ranged requests: our media view, nginx with the same file, and nginx that asks us for permission.

One connection at a time, kept alive, sends the same ranges to each in turn (A, B, C, A, B, C …).
"""

from __future__ import annotations

import hashlib
import os
import random
import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from statistics import median
from typing import Any

from django.conf import settings
from django.test import Client

from bench.report import Report
from bench.serve import SERVER, build_command
from courses.models import LessonText
from narration import api
from narration.models import TrackFile

RANGE_BYTES = 64 * 1024
ACCEL_PREFIX = "narration-files"
NAMES = ("ranges.ours", "ranges.nginx", "ranges.accel", "ranges.ours_to_nginx",
         "ranges.ours_to_nginx_worst", "ranges.accel_to_ours")  # fmt: skip

CONFIGURATION = """
{user}
daemon off;
worker_processes 1;
pid {folder}/nginx.pid;
error_log {folder}/error.log;
events {{ }}
http {{
  access_log off;
  keepalive_requests 100000;
  sendfile on;
  types {{ audio/mpeg mp3; }}
  client_body_temp_path {folder}/body;
  proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi;
  scgi_temp_path {folder}/scgi;
  upstream site {{ server 127.0.0.1:{site_port}; keepalive 4; }}
  server {{
    listen 127.0.0.1:{port};
    location /plain/ {{ alias {files}/; }}
    location /{prefix}/ {{ internal; alias {files}/; }}
    location / {{
      proxy_pass http://site;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_set_header Host 127.0.0.1;
    }}
  }}
}}
"""


class Connection:
    """A kept-alive HTTP connection that does as little as possible besides waiting."""

    def __init__(self, port: int, path: str, cookie: str):
        self._socket = socket.create_connection(("127.0.0.1", port), timeout=20)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._head = f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nCookie: {cookie}\r\nRange: bytes="

    def fetch(self, first: int, last: int) -> bytes:
        """The bytes of a range; ``RuntimeError`` unless the answer is 206 and whole."""
        self._socket.sendall(f"{self._head}{first}-{last}\r\n\r\n".encode())
        data = b""
        while b"\r\n\r\n" not in data:
            data += self._receive()
        head, _end, body = data.partition(b"\r\n\r\n")
        if not head.startswith(b"HTTP/1.1 206"):
            raise RuntimeError(f"Instead of a range came: {head[:300].decode()}")
        blocks, missing = [body], last - first + 1 - len(body)
        while missing > 0:
            blocks.append(self._receive())
            missing -= len(blocks[-1])
        return b"".join(blocks)

    def close(self) -> None:
        """Hang up."""
        self._socket.close()

    def _receive(self) -> bytes:
        block = self._socket.recv(1 << 17)
        if not block:
            raise RuntimeError("The server hung up.")
        return block


def measure_ranges(
    report: Report, text: LessonText, user: Any, *, rounds: int, requests: int
) -> None:
    """Requests a second of each side, and their ratios round by round."""
    nginx = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin:/usr/local/sbin")
    track = api.get_track(text.lesson, language=text.language, user=None)
    file = track.files.get(format="mp3")
    url = api.get_manifest(text.lesson, language=text.language, user=None)["files"]["mp3"]["url"]
    with ExitStack() as stack:
        sides = _open_sides(stack, nginx, file, url, _log_in(user))
        ranges = _draw_ranges(file.size, requests)
        rates = _alternate(sides, ranges, rounds)
    _report(report, rates, rounds, f"{requests} requests of 64 KiB a round; ours is {SERVER}")


def _open_sides(
    stack: ExitStack, nginx: str | None, file: TrackFile, url: str, cookie: str
) -> dict[str, Connection]:
    def connect(port: int, path: str) -> Connection:
        connection = Connection(port, path, cookie)
        stack.callback(connection.close)
        return connection

    site = stack.enter_context(_serve(build_command, ""))
    sides = {"ours": connect(site, url)}
    if nginx is not None:
        asked = stack.enter_context(_serve(build_command, ACCEL_PREFIX))
        port = stack.enter_context(_run_nginx(nginx, asked))
        sides["nginx"] = connect(port, f"/plain/{file.storage_name}")
        sides["accel"] = connect(port, url)
    return sides


def _alternate(
    sides: dict[str, Connection], ranges: list[tuple[int, int]], rounds: int
) -> dict[str, list[float]]:
    """Requests a second by side and round; all sides must send the same bytes."""
    sums = {name: _digest(side, ranges[:20]) for name, side in sides.items()}
    if len(set(sums.values())) != 1:
        raise RuntimeError(f"The sides sent different bytes: {sums}")
    rates: dict[str, list[float]] = {name: [] for name in sides}
    for _round in range(rounds):
        for name, side in sides.items():
            began = time.perf_counter()
            for first, last in ranges:
                side.fetch(first, last)
            rates[name].append(len(ranges) / (time.perf_counter() - began))
    return rates


def _report(report: Report, rates: dict[str, list[float]], rounds: int, note: str) -> None:
    if "nginx" not in rates:
        report.add("ranges.ours", median(rates["ours"]), n=rounds, note=note)
        for name in NAMES[1:]:
            report.add(name, None, n=0, note="nginx is not installed")
        return
    for name, values in rates.items():
        report.add(f"ranges.{name}", median(values), n=rounds, note=note)
    ratios = [a / b for a, b in zip(rates["ours"], rates["nginx"], strict=True)]
    report.add("ranges.ours_to_nginx", median(ratios), n=rounds)
    report.add("ranges.ours_to_nginx_worst", min(ratios), n=rounds)
    accel = [a / b for a, b in zip(rates["accel"], rates["ours"], strict=True)]
    report.add("ranges.accel_to_ours", median(accel), n=rounds)


def _draw_ranges(size: int, requests: int) -> list[tuple[int, int]]:
    draw = random.Random(7)
    length = min(RANGE_BYTES, size)
    firsts = [draw.randrange(size - length + 1) for _request in range(requests)]
    return [(first, first + length - 1) for first in firsts]


def _digest(side: Connection, ranges: list[tuple[int, int]]) -> str:
    content = b"".join(side.fetch(first, last) for first, last in ranges)
    return hashlib.sha256(content).hexdigest()


def _log_in(user: Any) -> str:
    """The cookie of a learner who is signed in: permission is asked at every request."""
    client = Client()
    client.force_login(user)
    return f"{settings.SESSION_COOKIE_NAME}={client.cookies[settings.SESSION_COOKIE_NAME].value}"


@contextmanager
def _serve(build: Callable[[int], list[str]], accel_prefix: str) -> Iterator[int]:
    """Our site in a process of its own; its port."""
    port = _find_port()
    environment = {**os.environ, "NARRATION_X_ACCEL_PREFIX": accel_prefix}
    with _running(build(port), port, environment):
        yield port


@contextmanager
def _run_nginx(nginx: str, site_port: int) -> Iterator[int]:
    """nginx with a configuration, a folder and a port of its own."""
    folder = Path(settings.VAR_DIR) / "nginx"
    folder.mkdir()
    port = _find_port()
    values = {
        # Files are readable for their owner alone, and root's nginx would become somebody else.
        "user": "user root;" if os.geteuid() == 0 else "",
        "folder": folder,
        "files": settings.STORAGES["narration"]["OPTIONS"]["location"],
        "prefix": ACCEL_PREFIX,
    }
    path = folder / "nginx.conf"
    path.write_text(CONFIGURATION.format(port=port, site_port=site_port, **values))
    with _running([nginx, "-p", str(folder), "-c", str(path)], port, dict(os.environ)):
        yield port


@contextmanager
def _running(command: list[str], port: int, environment: dict[str, str]) -> Iterator[None]:
    process = subprocess.Popen(command, env=environment, stdin=subprocess.DEVNULL)
    try:
        _wait_for(port, process)
        yield
    finally:
        process.terminate()
        process.wait(20)


def _wait_for(port: int, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 30
    while process.poll() is None and time.monotonic() < deadline:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise RuntimeError(f"{process.args!r} does not listen.")


def _find_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port
