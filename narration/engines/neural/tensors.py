"""Weights on disk: safetensors files, which hold names, shapes and numbers and nothing else."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from narration.engines.models import build_unreadable, is_withheld
from narration.exceptions import EngineError

if TYPE_CHECKING:
    import torch

Tensors = dict[str, "torch.Tensor"]
#: Names told of when weights do not fit.
NAMED = 5


def flatten(tree: Any) -> Tensors:
    """The tensors of nested containers by dotted name; what is no tensor is left out.

    Copies, so that none shares its numbers with another (safetensors refuses that).
    """
    tensors: Tensors = {}
    for name, tensor in _iter_tensors(tree, ""):
        if name in tensors:
            raise EngineError(f"Two tensors are called '{name}'.", code="model_damaged")
        tensors[name] = tensor.detach().contiguous().clone()
    return tensors


def _iter_tensors(tree: Any, name: str) -> Iterator[tuple[str, torch.Tensor]]:
    import torch

    if isinstance(tree, torch.Tensor):
        yield name, tree
    elif isinstance(tree, dict | list | tuple):
        items = tree.items() if isinstance(tree, dict) else enumerate(tree)
        for key, value in items:
            yield from _iter_tensors(value, f"{name}.{key}" if name else str(key))


def write_tensors(path: Path, tree: Any) -> None:
    """Write the tensors of ``tree`` whole or not at all; the same tensors give the same bytes."""
    from safetensors.torch import save_file

    partial = path.with_name(f".{path.name}.partial")
    try:
        save_file(flatten(tree), partial)
        with partial.open("rb") as file:
            os.fsync(file.fileno())
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)


def read_tensors(
    path: Path, shapes: Mapping[str, tuple[int, ...]] | None = None, device: Any = "cpu"
) -> Tensors:
    """The tensors of a file; with ``shapes``, exactly these.

    ``EngineError``: ``model_missing`` without the file, ``model_unreadable`` when it is withheld
    from this user, ``model_damaged`` when it is none or its tensors are others.
    """
    from safetensors.torch import load_file

    try:
        tensors: Tensors = load_file(path, device=str(device))
    except (FileNotFoundError, PermissionError) as error:  # the library takes one for the other
        if is_withheld(path):
            raise build_unreadable(path) from error
        raise EngineError(f"{path.name} is not here.", code="model_missing") from error
    except Exception as error:
        if "out of memory" in str(error):
            raise
        raise EngineError(f"{path.name} cannot be read: {error}", code="model_damaged") from error
    if shapes is not None:
        found = {name: tuple(tensor.shape) for name, tensor in tensors.items()}
        compare_shapes(found, shapes, path.name)
    return tensors


def compare_shapes(
    found: Mapping[str, tuple[int, ...]], wanted: Mapping[str, tuple[int, ...]], name: str
) -> None:
    """``EngineError`` (``model_damaged``) naming what is missing, unknown or of another shape."""
    faults = [
        *(f"{key} is missing" for key in sorted(wanted.keys() - found.keys())),
        *(f"{key} is unknown" for key in sorted(found.keys() - wanted.keys())),
        *(
            f"{key} is {list(found[key])}, not {list(wanted[key])}"
            for key in sorted(found.keys() & wanted.keys())
            if found[key] != wanted[key]
        ),
    ]
    if faults:
        more = f" … and {len(faults) - NAMED} more" if len(faults) > NAMED else ""
        raise EngineError(
            f"{name} does not fit: {'; '.join(faults[:NAMED])}{more}.", code="model_damaged"
        )


def fill_module(
    module: torch.nn.Module, tensors: Mapping[str, Any], name: str, *, ignore: Collection[str] = ()
) -> None:
    """Give a module its weights, all of them and no others; ``ignore`` names keys to leave be.

    ``EngineError`` (``model_damaged``) says what does not fit, before anything is changed.
    """
    state = module.state_dict()
    given = {key: tensor for key, tensor in tensors.items() if key not in ignore}
    compare_shapes(
        {key: tuple(tensor.shape) for key, tensor in given.items()},
        {key: tuple(tensor.shape) for key, tensor in state.items() if key not in ignore},
        name,
    )
    module.load_state_dict(given, strict=False)
