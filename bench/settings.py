"""A throw-away site in ``NARRATION_VAR_DIR``, with the real embedded engine."""

from config.settings.base import *

SECRET_KEY = "bench"
ALLOWED_HOSTS = ["127.0.0.1", "testserver"]
STATIC_ROOT = VAR_DIR
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
LOGGING = {"version": 1, "disable_existing_loggers": True}
