"""The decoder's blocks with less passing of memory: the same numbers, bit by bit.

Nine tenths of the time go into the decoder, a quarter of that into small steps between its
convolutions, each of which the package writes into new memory. Here they work in place.
"""

from __future__ import annotations

from functools import partial
from typing import Any

import torch
import torch.nn.functional as F  # noqa: N812 - as everybody calls it


def ease(decoder: Any) -> None:
    """Have a decoder's residual blocks work in place, in evaluation."""
    from styletts2.Modules.hifigan import AdaINResBlock1

    for block in decoder.modules():
        if isinstance(block, AdaINResBlock1):
            block.forward = partial(_run_block, block)


def _run_block(block: Any, x: torch.Tensor, style: torch.Tensor) -> torch.Tensor:
    """``AdaINResBlock1.forward``: three times norm, snake, convolution, twice over, and the sum."""
    steps = zip(
        block.convs1, block.convs2, block.adain1, block.adain2, block.alpha1, block.alpha2,
        strict=True,
    )  # fmt: skip
    for conv1, conv2, norm1, norm2, alpha1, alpha2 in steps:
        y = conv1(_snake(_normalize(norm1, x, style), alpha1))
        y = conv2(_snake(_normalize(norm2, y, style), alpha2))
        x = y.add_(x) if y.dtype == x.dtype else y + x
    return x


def _normalize(norm: Any, x: torch.Tensor, style: torch.Tensor) -> torch.Tensor:
    """``AdaIN1d.forward``: instance norm, scaled and shifted by the style."""
    scale, shift = norm.fc(style)[..., None].chunk(2, dim=1)
    normal = F.instance_norm(x, eps=norm.norm.eps)
    if normal.dtype != scale.dtype:
        return (1 + scale) * normal + shift
    return normal.mul_(1 + scale).add_(shift)


def _snake(x: torch.Tensor, alpha: torch.Tensor) -> torch.Tensor:
    """``x + sin²(alpha · x) / alpha``, which may be wider than ``x`` where that is half as wide."""
    wave = (alpha * x).sin_()
    return wave.mul_(wave).mul_(1 / alpha).add_(x)
