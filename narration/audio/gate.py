"""The quality gate: whether an utterance sounds like its text being said. Pure, in linear time.

A finding is a *fault* where chance may be asked again, a *doubt* where only ears can tell, a *hint*
where the text is too short to tell anything. What rests on thresholds that nobody has measured for
the engine is a doubt until it is far out.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import IntEnum
from typing import Any

from narration.audio.measures import Measures, measure
from narration.audio.pace import Expectation, expect_speech, has_repetition
from narration.values import Waveform

#: Texts of fewer letters may take any time: "No." is as long as its breath.
FEWEST_LETTERS = 6
#: Seconds a sentence may be longer than its share: breath at both ends.
SLACK_S = 0.25

#: Checks in which less is worse.
FLOORS = ("silent", "too_short", "repeats")

#: How bad it is to hear, where worse than a click: words that are missing or not those of the text.
GRAVITY = {
    "silent": 4,
    "noisy": 3,
    "too_short": 2,
    "too_long": 2,
    "hit_limit": 2,
    "loop": 2,
    "repeats": 2,
}

OK, FLAGGED, INCONCLUSIVE = "ok", "flagged", "inconclusive"


class Weight(IntEnum):
    """How much a finding weighs: an attempt with more of the heavier is the worse one."""

    HINT = 1
    DOUBT = 10
    FAULT = 100


@dataclass(frozen=True, slots=True)
class Limit:
    """Past ``doubt`` is doubtful, past ``fault`` is wrong: above it, or below it for ``FLOORS``."""

    doubt: float
    fault: float


@dataclass(frozen=True, slots=True)
class Thresholds:
    """What an engine's sound is measured against; ``None`` leaves a check out.

    ``is_calibrated``: the doubts were measured on this engine's own speech, so that they count as
    faults. ``pace_setting`` names the setting whose double halves the time, with its default.
    """

    name: str
    is_calibrated: bool
    #: Share of the time that the text takes at a calm pace.
    too_short: Limit | None = Limit(0.4, 0.2)
    too_long: Limit | None = Limit(2.2, 4.0)
    silent: Limit = Limit(-45.0, -55.0)
    clipped: Limit = Limit(0.002, 0.02)
    cut_off: Limit | None = Limit(-20.0, -6.0)
    pause: Limit | None = Limit(1.8, 4.0)
    offset: Limit = Limit(0.03, 0.15)
    noisy: Limit | None = Limit(0.12, 0.3)
    hiss: Limit | None = Limit(0.4, 1.0)
    drone: Limit | None = Limit(0.4, 1.0)
    repeats: Limit | None = Limit(0.08, 0.02)
    #: Tokens said over and over, as the engine counts them.
    loop: Limit = Limit(45, 110)
    pace_setting: tuple[str, float] | None = None


#: Measured on 2 381 sentences of lessons in English and Brazilian Portuguese: everything lay far
#: inside (see docs/explanation/quality-gate.md).
ESPEAK = Thresholds(
    "espeak",
    is_calibrated=True,
    too_short=Limit(0.65, 0.65),
    too_long=Limit(1.7, 1.7),
    clipped=Limit(0.0005, 0.0005),
    cut_off=Limit(-24.0, -6.0),
    pause=Limit(0.8, 0.8),
    offset=Limit(0.02, 0.02),
    noisy=Limit(0.03, 0.03),
    hiss=Limit(0.25, 0.25),
    drone=Limit(0.3, 0.3),
    repeats=Limit(0.08, 0.02),
    pace_setting=("rate", 165.0),
)
NEURAL = Thresholds("neural", is_calibrated=False, pace_setting=("speed", 1.0))
#: Tones are no speech: they are heard, not cut short by their maker, and no more is asked.
TONES = Thresholds(
    "tones",
    is_calibrated=False,
    too_short=None,
    too_long=None,
    cut_off=None,
    pause=None,
    noisy=None,
    hiss=None,
    drone=None,
    repeats=None,
)
#: By the engine's own name; of any other engine nobody has measured anything.
THRESHOLDS = {"espeak": ESPEAK, "dummy": TONES}


def get_thresholds(engine: str) -> Thresholds:
    """Those of an engine by its own name."""
    return THRESHOLDS.get(engine, NEURAL)


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is not as it should be: what was measured, and the limit it is past."""

    code: str
    weight: Weight
    value: float
    limit: float


@dataclass(frozen=True, slots=True)
class Judgement:
    """What the gate says of one attempt. The higher ``score`` is the better attempt; 0 is best."""

    verdict: str
    findings: tuple[Finding, ...] = ()
    thresholds: str = ""
    is_calibrated: bool = False
    score: float = 0.0

    @property
    def is_faulty(self) -> bool:
        """Whether another attempt is worth its time."""
        return any(finding.weight == Weight.FAULT for finding in self.findings)

    @property
    def codes(self) -> tuple[str, ...]:
        """What was found."""
        return tuple(finding.code for finding in self.findings)


