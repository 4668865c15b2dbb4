"""The plugin's settings: ``settings.NARRATION``, read late, unknown keys refused.

Nothing here reads the environment; the host's settings do that.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.conf import settings

from narration.exceptions import ConfigurationError
from narration.values import EngineConfig

DEFAULTS: dict[str, Any] = {
    # Engines by alias: {"BACKEND": dotted class, "OPTIONS": {}, "LANE": "cpu", "PYTHON": "",
    # "HEAVY": None}.
    "ENGINES": {"espeak": {"BACKEND": "narration.engines.espeak.EspeakEngine"}},
    # Who speaks where no policy says otherwise: language -> "alias:engine voice".
    "DEFAULT_VOICES": {"en": "espeak:en-us", "pt-BR": "espeak:pt-br"},
    # Keys the HMACs that name files and media URLs; "" takes SECRET_KEY.
    "SIGNING_KEY": "",
    # URL prefix of an nginx `internal` location over the narration storage; "" streams ourselves.
    "X_ACCEL_PREFIX": "",
    # How long a claimed job is left alone without a heartbeat, in seconds.
    "LEASE_SECONDS": 60,
    # How long one queue task works before it gives the lane back, in seconds.
    "RUN_SECONDS": 120,
    # Jobs one worker of a lane holds at once, where its engine speaks several sentences together.
    "LANE_SEATS": {},
    # The lane of previews; "" is that of the voice's engine.
    "PREVIEW_LANE": "",
    # Failures that may pass are tried again so often, first after so many seconds, then doubled.
    "MAX_ATTEMPTS": 4,
    "RETRY_SECONDS": 30,
    # How often a sentence that sounds wrong is made, by engines that can say it otherwise.
    "GATE_ATTEMPTS": 3,
    # So many equal failures of jobs in a row, and their lane rests.
    "BREAKER_FAILURES": 3,
    # Nothing new is spoken when the storage has fewer bytes left; pages go on serving.
    "MIN_FREE_BYTES": 500_000_000,
    # Renditions nobody uses are deleted beyond so many bytes, oldest use first; 0: never.
    "MAX_RENDITION_BYTES": 0,
    # Days a rendition stays that nobody uses, whatever the space.
    "KEEP_UNUSED_DAYS": 30,
    # Write to who asked when a job has ended.
    "EMAIL_WHEN_DONE": False,
    # Claims without progress before a job is quarantined.
    "MAX_CLAIMS": 3,
    # Seconds an engine may take for one utterance: base + per character.
    "DEADLINE_BASE_SECONDS": 20.0,
    "DEADLINE_PER_CHARACTER_SECONDS": 0.05,
    # Where models and the latents of cloned voices lie; engines with a model need it.
    "MODELS_DIR": "",
    # Heavy engines a worker keeps loaded on one device; one more, and the longest unused goes.
    "WARM_ENGINES": 1,
    # Seconds after which a heavy engine that nobody uses is unloaded; 0: never.
    "ENGINE_IDLE_SECONDS": 900,
    # Seconds between two sweeps of the supervisor.
    "SWEEP_SECONDS": 30,
}

ENGINE_KEYS = {"BACKEND", "OPTIONS", "LANE", "PYTHON", "HEAVY"}


@dataclass(frozen=True)
class Configuration:
    """``settings.NARRATION`` merged over the defaults, as attributes."""

    engines: Mapping[str, EngineConfig]
    default_voices: Mapping[str, str]
    signing_key: str
    x_accel_prefix: str
    lease_seconds: int
    run_seconds: int
    max_claims: int
    lane_seats: Mapping[str, int]
    preview_lane: str
    max_attempts: int
    retry_seconds: int
    gate_attempts: int
    breaker_failures: int
    min_free_bytes: int
    max_rendition_bytes: int
    keep_unused_days: int
    email_when_done: bool
    warm_engines: int
    engine_idle_seconds: float
    sweep_seconds: int


def get_raw() -> dict[str, Any]:
    """The merged dictionary; ``ConfigurationError`` names unknown keys."""
    given = getattr(settings, "NARRATION", {})
    if not isinstance(given, Mapping):
        raise ConfigurationError("settings.NARRATION must be a dictionary.")
    unknown = sorted(set(given) - set(DEFAULTS))
    if unknown:
        known = ", ".join(sorted(DEFAULTS))
        raise ConfigurationError(
            f"settings.NARRATION has unknown keys: {', '.join(unknown)}. Known keys: {known}."
        )
    return {**DEFAULTS, **given}


def get_configuration() -> Configuration:
    """The configuration as it is now; cheap, so that tests may override settings at any time."""
    raw = get_raw()
    return Configuration(
        engines={
            alias: _build_engine(alias, given, raw) for alias, given in raw["ENGINES"].items()
        },
        default_voices=dict(raw["DEFAULT_VOICES"]),
        signing_key=raw["SIGNING_KEY"] or settings.SECRET_KEY,
        x_accel_prefix=raw["X_ACCEL_PREFIX"],
        lease_seconds=int(raw["LEASE_SECONDS"]),
        run_seconds=int(raw["RUN_SECONDS"]),
        max_claims=int(raw["MAX_CLAIMS"]),
        lane_seats={str(lane): int(seats) for lane, seats in raw["LANE_SEATS"].items()},
        preview_lane=raw["PREVIEW_LANE"],
        max_attempts=int(raw["MAX_ATTEMPTS"]),
        retry_seconds=int(raw["RETRY_SECONDS"]),
        gate_attempts=int(raw["GATE_ATTEMPTS"]),
        breaker_failures=int(raw["BREAKER_FAILURES"]),
        min_free_bytes=int(raw["MIN_FREE_BYTES"]),
        max_rendition_bytes=int(raw["MAX_RENDITION_BYTES"]),
        keep_unused_days=int(raw["KEEP_UNUSED_DAYS"]),
        email_when_done=bool(raw["EMAIL_WHEN_DONE"]),
        warm_engines=max(1, int(raw["WARM_ENGINES"])),
        engine_idle_seconds=float(raw["ENGINE_IDLE_SECONDS"]),
        sweep_seconds=int(raw["SWEEP_SECONDS"]),
    )


def get_engines() -> Mapping[str, EngineConfig]:
    """All configured engines by alias."""
    return get_configuration().engines


def get_engine(alias: str) -> EngineConfig:
    """One engine's configuration; ``ConfigurationError`` when there is no such alias."""
    engines = get_engines()
    if alias not in engines:
        raise ConfigurationError(
            f"No engine '{alias}' in NARRATION['ENGINES'], only {', '.join(sorted(engines))}."
        )
    return engines[alias]


