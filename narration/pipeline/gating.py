"""The quality gate at work: judge every attempt, ask chance again, keep the best."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from narration.audio.gate import INCONCLUSIVE, Finding, Judgement, Weight, get_thresholds, judge
from narration.exceptions import EngineError
from narration.pipeline.plan import PlannedSegment
from narration.values import EngineResult, Utterance

logger = logging.getLogger(__name__)

#: So many sentences running of which every attempt was bad, and it is not chance that is at fault:
#: the rest of the run is not attempted again.
HOPELESS_IN_A_ROW = 5


@dataclass(frozen=True, slots=True)
class Attempt:
    """One result with what the gate says of it."""

    number: int
    result: EngineResult
    judgement: Judgement


@dataclass(frozen=True, slots=True)
class Gated:
    """What is kept of a sentence: its best attempt, and what all of them were like.

    ``result.engine_ms`` is the time of all attempts together.
    """

    result: EngineResult
    attempt: int
    verdict: str
    report: dict[str, Any]


class Gate:
    """The attempts of one run. A sentence is held here until one is good or enough are made."""

    def __init__(self, attempts: int):
        self._most = max(attempts, 1)
        self._held: dict[str, tuple[PlannedSegment, list[Attempt]]] = {}
        self._hopeless = 0

    def build_utterance(self, segment: PlannedSegment) -> Utterance:
        """The exact request for the next attempt at a segment."""
        _, made = self._held.get(segment.digest, (segment, []))
        return replace(segment.utterance, attempt=len(made))

    def admit(self, segment: PlannedSegment, outcome: EngineResult | EngineError) -> Gated | None:
        """Judge what came of an attempt: what to keep of the sentence, if it ends with this.

        None of a result asks for another attempt; of an error, that nothing was made before it.
        An attempt that fails costs nobody what an earlier one made.
        """
        if isinstance(outcome, EngineError):
            return self._release(segment) if segment.digest in self._held else None
        _, made = self._held.setdefault(segment.digest, (segment, []))
        judgement = judge_result(segment, outcome)
        made.append(Attempt(len(made), outcome, judgement))
        if judgement.is_faulty and len(made) < self._count_allowed(segment):
            return None
        return self._release(segment)

    def release_all(self) -> Iterator[tuple[PlannedSegment, Gated]]:
        """What is still held as the run is left early."""
        for segment, _made in list(self._held.values()):
            yield segment, self._release(segment)

    def _count_allowed(self, segment: PlannedSegment) -> int:
        """An engine without takes says it the same way every time."""
        has_chance = segment.cast.facts.supports_takes
        return self._most if has_chance and self._hopeless < HOPELESS_IN_A_ROW else 1

    def _release(self, segment: PlannedSegment) -> Gated:
        _, made = self._held.pop(segment.digest)
        best = max(made, key=lambda attempt: attempt.judgement.score)
        if not best.judgement.is_faulty:
            self._hopeless = 0
        elif self._count_allowed(segment) > 1:
            self._hopeless += 1
            if self._hopeless == HOPELESS_IN_A_ROW:
                logger.warning("Further attempts make nothing better; none are made in this run.")
        engine_ms = sum(attempt.result.engine_ms for attempt in made)
        return Gated(
            result=replace(best.result, engine_ms=engine_ms),
            attempt=best.number,
            verdict=best.judgement.verdict,
            report=_build_report(best, made),
        )


def judge_result(segment: PlannedSegment, result: EngineResult) -> Judgement:
    """The gate's judgement; a fault of its own ends nobody's narration."""
    utterance = segment.utterance
    try:
        return judge(
            result.waveform,
            utterance.text,
            utterance.language,
            evidence=result.evidence,
            thresholds=get_thresholds(segment.cast.facts.name),
            settings=utterance.settings,
        )
    except Exception:
        logger.exception("The quality gate failed at %s.", segment.digest[:12])
        return Judgement(INCONCLUSIVE, (Finding("gate_failed", Weight.HINT, 0, 0),), score=-1.0)


def _build_report(best: Attempt, made: list[Attempt]) -> dict[str, Any]:
    """What ``Rendition.gate`` keeps: JSON."""
    judgement = best.judgement
    report: dict[str, Any] = {
        "thresholds": judgement.thresholds,
        "calibrated": judgement.is_calibrated,
        "findings": [
            {"code": f.code, "weight": f.weight.name.lower(), "value": f.value, "limit": f.limit}
            for f in judgement.findings
        ],
    }
    if len(made) > 1:
        report["attempts"] = [
            {"codes": list(each.judgement.codes), "score": each.judgement.score} for each in made
        ]
    return report
