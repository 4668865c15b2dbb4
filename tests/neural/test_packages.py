"""The lock holds what both packages need, and every override is one they still need."""

from __future__ import annotations

import re
from importlib import metadata
from pathlib import Path

import pytest
import torch
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from narration.engines.neural.unpickle import read_checkpoint
from tests.neural.children import run_child

REQUIREMENTS = Path(__file__).parents[2] / "requirements"
#: Left out by a marker that is never true.
DROPPED = {"langchain", "cached-path", "accelerate"}


def read_names(name: str) -> dict[str, str]:
    """Package → version ("" where none is given) of a requirements file."""
    found = {}
    for line in (REQUIREMENTS / name).read_text().splitlines():
        if match := re.match(r"([A-Za-z0-9._-]+)(?:\[.*\])?(?:==([^\s;]+))?", line):
            found[canonicalize_name(match[1])] = match[2] or ""
    return found


LOCK = read_names("engines.txt")


def find_broken() -> dict[str, set[str]]:
    """What the locked packages ask for and do not have: needed → those who ask."""
    broken: dict[str, set[str]] = {}
    for name in LOCK:
        for line in metadata.requires(name) or ():
            need = Requirement(line)
            if need.marker and not need.marker.evaluate({"extra": ""}):
                continue
            try:
                version = metadata.version(need.name)
            except metadata.PackageNotFoundError:
                version = ""
            if not version or not need.specifier.contains(version, prereleases=True):
                broken.setdefault(canonicalize_name(need.name), set()).add(name)
    return broken


def test_what_is_installed_is_what_is_locked():
    assert {name: metadata.version(name) for name in LOCK} == LOCK


def test_only_what_is_overridden_is_broken_and_all_of_it():
    """A line of overrides.txt that nobody's pins need any more fails here."""
    broken = find_broken()
    assert set(broken) == set(read_names("overrides.txt"))
    assert {name for name, who in broken.items() if who != {"styletts2"}} == {"setuptools"}


def test_what_is_left_out_is_not_here():
    assert not DROPPED & LOCK.keys()
    assert read_names("overrides.txt").keys() >= DROPPED


@pytest.mark.parametrize("name", ["base", "espeak", "s3", "redis", "prod", "dev"])
def test_every_set_shares_one_environment(name):
    other = read_names(f"{name}.txt")
    assert {key: LOCK[key] for key in LOCK.keys() & other} == {
        key: other[key] for key in LOCK.keys() & other
    }


WITHOUT_SIX = """
sys.modules["six"] = None
try:
    import TTS.tts.models.xtts
    error = ""
except ImportError as failed:
    error = str(failed)
tell(error=error)
"""


def test_coqui_still_imports_six_and_does_not_say_so(tmp_path):
    assert "six" in run_child(WITHOUT_SIX, tmp_path / "home")["error"]
    assert not any(Requirement(line).name == "six" for line in metadata.requires("coqui-tts"))


WITHOUT_TORCHCODEC = """
import importlib.metadata, importlib.util
find, version = importlib.util.find_spec, importlib.metadata.version
importlib.util.find_spec = lambda name, *rest: None if name == "torchcodec" else find(name, *rest)
try:
    import TTS
    error = ""
except ImportError as failed:
    error = str(failed)
tell(error=error)
"""


def test_coqui_still_refuses_this_torch_without_torchcodec(tmp_path):
    assert "torchcodec" in run_child(WITHOUT_TORCHCODEC, tmp_path / "home")["error"]


class Bound:
    """Pickled as the method it stands for, as the published training states have one."""

    def __reduce__(self):
        return getattr, (torch.optim.lr_scheduler.OneCycleLR, "_annealing_cos")


def test_torch_still_refuses_what_the_published_files_name(tmp_path):
    """Were it otherwise, ``torch.load(weights_only=True)`` could replace our own reader."""
    torch.save({"net": {"w": torch.ones(1)}, "schedule": Bound()}, tmp_path / "m.pth")
    with pytest.raises(Exception, match="getattr"):
        torch.load(tmp_path / "m.pth", weights_only=True)
    assert read_checkpoint(tmp_path / "m.pth", "net")["w"].tolist() == [1]


READING = """
from narration.engines.neural.quiet import import_quietly
with import_quietly(sys.argv[2]):
    from TTS.tts.layers.xtts.tokenizer import VoiceBpeTokenizer
tokenizer = VoiceBpeTokenizer()
texts = {"zh": "你好", "ja": "犬が走る", "ko": "강이", "hi": "नदी", "ar": "النهر", "pt": "O rio."}
tell(read={tag: tokenizer.preprocess_text(text, tag) for tag, text in texts.items()})
"""


def test_every_script_of_xtts_is_read_without_network(tmp_path):
    told = run_child(READING, tmp_path / "home", tmp_path / "models")
    assert told["attempts"] == told["written"] == []
    assert told["read"]["zh"] == "ni3hao3"
    assert told["read"]["ja"] == "inu ga hashiru"
    assert told["read"]["ko"] == "gang-i"
    assert told["read"]["pt"] == "o rio."
