"""The thread that tends one engine process: starts it, feeds and hears it, buries and replaces it.

One long-lived thread does all of it: Linux kills an engine when the thread that started it ends,
and a request's thread must not take the engine along.
"""

from __future__ import annotations

import contextlib
import logging
import os
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from narration.engines import wire
from narration.engines.host import FATAL_STATUS
from narration.exceptions import EngineCrashed, EngineError
from narration.speaking.launch import Child, Frame
from narration.speaking.ledger import Answer, Entry, Ledger, Recordings
from narration.values import EngineConfig, EngineFacts, EngineResult

logger = logging.getLogger(__name__)

TICK_S = 0.2
# Beyond its slots, so many wait inside the process: enough that it never idles.
SPARE_SLOTS = 4
# Loading a large model from a slow disk takes minutes, but it beats meanwhile.
LOAD_DEADLINE_S = 600.0
SILENCE_S = 30.0
# Deaths in a row without any sentence in hand: the engine itself is broken, not a text.
MAX_BARREN_DEATHS = 2


@dataclass(frozen=True, slots=True)
class Death:
    """Why a process was given up; ``culprit`` is the sentence known to have done it."""

    code: str
    message: str
    culprit: Entry | None = None


@dataclass(frozen=True, slots=True)
class LoadReport:
    """How the engine was loaded: from the start of its process, and what it measured of itself
    just before and just after (``rss`` in bytes, and what ``Engine.measure`` says).
    """

    seconds: float
    before: Mapping[str, Any]
    after: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Spoken:
    """Sentences so far, the engine's time for them and their sound, in milliseconds."""

    sentences: int = 0
    engine_ms: int = 0
    audio_ms: int = 0

    def measure_since(self, before: Spoken) -> float | None:
        """The real-time factor of what was spoken since; None when that was nothing.

        Seconds of work for a second of sound. What the engine did before it was started anew counts
        as nothing.
        """
        engine_ms, audio_ms = self.engine_ms - before.engine_ms, self.audio_ms - before.audio_ms
        if self.sentences < before.sentences:
            engine_ms, audio_ms = self.engine_ms, self.audio_ms
        return engine_ms / audio_ms if audio_ms > 0 else None

    def add(self, result: EngineResult) -> Spoken:
        """With one more."""
        return Spoken(
            self.sentences + 1,
            self.engine_ms + result.engine_ms,
            self.audio_ms + result.waveform.duration_ms,
        )


