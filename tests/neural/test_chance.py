"""Chance is an utterance's own and nobody else's."""

from __future__ import annotations

from dataclasses import replace

import torch

from narration.engines.dummy import DummyEngine
from narration.engines.neural.chance import borrow_chance, build_generator
from narration.values import Utterance

FACTS = DummyEngine.describe({})
ONE = Utterance("A sentence.", "en", "tone")


def draw(utterance):
    return torch.rand(4, generator=build_generator(FACTS, utterance)).tolist()


def borrow(utterance):
    with borrow_chance(FACTS, utterance):
        return torch.rand(4).tolist()


def test_the_same_utterance_draws_the_same_whatever_came_before():
    first = draw(ONE), borrow(ONE)
    torch.rand(99)
    draw(replace(ONE, text="Another."))
    assert (draw(ONE), borrow(ONE)) == first


def test_every_attempt_and_take_draws_anew():
    others = [ONE, replace(ONE, attempt=1), replace(ONE, take=1), replace(ONE, text="Two.")]
    assert len({tuple(draw(one)) for one in others}) == len(others)
    assert len({tuple(borrow(one)) for one in others}) == len(others)


def test_the_global_stream_is_as_it_was():
    torch.manual_seed(7)
    alone = torch.rand(3).tolist()
    torch.manual_seed(7)
    build_generator(FACTS, ONE)
    borrow(ONE)
    assert torch.rand(3).tolist() == alone
