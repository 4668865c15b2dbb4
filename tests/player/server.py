"""A small web server with ranges and a strict policy, as the plugin's pages have."""

import re
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

STATIC = Path(__file__).parents[2] / "narration" / "static"
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "media-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'self'"
)
TYPES = {
    "html": "text/html; charset=utf-8",
    "js": "text/javascript",
    "css": "text/css",
    "json": "application/json",
    "mp3": "audio/mpeg",
    "opus": "audio/ogg",
    "flac": "audio/flac",
    "vtt": "text/vtt",
}


class Site:
    """``pages`` maps paths to bytes; whatever is taken out of it is 404 from then on."""

    def __init__(self, pages: dict[str, bytes]):
        self.pages = dict(pages)
        self.requests: list[str] = []
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), self._build_handler())
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self.server.server_port}"

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()

    def find(self, path: str) -> bytes | None:
        self.requests.append(path)
        path = path.partition("?")[0]
        if path in self.pages:
            return self.pages[path]
        file = STATIC / path.removeprefix("/static/")
        return file.read_bytes() if path.startswith("/static/") and file.is_file() else None

    def _build_handler(site):  # noqa: N805
        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                body = site.find(self.path)
                if body is None:
                    self.answer(404, b"", "text/plain")
                    return
                kind = TYPES[self.path.partition("?")[0].rpartition(".")[2]]
                found = re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("Range", ""))
                if not found:
                    self.answer(200, body, kind)
                    return
                first, last = int(found[1]), min(int(found[2] or len(body) - 1), len(body) - 1)
                self.answer(
                    206,
                    body[first : last + 1],
                    kind,
                    {"Content-Range": f"bytes {first}-{last}/{len(body)}"},
                )

            def answer(self, status, body, kind, headers=None):
                self.send_response(status)
                everyone = {
                    "Content-Type": kind,
                    "Content-Length": str(len(body)),
                    "Accept-Ranges": "bytes",
                    "Content-Security-Policy": POLICY,
                    "X-Content-Type-Options": "nosniff",
                }
                for name, value in {**everyone, **(headers or {})}.items():
                    self.send_header(name, value)
                self.end_headers()
                try:
                    self.wfile.write(body)
                except OSError:
                    self.close_connection = True

            def log_message(self, *arguments):
                pass

        return Handler
