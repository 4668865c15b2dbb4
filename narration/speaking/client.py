"""The engine client: submit utterances to an engine's process, take the results as they come."""

from __future__ import annotations

import importlib
import itertools
import os
import queue
import tempfile
import threading
import time
import weakref
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np

from narration.engines.base import EXPRESS_PRIORITY, Engine
from narration.engines.models import CARD, get_model_dir
from narration.exceptions import EngineError
from narration.speaking.ledger import Answer, Entry, Outcome, Recordings
from narration.speaking.tender import LoadReport, Spoken, Tender
from narration.values import (
    EngineConfig,
    EngineFacts,
    EngineResult,
    Latents,
    Utterance,
    Waveform,
)

#: Before lessons, after what somebody waits for.
CLONE_PRIORITY = EXPRESS_PRIORITY + 1


def describe_config(config: EngineConfig) -> EngineFacts:
    """The facts of a configured engine, without starting it; ``EngineError`` when it is wrong."""
    return find_engine_class(config).describe(complete_options(config))


def complete_options(config: EngineConfig) -> dict[str, Any]:
    """The options an engine is started with: where models lie, if it has any use for it."""
    engine_class = find_engine_class(config)
    if config.models_dir and (engine_class.model or engine_class.supports_cloning):
        return {"models_dir": config.models_dir, **config.options}
    return dict(config.options)


def find_engine_class(config: EngineConfig) -> type[Engine]:
    """The class behind the dotted path; importing it loads none of its libraries."""
    module_name, _, class_name = config.backend.rpartition(".")
    try:
        engine_class = getattr(importlib.import_module(module_name), class_name)
    except (ImportError, AttributeError, ValueError) as error:
        raise EngineError(
            f"Engine {config.alias}: {config.backend} cannot be imported ({error}).",
            code="engine_not_installed",
        ) from error
    if not (isinstance(engine_class, type) and issubclass(engine_class, Engine)):
        raise EngineError(
            f"Engine {config.alias}: {config.backend} is no Engine.", code="engine_not_installed"
        )
    return engine_class


def stamp_model(config: EngineConfig) -> tuple[int, ...]:
    """Another value once another model was put in the place of an engine's; () without any."""
    engine_class = find_engine_class(config)
    if engine_class.model is None:
        return ()
    try:
        card = (get_model_dir(complete_options(config), engine_class.model) / CARD).stat()
    except (OSError, EngineError):
        return ()
    return (card.st_ino, card.st_mtime_ns, card.st_size)


class EngineStream:
    """One caller's utterances: several callers share a process, each hears its own results."""

    def __init__(self, process: EngineProcess):
        self._process = process
        self._outcomes: queue.SimpleQueue[tuple[str, Outcome]] = queue.SimpleQueue()
        self._pending: set[str] = set()

    def __len__(self) -> int:
        """How many results are still to come."""
        return len(self._pending)

    def submit(self, utterance: Utterance, *, priority: int = 0) -> str:
        """Line up an utterance and return its id; the lowest ``priority`` number goes first."""
        utterance_id = self._process.new_id()
        self._pending.add(utterance_id)
        try:
            self._process.add(Entry(utterance_id, utterance, priority, self._take))
        except EngineError:
            self._pending.discard(utterance_id)
            raise
        return utterance_id

    def cancel(self, utterance_id: str) -> None:
        """Want it no more: no result of it will be given. What is in hand is spoken to its end."""
        self._pending.discard(utterance_id)
        self._process.drop(utterance_id)

    def get_result(self, timeout: float | None = None) -> tuple[str, Outcome]:
        """The next result in whatever order they come: ``(id, EngineResult or EngineError)``.

        ``TimeoutError`` when none comes in ``timeout`` seconds, ``LookupError`` when none is due.
        """
        deadline = None if timeout is None else time.monotonic() + timeout
        while self._pending:
            left = None if deadline is None else max(deadline - time.monotonic(), 0)
            try:
                utterance_id, outcome = self._outcomes.get(timeout=left)
            except queue.Empty:
                raise TimeoutError(f"no result in {timeout} s") from None
            if utterance_id in self._pending:
                self._pending.discard(utterance_id)
                return utterance_id, outcome
        raise LookupError("no result is due")

    def iter_results(self, timeout: float | None = None) -> Iterator[tuple[str, Outcome]]:
        """Results until none is due; ``timeout`` is per result, as in ``get_result``."""
        while self._pending:
            yield self.get_result(timeout)

    def _take(self, utterance_id: str, answer: Answer) -> None:
        assert not isinstance(answer, Latents)  # noqa: S101 - streams carry utterances only
        self._outcomes.put((utterance_id, answer))


