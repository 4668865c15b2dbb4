"""A newcomer's machine: SQLite, debug pages, a key that protects nothing."""

from config.settings.base import *

SECRET_KEY = SECRET_KEY or "for development only: this key protects nothing"
DEBUG = env.bool("DJANGO_DEBUG", default=True)
ALLOWED_HOSTS = ALLOWED_HOSTS or ["localhost", "127.0.0.1", "[::1]"]

VAR_DIR.mkdir(parents=True, exist_ok=True)
