"""A server of files that behaves badly on request. No test leaves this machine."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        self.close_connection = True
        server = self.server
        server.asked.append((self.path, self.headers.get("Range"), self.headers.get("If-Range")))
        step = server.script.pop(0) if server.script else {}
        data = step.get("content", server.content.get(self.path))
        status = step.get("status") or (404 if data is None else 200)
        if status != 200:
            self.send_response(status)
            for name, value in step.get("headers", {}).items():
                self.send_header(name, value)
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        self.send_file(data, step)

    def do_HEAD(self):
        """Asked before a download: is anybody there? Not counted as asked for a file."""
        self.close_connection = True
        step = self.server.script[0] if self.server.script else {}
        self.send_response(step.get("status", 200))
        for name, value in step.get("headers", {}).items():
            self.send_header(name, value)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def send_file(self, data, step):
        etag = step.get("etag", self.server.etag)
        start = 0
        asked, if_range = self.headers.get("Range"), self.headers.get("If-Range")
        is_same = if_range == etag or step.get("ignores_if_range")
        if asked and is_same and not step.get("ignores_range"):
            start = int(asked.removeprefix("bytes=").rstrip("-"))
            if start >= len(data):
                self.send_response(416)
                self.send_header("Content-Length", "0")
                self.end_headers()
                return
        self.send_response(206 if start else 200)
        if start:
            shown = step.get("says_start", start)
            self.send_header("Content-Range", f"bytes {shown}-{len(data) - 1}/{len(data)}")
        if etag:
            self.send_header("ETag", etag)
        if step.get("length", "") is not None:
            self.send_header("Content-Length", str(step.get("length", len(data) - start)))
        self.end_headers()
        self.wfile.write(data[start : step.get("until")])
        self.wfile.flush()

    def log_message(self, *_args):
        pass


@contextmanager
def serve(content):
    """``content`` by path; ``script`` holds what goes wrong, one entry for each request."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.content, server.script, server.asked, server.etag = content, [], [], '"one"'
    server.base = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
