"""Faults of the card: its memory ran out, or it was lost. The sentence is the last to be blamed.

Another process may have taken the memory, a driver may be at its end: the job waits and is tried
again, and equal failures let the lane rest. A sentence that fails so while the card speaks others,
in more tries than ``MAX_CLAIMS``, is at fault itself and set aside, so that the rest may go on.
"""

from __future__ import annotations

from collections.abc import Iterable

from django.db.models import F
from django.db.models.functions import Now

from narration import conf
from narration.exceptions import EngineError
from narration.models import SynthesisFailure
from narration.pipeline.plan import PlannedSegment

CODES = {"out_of_memory", "device_lost"}
#: So many sentences in a row, and it is not theirs to answer for: the others are not tried.
IN_A_ROW = 3


class CardWatch:
    """What happened on the card while one job's sentences were spoken by one engine."""

    def __init__(self) -> None:
        self._in_a_row = 0
        self._has_spoken = False

    def note_spoken(self) -> None:
        """A sentence was spoken: the card works."""
        self._in_a_row = 0
        self._has_spoken = True

    def note_fault(self, error: EngineError) -> bool:
        """Whether it is the card's fault; raised once there were several in a row."""
        if error.code not in CODES:
            return False
        self._in_a_row += 1
        if self._in_a_row >= IN_A_ROW:
            raise _build_passing(error)
        return True

    def pardon(self, failures: Iterable[tuple[PlannedSegment, EngineError]]) -> None:
        """Of sentences that were set aside, let those wait no longer that the card failed.

        Raises the fault, as one that may pass, if there are any: the job is tried again.
        """
        passing = None
        for segment, error in failures:
            if error.code in CODES and self._pardon(segment):
                passing = error
        if passing is not None:
            raise _build_passing(passing)

    def _pardon(self, segment: PlannedSegment) -> bool:
        mine = SynthesisFailure.objects.filter(
            digest=segment.digest, sound_version=segment.cast.facts.sound_version
        )
        if not self._has_spoken:  # nothing tells the sentence from the card: it does not count
            return bool(mine.update(until=Now(), count=F("count") - 1))
        limit = conf.get_configuration().max_claims
        return bool(mine.filter(count__lte=limit).update(until=Now()))


def _build_passing(error: EngineError) -> EngineError:
    """The same, to be tried again whatever the engine thinks."""
    return type(error)(error.message, code=error.code, is_permanent=False)
