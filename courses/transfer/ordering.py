"""The order of lessons: that of the files, unless somebody chose another one here."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import TypeVar

K = TypeVar("K", bound=Hashable)


def merge_orders(
    here: Sequence[K], files: Sequence[K], before: Sequence[K], *, force: bool = False
) -> tuple[list[K], bool]:
    """The order to be, and whether two people want different ones.

    ``before`` is the order of the files at the last import. Where the order here is still that
    one (or with ``force``) the files decide, otherwise the order here stays and new lessons go
    behind the one they follow in the files.
    """
    common = [key for key in here if key in set(files)]
    wanted = [key for key in files if key in set(here)]
    if force or common == wanted:
        return weave(files, here), False
    known = set(before)
    if known and _only(here, known) == _only(before, set(here)):
        return weave(files, here), False
    is_conflict = not known or _only(files, known) != _only(before, set(files))
    return weave(here, files), is_conflict


def weave(first: Sequence[K], second: Sequence[K]) -> list[K]:
    """All of ``first`` in its order; what only ``second`` has goes behind its predecessor there."""
    woven = list(first)
    present = set(woven)
    previous: K | None = None
    for key in second:
        if key not in present:
            woven.insert(0 if previous is None else woven.index(previous) + 1, key)
            present.add(key)
        previous = key
    return woven


def _only(keys: Sequence[K], wanted: set[K]) -> list[K]:
    return [key for key in keys if key in wanted]
