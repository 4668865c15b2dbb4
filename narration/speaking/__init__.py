"""The engine client: starts engine processes, streams utterances to them, takes the results."""

from narration.speaking.client import EngineProcess, EngineStream, describe_config
from narration.speaking.warm import (
    close_all,
    describe_engine,
    describe_warm,
    find_crowded_out,
    get_engine_process,
    hold_engine,
    is_heavy,
    list_heavy,
    watch,
)

__all__ = [
    "EngineProcess",
    "EngineStream",
    "close_all",
    "describe_config",
    "describe_engine",
    "describe_warm",
    "find_crowded_out",
    "get_engine_process",
    "hold_engine",
    "is_heavy",
    "list_heavy",
    "watch",
]
