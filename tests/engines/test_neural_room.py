"""What a web machine, which has none of the neural libraries, may import all the same."""

from __future__ import annotations

import subprocess
import sys

SCRIPT = """
import importlib, pkgutil, sys
LIBRARIES = ("torch", "torchaudio", "TTS", "styletts2", "transformers", "safetensors", "nltk")
sys.modules.update(dict.fromkeys(LIBRARIES))  # importing any of them fails
import narration.engines.neural as room
names = [module.name for module in pkgutil.iter_modules(room.__path__)]
assert len(names) >= 7, names
for name in names:
    importlib.import_module(f"{room.__name__}.{name}")
"""


def test_the_room_is_imported_without_the_libraries():
    subprocess.run([sys.executable, "-c", SCRIPT], check=True)
