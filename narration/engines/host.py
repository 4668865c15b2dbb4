"""The loop of an engine's process: requests in on stdin, sound out on stdout (see ``wire``).

It serves whoever started it and dies with them. The main thread speaks; one thread listens, so
that requests never wait in the pipe; one beats, so that silence means trouble.
"""

from __future__ import annotations

import contextlib
import importlib
import json
import os
import queue
import signal
import sys
import threading
import time
from collections.abc import Mapping
from types import FrameType
from typing import Any, BinaryIO, NoReturn

import numpy as np

from narration.engines import guard, wire
from narration.engines.base import Begun, Engine, EngineEvent, Finished, check_result
from narration.engines.latents import encode_latents
from narration.exceptions import EngineError, UnsupportedUtterance
from narration.values import EngineResult, Waveform

HEARTBEAT_S = 1.0
# How long the main thread may take to stop before the process is ended under it.
GRACE_S = 2.0
#: After these nothing this process says can be trusted: it ends, and its successor goes on.
FATAL_CODES = {"device_lost"}
FATAL_STATUS = 70

Message = Mapping[str, Any]


def main(arguments: list[str]) -> int:
    """Serve the engine named by its dotted path until stdin ends; the exit status."""
    output = guard.claim_stdout()
    guard.die_with_parent()
    guard.offer_to_oom_killer()
    signal.signal(signal.SIGTERM, _leave)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    host = Host(output, sys.stdin.buffer)
    host.beat()
    try:
        host.serve(build_engine(arguments[0], host.read_options()))
    except EngineError as error:
        host.send(wire.encode_failure(error))
        return 1
    except SystemExit:
        return 0


def build_engine(backend: str, options: Mapping[str, Any]) -> Engine:
    """An engine by dotted path; ``EngineError`` when it cannot be imported or refuses."""
    module_name, _, class_name = backend.rpartition(".")
    try:
        engine_class = getattr(importlib.import_module(module_name), class_name)
        engine = engine_class(options)
    except EngineError:
        raise
    except Exception as error:
        raise EngineError(
            f"{backend} cannot be started: {type(error).__name__}: {error}",
            code="engine_not_started",
        ) from error
    if not isinstance(engine, Engine):
        raise EngineError(f"{backend} is no Engine.", code="engine_not_started")
    return engine


