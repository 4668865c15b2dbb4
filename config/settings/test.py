"""The test suite: nothing leaves the machine, passwords hash fast, the dummy engine is at hand."""

import tempfile
from pathlib import Path

from config.settings.base import *

SECRET_KEY = "tests"  # noqa: S105
ALLOWED_HOSTS = ["testserver", "localhost", "127.0.0.1"]
STATIC_ROOT = Path(tempfile.mkdtemp(prefix="narration-"))  # there, though nothing is collected
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
INSTALLED_APPS = [*INSTALLED_APPS, "tests.testapp"]

DATABASES = build_databases(env.str("TEST_DATABASE_URL", default="sqlite://:memory:"))
if "sqlite3" in str(DATABASES["default"]["ENGINE"]):
    # A file, because engine results and clusters meet the database from several connections.
    DATABASES["default"]["TEST"] = {"NAME": tempfile.mkdtemp(prefix="narration-") + "/test.sqlite3"}

STORAGES = {
    **STORAGES,
    "narration": {
        "BACKEND": "narration.storage.AtomicFileStorage",
        "OPTIONS": {"location": env.str("TEST_STORAGE", default="") or tempfile.mkdtemp()},
    },
}
NARRATION = {
    "ENGINES": {
        "espeak": {"BACKEND": "narration.engines.espeak.EspeakEngine"},
        "dummy": {
            "BACKEND": "narration.engines.dummy.DummyEngine",
            # Short tones: encoding is what takes time. Clusters under test ask for faults.
            "OPTIONS": {"ms_per_character": 8, **env.json("TEST_DUMMY_OPTIONS", default={})},
        },
    },
    "DEFAULT_VOICES": {"en": "dummy:low", "pt-BR": "dummy:low"},
}
