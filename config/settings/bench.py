"""The benchmark: SQLite and files in the throw-away folder that NARRATION_VAR_DIR names."""

from config.settings.base import *

SECRET_KEY = "bench: a throw-away site on this machine alone, so that nobody need guess it"  # noqa: S105
ALLOWED_HOSTS = ["127.0.0.1", "testserver"]
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
NARRATION = {
    # One run of the lane must be long enough for the longest lesson.
    "RUN_SECONDS": 600,
    "X_ACCEL_PREFIX": env.str("NARRATION_X_ACCEL_PREFIX", default=""),
}
LOGGING = {**LOGGING, "loggers": {"narration": {"handlers": ["console"], "level": "WARNING"}}}
