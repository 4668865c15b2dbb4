"""The engine client: starts engine processes, streams utterances to them, takes the results."""

from narration.speaking.client import EngineProcess, EngineStream, describe_config
from narration.speaking.warm import (
    close_all,
    describe_engine,
    get_engine_process,
    hold_engine,
    is_heavy,
)

__all__ = [
    "EngineProcess",
    "EngineStream",
    "close_all",
    "describe_config",
    "describe_engine",
    "get_engine_process",
    "hold_engine",
    "is_heavy",
]
