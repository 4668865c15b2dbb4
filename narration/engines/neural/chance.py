"""Chance of an utterance's own: the same one sounds the same, whatever was spoken before."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from narration.engines.base import build_seed
from narration.values import EngineFacts, Utterance

if TYPE_CHECKING:
    import torch


def build_generator(facts: EngineFacts, utterance: Utterance) -> torch.Generator:
    """A stream of chance for an utterance (and its attempt), on the CPU.

    Draw there and move what was drawn: then every device draws the same.
    """
    import torch

    return torch.Generator().manual_seed(build_seed(facts, utterance))


@contextmanager
def borrow_chance(facts: EngineFacts, utterance: Utterance) -> Iterator[None]:
    """For library code that draws from the global streams: inside, they are the utterance's own.

    Afterwards torch's streams (the processor's and every card's) are where they were.
    """
    import torch

    devices = list(range(torch.cuda.device_count())) if torch.cuda.is_initialized() else []
    with torch.random.fork_rng(devices=devices):
        torch.manual_seed(build_seed(facts, utterance))
        yield
