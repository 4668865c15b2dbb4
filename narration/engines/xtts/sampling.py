"""Choosing the next audio token as the library does, but from a stream of chance one can repeat.

The library (transformers' ``generate``) applies, in this order: repetition penalty, temperature,
top-k, top-p, and draws with the global random state. Here one uniform number a step, from the
utterance's own stream, picks from the sorted list by inverse CDF: the same on every device.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True, slots=True)
class Sampling:
    """How tokens are chosen. ``is_greedy`` takes the likeliest; the penalty counts even then."""

    temperature: float = 0.75
    top_k: int = 50
    top_p: float = 0.85
    repetition_penalty: float = 5.0
    is_greedy: bool = False


def penalize(logits: Tensor, seen: Tensor, penalty: float) -> Tensor:
    """Logits (B, V) with every token of ``seen`` (B, V, bool) made less likely.

    Keskar et al. 2019, as transformers implements it: divided when positive, multiplied when
    negative, once however often it was said.
    """
    return torch.where(seen, torch.where(logits < 0, logits * penalty, logits / penalty), logits)


def choose(logits: Tensor, seen: Tensor, sampling: Sampling, uniforms: Tensor) -> Tensor:
    """The next token (B,) from float32 ``logits`` (B, V) and ``uniforms`` (B,) in [0, 1)."""
    scores = penalize(logits, seen, sampling.repetition_penalty)
    if sampling.is_greedy:
        return scores.argmax(dim=-1)
    best, tokens, cumulative = list_choices(scores, sampling)
    kept = cumulative - best < sampling.top_p
    total = (best * kept).sum(dim=-1)
    place = (cumulative <= (uniforms * total)[:, None]).sum(dim=-1)
    place = torch.minimum(place, kept.sum(dim=-1) - 1)
    return tokens.gather(-1, place[:, None])[:, 0]


def list_choices(scores: Tensor, sampling: Sampling) -> tuple[Tensor, Tensor, Tensor]:
    """Of the ``top_k`` likeliest: probabilities, tokens and cumulated probabilities, descending.

    A token belongs to the nucleus while those before it have less than ``top_p`` together.
    """
    values, tokens = scores.topk(min(sampling.top_k, scores.shape[-1]), dim=-1)
    best = torch.softmax(values.double() / sampling.temperature, dim=-1)
    return best, tokens, best.cumsum(dim=-1)
