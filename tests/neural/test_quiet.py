"""Importing the packages changes nothing for anybody; and each measure is still needed."""

from __future__ import annotations

import contextlib
import logging
import os
import sys
from pathlib import Path

import pytest

from narration.engines.neural import quiet
from narration.exceptions import EngineError
from tests.neural.children import run_child

XTTS = "import TTS.tts.models.xtts"
STYLETTS2 = "import styletts2.tts"

QUIET = """
import logging, signal, warnings
warnings.simplefilter("error")
import numpy as np, torch
from narration.engines.neural.quiet import import_quietly
torch.manual_seed(7), random.seed(7), np.random.seed(7)
def look():
    state = np.random.get_state()
    signals = [str(signal.getsignal(n)) for n in (signal.SIGTERM, signal.SIGINT, signal.SIGCHLD)]
    logger = logging.getLogger()
    return {
        "python": hash(random.getstate()),
        "numpy": [hash(state[1].tobytes()), *map(str, state[2:])],
        "torch": hash(torch.get_rng_state().numpy().tobytes()),
        "switches": [torch.backends.cudnn.benchmark, torch.backends.cudnn.deterministic],
        "threads": torch.get_num_threads(),
        "type": str(torch.get_default_dtype()),
        "grad": torch.is_grad_enabled(),
        "signals": signals,
        "logging": [str(logger.handlers), logger.level, logging.root.manager.disable],
        "path": list(sys.path),
    }
before = look()
with import_quietly(sys.argv[2]):
    for line in sys.argv[3:]:
        exec(line)
    # Building models warns of deprecated functions, and the packages print here and there.
    import styletts2.Modules.istftnet, styletts2.text_utils
    styletts2.Modules.istftnet.AdaINResBlock1(8, 3, (1, 3, 5), 4)
    styletts2.text_utils.TextCleaner()("é")
from styletts2.tts import word_tokenize
import nltk
kept = [name for name in sys.modules if name.split(".")[0] in ("langchain", "cached_path")]
tell(
    before=before, after=look(), kept=kept, words=word_tokenize("hɛloʊ wɜld , ( jɛs ) ."),
    is_nltk_itself=nltk.download.__module__.startswith("nltk"), ffmpeg="torchcodec" in sys.modules,
)
"""


@pytest.mark.parametrize("order", [(XTTS, STYLETTS2), (STYLETTS2, XTTS)], ids=["x-s", "s-x"])
def test_both_are_imported_in_one_process_without_a_trace(tmp_path, order):
    models = tmp_path / "models"
    told = run_child(QUIET, tmp_path / "home", models, *order)
    assert told["before"] == told["after"]
    assert told["attempts"] == []
    assert told["stdout"] == ""
    assert told["written"] == []
    assert told["kept"] == []
    assert told["is_nltk_itself"]
    assert told["words"] == ["hɛloʊ", "wɜld", ",", "(", "jɛs", ")", "."]
    # It would look for the system's FFmpeg: nothing of ours lets it.
    assert not told["ffmpeg"]
    assert any((models / "cache" / "matplotlib").iterdir())


#: styletts2 as it comes, but for recorders in the place of what it would fail without.
PLAIN = """
import types
import numpy as np, torch
wanted = []
class Recorder(types.ModuleType):
    def __init__(self, name):
        super().__init__(name)
        self.__path__ = []
    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        wanted.append(f"{self.__name__}.{name}")
        return lambda *args, **kwargs: None
for name in ("cached_path", "langchain", "langchain.text_splitter"):
    sys.modules[name] = Recorder(name)
import nltk, nltk.tokenize
downloads = []
fetch = nltk.download
nltk.download = lambda *args, **kwargs: (downloads.append(args), fetch(*args, **kwargs))[1]
torch.manual_seed(7), random.seed(7), np.random.seed(7)
states = random.getstate(), np.random.get_state()[1].tolist()
import styletts2.tts
try:
    nltk.tokenize.word_tokenize("One. Two.")
    needs_data = False
except LookupError:
    needs_data = True
tell(
    wanted=wanted, downloads=downloads, needs_data=needs_data, torch=torch.initial_seed(),
    is_python_reseeded=random.getstate() != states[0],
    is_numpy_reseeded=np.random.get_state()[1].tolist() != states[1],
    is_deterministic=torch.backends.cudnn.deterministic,
)
"""


