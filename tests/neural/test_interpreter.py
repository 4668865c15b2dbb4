"""The neural libraries may lie in an environment of their own: the engine's, not the site's."""

from __future__ import annotations

import json
import subprocess
import sysconfig
import venv
from pathlib import Path

import pytest

from narration.speaking.client import EngineProcess
from narration.speaking.launch import build_environment
from narration.values import EngineConfig, Utterance

SCRIPT = """
import json, sys
from narration.engines.neural.quiet import import_quietly
with import_quietly(sys.argv[1]):
    import styletts2.models, TTS.tts.models.xtts
json.dump([sys.prefix, sys.modules["narration"].__path__[0], TTS.__file__], sys.stdout)
"""


@pytest.fixture(scope="module")
def python(tmp_path_factory):
    """Another interpreter, whose libraries are those of ``make engines`` and nothing of ours."""
    folder = tmp_path_factory.mktemp("other")
    venv.create(folder, symlinks=True)
    (site,) = folder.glob("lib/python*/site-packages")
    (site / "engines.pth").write_text(sysconfig.get_paths()["purelib"] + "\n")
    return folder / "bin" / "python"


def test_both_packages_are_found_there(tmp_path, python):
    (tmp_path / "room").mkdir()
    done = subprocess.run(
        [python, "-P", "-c", SCRIPT, tmp_path / "models"],
        env={**build_environment(tmp_path / "room"), "HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        check=True,
    )
    prefix, ours, theirs = map(Path, json.loads(done.stdout))
    assert prefix == python.parents[1]
    assert ours.resolve() == Path(__file__).parents[2] / "narration"
    assert theirs.is_relative_to(sysconfig.get_paths()["purelib"])
    assert sorted(path.name for path in tmp_path.iterdir()) == ["models", "room"]


def test_an_engine_speaks_there(python, xtts_models):
    config = EngineConfig(
        "xtts",
        "narration.engines.xtts.XttsEngine",
        {"device": "cpu"},
        python=str(python),
        deadline_base_s=300,
        models_dir=str(xtts_models),
    )
    with EngineProcess(config) as engine:
        voice = engine.facts.voices[0].name
        result = engine.speak(Utterance("The river rose.", "en", voice), timeout=300)
    assert result.waveform.samples.size
    assert result.device == "cpu"
