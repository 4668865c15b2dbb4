"""Synthesize what a plan misses: stream it to the engines, keep each sentence as it comes."""

from __future__ import annotations

import contextlib
import logging
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import timedelta
from itertools import groupby
from typing import Protocol

from django.db import models
from django.db.models.functions import Now

from narration import conf, storage
from narration.exceptions import EngineCrashed, EngineError
from narration.models import Rendition, SynthesisFailure
from narration.pipeline import latents
from narration.pipeline.cardfaults import CardWatch
from narration.pipeline.casting import CastVoice
from narration.pipeline.gating import Gate
from narration.pipeline.licences import Permits
from narration.pipeline.plan import Plan, PlannedSegment
from narration.pipeline.renditions import find_whole, store_rendition
from narration.speaking import EngineProcess, get_engine_process, hold_engine
from narration.values import EngineResult, Utterance

logger = logging.getLogger(__name__)

#: How long a sentence that killed or hung its engine is left alone. A refusal costs nothing and is
#: asked again at every run.
SET_ASIDE = timedelta(hours=6)
#: Failures that may pass are tried again this often within a job.
ATTEMPTS = 2
#: After so many sentences that crash it, and none spoken between, the engine must prove itself.
CRASHES_IN_A_ROW = 5
#: Utterances lined up per slot, so that an engine never waits for us.
LINED_UP = 2
#: How long to wait for a result before asking again whether to stop, in seconds.
POLL_SECONDS = 0.5


class Listener(Protocol):
    """Whoever runs a job: hears of every sentence and may raise to stop between two."""

    @property
    def priority(self) -> int:
        """Of its utterances in the engine; the lowest number goes first."""

    def begin(self, *, total: int, reused: int, characters: int) -> None:
        """So many distinct utterances, so many of which have their sound; the rest's length.

        May refuse by raising, before anything is made.
        """

    def made(self, segment: PlannedSegment, rendition: Rendition) -> None:
        """One more is stored."""

    def failed(self, segment: PlannedSegment, error: EngineError) -> None:
        """One is given up for now."""

    def check(self) -> None:
        """Called often, between two sentences."""

    def busy(self) -> AbstractContextManager[None]:
        """Entered around long work during which nothing is told."""


@dataclass(frozen=True, slots=True)
class _Failure:
    segment: PlannedSegment
    error: EngineError


def synthesize_missing(
    plan: Plan,
    listener: Listener,
    *,
    get_engine: Callable[[str], EngineProcess] = get_engine_process,
) -> bool:
    """Make and keep every utterance of the plan that has no sound; whether all have one now.

    A sentence the engine refuses is set aside and told to the listener; the rest goes on.
    ``StorageFull`` when there is no room for what would be made, ``LicenceNotAccepted`` when
    nobody has accepted the terms of an engine's model, ``ConsentError`` as soon as a person's voice
    may speak no longer.
    """
    wanted = plan.get_utterances()
    Permits().require(segment.cast.facts for segment in wanted.values())
    for cast in _find_people(wanted.values()):
        cast.demand_consent()
    with listener.busy():  # a storage that is far away is asked for every file
        present = find_whole(wanted)
    missing = [segment for digest, segment in wanted.items() if digest not in present]
    characters = sum(len(segment.spoken.text) for segment in missing)
    listener.begin(total=len(wanted), reused=len(present), characters=characters)
    set_aside = SynthesisFailure.objects.set_aside().find_digests(s.digest for s in missing)
    failures = [_Failure(s, _build_set_aside_error()) for s in missing if s.digest in set_aside]
    todo = [segment for segment in missing if segment.digest not in set_aside]
    if todo:
        storage.check_room()  # before an engine is started for nothing
    by_engine = groupby(sorted(todo, key=lambda s: s.voice.engine), lambda s: s.voice.engine)
    for alias, segments in by_engine:
        with hold_engine(alias, listener.check):
            with listener.busy():  # loading a model takes minutes
                engine = get_engine(alias)
            failures += _speak_all(engine, list(segments), listener)
    for failure in failures:
        listener.failed(failure.segment, failure.error)
    return not failures


def _speak_all(
    engine: EngineProcess, segments: list[PlannedSegment], listener: Listener
) -> list[_Failure]:
    gate = Gate(conf.get_configuration().gate_attempts)
    try:
        return _speak_through(gate, engine, segments, listener)
    except BaseException:
        _keep_held(gate, listener)
        raise


