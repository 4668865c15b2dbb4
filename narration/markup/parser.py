"""The Markdown we read: CommonMark, tables, footnotes, mathematics, and what course sites add.

Carpentries lessons wrap blocks in colon fences and put attributes in braces; GitBook puts
template tags in braces. Both become tokens here, so that the walk never meets a brace to speak.
"""

from __future__ import annotations

import re
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.rules_block import StateBlock
from markdown_it.rules_inline import StateInline
from markdown_it.token import Token
from mdit_py_plugins.dollarmath import dollarmath_plugin
from mdit_py_plugins.footnote import footnote_plugin

from narration.markup.attached import attach
from narration.markup.limits import build_env, find_label_end, limit
from narration.markup.speech import (
    Speech,
    find_pause,
    find_speech,
    is_pandoc,
    is_slip,
    read_speech,
)

_FENCE = re.compile(
    r":{3,}[ \t]*(?:(?P<braces>\{[^\n]{0,300}\})"
    r"|\{?[ \t]*\.?(?P<name>[A-Za-z][\w-]*)[^\n]*)?$"
)
# GitBook's hints, tabs and collapsible sections.
_HINT = re.compile(
    r"\{%[ ]?(?:(?P<end>endhint|endtabs?|endraw|tabs|raw)"
    r"|hint(?:[ ]style=\"(?P<name>\w{1,20})\")?"
    r"|tab[ ]title=\"(?P<title>[^\"\n]{0,200})\")[ ]?%\}[ \t]*$"
)
_SECTION = re.compile(
    r"[ ]{0,3}<!--(?:sec[ ]+data-title=\"(?P<title>[^\"]{0,200})\"[^>]{0,300}|endsec)-->"
)
_HINTS = {"info": "note", "success": "tip", "danger": "caution"}
_FILENAME = re.compile(r"\{%\s*filename\s*%\}(?P<name>.{0,300}?)\{%\s*endfilename\s*%\}", re.DOTALL)
_CLOSERS = {"{%": ("template", "%}"), "{#": ("template", "#}"), "{{": ("variable", "}}")}
_LONGEST_TAG = 2000
_LONGEST_SPAN = 500
_ATTRIBUTES = re.compile(
    r"\{(?P<colon>:)?[ ]?(?=[.#:]|[\w-]+=)"
    r"(?P<body>(?:\"[^\"]{0,2000}\"|'[^']{0,2000}'|[^{}\"']){0,300})\}"
)
_ALT = re.compile(r"\balt=(?:'(?P<single>[^']*)'|\"(?P<double>[^\"]*)\")")
_CITATION = re.compile(r"\[-?@[\w:.-]{1,80}(?:[,;][^\[\]\n]{0,200})?\]")
# What is about a lesson and no part of it, as most sites and as Hugo write it.
_FRONT_MATTER = re.compile(
    r"\A\ufeff?(?P<mark>-{3,}|\+{3})[ \t]*\r?\n(?s:.*?\n)??(?:(?P=mark)|\.{3})[ \t]*(?:\r?\n|\Z)"
)
_HOLDERS = {"image", "link_close", "code_inline"}


def parse(markdown: str) -> list[Token]:
    """Give the block tokens of a text; lone surrogates and NUL become U+FFFD."""
    text = re.sub(r"[\ud800-\udfff\x00]", "\N{REPLACEMENT CHARACTER}", markdown)
    return _PARSER.parse(_FRONT_MATTER.sub("", text, count=1), build_env(text))


def _read_fence(state: StateBlock, start: int, _end: int, silent: bool) -> bool:
    """A line of three or more colons opens a box, or without a name closes the last."""
    match = _FENCE.match(_get_line(state, start))
    if not match or state.sCount[start] - state.blkIndent >= 4:
        return False
    if not silent:
        speech = read_speech(match["braces"]) if match["braces"] else None
        name = match["name"] or _find_class(match["braces"] or "")
        is_open = bool(match["name"] or match["braces"])
        _push_box(state, start, start + 1, is_open, (name or "").lower(), "", speech)
    return True


