"""Importing TTS and styletts2 without what their import does to everybody else.

Both write to folders in the user's home; styletts2 also downloads, prints, reseeds all chance and
imports two packages that its dependencies' pins would drag in and that we have no use for. Every
measure here has a test in ``tests/neural/test_quiet.py`` that fails when it is needed no more.
"""

from __future__ import annotations

import contextlib
import os
import random
import sys
import types
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest import mock
from urllib.parse import urlsplit

import numpy as np

from narration.exceptions import EngineError

CACHE = "cache"
#: Environment variables that say where the libraries keep what they fetch and compile.
CACHES = {
    "HF_HOME": "huggingface",
    "TORCH_HOME": "torch",
    "TORCHINDUCTOR_CACHE_DIR": "torch/inductor",
    "TRITON_CACHE_DIR": "torch/triton",
    "CUDA_CACHE_PATH": "cuda",
    "XDG_CACHE_HOME": "xdg",
    "MPLCONFIGDIR": "matplotlib",
    "NUMBA_CACHE_DIR": "numba",
    "TTS_HOME": "coqui",
    "NLTK_DATA": "nltk",
    "CACHED_PATH_CACHE_ROOT": "cached_path",
}
#: A library that has its model asks nobody for it, and tells nobody.
OFFLINE = {
    "HF_HUB_OFFLINE": "1",
    "TRANSFORMERS_OFFLINE": "1",
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "HF_HUB_DISABLE_PROGRESS_BARS": "1",
    "TOKENIZERS_PARALLELISM": "false",
}


def settle(models_dir: str | Path) -> None:
    """Point every library's cache below ``models_dir`` and forbid downloads, for this process.

    Before the first import of any of them: most read these variables once.
    """
    root = Path(models_dir).absolute() / CACHE
    for name, folder in CACHES.items():
        (root / folder).mkdir(parents=True, exist_ok=True)
        os.environ[name] = str(root / folder)
    os.environ.update(OFFLINE)


@contextmanager
def import_quietly(
    models_dir: str | Path, published: Mapping[str, Path] | None = None
) -> Iterator[None]:
    """A place to import TTS and styletts2 and to build models in: no network, no print, no chance.

    ``published`` maps names of published files to local ones, for what styletts2 would download;
    the functions it keeps go on looking there after the import.
    """
    settle(models_dir)
    with (
        contextlib.redirect_stdout(sys.stderr),
        warnings.catch_warnings(),
        keep_chance(),
        stand_in(build_stand_ins(published or {})),
        keep_nltk_quiet(),
    ):
        # Their models are built with functions that torch has deprecated; nobody here can mend it.
        warnings.simplefilter("ignore")
        yield


@contextmanager
def keep_chance() -> Iterator[None]:
    """Leave the global streams of ``random``, numpy and torch, and torch's switches, as found."""
    import torch

    python_state, numpy_state = random.getstate(), np.random.get_state()
    cudnn = torch.backends.cudnn
    switches = cudnn.benchmark, cudnn.deterministic
    devices = list(range(torch.cuda.device_count())) if torch.cuda.is_initialized() else []
    try:
        with torch.random.fork_rng(devices=devices):
            yield
    finally:
        random.setstate(python_state)
        np.random.set_state(numpy_state)
        cudnn.benchmark, cudnn.deterministic = switches


@contextmanager
def keep_nltk_quiet() -> Iterator[None]:
    """styletts2 downloads a sentence splitter when imported, only to split words.

    ``word_tokenize`` would look for it at every sentence; the tokenizer behind it needs no data
    and is what styletts2 keeps under that name.
    """
    import nltk
    from nltk.tokenize.destructive import NLTKWordTokenizer

    with (
        mock.patch.object(nltk, "download", return_value=True),
        mock.patch.object(nltk.tokenize, "word_tokenize", NLTKWordTokenizer().tokenize),
    ):
        yield


@contextmanager
def stand_in(modules: Mapping[str, types.ModuleType]) -> Iterator[None]:
    """Have ``modules`` imported instead of packages of these names, then as it was before."""
    before = {name: sys.modules.get(name) for name in modules}
    sys.modules.update(modules)
    try:
        yield
    finally:
        for name, module in before.items():
            if module is None:
                del sys.modules[name]
            else:
                sys.modules[name] = module


def build_stand_ins(published: Mapping[str, Path]) -> dict[str, types.ModuleType]:
    """Modules for what styletts2 names and we leave out (see ``requirements/overrides.txt``)."""
    langchain = types.ModuleType("langchain")
    splitter = types.ModuleType("langchain.text_splitter")
    cached = types.ModuleType("cached_path")
    vars(splitter)["RecursiveCharacterTextSplitter"] = NoSplitter
    vars(langchain)["text_splitter"] = splitter
    vars(cached)["cached_path"] = build_cached_path(published)
    return {"langchain": langchain, "langchain.text_splitter": splitter, "cached_path": cached}


class NoSplitter:
    """langchain's splitter cuts texts that are too long; ours never come so far."""

    def __init__(self, *args: Any, **kwargs: Any):
        raise EngineError("The text is too long for one utterance.", code="text_too_long")


def build_cached_path(published: Mapping[str, Path]) -> Any:
    """``cached_path(url)`` over local files: by the longest name of ``published`` it ends with."""

    def cached_path(url_or_filename: str | Path, **_options: Any) -> Path:
        path = urlsplit(str(url_or_filename)).path
        names = sorted(published, key=len, reverse=True)
        name = next((name for name in names if f"/{path}".endswith(f"/{name}")), None)
        if name is None:
            raise EngineError(
                f"{url_or_filename} would have to be downloaded.", code="model_missing"
            )
        return published[name]

    return cached_path