class EngineProcess:
    """An engine in a process of its own; a context manager. Thread-safe.

    A sentence that kills the engine or is not finished in time gets ``EngineCrashed``
    (``engine_crashed`` or ``engine_hung``) and the process is replaced; the others are spoken by
    its successor. In a fork of this Python process it refuses with ``engine_forked``.
    """

    def __init__(self, config: EngineConfig):
        self.config = config
        self.facts = describe_config(config)
        self._ids = itertools.count(1)
        self._lock = threading.Lock()
        self._is_forked = False
        self._tender: Tender | None = None
        self._stream = EngineStream(self)
        _processes.add(self)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def start(self) -> None:
        """Start and load the engine unless it is up; ``EngineError`` says why it cannot."""
        if self._is_forked:
            raise EngineError("This engine belongs to another process.", code="engine_forked")
        self._get_tender().wait_ready()

    def _get_tender(self) -> Tender:
        """The tender; a new one when there is none or the last gave up."""
        with self._lock:
            if self._tender is None or not self._tender.is_usable:
                if self._tender:
                    self._tender.close()
                config = replace(self.config, options=complete_options(self.config))
                self._tender = Tender(config, self.facts)
                self._tender.start()
            return self._tender

    def close(self) -> None:
        """End the process; waiting callers get ``engine_closed``. May be started again."""
        with self._lock:
            tender, self._tender = self._tender, None
        if tender:
            tender.close()

    def open_stream(self) -> EngineStream:
        """A stream of one's own."""
        return EngineStream(self)

    def submit(self, utterance: Utterance, *, priority: int = 0) -> str:
        """``EngineStream.submit`` on this process's own stream."""
        return self._stream.submit(utterance, priority=priority)

    def cancel(self, utterance_id: str) -> None:
        """``EngineStream.cancel`` on this process's own stream."""
        self._stream.cancel(utterance_id)

    def get_result(self, timeout: float | None = None) -> tuple[str, Outcome]:
        """``EngineStream.get_result`` on this process's own stream."""
        return self._stream.get_result(timeout)

    def iter_results(self, timeout: float | None = None) -> Iterator[tuple[str, Outcome]]:
        """``EngineStream.iter_results`` on this process's own stream."""
        return self._stream.iter_results(timeout)

    def speak(
        self, utterance: Utterance, *, priority: int = 0, timeout: float | None = None
    ) -> EngineResult:
        """Speak one and wait for it; its error is raised."""
        stream = self.open_stream()
        stream.submit(utterance, priority=priority)
        _, outcome = stream.get_result(timeout)
        if isinstance(outcome, EngineError):
            raise outcome
        return outcome

    def clone(self, recordings: Sequence[Waveform], *, timeout: float | None = None) -> Latents:
        """What the engine needs to imitate this voice; its error is raised."""
        answers: queue.SimpleQueue[Answer] = queue.SimpleQueue()
        with tempfile.TemporaryDirectory(prefix="narration-clone-") as room:
            files = []
            for number, recording in enumerate(recordings):
                path = Path(room) / f"{number}.npy"
                np.save(path, recording.samples, allow_pickle=False)
                files.append((str(path), recording.sample_rate))
            work = Recordings(tuple(files))
            self.add(Entry(self.new_id(), work, CLONE_PRIORITY, lambda _id, it: answers.put(it)))
            try:
                answer = answers.get(timeout=timeout)
            except queue.Empty:
                raise TimeoutError(f"no latents in {timeout} s") from None
        if isinstance(answer, EngineError):
            raise answer
        assert isinstance(answer, Latents)  # noqa: S101
        return answer

    @property
    def is_usable(self) -> bool:
        """Whether it is up, or at once replaced when needed."""
        return self._tender is not None and self._tender.is_usable

    @property
    def pid(self) -> int | None:
        """The engine's process id, None while there is none."""
        return self._tender.pid if self._tender else None

    @property
    def loaded_facts(self) -> EngineFacts | None:
        """What the running engine says of itself; equal to ``facts``, None before it is up."""
        return self._tender.loaded_facts if self._tender else None

    @property
    def rss(self) -> int:
        """Resident memory of the engine in bytes, at its last heartbeat."""
        return self._tender.rss if self._tender else 0

    @property
    def measures(self) -> dict[str, Any]:
        """What the engine said of itself at its last heartbeat: device, memory in bytes …"""
        return dict(self._tender.measures) if self._tender else {}

    @property
    def is_ready(self) -> bool:
        """Whether it was loaded and is up, or at once replaced when needed."""
        return self.is_usable and self.loaded_facts is not None

    @property
    def is_speaking(self) -> bool:
        """Whether anybody waits for a result of it."""
        return self._tender is not None and self._tender.is_owing

    @property
    def load_report(self) -> LoadReport | None:
        """How the running engine was loaded; None before it is."""
        return self._tender.load_report if self._tender else None

    @property
    def spoken(self) -> Spoken:
        """What it spoke since ``start``, and how long that took it."""
        return self._tender.spoken if self._tender else Spoken()

    @property
    def silent_s(self) -> float | None:
        """Seconds since the engine was last heard of; it beats every second."""
        return self._tender.silent_s if self._tender else None

    # For EngineStream.

    def new_id(self) -> str:
        """An id no other utterance of this process has."""
        return str(next(self._ids))

    def add(self, entry: Entry) -> None:
        """Line up an entry, starting the engine if it is not up."""
        self.start()
        self._get_tender().add(entry)

    def drop(self, utterance_id: str) -> None:
        """Forget an entry."""
        if (tender := self._tender) and not self._is_forked:
            tender.cancel(utterance_id)

    def disown(self) -> None:
        """In a fork: the engine stays the parent's."""
        self._lock = threading.Lock()
        self._is_forked = True
        if self._tender:
            self._tender.disown()


_processes: weakref.WeakSet[EngineProcess] = weakref.WeakSet()


def _disown_all() -> None:
    for process in list(_processes):
        process.disown()


os.register_at_fork(after_in_child=_disown_all)
