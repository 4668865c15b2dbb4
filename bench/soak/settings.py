"""The throw-away site of a soak: short leases, so that minutes hold many deaths."""

from bench.settings import *

NARRATION = {
    "ENGINES": {
        "espeak": {
            "BACKEND": "bench.soak.engine.TellingEspeak",
            "OPTIONS": {"log": str(VAR_DIR / "spoken")},
        }
    },
    "LEASE_SECONDS": 15,
    "SWEEP_SECONDS": 2,
    # Deaths come by chance here, many a minute: nobody's fault, so nobody is quarantined for them.
    "MAX_CLAIMS": 50,
}
Q_CLUSTER = {**Q_CLUSTER, "log_level": "CRITICAL"}
