"""When memory runs out: in smaller batches, then in pieces, then a number and a hint.

The processor is the last rung, and only where the option ``allow_cpu`` put it there.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from narration.engines.hygiene import is_speakable
from narration.engines.neural.faults import translate_faults
from narration.exceptions import EngineError
from narration.values import EngineResult, Utterance, Waveform, WordTiming

Speak = Callable[[Utterance], EngineResult]

#: Halves, quarters, eighths; and no text of fewer characters, or it would sound like a list.
MAX_CUTS = 3
MIN_CUT = 24
CLAUSE_END = re.compile(r"[,;:.!?…)\]–—،؛؟](?=\s)|[，、；：。！？）」』]")
SPACE = re.compile(r"\s")
#: Scripts written without spaces can be cut anywhere.
UNSPACED = re.compile(r"[\u3040-\u30ff\u3400-\u9fff]")


def speak_within_memory(
    utterance: Utterance,
    speak: Speak,
    *,
    shrink: Callable[[], bool] | None = None,
    speak_on_cpu: Speak | None = None,
) -> EngineResult:
    """Speak, and when memory runs out climb down: ``shrink``, halve, ``speak_on_cpu``, fail.

    ``shrink`` makes the batch smaller and tells whether it could. What was spoken in ``n`` pieces
    has ``split: n`` in its evidence; what was spoken on the processor has it as its ``device``,
    and ``on_cpu`` in its evidence. Both are other sound than with room, under the same digest:
    the gate doubts them.
    ``EngineError`` (``out_of_memory``, ``device_lost`` …) when nothing helps.
    """
    try:
        return _speak_or_halve(utterance, speak, shrink or (lambda: False), MAX_CUTS)
    except EngineError as error:
        if error.code != "out_of_memory" or speak_on_cpu is None:
            raise
        sys.stderr.write(f"{error.message} Spoken on the processor instead.\n")
    with translate_faults():
        result = speak_on_cpu(utterance)
    return replace(result, device="cpu", evidence={**result.evidence, "on_cpu": True})


def _speak_or_halve(
    utterance: Utterance, speak: Speak, shrink: Callable[[], bool], cuts: int
) -> EngineResult:
    while True:
        try:
            with translate_faults():
                return speak(utterance)
        except EngineError as error:
            if error.code != "out_of_memory":
                raise
            if shrink():
                continue
            is_long = cuts and len(utterance.text) >= MIN_CUT
            half = find_middle(utterance.text) if is_long else 0
            if not half:
                raise _give_up(error, utterance) from None
        break
    return join_results(
        [
            (start, _speak_or_halve(replace(utterance, text=text), speak, shrink, cuts - 1))
            for start, text in halve(utterance.text, half)
        ]
    )


def _give_up(error: EngineError, utterance: Utterance) -> EngineError:
    size = len(utterance.text)
    return EngineError(
        f"{error.message} Not even {size} characters at once could be spoken.",
        code="out_of_memory",
        is_permanent=False,
    )


def halve(text: str, middle: int) -> list[tuple[int, str]]:
    """Both pieces without white space at their ends, each with its offset in the whole."""
    rest = text[middle:]
    start = len(text) - len(rest.lstrip())
    return [(0, text[:middle].rstrip()), (start, rest.strip())]


def find_middle(text: str) -> int:
    """Where to cut a text in two that can both be spoken: after a clause, else after a word.

    The place nearest the middle; 0 when there is none.
    """
    for pattern in (CLAUSE_END, SPACE, UNSPACED):
        places = [found.end() for found in pattern.finditer(text)]
        fit = [at for at in places if is_speakable(text[:at]) and is_speakable(text[at:])]
        # A clause at the very edge would leave the other piece nearly as long as the whole.
        if pattern is CLAUSE_END:
            fit = [at for at in fit if len(text) / 4 <= at <= len(text) * 3 / 4]
        if fit:
            return min(fit, key=lambda at: abs(at - len(text) / 2))
    return 0


def join_results(pieces: Sequence[tuple[int, EngineResult]]) -> EngineResult:
    """One result of several: each with the offset of its text in the whole."""
    rate = pieces[0][1].waveform.sample_rate
    words: list[WordTiming] = []
    spoken = 0
    for offset, piece in pieces:
        began_ms = round(spoken * 1000 / rate)
        words += [
            WordTiming(
                word.spoken_start + offset,
                word.spoken_end + offset,
                word.start_ms + began_ms,
                word.end_ms + began_ms,
            )
            for word in piece.words
        ]
        spoken += len(piece.waveform.samples)
    samples = np.concatenate([piece.waveform.samples for _, piece in pieces])
    return EngineResult(
        Waveform(samples, rate),
        tuple(words),
        sum(piece.engine_ms for _, piece in pieces),
        pieces[0][1].device,
        join_evidence([piece.evidence for _, piece in pieces]),
    )


def join_evidence(pieces: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """What is true of one piece is true of the whole; the longest loop counts; pieces add up."""
    joined: dict[str, Any] = {}
    for evidence in pieces:
        for name, value in evidence.items():
            is_number = isinstance(value, int | float)
            joined[name] = max(joined.get(name, value), value) if is_number else value
    return {**joined, "split": sum(int(evidence.get("split", 1)) for evidence in pieces)}