@pytest.fixture(scope="module")
def plain(tmp_path_factory):
    return run_child(PLAIN, tmp_path_factory.mktemp("plain") / "home")


def test_styletts2_still_downloads_when_imported(plain):
    assert plain["downloads"] == [["punkt"]]
    assert plain["needs_data"]


def test_styletts2_still_reseeds_everybody(plain):
    assert plain["torch"] == 0
    assert plain["is_python_reseeded"]
    assert plain["is_numpy_reseeded"]
    assert plain["is_deterministic"]


def test_styletts2_still_names_what_the_lock_leaves_out(plain):
    assert "cached_path.cached_path" in plain["wanted"]
    assert "langchain.text_splitter.RecursiveCharacterTextSplitter" in plain["wanted"]


def test_the_libraries_still_write_to_the_home(plain):
    assert any("matplotlib" in path for path in plain["written"])


LOUD = """
import warnings
from styletts2.Modules.istftnet import AdaINResBlock1
from styletts2.text_utils import TextCleaner
TextCleaner()("é")
with warnings.catch_warnings(record=True) as said:
    warnings.simplefilter("always")
    AdaINResBlock1(8, 3, (1, 3, 5), 4)
tell(said=[str(warning.message) for warning in said])
"""


def test_styletts2_still_prints_and_uses_what_is_deprecated(tmp_path):
    told = run_child(LOUD, tmp_path / "home")
    assert told["stdout"]
    assert "deprecated" in told["said"][0]


def test_published_names_are_found_however_they_are_asked_for(tmp_path):
    published = {
        name: tmp_path / name.replace("/", "-") for name in ("config.yml", "ASR/config.yml")
    }
    find = quiet.build_cached_path(published)
    site = "https://example.org/raw/main/"
    assert find(f"{site}Models/config.yml?download=true") == tmp_path / "config.yml"
    assert find(f"{site}Utils/ASR/config.yml") == tmp_path / "ASR-config.yml"
    for unknown in (f"{site}bst.t7", f"{site}other-config.yml"):
        with pytest.raises(EngineError) as caught:
            find(unknown)
        assert caught.value.code == "model_missing"


def test_stand_ins_leave_a_real_package_where_it_was(monkeypatch):
    real = sys.modules["json"]
    stand_in = quiet.build_stand_ins({})["cached_path"]
    modules = {"json": stand_in, "cached_path": stand_in}
    with contextlib.suppress(KeyError), quiet.stand_in(modules):
        assert sys.modules["json"] is stand_in
        raise KeyError
    assert sys.modules["json"] is real
    assert "cached_path" not in sys.modules


def test_a_text_too_long_is_no_work_for_a_stand_in():
    splitter = quiet.build_stand_ins({})["langchain.text_splitter"].RecursiveCharacterTextSplitter
    with pytest.raises(EngineError) as caught:
        splitter(chunk_size=420)
    assert caught.value.code == "text_too_long"


def test_logging_of_this_process_is_not_ours_to_change():
    assert logging.getLogger("TTS").handlers == []


def test_caches_lie_below_the_models(tmp_path, monkeypatch):
    for name in (*quiet.CACHES, *quiet.OFFLINE):
        monkeypatch.delenv(name, raising=False)
    quiet.settle(tmp_path)
    for name in quiet.CACHES:
        assert Path(os.environ[name]).is_relative_to(tmp_path / "cache")
        monkeypatch.delenv(name)
