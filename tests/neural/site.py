"""Settings of the site in ``stage.py``, for its workers: what the test says, as JSON."""

from config.settings.test import *

NARRATION = env.json("TEST_NARRATION", default=NARRATION)
