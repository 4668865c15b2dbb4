"""Warm engines: one process per alias and Python process, loaded once, unloaded when it may be.

Most engines are light and stay. A heavy one (it loads a model) shares its device: ``WARM_ENGINES``
of them are loaded side by side, one more waits until another is in no use and puts that out, and
one that nobody used for ``ENGINE_IDLE_SECONDS`` goes by itself. None goes while somebody holds it.
"""

from __future__ import annotations

import atexit
import os
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from functools import lru_cache
from typing import Any

from narration.exceptions import EngineError
from narration.speaking.client import (
    EngineProcess,
    describe_config,
    find_engine_class,
    stamp_model,
)
from narration.speaking.room import Room, WarmEngine, get_device
from narration.values import EngineConfig, EngineFacts

#: What a loaded engine measures of itself.
MEASURES = ("device", "memory", "memory_peak", "memory_total")
#: An engine's last words may be long.
MAX_ERROR = 500

_watchers: list[Callable[[], None]] = []


@contextmanager
def hold_engine(alias: str, wait: Callable[[], None] = lambda: None) -> Iterator[None]:
    """Meanwhile the engine is not unloaded by us; ``get_engine_process`` starts it.

    Waits for room on its device, calling ``wait`` every second, which may raise to give up. Who
    holds an engine already waits for nobody (two could wait for each other), and gets the
    temporary ``EngineError`` ``engine_busy`` where there is no room.
    """
    entry = _find_entry(alias)
    _mine.depth = getattr(_mine, "depth", 0) + 1
    try:
        _room.enter(entry, wait, is_patient=_mine.depth == 1)
        before = entry.process.spoken
        try:
            yield
        finally:
            if factor := entry.process.spoken.measure_since(before):
                entry.real_time_factor = factor
            _room.leave(entry)
    finally:
        _mine.depth -= 1


def get_engine_process(alias: str) -> EngineProcess:
    """The running engine of an alias, started if need be; ``EngineError`` when it cannot be.

    One that was closed or gave up starts again; one that is configured otherwise now, or whose
    model is another by now, is replaced as soon as nobody holds it.
    Safe in a fork: there it is a new one. Who does not hold it meanwhile (``hold_engine``) may find
    it unloaded between two utterances.
    """
    entry = _find_entry(alias)
    if entry.process.is_ready:
        return entry.process
    if entry.is_heavy and not entry.is_resident:
        _room.take(entry)
    _tell(entry)
    try:
        entry.process.start()
        entry.failure = None
    except EngineError as error:
        entry.failure = error
        _room.settle(entry)
        raise
    finally:
        _tell(entry)
    return entry.process


def find_crowded_out(configs: Iterable[EngineConfig]) -> list[str]:
    """Aliases of heavy engines that there is no room for here before a job lets go of another."""
    with _room.changed:
        resident = {alias for alias, entry in _room.engines.items() if entry.is_resident}
        if not resident:
            return []
        return [
            config.alias
            for config in configs
            if config.alias not in resident
            and _room.find_victims(get_device(config)) is None
            and _may_be_heavy(config)
        ]


def describe_engine(alias: str) -> EngineFacts:
    """The facts of a configured engine; no process is started.

    They are kept as long as neither its configuration nor its model changes.
    """
    config = _get_config(alias)
    return _describe(_Key(config, stamp_model(config)))


def is_heavy(config: EngineConfig) -> bool:
    """Whether an engine shares its device's memory with others; nothing is started."""
    if config.is_heavy is not None:
        return config.is_heavy
    return find_engine_class(config).model is not None


def list_heavy(configs: Iterable[EngineConfig]) -> set[str]:
    """The aliases of those that are heavy; one that cannot be imported is not."""
    return {config.alias for config in configs if _may_be_heavy(config)}


def list_warm() -> list[WarmEngine]:
    """The engines that were wanted in this Python process, loaded or not."""
    with _room.changed:
        return list(_room.engines.values())