def _keep_held(gate: Gate, listener: Listener) -> None:
    """The run is left between two attempts: what was made is kept, so that the next one goes on.

    Else a sentence whose attempts take longer than a run would be begun anew for ever.
    """
    for segment, gated in gate.release_all():
        try:
            listener.made(segment, store_rendition(segment, gated))
        except Exception as error:  # noqa: BLE001 - why the run is left matters more
            logger.warning("An attempt at a sentence was not kept: %s", type(error).__name__)


def _speak_through(
    gate: Gate, engine: EngineProcess, segments: list[PlannedSegment], listener: Listener
) -> list[_Failure]:
    failures: list[_Failure] = []
    crashed: set[str] = set()
    card = CardWatch()
    for _attempt in range(ATTEMPTS):
        again: list[_Failure] = []
        with listener.busy():  # a voice that is heard for the first time is learnt first
            latents.lay_out(engine, (segment.cast for segment in segments))
        waiting = deque(segments)
        for segment, outcome in _stream(engine, waiting, listener, gate.build_utterance):
            gated = gate.admit(segment, outcome)
            if isinstance(outcome, EngineResult):
                crashed.clear()
                card.note_spoken()
            if gated is not None:
                listener.made(segment, store_rendition(segment, gated))
            elif isinstance(outcome, EngineError):
                (failures if outcome.is_permanent else again).append(_Failure(segment, outcome))
                is_of_card = card.note_fault(outcome)
                if isinstance(outcome, EngineCrashed) and not is_of_card:
                    crashed.add(segment.digest)
                if len(crashed) >= CRASHES_IN_A_ROW:
                    if not _still_speaks(engine, segment, listener):
                        raise outcome
                    crashed.clear()
            else:
                waiting.appendleft(segment)  # another attempt, before anything new
        segments = [failure.segment for failure in again]
        if not again:
            break
    failures += again
    for failure in failures:
        _set_aside(failure)
    card.pardon((failure.segment, failure.error) for failure in failures)
    return failures


def _still_speaks(engine: EngineProcess, segment: PlannedSegment, listener: Listener) -> bool:
    """Whether the engine says one plain letter in this voice: then the sentences are at fault."""
    try:
        with listener.busy():
            engine.speak(segment.cast.build_utterance("a", segment.language, 0))
    except EngineError:
        return False
    return True


def _stream(
    engine: EngineProcess,
    waiting: deque[PlannedSegment],
    listener: Listener,
    build_utterance: Callable[[PlannedSegment], Utterance],
) -> Iterator[tuple[PlannedSegment, EngineResult | EngineError]]:
    """Keep the engine's slots full; a stop cancels what it has not begun.

    What is added to ``waiting`` meanwhile is spoken too.
    """
    stream = engine.open_stream()
    in_hand: dict[str, PlannedSegment] = {}
    people = _find_people(waiting)
    room = storage.RoomWatch()
    try:
        while waiting or in_hand:
            listener.check()
            for cast in people:
                cast.demand_consent()
            room.check()
            while waiting and len(in_hand) < LINED_UP * waiting[0].cast.facts.slots:
                segment = waiting.popleft()
                name = stream.submit(build_utterance(segment), priority=listener.priority)
                in_hand[name] = segment
            with contextlib.suppress(TimeoutError):
                name, outcome = stream.get_result(timeout=POLL_SECONDS)
                yield in_hand.pop(name), outcome
    finally:
        for name in in_hand:
            stream.cancel(name)


def _find_people(segments: Iterable[PlannedSegment]) -> list[CastVoice]:
    """The voices among them that are persons', once each."""
    people = {s.voice.pk: s.cast for s in segments if s.cast.needs_consent}
    return list(people.values())


def _set_aside(failure: _Failure) -> None:
    facts = failure.segment.cast.facts
    row, _created = SynthesisFailure.objects.get_or_create(
        digest=failure.segment.digest,
        sound_version=facts.sound_version,
        defaults={"error_code": failure.error.code, "count": 0},
    )
    SynthesisFailure.objects.filter(pk=row.pk).update(
        count=models.F("count") + 1,
        error_code=failure.error.code,
        until=None if failure.error.is_permanent else Now() + SET_ASIDE,
    )


def _build_set_aside_error() -> EngineError:
    return EngineError(
        "This sentence stopped the engine twice; change it, or try again later.",
        code="set_aside",
    )