def judge(
    waveform: Waveform,
    text: str,
    language: str,
    *,
    evidence: Mapping[str, Any] | None = None,
    thresholds: Thresholds = NEURAL,
    settings: Mapping[str, Any] | None = None,
) -> Judgement:
    """Hold an utterance's sound against its spoken ``text``.

    ``evidence`` is ``EngineResult.evidence``; ``settings`` are the utterance's, for its pace.
    """
    heard = measure(waveform)
    told = expect_speech(text, language)
    pace = _get_pace(thresholds, settings or {})
    findings = [
        *_judge_evidence(evidence or {}, thresholds),
        *_judge_sound(heard, thresholds, pace=pace, is_repetitive=has_repetition(text)),
    ]
    if "silent" not in [finding.code for finding in findings]:
        findings += _judge_duration(heard, told, thresholds, pace)
    return _conclude(tuple(findings), thresholds)


def _conclude(findings: tuple[Finding, ...], thresholds: Thresholds) -> Judgement:
    heaviest = max((finding.weight for finding in findings), default=None)
    verdict = {None: OK, Weight.HINT: INCONCLUSIVE}.get(heaviest, FLAGGED)
    score = -sum(f.weight * GRAVITY.get(f.code, 1) + _get_excess(f) for f in findings)
    return Judgement(
        verdict, findings, thresholds.name, thresholds.is_calibrated, round(float(score), 2)
    )


def _get_excess(finding: Finding) -> float:
    """How far past its limit, from 0 to the next lighter weight's worth."""
    if not finding.limit:
        return 0.0
    ratio = abs(finding.value / finding.limit)
    return min(abs(math.log2(max(ratio, 1e-3))), 9.0)


def _get_pace(thresholds: Thresholds, settings: Mapping[str, Any]) -> float:
    """How much faster than usual it was asked to speak."""
    if thresholds.pace_setting is None:
        return 1.0
    name, default = thresholds.pace_setting
    return max(float(settings.get(name, default)) / default, 0.1)


def _judge_evidence(evidence: Mapping[str, Any], thresholds: Thresholds) -> Iterator[Finding]:
    """What the engine itself saw; this is no guess, whatever the thresholds."""
    if evidence.get("hit_limit"):
        yield Finding("hit_limit", Weight.FAULT, 1.0, 0.0)
    # Not how it sounds with room: a doubt, since another attempt meets the same full card.
    if (pieces := int(evidence.get("split") or 1)) > 1:
        yield Finding("split", Weight.DOUBT, float(pieces), 1.0)
    if evidence.get("on_cpu"):
        yield Finding("on_cpu", Weight.DOUBT, 1.0, 0.0)
    yield from _find("loop", float(evidence.get("loop") or 0), thresholds.loop, thresholds)


def _judge_sound(
    heard: Measures, limits: Thresholds, *, pace: float, is_repetitive: bool
) -> Iterator[Finding]:
    yield from _find("silent", heard.level_db, limits.silent, limits)
    yield from _find("offset", abs(heard.offset), limits.offset, limits)
    clipping = max(heard.full_scale, heard.flat_tops)
    yield from _find("clipped", clipping, limits.clipped, limits)
    yield from _find("cut_off", heard.tail_db, limits.cut_off, limits)
    yield from _find("pause", heard.pause_s * min(pace, 1.0), limits.pause, limits)
    yield from _find("noisy", heard.flatness, limits.noisy, limits)
    yield from _find("hiss", heard.hiss_s * min(pace, 1.0), limits.hiss, limits)
    yield from _find("drone", heard.still_s * min(pace, 1.0), limits.drone, limits)
    if not is_repetitive:
        yield from _find("repeats", heard.repetition, limits.repeats, limits)


def _judge_duration(
    heard: Measures, told: Expectation, limits: Thresholds, pace: float
) -> Iterator[Finding]:
    """Against what the text takes; nobody knows how long a very short one or a name takes."""
    is_known = told.letters >= FEWEST_LETTERS
    if not told.is_measured and limits.is_calibrated:
        limits = NEURAL
    ends = (
        ("too_short", heard.speech_s / (told.least_s / pace), limits.too_short),
        ("too_long", (heard.speech_s - SLACK_S) / (told.most_s / pace), limits.too_long),
    )
    for code, ratio, limit in ends:
        for finding in _find(code, ratio, limit, limits):
            yield finding if is_known else Finding(code, Weight.HINT, finding.value, finding.limit)


def _find(
    code: str, value: float, limit: Limit | None, thresholds: Thresholds
) -> Iterator[Finding]:
    """A finding where ``value`` is past its limit; nothing where there is none."""
    if limit is None:
        return
    sign = -1 if code in FLOORS else 1
    value = round(value, 4)
    if sign * value > sign * limit.fault:
        yield Finding(code, Weight.FAULT, value, limit.fault)
    elif sign * value > sign * limit.doubt:
        weight = Weight.FAULT if thresholds.is_calibrated else Weight.DOUBT
        yield Finding(code, weight, value, limit.doubt)