def _get_line(state: StateBlock, number: int) -> str:
    """A line without the indentation and marks of the blocks around it."""
    return state.src[state.bMarks[number] + state.tShift[number] : state.eMarks[number]]


def _find_class(braces: str) -> str:
    found = re.search(r"\.([A-Za-z][\w-]*)", braces)
    return found[1] if found else ""


def _read_hint(state: StateBlock, start: int, _end: int, silent: bool) -> bool:
    """A template tag on a line of its own that opens or closes a box."""
    match = _HINT.match(_get_line(state, start))
    if not match:
        return False
    if not silent:
        if match["end"] in {"raw", "endraw", "tabs", "endtabs"}:
            state.line = start + 1
            return True
        name = _HINTS.get(match["name"] or "info", match["name"] or "note")
        name = "box" if match["title"] is not None else name
        _push_box(state, start, start + 1, not match["end"], name, match["title"] or "", None)
    return True


def _read_section(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    """GitBook hides a section's title in a comment; learners see it above a box."""
    place = state.bMarks[start]
    if state.level or not state.src.startswith("<!--", place + state.tShift[start]):
        return False
    match = _SECTION.match(state.src, place)
    if not match:
        return False
    if not silent:
        last = start
        while last + 1 < end and state.eMarks[last] < match.end():
            last += 1
        title = match["title"]
        _push_box(state, start, last + 1, title is not None, "box", title or "", None)
    return True


_COMMENT = re.compile(r"<!--(?!sec[ ]|endsec)(?:(?!-->)[^\n]){0,2000}-->[ \t]*(?=[^\s])")


def _skip_comment(state: StateBlock, start: int, _end: int, _silent: bool) -> bool:
    """What follows a comment on its line is read as if the comment were not there."""
    place = state.bMarks[start] + state.tShift[start]
    if state.src.startswith("<!--", place) and (found := _COMMENT.match(state.src, place)):
        state.bMarks[start] = found.end()
        state.tShift[start] = 0
    return False


def _push_box(
    state: StateBlock,
    start: int,
    end: int,
    is_open: bool,
    name: str,
    title: str,
    speech: Speech | None,
) -> None:
    token = state.push("box_open" if is_open else "box_close", "aside", 0)
    token.info = name
    token.content = title
    token.meta = {"speech": speech}
    token.map = [start, end]
    state.line = end


def _read_braces(state: StateInline, silent: bool) -> bool:
    """Template tags vanish, file names and variables stay visible but silent."""
    if state.src[state.pos] != "{":
        return False
    if pause := find_pause(state.src, state.pos):
        if not silent:
            state.push("pause", "", 0).meta = {"ms": pause[0]}
        state.pos = pause[1]
        return True
    found = _find_filename(state) or _find_tag(state) or _find_attributes(state)
    if not found:
        return False
    kind, content, end = found
    if not silent:
        token = state.push(kind, "", 0)
        token.content = content
        if kind == "attributes":
            token.meta = {"speech": read_speech(state.src[state.pos : end])}
    state.pos = end
    return True


def _read_span(state: StateInline, silent: bool) -> bool:
    """``[text]{say="…"}``: a phrase with a word on how it is said."""
    start = state.pos
    if state.src[start] != "[" or _find_last_span(state) < start:
        return False
    end = find_label_end(state, start)
    found = _find_span(state.src, end + 1) if end >= 0 else None
    if not found:
        return False
    if not silent:
        rest = state.posMax
        state.push("speech_open", "", 1).meta = {"speech": found[0]}
        state.pos, state.posMax = start + 1, end
        state.md.inline.tokenize(state)
        state.push("speech_close", "", -1)
        state.posMax = rest
    state.pos = found[1]
    return True


def _find_span(text: str, place: int) -> tuple[Speech, int] | None:
    """What the braces at ``place`` say; those of Pandoc's say nothing and do not show."""
    end = text.find("}", place, place + _LONGEST_SPAN) + 1
    if text[place : place + 1] == "{" and is_pandoc(text[place:end]):
        return find_speech(text, place) or (Speech(), end)
    return find_speech(text, place)


def _find_last_span(state: StateInline) -> int:
    """Where the last brace behind a bracket of this block stands; -1 for none."""
    source, place = state.env.get("last_span", ("", -1))
    if source is not state.src:
        place = state.src.rfind("]{")
        state.env["last_span"] = (state.src, place)
    return int(place)


# Kind of token, its content, where it ends.
_Found = tuple[str, str, int]


def _find_filename(state: StateInline) -> _Found | None:
    match = _FILENAME.match(state.src, state.pos)
    return ("filename", match["name"].strip(), match.end()) if match else None


def _find_tag(state: StateInline) -> _Found | None:
    kind, closer = _CLOSERS.get(state.src[state.pos : state.pos + 2], ("", ""))
    end = state.src.find(closer, state.pos + 2, state.pos + _LONGEST_TAG) if closer else -1
    return (kind, state.src[state.pos : end + 2], end + 2) if end >= 0 else None


def _find_attributes(state: StateInline) -> _Found | None:
    match = _ATTRIBUTES.match(state.src, state.pos)
    if not match or is_slip(match[0]) or not _holds_attributes(state, match):
        return None
    return "attributes", _find_alt(match[0]), match.end()


def _holds_attributes(state: StateInline, match: re.Match[str]) -> bool:
    """Braces are attributes behind what can have some, or alone at the end of a line."""
    follows = not state.pending and bool(state.tokens) and state.tokens[-1].type in _HOLDERS
    before, behind = state.src[state.pos - 1 : state.pos], state.src[match.end() : match.end() + 1]
    ends_line = behind in {"", "\n"}
    if ends_line and read_speech(match[0]) and not follows:
        # What holds for the whole block stands at its end, or on a line of its own.
        return before in {"", "\n"} or (before.isspace() and not behind)
    return follows or (ends_line and (bool(match["colon"]) or match["body"][:1] in {".", "#", ":"}))


def _find_alt(attributes: str) -> str:
    match = _ALT.search(attributes)
    return (match["single"] or match["double"] or "") if match else ""


def _read_citation(state: StateInline, silent: bool) -> bool:
    if not state.src.startswith(("[@", "[-@"), state.pos):
        return False
    match = _CITATION.match(state.src, state.pos)
    if not match:
        return False
    if not silent:
        state.push("citation", "", 0).content = match[0]
    state.pos = match.end()
    return True


def _build_parser() -> MarkdownIt:
    options: dict[str, Any] = {"maxNesting": 20, "html": True}
    parser = MarkdownIt("commonmark", options).enable(["table", "strikethrough"])
    parser.use(footnote_plugin)
    parser.use(dollarmath_plugin, double_inline=True, allow_digits=False, allow_space=False)
    limit(parser)
    parser.block.ruler.before(
        "paragraph", "box", _read_fence, {"alt": ["paragraph", "blockquote", "list"]}
    )
    rules = {"hint": _read_hint, "section": _read_section}
    for name, rule in rules.items():
        before = "html_block" if name == "section" else "paragraph"
        parser.block.ruler.before(before, name, rule, {"alt": ["paragraph", "blockquote", "list"]})
    parser.block.ruler.before("html_block", "comment", _skip_comment)
    parser.core.ruler.after("block", "attached", attach)
    parser.inline.ruler.before("link", "citation", _read_citation)
    parser.inline.ruler.before("link", "speech", _read_span)
    parser.inline.ruler.before("link", "braces", _read_braces)
    return parser


_PARSER = _build_parser()