def get_lanes() -> list[str]:
    """The lanes jobs may wait in, in alphabetical order."""
    configuration = get_configuration()
    lanes = {engine.lane for engine in configuration.engines.values()}
    return sorted(lanes | {configuration.preview_lane} - {""})


def _build_engine(alias: str, given: Any, raw: Mapping[str, Any]) -> EngineConfig:
    if not isinstance(given, Mapping) or not given.get("BACKEND"):
        raise ConfigurationError(f"NARRATION['ENGINES']['{alias}'] needs a BACKEND.")
    unknown = sorted(set(given) - ENGINE_KEYS)
    if unknown:
        raise ConfigurationError(
            f"NARRATION['ENGINES']['{alias}'] has unknown keys: {', '.join(unknown)}."
        )
    return EngineConfig(
        alias=alias,
        backend=given["BACKEND"],
        options=dict(given.get("OPTIONS", {})),
        lane=given.get("LANE", "cpu"),
        python=given.get("PYTHON") or sys.executable,
        deadline_base_s=float(raw["DEADLINE_BASE_SECONDS"]),
        deadline_per_character_s=float(raw["DEADLINE_PER_CHARACTER_SECONDS"]),
        models_dir=str(raw["MODELS_DIR"]),
        is_heavy=given.get("HEAVY"),
    )
