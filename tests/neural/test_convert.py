"""The command that turns published files into ours, in a process of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from narration.engines.base import Engine
from narration.engines.models import get_user
from narration.engines.neural.tensors import read_tensors, write_tensors
from narration.engines.neural.unpickle import read_checkpoint
from narration.exceptions import EngineError
from narration.values import EngineVoice

ROOT = Path(__file__).parents[2]


class Talker(Engine):
    """Converts a checkpoint, loudly."""

    @classmethod
    def convert_model(cls, source, target):
        print("This is not for you.")
        subprocess.run(["echo", "Neither is this."], check=True)
        write_tensors(target / "model.safetensors", read_checkpoint(source / "model.pth", "model"))
        return [EngineVoice("Ana", ("en", "pt"), "Ana F.")], {"rate": 24000}


def convert(source, target, backend=f"{__name__}.Talker"):
    done = subprocess.run(
        [sys.executable, "-P", "-m", "narration.engines.neural.convert", backend, source, target],
        capture_output=True,
        check=False,
        text=True,
        env={"PYTHONPATH": str(ROOT), "HOME": str(source)},
    )
    (line,) = done.stdout.splitlines()
    return done.returncode, json.loads(line)


def test_one_line_of_json_whatever_is_printed(tmp_path):
    source, target = tmp_path / "published", tmp_path / "models" / "talker"
    source.mkdir()
    target.mkdir(parents=True)
    torch.save({"model": {"w": torch.ones(2)}}, source / "model.pth")
    status, answer = convert(source, target)
    assert status == 0
    assert answer == {"voices": [["Ana", ["en", "pt"], "Ana F."]], "facts": {"rate": 24000}}
    assert read_tensors(target / "model.safetensors")["w"].tolist() == [1, 1]
    assert [path.name for path in source.iterdir()] == ["model.pth"]


def test_a_fault_is_told_as_json_too(tmp_path):
    (tmp_path / "model.pth").write_bytes(b"cos\nsystem\n(S'true'\ntR.")
    status, answer = convert(tmp_path, tmp_path)
    assert status == 1
    assert answer["error"]["code"] == "model_damaged"
    assert "model.pth" in answer["error"]["message"]
    status, answer = convert(tmp_path, tmp_path, "no.such.Engine")
    assert status == 1
    assert "ModuleNotFoundError" in answer["error"]["message"]


def test_weights_of_another_user_are_not_called_missing(tmp_path, monkeypatch):
    """The library says of a file it may not open that there is none."""
    path = tmp_path / "model.safetensors"
    path.write_bytes(b"")

    def refuse(*_asked, **_more):
        raise FileNotFoundError(2, "No such file or directory", str(path))

    monkeypatch.setattr("safetensors.torch.load_file", refuse)
    ask = os.access
    monkeypatch.setattr(os, "access", lambda asked, *rest: asked != path and ask(asked, *rest))
    with pytest.raises(EngineError) as caught:
        read_tensors(path)
    assert caught.value.code == "model_unreadable"
    assert f"cannot be read by user {get_user()}" in str(caught.value)
    monkeypatch.setattr(os, "access", ask)
    with pytest.raises(EngineError) as caught:
        read_tensors(path)
    assert caught.value.code == "model_missing"
