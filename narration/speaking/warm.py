"""One warm engine process per alias and Python process; loading a model once is enough."""

from __future__ import annotations

import atexit
import os
import threading
from functools import lru_cache
from typing import Any

from narration.speaking.client import EngineProcess, describe_config, stamp_model
from narration.values import EngineConfig, EngineFacts

_lock = threading.Lock()
_warm: dict[str, EngineProcess] = {}


def get_engine_process(alias: str) -> EngineProcess:
    """The running engine of an alias, started if need be; ``EngineError`` when it cannot be.

    One that was closed or gave up starts again; one that is configured otherwise now, or whose
    model is another by now, is replaced.
    Safe in a fork: there it is a new one.
    """
    config, facts = _get_config(alias), describe_engine(alias)
    with _lock:
        process = _warm.get(alias)
        if process is None or process.config != config or process.facts != facts:
            if process:
                process.close()
            process = _warm[alias] = EngineProcess(config)
    process.start()
    return process


def describe_engine(alias: str) -> EngineFacts:
    """The facts of a configured engine; no process is started.

    They are kept as long as neither its configuration nor its model changes.
    """
    config = _get_config(alias)
    return _describe(_Key(config, stamp_model(config)))


def close_all() -> None:
    """End every warm engine of this Python process."""
    with _lock:
        processes = list(_warm.values())
        _warm.clear()
    for process in processes:
        process.close()


class _Key:
    """A config as a cache key: its options may be unhashable."""

    def __init__(self, config: EngineConfig, stamp: tuple[int, ...]):
        self.config, self.stamp = config, stamp

    def __hash__(self) -> int:
        return hash((self.config.alias, self.config.backend))

    def __eq__(self, other: Any) -> bool:
        return isinstance(other, _Key) and (self.config, self.stamp) == (
            other.config,
            other.stamp,
        )


@lru_cache(maxsize=64)
def _describe(key: _Key) -> EngineFacts:
    return describe_config(key.config)


def _get_config(alias: str) -> EngineConfig:
    # The only place that asks Django: the client itself works without it.
    from narration import conf

    return conf.get_engine(alias)


def _forget() -> None:
    # The lock may have been held, and the engines are the parent's.
    global _lock  # noqa: PLW0603
    _lock = threading.Lock()
    _warm.clear()


os.register_at_fork(after_in_child=_forget)
atexit.register(close_all)
