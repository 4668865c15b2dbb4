"""A throw-away site whose engine costs next to nothing: what is left is our own work."""

from bench.settings import *

TELLING = "bench.jobs.engine.TellingDummy"
LOG = {"log": str(VAR_DIR / "spoken"), "ms_per_character": 8}
NARRATION = {
    "ENGINES": {
        "dummy": {"BACKEND": TELLING, "OPTIONS": LOG},
        # As fast as a good card: a bulk job that takes its time.
        "slow": {"BACKEND": TELLING, "OPTIONS": {**LOG, "delay_ms": 100}},
    },
    "DEFAULT_VOICES": {"en": "dummy:low"},
}
Q_CLUSTER = {**Q_CLUSTER, "log_level": "CRITICAL"}
