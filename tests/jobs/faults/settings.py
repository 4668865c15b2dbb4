"""Clusters under fault tests: an engine that writes down what it speaks, short waits."""

from config.settings.plugin import *

SECRET_KEY = env.str("TEST_SECRET_KEY", default=SECRET_KEY)
NARRATION = {
    **NARRATION,
    "ENGINES": {
        "dummy": {
            "BACKEND": "tests.speaking.engines.TellingEngine",
            "OPTIONS": NARRATION["ENGINES"]["dummy"]["OPTIONS"],
        }
    },
    "SWEEP_SECONDS": 1,
    "RETRY_SECONDS": 1,
    **env.json("TEST_NARRATION", default={}),
}
if pages := env.int("TEST_SQLITE_PAGES", default=0):
    # A disk that is full, for as long as a cluster runs with this.
    DATABASES["default"]["OPTIONS"]["init_command"] += f" PRAGMA max_page_count={pages};"
