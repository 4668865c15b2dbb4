"""Gunicorn's own settings: ``gunicorn -c python:config.gunicorn config.wsgi``.

Its number of processes is ``WEB_CONCURRENCY``, its address ``--bind``.
"""

import os
from typing import Any

from django.conf import settings

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings.prod")

# Sound is streamed for as long as a listener takes: threads wait cheaply, processes do not.
worker_class = "gthread"
threads = 8
timeout = 60
graceful_timeout = 30
# A heartbeat file on a disk that is busy looks like a worker that hangs.
worker_tmp_dir = "/dev/shm"  # noqa: S108

# Without the query, where words of a lesson may stand.
access_log_format = "%(m)s %(U)s %(s)s, %(B)s bytes, %(M)s ms, request %({x-request-id}o)s"

# Gunicorn's lines look like all others; it does not pass them on to the root's handler by itself.
_logging: dict[str, Any] = settings.LOGGING
_own = {
    name: {"level": "INFO", "handlers": ["console"], "propagate": False}
    for name in ("gunicorn.error", "gunicorn.access")
}
logconfig_dict = {**_logging, "loggers": {**_logging["loggers"], **_own}}
