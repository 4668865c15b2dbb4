"""``python -P -m narration.engines.neural.convert BACKEND SOURCE TARGET``: published → ours.

Runs in the engine's own interpreter. ``BACKEND`` is the dotted path of an engine class with
``convert_model(source, target) -> (voices, facts)``; it reads the published files in ``SOURCE``
and writes ours into ``TARGET``. One line of JSON comes out on stdout:
``{"voices": [[name, [language, …], label], …], "facts": {…}}``, or with exit status 1
``{"error": {"code": …, "message": …}}``. Everything else that is printed goes to stderr.
"""

from __future__ import annotations

import importlib
import json
import sys
from pathlib import Path
from typing import Any

from narration.engines import guard
from narration.engines.neural.quiet import settle
from narration.exceptions import EngineError


def main(arguments: list[str]) -> int:
    """Convert and tell; the exit status."""
    output = guard.claim_stdout()
    guard.die_with_parent()
    guard.offer_to_oom_killer()
    try:
        answer, status = convert(*arguments), 0
    except EngineError as error:
        answer, status = build_error(error.code, error.message), 1
    except Exception as error:  # noqa: BLE001 - whoever reads the line needs a reason in it
        answer, status = build_error("not_converted", f"{type(error).__name__}: {error}"), 1
    output.write(json.dumps(answer).encode() + b"\n")
    output.flush()
    return status


def convert(backend: str, source: str, target: str) -> dict[str, Any]:
    """What ``convert_model`` of the backend answers, as JSON."""
    settle(Path(target).absolute().parent)
    module_name, _, class_name = backend.rpartition(".")
    engine_class: Any = getattr(importlib.import_module(module_name), class_name)
    voices, facts = engine_class.convert_model(Path(source), Path(target))
    return {
        "voices": [[voice.name, list(voice.languages), voice.label] for voice in voices],
        "facts": dict(facts),
    }


def build_error(code: str, message: str) -> dict[str, Any]:
    """The line of a conversion that failed."""
    return {"error": {"code": code, "message": message}}


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
