"""Where a neural engine computes; the cards are pretended."""

from __future__ import annotations

import warnings

import pytest
import torch

from narration.engines.neural import devices
from narration.engines.neural.faults import translate_faults
from narration.exceptions import EngineError


@pytest.fixture
def cards(monkeypatch):
    def pretend(count):
        monkeypatch.setattr(torch.cuda, "is_available", lambda: bool(count))
        monkeypatch.setattr(torch.cuda, "device_count", lambda: count)

    return pretend


@pytest.mark.parametrize(
    ("options", "count", "device"),
    [
        ({}, 1, "cuda:0"),
        ({"device": "cuda:1"}, 2, "cuda:1"),
        ({"device": "cpu"}, 1, "cpu"),
        ({"allow_cpu": True}, 0, "cpu"),
        ({"allow_cpu": True}, 1, "cuda:0"),
    ],
)
def test_the_device_asked_for(cards, options, count, device):
    cards(count)
    assert str(devices.choose_device(options)) == device


@pytest.mark.parametrize(
    ("options", "count"),
    [({}, 0), ({"device": "cuda:1"}, 1), ({"device": "cuda:1", "allow_cpu": True}, 1)],
)
def test_no_silent_stand_in(cards, options, count):
    cards(count)
    with pytest.raises(EngineError, match="'allow_cpu'") as caught:
        devices.choose_device(options)
    assert caught.value.code == "no_gpu"
    assert f"{count} usable GPUs" in caught.value.message


@pytest.mark.parametrize("name", ["gpu", "cuda:x", "cuda:", "CPU", "cpu:1"])
def test_a_misspelt_device_is_refused(name):
    with pytest.raises(EngineError) as caught:
        devices.choose_device({"device": name})
    assert caught.value.code == "bad_option"


def test_what_torch_says_of_the_driver_is_passed_on(monkeypatch):
    def look():
        warnings.warn("The NVIDIA driver on your system is too old", stacklevel=1)
        return False

    monkeypatch.setattr(torch.cuda, "is_available", look)
    with pytest.raises(EngineError, match="driver on your system is too old"):
        devices.choose_device({})


def test_measures_of_the_processor():
    ballast = torch.ones(2**22)
    measured = devices.measure(torch.device("cpu"))
    assert measured["device"] == "cpu"
    assert ballast.nbytes < measured["memory"] <= measured["memory_peak"] * 1.1
    assert measured["memory_peak"] < measured["memory_total"] * 2


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU: measures of a card")
def test_measures_of_a_card():
    device = torch.device("cuda", 0)
    before = devices.measure(device)["memory"]
    ballast = torch.ones(2**26, device=device)
    measured = devices.measure(device)
    assert measured["memory"] >= before + ballast.nbytes
    assert measured["memory"] <= measured["memory_peak"] <= measured["memory_total"]
    assert measured["device"] == torch.cuda.get_device_name(0)


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2 MiB."), "out_of_memory"),
        (torch.OutOfMemoryError("said in other words"), "out_of_memory"),
        (torch.AcceleratorError("CUDA error: unknown error"), "device_lost"),
        (torch.AcceleratorError("said in other words"), "device_lost"),
    ],
)  # fmt: skip
def test_torchs_own_errors_by_their_class(error, code):
    with pytest.raises(EngineError) as caught, translate_faults():
        raise error
    assert caught.value.code == code


def test_the_processor_really_running_out():
    with pytest.raises(EngineError) as caught, translate_faults():
        torch.empty(2**60)
    assert caught.value.code == "out_of_memory"
    assert f"{2**62:,} bytes" in caught.value.message
