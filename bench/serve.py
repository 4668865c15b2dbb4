"""Our site on a loopback port, for the bench alone: gunicorn where it is installed, else Django's
own threaded server. ``python -m bench.serve PORT``.
"""

from __future__ import annotations

import importlib.util
import os
import sys

SERVER = "gunicorn" if importlib.util.find_spec("gunicorn") else "Django's threaded server"


def build_command(port: int) -> list[str]:
    """The command that serves on ``port`` until it is terminated."""
    if SERVER == "gunicorn":
        options = ["--bind", f"127.0.0.1:{port}", "--workers", "1", "--threads", "2"]
        options += ["--keep-alive", "60", "--log-level", "warning"]
        return [sys.executable, "-m", "gunicorn", "config.wsgi:application", *options]
    return [sys.executable, "-m", "bench.serve", str(port)]


def main(port: int) -> None:
    """Serve without a word per request."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings.bench")
    from django.core.servers.basehttp import ThreadedWSGIServer, WSGIRequestHandler

    from config.wsgi import application

    class Quiet(WSGIRequestHandler):
        def log_message(self, *_args: object) -> None:
            """Nothing."""

    server = ThreadedWSGIServer(("127.0.0.1", port), Quiet)
    server.set_app(application)
    server.serve_forever()


if __name__ == "__main__":
    main(int(sys.argv[1]))
