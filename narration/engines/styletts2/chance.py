"""Chance for library code that draws from torch's global streams: an utterance's own instead."""

from __future__ import annotations

from typing import Any

import torch
from torch.overrides import TorchFunctionMode


class OwnChance(TorchFunctionMode):  # type: ignore[misc]
    """Inside, what torch draws comes from ``generator``, and no global stream moves.

    The sampler adds noise between its steps, and the source of the decoder begins at chance phases
    and breathes. Numbers are drawn on the processor in the order they are asked for, then moved:
    the same on every device.
    """

    def __init__(self, generator: torch.Generator):
        super().__init__()
        self._generator = generator

    def __torch_function__(
        self, function: Any, types: Any, args: Any = (), kwargs: Any = None
    ) -> Any:
        """Draw in place of ``rand``, ``randn`` and their ``_like``; call anything else."""
        kwargs = kwargs or {}
        if function in (torch.rand, torch.randn):
            device = kwargs.pop("device", None)
            return function(*args, **kwargs, generator=self._generator).to(device)
        if function in (torch.rand_like, torch.randn_like):
            # Filled as it lies in memory, which is how these fill it.
            drawn = torch.empty_like(args[0], device="cpu")
            fill = drawn.uniform_ if function is torch.rand_like else drawn.normal_
            return fill(generator=self._generator).to(args[0].device)
        return function(*args, **kwargs)
