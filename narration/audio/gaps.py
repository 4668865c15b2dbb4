"""How long a listener is left between two sentences: by structure, as a good reader does it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields

from narration.exceptions import ConfigurationError
from narration.values import Role

HEADINGS = (Role.TITLE, Role.HEADING)
ITEMS = (Role.LIST_ITEM, Role.TABLE_ROW)


@dataclass(frozen=True, slots=True)
class Gaps:
    """Silence in milliseconds; a gap before a heading outweighs the one after what precedes."""

    sentence_ms: int = 300
    list_item_ms: int = 450
    paragraph_ms: int = 650
    heading_before_ms: int = 900
    heading_after_ms: int = 600
    ends_ms: int = 500


DEFAULT_GAPS = Gaps()


def build_gaps(overrides: Mapping[str, int]) -> Gaps:
    """The defaults with a policy's values over them; ``ConfigurationError`` names a wrong one."""
    known = [field.name for field in fields(Gaps)]
    for name, value in overrides.items():
        if name not in known or not isinstance(value, int) or not 0 <= value <= 60_000:
            raise ConfigurationError(
                f"Gap '{name}' = {value!r}: give 0 to 60000 ms for one of {', '.join(known)}."
            )
    return Gaps(**overrides)


def build_gap(before: Role, after: Role, *, same_passage: bool, gaps: Gaps = DEFAULT_GAPS) -> int:
    """The silence in milliseconds between two neighbours with these roles."""
    if same_passage:
        return gaps.sentence_ms
    if after in HEADINGS:
        return gaps.heading_before_ms
    if before in HEADINGS:
        return gaps.heading_after_ms
    return gaps.list_item_ms if before == after and after in ITEMS else gaps.paragraph_ms
