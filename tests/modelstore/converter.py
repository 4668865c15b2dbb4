"""A converter as the engines' own, without anything neural."""

import importlib
import json
import sys
from pathlib import Path

from narration.exceptions import EngineError


def main(backend, source, target):
    module_name, _, class_name = backend.rpartition(".")
    engine_class = getattr(importlib.import_module(module_name), class_name)
    try:
        voices, facts = engine_class.convert_model(Path(source), Path(target))
    except EngineError as error:
        print(json.dumps({"error": {"code": error.code, "message": error.message}}))
        return 1
    rows = [[voice.name, list(voice.languages), voice.label] for voice in voices]
    print(json.dumps({"voices": rows, "facts": facts}))
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
