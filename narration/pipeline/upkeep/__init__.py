"""Keep the storage in order: read it through, prune what nobody uses, collect what has no row.

Every part may be stopped at any moment, run twice, or run by two at once. Each takes the seconds it
may last, or None to go on until nothing is left, and tells what it did in numbers.
"""

from __future__ import annotations

import logging

from narration.exceptions import NarrationError
from narration.pipeline.upkeep.clock import Deadline
from narration.pipeline.upkeep.orphans import Orphans, count_orphans, prune_orphans
from narration.pipeline.upkeep.pruning import Pruned, count_prunable, prune
from narration.pipeline.upkeep.scrubbing import Scrubbed, count_unscrubbed, scrub

__all__ = [
    "Deadline",
    "Orphans",
    "Pruned",
    "Scrubbed",
    "count_orphans",
    "count_prunable",
    "count_unscrubbed",
    "prune",
    "prune_orphans",
    "run_some",
    "scrub",
]

logger = logging.getLogger(__name__)


def run_some(seconds: float) -> None:
    """A little of everything, for whoever calls at intervals; what is left waits for the next time.

    Over in about ``seconds``: a track that is being made again from its renditions is finished
    first. Raises no ``NarrationError``: a storage that is away comes back.
    """
    part = seconds / 4
    for do in (lambda: prune(part), lambda: prune_orphans(part), lambda: scrub(seconds - 2 * part)):
        try:
            done = do()
        except NarrationError as error:
            logger.warning("Upkeep goes on another time: %s", error)
        else:
            if done:
                logger.info("Upkeep: %s", done)