class Host:
    """Carries messages between the pipes and one engine."""

    def __init__(self, output: BinaryIO, requests: BinaryIO):
        self._output = output
        self._requests = requests
        self._lock = threading.Lock()
        self._inbox: queue.SimpleQueue[Message] = queue.SimpleQueue()
        self._in_hand: dict[str, float] = {}
        self._engine: Engine | None = None

    def read_options(self) -> Mapping[str, Any]:
        """The options of the ``start`` line, which must come first."""
        try:
            options = json.loads(self._requests.readline())["options"]
        except (ValueError, KeyError, TypeError) as error:
            raise EngineError("The start line is missing.", code="engine_not_started") from error
        return dict(options)

    def send(self, frame: bytes) -> None:
        """Write one frame, whole; without a reader there is nothing left to live for."""
        with self._lock:
            try:
                self._output.write(frame)
                self._output.flush()
            except OSError:
                os._exit(0)

    def beat(self) -> None:
        """Start the heartbeat."""
        threading.Thread(target=self._beat_forever, daemon=True, name="heartbeat").start()

    def serve(self, engine: Engine) -> NoReturn:
        """Load, say ``ready``, then work until stdin ends or ``shutdown`` is heard.

        Ends by ``SystemExit``, in mid-sentence if need be.
        """
        try:
            self._load(engine)
            self._engine = engine
            threading.Thread(target=self._listen, daemon=True, name="requests").start()
            while True:
                self._hear(engine)
                for event in engine.step() if engine.has_work() else ():
                    self._tell(event)
        finally:
            engine.close()

    def _load(self, engine: Engine) -> None:
        before = _look_at(engine)
        try:
            engine.load()
            facts = engine.get_facts()
        except EngineError:
            raise
        except Exception as error:
            message = f"{type(error).__name__}: {error}"
            raise EngineError(message, code="engine_not_loaded") from error
        ready = {"type": "ready", "facts": wire.encode_facts(facts), "before": before}
        self.send(wire.encode_frame({**ready, "after": _look_at(engine)}))

    def _hear(self, engine: Engine) -> None:
        """Take in every request there is; with nothing to speak, wait for one."""
        with contextlib.suppress(queue.Empty):
            while True:
                self._obey(engine, self._inbox.get(block=not engine.has_work()))

    def _obey(self, engine: Engine, message: Message) -> None:
        try:
            match message.get("type"):
                case "submit":
                    self._submit(engine, message)
                case "clone":
                    self._clone(engine, message)
                case "cancel":
                    self._cancel(engine, str(message["id"]))
                case other:
                    raise ValueError(f"unknown request {other!r}")
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            self._complain(message, error)

    def _submit(self, engine: Engine, message: Message) -> None:
        utterance_id = str(message["id"])
        utterance = wire.decode_utterance(message["utterance"])
        priority = int(message.get("priority", 0))
        try:
            engine.check(utterance)
        except UnsupportedUtterance as error:
            self.send(wire.encode_outcome(utterance_id, error))
        else:
            engine.submit(utterance_id, utterance, priority)

    def _clone(self, engine: Engine, message: Message) -> None:
        """At once, between two steps: it takes seconds, once in a voice's life."""
        utterance_id = str(message["id"])
        recordings = [
            Waveform(np.load(recording["path"], allow_pickle=False), int(recording["sample_rate"]))
            for recording in message["recordings"]
        ]
        self._tell(Begun(utterance_id))
        try:
            latents = encode_latents(engine.clone(recordings))
        except EngineError as error:
            self._tell(Finished(utterance_id, error))
        except Exception as error:  # noqa: BLE001 - an engine's fault must not end its process
            fault = EngineError(f"{type(error).__name__}: {error}", code="engine_fault")
            self._tell(Finished(utterance_id, fault))
        else:
            self._in_hand.pop(utterance_id, None)
            self.send(wire.encode_frame({"type": "cloned", "id": utterance_id}, latents.data))

    def _cancel(self, engine: Engine, utterance_id: str) -> None:
        if engine.cancel(utterance_id):
            fault = EngineError("Cancelled before it began.", code="cancelled")
            self.send(wire.encode_outcome(utterance_id, fault))

    def _complain(self, message: Any, error: Exception) -> None:
        utterance_id = str(message.get("id", "")) if isinstance(message, Mapping) else ""
        fault = EngineError(f"This is no request: {error}", code="bad_request")
        self.send(wire.encode_outcome(utterance_id, fault))

    def _tell(self, event: EngineEvent) -> None:
        if isinstance(event, Begun):
            self._in_hand[event.id] = time.monotonic()
            self.send(wire.encode_frame({"type": "begun", "id": event.id}))
            return
        outcome = _verify(event.outcome)
        if isinstance(outcome, EngineError) and outcome.code in FATAL_CODES:
            sys.stderr.write(f"{outcome.message}\n")
            sys.stderr.flush()
            os._exit(FATAL_STATUS)
        self._in_hand.pop(event.id, None)
        self.send(wire.encode_outcome(event.id, outcome))

    def _listen(self) -> None:
        for line in self._requests:
            try:
                message = json.loads(line)
                if not isinstance(message, dict):
                    raise TypeError("not an object")
            except (ValueError, TypeError) as error:
                self._complain(None, error)
                continue
            if message.get("type") == "shutdown":
                break
            self._inbox.put(message)
        self._end()

    def _beat_forever(self) -> NoReturn:
        parent = os.getppid()
        while True:
            in_hand = list(self._in_hand)
            engine = _measure(self._engine)
            beat = {"type": "heartbeat", "rss": guard.get_rss(), "in_hand": in_hand}
            self.send(wire.encode_frame({**beat, "engine": engine}))
            time.sleep(HEARTBEAT_S)
            if os.getppid() != parent:
                self._end()

    def _end(self) -> NoReturn:
        """Nobody listens any more: stop the main thread, and the process if it does not stop."""
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(GRACE_S)
        os._exit(1)


def _measure(engine: Engine | None) -> dict[str, Any]:
    """An engine's facts of the moment; a look that fails is no fault."""
    with contextlib.suppress(Exception):
        return dict(engine.measure()) if engine else {}
    return {}


def _look_at(engine: Engine) -> dict[str, Any]:
    """The same with the memory of this process."""
    return {**_measure(engine), "rss": guard.get_rss()}


def _verify(outcome: EngineResult | EngineError) -> EngineResult | EngineError:
    if isinstance(outcome, EngineError):
        return outcome
    try:
        return check_result(outcome)
    except EngineError as error:
        return error


def _leave(_signum: int, _frame: FrameType | None) -> NoReturn:
    # A second SIGTERM must not interrupt the cleaning up.
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    raise SystemExit(0)
