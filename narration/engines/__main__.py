"""``python -m narration.engines dotted.path.of.Engine``: what it says and hears is in ``wire``."""

from __future__ import annotations

import os
import sys

from narration.engines.host import main

status = main(sys.argv[1:])
sys.stderr.flush()
# No ordinary exit: it would wait for, or abort over, the thread that is reading stdin.
os._exit(status)