class Tender:
    """Runs in its own thread from ``start`` to ``close``. Other methods are for any thread."""

    def __init__(self, config: EngineConfig, facts: EngineFacts):
        self._config = config
        self._facts = facts
        self._ledger = Ledger(config, facts.slots + SPARE_SLOTS)
        self._changed = threading.Condition()
        self._cancelled: list[str] = []
        self._wake_reader, self._wake_writer = os.pipe()
        self._thread = threading.Thread(target=self._run, daemon=True, name="narration-engine")
        self._child: Child | None = None
        self._is_closing = False
        self._is_ready = False
        self._failure: EngineError | None = None
        self._barren_deaths = 0
        self._begun_at = self._heard_at = self._progress_at = 0.0
        self.rss = 0
        self.measures: dict[str, Any] = {}
        self.loaded_facts: EngineFacts | None = None
        self.load_report: LoadReport | None = None
        self.spoken = Spoken()

    # For any thread.

    def start(self) -> None:
        """Start the thread, which starts the engine."""
        self._thread.start()

    def wait_ready(self) -> None:
        """Wait until the engine is loaded, or raise why it is not."""
        with self._changed:
            self._changed.wait_for(lambda: self._is_ready or self._failure)
        if self._failure:
            self.close()
            raise self._failure

    def add(self, entry: Entry) -> None:
        """Line up an utterance."""
        with self._changed:
            if self._failure or self._is_closing:
                raise self._failure or _build_closed_error()
            self._ledger.add(entry)
            self._wake()

    def cancel(self, utterance_id: str) -> None:
        """Forget an utterance."""
        with self._changed:
            if self._ledger.cancel(utterance_id) and not self._is_closing:
                self._cancelled.append(utterance_id)
                self._wake()

    def close(self) -> None:
        """End the process and the thread; whoever still waits gets ``engine_closed``."""
        with self._changed:
            if self._is_closing:
                return
            self._is_closing = True
            self._wake()
        self._thread.join()
        os.close(self._wake_reader)
        os.close(self._wake_writer)

    def disown(self) -> None:
        """In a fork of this process, where the thread does not exist: let go of the parent's."""
        if self._is_closing:
            return
        self._is_closing = True
        self._changed = threading.Condition()
        os.close(self._wake_reader)
        os.close(self._wake_writer)
        if self._child:
            self._child.disown()

    @property
    def pid(self) -> int | None:
        """The engine's process id, None while there is none."""
        return self._child.pid if self._child else None

    @property
    def silent_s(self) -> float:
        """Seconds since it was last heard of."""
        return time.monotonic() - self._heard_at

    @property
    def is_usable(self) -> bool:
        """Whether utterances may be submitted."""
        return self._thread.is_alive() and not self._is_closing and self._failure is None

    @property
    def is_owing(self) -> bool:
        """Whether anybody waits for a result."""
        return bool(len(self._ledger))

    # For the tending thread only, from here.

    def _run(self) -> None:
        try:
            while self._wait_for_need():
                self._live_once()
        except Exception as error:
            logger.exception("The tender of engine %s failed", self._config.alias)
            self._fail(EngineError(str(error), code="engine_not_started"))
        finally:
            self._deliver_to_all(self._failure or _build_closed_error())

    def _wait_for_need(self) -> bool:
        """True when a process is wanted: the first time, and later when something waits."""
        with self._changed:
            self._changed.wait_for(
                lambda: self._is_closing or not self._is_ready or len(self._ledger)
            )
            return not self._is_closing and self._failure is None

    def _live_once(self) -> None:
        self._child = child = Child(self._config, self._wake_reader)
        self._begun_at = self._heard_at = self._progress_at = time.monotonic()
        self._is_serving = False
        try:
            death = self._attend(child)
            if death is None:
                child.stop()
        finally:
            child.end()
            self._child = None
        if death:
            self._settle(death, child)

    def _attend(self, child: Child) -> Death | None:
        """Serve until the process dies (its death) or we are closed (None)."""
        while not self._is_closing and self._failure is None:
            try:
                for frame in child.read(TICK_S):
                    self._hear(frame)
            except EngineError as error:
                return Death("engine_crashed", error.message)
            if child.is_ended:
                return Death("engine_crashed", "The engine died")
            if death := self._find_trouble(time.monotonic()):
                return death
            self._feed(child)
        return None

    def _feed(self, child: Child) -> None:
        if not self._is_serving:
            return
        with self._changed:
            cancelled, self._cancelled = self._cancelled, []
            chosen = []
            while entry := self._ledger.choose_next():
                chosen.append(entry)
        for utterance_id in cancelled:
            child.send({"type": "cancel", "id": utterance_id})
        for entry in chosen:
            child.send(_build_request(entry))
        if chosen:
            self._progress_at = time.monotonic()

    def _hear(self, frame: Frame) -> None:
        header, payload = frame
        self._heard_at = time.monotonic()
        match header.get("type"):
            case "heartbeat":
                self.rss, self.measures = header["rss"], header["engine"]
            case "begun":
                self._ledger.begin(header["id"], self._heard_at)
            case "result" | "cloned" | "error":
                self._finish(header["id"], wire.decode_outcome(header, payload))
            case "ready":
                self._welcome(wire.decode_facts(header["facts"]))
                self._note_load(header)
            case "failed":
                self._fail(wire.decode_error(header))

    def _finish(self, utterance_id: str, outcome: Answer) -> None:
        self._progress_at, self._barren_deaths = self._heard_at, 0
        if isinstance(outcome, EngineResult):
            self.spoken = self.spoken.add(outcome)
        with self._changed:
            entry = self._ledger.pop(utterance_id)
        if entry and entry.deliver:
            entry.deliver(utterance_id, outcome)

    def _welcome(self, facts: EngineFacts) -> None:
        """The loaded engine must be the one that was planned with: digests hold its identity."""
        if facts != self._facts:
            message = f"{self._config.alias} is not as described: {_compare(self._facts, facts)}."
            self._fail(EngineError(message, code="engine_facts_differ"))
            return
        self._is_serving = True
        self.loaded_facts = facts
        with self._changed:
            self._is_ready = True
            self._changed.notify_all()

    def _note_load(self, header: Mapping[str, Any]) -> None:
        seconds = self._heard_at - self._begun_at
        report = LoadReport(seconds, header.get("before", {}), header.get("after", {}))
        self.load_report = report
        self.rss = report.after.get("rss", self.rss)
        self.measures = {key: value for key, value in report.after.items() if key != "rss"}

    def _find_trouble(self, now: float) -> Death | None:
        with self._changed:
            overdue = self._ledger.find_overdue(now)
            is_owing, is_speaking = self._ledger.has_sent(), bool(self._ledger.get_in_hand())
        if overdue:
            return Death("engine_hung", "The engine did not finish in time", overdue)
        if not self._is_serving and now > self._begun_at + LOAD_DEADLINE_S:
            return Death("engine_hung", "The engine did not load in time")
        if (is_owing or not self._is_serving) and now > self._heard_at + SILENCE_S:
            return Death("engine_hung", "The engine fell silent")
        if is_owing and not is_speaking and now > self._progress_at + self._config.deadline_base_s:
            return Death("engine_hung", "The engine begins nothing")
        return None

    def _settle(self, death: Death, child: Child) -> None:
        """Tell the guilty; give up when deaths come without one."""
        if child.exit_status == FATAL_STATUS:
            # It ended itself, and its last line says why.
            death = Death("device_lost", child.stderr[-1] if child.stderr else death.message)
        message = f"{death.message} ({child.get_exit()}). {' | '.join(child.stderr)}".strip()
        # What it printed may quote the lesson once it has been given any of it.
        told = f"{death.message} ({child.get_exit()})." if self._is_serving else message
        logger.warning("Engine %s: %s", self._config.alias, told)
        error = EngineCrashed(
            death.message if death.code == "device_lost" else message, code=death.code
        )
        with self._changed:
            is_speaking = bool(self._ledger.get_in_hand())
            guilty = self._ledger.recall(death.culprit)
            self._barren_deaths = 0 if is_speaking else self._barren_deaths + 1
        for entry in guilty:
            if entry.deliver:
                entry.deliver(entry.id, error)
        if self._barren_deaths >= MAX_BARREN_DEATHS:
            self._fail(error)

    def _fail(self, error: EngineError) -> None:
        with self._changed:
            self._failure = error
            self._changed.notify_all()

    def _deliver_to_all(self, error: EngineError) -> None:
        with self._changed:
            # From here on nothing more is taken in.
            self._failure = error
            entries = self._ledger.pop_all()
            self._changed.notify_all()
        for entry in entries:
            if entry.deliver:
                entry.deliver(entry.id, error)

    def _wake(self) -> None:
        self._changed.notify_all()
        with contextlib.suppress(OSError):
            os.write(self._wake_writer, b"!")


def _build_request(entry: Entry) -> dict[str, Any]:
    if isinstance(entry.work, Recordings):
        files = [{"path": path, "sample_rate": rate} for path, rate in entry.work.files]
        return {"type": "clone", "id": entry.id, "recordings": files}
    return {
        "type": "submit",
        "id": entry.id,
        "priority": entry.priority,
        "utterance": wire.encode_utterance(entry.work),
    }


def _build_closed_error() -> EngineError:
    return EngineError("The engine was closed.", code="engine_closed", is_permanent=False)


def _compare(described: EngineFacts, loaded: EngineFacts) -> str:
    """The fields that differ, for people."""
    names = [
        name for name in EngineFacts.__slots__ if getattr(described, name) != getattr(loaded, name)
    ]
    return ", ".join(
        f"{name} {getattr(described, name)!r} became {getattr(loaded, name)!r}" for name in names
    )