def describe_warm() -> list[dict[str, Any]]:
    """What operators want to know of each engine that was wanted here, as plain JSON.

    ``state`` is loading, loaded, unloaded or failed. ``rss`` is the engine process's memory,
    ``memory`` what it holds on its device, both in bytes and as of its last heartbeat; ``before``
    and ``after`` loading too. ``real_time_factor``: seconds of work for a second of sound, the last
    time it was used. What is not known is None.
    """
    return [_describe_entry(entry) for entry in list_warm()]


def watch(watcher: Callable[[], None]) -> None:
    """Have ``watcher`` called, in any thread, when a heavy engine begins to load, has loaded, has
    failed to, or was unloaded.
    """
    if watcher not in _watchers:
        _watchers.append(watcher)


def close_all() -> None:
    """End every warm engine of this Python process."""
    with _room.changed:
        entries = list(_room.engines.values())
        _room.engines.clear()
        _room.changed.notify_all()
    for entry in entries:
        entry.process.close()


def _find_entry(alias: str) -> WarmEngine:
    config, facts = _get_config(alias), describe_engine(alias)
    with _room.changed:
        entry = _room.engines.get(alias)
        is_other = entry and (entry.process.config, entry.process.facts) != (config, facts)
        if entry is None or (is_other and not entry.uses):
            if entry:
                entry.process.close()
            entry = WarmEngine(EngineProcess(config), is_heavy(config))
            _room.engines[alias] = entry
        return entry


def _tell(entry: WarmEngine) -> None:
    """Tell the watchers; what they cannot do now is no fault of an engine."""
    for watcher in _watchers if entry.is_heavy else ():
        with suppress(Exception):
            watcher()


def _may_be_heavy(config: EngineConfig) -> bool:
    """One that cannot be imported is none that jobs wait for."""
    try:
        return is_heavy(config)
    except EngineError:
        return False


def _describe_entry(entry: WarmEngine) -> dict[str, Any]:
    process, facts = entry.process, entry.process.facts
    described: dict[str, Any] = {
        "alias": entry.alias,
        "engine": facts.name,
        "versions": dict(facts.versions),
        "model": facts.model_fingerprint,
        "profile": facts.profile,
        "is_heavy": entry.is_heavy,
        "state": _get_state(entry),
        "real_time_factor": _round(entry.real_time_factor, 4),
    }
    if entry.failure:
        described |= {"code": entry.failure.code, "error": entry.failure.message[:MAX_ERROR]}
    if report := process.load_report:
        described |= {
            "pid": process.pid,
            "rss": process.rss,
            **{key: process.measures.get(key) for key in MEASURES},
            "before": _choose_memory(report.before),
            "after": _choose_memory(report.after),
            "load_seconds": _round(report.seconds, 1),
        }
    return described


def _get_state(entry: WarmEngine) -> str:
    if entry.process.is_ready:
        return "loaded" if entry.process.pid else "unloaded"
    if entry.process.is_usable:
        return "loading"
    return "failed" if entry.failure else "unloaded"


def _choose_memory(measures: Mapping[str, Any]) -> dict[str, Any]:
    return {"rss": measures.get("rss"), "memory": measures.get("memory")}


def _round(number: float | None, digits: int) -> float | None:
    return None if number is None else round(number, digits)


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


# The only places that ask Django: the client itself works without it.


def _get_config(alias: str) -> EngineConfig:
    from narration import conf

    return conf.get_engine(alias)


def _get_limit() -> int:
    from narration import conf

    return conf.get_configuration().warm_engines


def _get_idle_seconds() -> float:
    from narration import conf

    return conf.get_configuration().engine_idle_seconds


def _forget() -> None:
    # The lock may have been held, and the engines are the parent's.
    global _room, _mine  # noqa: PLW0603
    _room = Room(_get_limit, _get_idle_seconds, _tell)
    _mine = threading.local()


_room: Room
_mine: threading.local
_forget()
os.register_at_fork(after_in_child=_forget)
atexit.register(close_all)
