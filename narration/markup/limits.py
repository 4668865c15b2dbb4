"""How far the parser may look for the end of what an author opened.

The library looks for the closing bracket of every opening one, up to the end of the block, and
again inside of what it found: a page of brackets takes it minutes. What it may look at is counted
here, in proportion to the text; when that is spent, brackets are text as they stand. Nothing is
lost, and no lesson comes near.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from markdown_it import MarkdownIt, helpers
from markdown_it.rules_inline import StateInline

#: Characters looked at in search of closing brackets, for each character of the text.
_LOOKS = 8
#: As many as short texts need, whatever they hold.
_LEAST_LOOKS = 50_000
_LONGEST_NOTE_NAME = 200
_Rule = Callable[[StateInline, bool], bool]


def build_env(text: str) -> dict[str, Any]:
    """What a parse of ``text`` carries: how much may still be looked at."""
    return {"looks": _LEAST_LOOKS + _LOOKS * len(text)}


class _Helpers:
    """The library's helpers, the search for a label's end counted."""

    parseLinkDestination = staticmethod(helpers.parseLinkDestination)  # noqa: N815
    parseLinkTitle = staticmethod(helpers.parseLinkTitle)  # noqa: N815

    @staticmethod
    def parseLinkLabel(  # noqa: N802
        state: StateInline,
        start: int,
        disableNested: bool = False,  # noqa: N803
    ) -> int:
        return find_label_end(state, start, is_alone=disableNested)


def find_label_end(state: StateInline, start: int, *, is_alone: bool = False) -> int:
    """Where the bracket at ``start`` closes; -1 where it does not, or too far has been looked."""
    left = state.env.get("looks", _LEAST_LOOKS)
    if left <= 0:
        return -1
    end = helpers.parseLinkLabel(state, start, is_alone)
    state.env["looks"] = left - ((end if end >= 0 else state.posMax) - start)
    return end


def limit(parser: MarkdownIt) -> None:
    """Let ``parser`` count what it looks at, and look for no closing bracket where none is."""
    parser.helpers = _Helpers  # type: ignore[assignment]  # a namespace like the module it is for
    for name in ("link", "image", "footnote_inline", "footnote_ref"):
        rule = next(each.fn for each in parser.inline.ruler.__rules__ if each.name == name)
        parser.inline.ruler.at(name, _guard(rule, name))


def _guard(rule: _Rule, name: str) -> _Rule:
    opening = {"image": "!", "footnote_inline": "^"}.get(name, "[")

    def guarded(state: StateInline, silent: bool) -> bool:
        if state.src[state.pos] != opening or state.env.get("looks", 1) <= 0:
            return False
        reach = state.pos + _LONGEST_NOTE_NAME if name == "footnote_ref" else state.posMax
        if state.src.find("]", state.pos, reach) < 0:
            return False
        # This rule asks the library itself, so it is asked here first.
        if name == "footnote_inline" and find_label_end(state, state.pos + 1) < 0:
            return False
        return rule(state, silent)

    return guarded
