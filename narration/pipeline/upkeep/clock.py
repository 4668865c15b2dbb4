"""How long a part of the upkeep may go on."""

from __future__ import annotations

import time


class Deadline:
    """Over so many seconds after it was made; never, where that is None."""

    def __init__(self, seconds: float | None):
        self._end = None if seconds is None else time.monotonic() + seconds

    @property
    def is_over(self) -> bool:
        """Whether to stop after what is in hand."""
        return self._end is not None and time.monotonic() >= self._end
