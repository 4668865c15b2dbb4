"""Oddities of coqui-tts: when one of these fails, what we do about it is needed no more."""

import inspect
import logging
from contextlib import nullcontext

import pytest
import torch
from TTS.tts.models import xtts

from narration.engines.xtts.checkpoint import build_model, leave_uninitialised


@pytest.fixture(scope="module")
def published(xtts_models):
    return xtts_models.parent / "published"


def test_the_librarys_own_folding_still_stops_at_layers_without_weight_norm(published):
    vocoder = build_model(published).hifigan_decoder.waveform_decoder
    with pytest.raises(ValueError, match="does not have a parametrization"):
        vocoder.remove_weight_norm()


def test_the_library_still_reads_recordings_through_torchcodec():
    assert "torchaudio.load" in inspect.getsource(xtts.load_audio)


def test_transformers_still_complains_of_the_librarys_vocabulary(published, monkeypatch):
    logging.Logger.warning_once.cache_clear()  # once in a process, else
    said = []
    handler = logging.Handler()
    handler.emit = lambda record: said.append(record.getMessage())
    logger = logging.getLogger("transformers")
    logger.addHandler(handler)
    try:
        build_model(published)
        assert not said
        logging.Logger.warning_once.cache_clear()
        monkeypatch.setattr("narration.engines.xtts.checkpoint._quiet_transformers", nullcontext)
        build_model(published)
        assert any("token_id" in line for line in said)
    finally:
        logger.removeHandler(handler)


def build_layers():
    return [torch.nn.Linear(8, 8), torch.nn.Embedding(8, 8), torch.nn.Conv1d(8, 8, 1)]


def test_layers_still_draw_weights_when_built_unless_told_otherwise():
    with torch.random.fork_rng():
        before = torch.get_rng_state()
        with leave_uninitialised():
            build_layers()
        assert torch.equal(torch.get_rng_state(), before)
        build_layers()
        assert not torch.equal(torch.get_rng_state(), before)
