"""Attributes on a line of their own behind a block, moved onto that block.

``{: .callout}`` below a quotation, ``{: .language-python}`` below code, ``{.silent}`` below a list.
A line belongs to the outermost block it is not indented into, as kramdown has it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from itertools import islice

from markdown_it.rules_core import StateCore
from markdown_it.token import Token

from narration.markup.speech import Speech, is_slip, read_speech

_LINE = re.compile(r"\{(?::[ ]?|[ ]?(?=[.#]))[^{}\n]{0,500}\}")
_CLASS = re.compile(r"(?<![\w-])\.([A-Za-z][\w-]{0,60})")
# Stands for a table of contents, which no listener needs.
_CONTENTS = re.compile(r"\{:[ ]?toc\b")
_SILENT = Speech("")
_CONTAINERS = {"blockquote", "bullet_list", "ordered_list"}
_NESTING = {*_CONTAINERS, "list_item", "footnote_reference"}
_BLOCKS = {
    *("heading_open", "table_open", "fence", "code_block", "math_block", "math_block_label"),
    *("html_block", "paragraph_open"),
}
_OUTPUTS = {"output", "error"}


def attach(state: StateCore) -> None:
    """Take the lines of attributes out of the blocks, between parsing blocks and their text."""
    state.tokens = _Attacher(state.src.split("\n")).attach(state.tokens)


@dataclass(slots=True)
class _Attacher:
    """``containers`` are the open lists and quotations with the column of their marks."""

    lines: list[str]
    containers: list[tuple[Token, int]] = field(default_factory=list)
    # The last block at each depth; None where attributes have nothing to belong to.
    previous: list[Token | None] = field(default_factory=lambda: [None])

    def attach(self, tokens: list[Token]) -> list[Token]:
        kept: list[Token] = []
        place = 0
        while place < len(tokens):
            token = tokens[place]
            length = self._count_dropped(tokens, place)
            if not length:
                self._pass(token)
                kept.append(token)
            place += length or 1
        return kept

    def _count_dropped(self, tokens: list[Token], place: int) -> int:
        """How many tokens from ``place`` are nothing but attributes."""
        token = tokens[place]
        if token.type == "paragraph_open":
            return 0 if self._strip(token, tokens[place + 1]) else 3
        table = self.previous[-1]
        if token.type != "tr_open" or not token.map or not table or table.type != "table_open":
            return 0
        line = self.lines[token.map[0]].strip("> \t")
        if not _is_attributes(line):
            return 0
        _give(table, line)
        rest = islice(tokens, place, None)
        return next(n for n, cell in enumerate(rest, 1) if cell.type == "tr_close")

    def _pass(self, token: Token) -> None:
        name = token.type.removesuffix("_open").removesuffix("_close")
        if name in _NESTING and token.nesting > 0:
            if name in _CONTAINERS:
                self.containers.append((token, self._find_column(token)))
            self.previous[-1] = token
            self.previous.append(None)
        elif name in _NESTING:
            self.previous.pop()
            if name in _CONTAINERS:
                self.containers.pop()
        elif token.type in _BLOCKS:
            self.previous[-1] = token
        elif token.type.startswith(("box_", "hr")):
            self.previous[-1] = None

    def _find_column(self, token: Token) -> int:
        """Where the mark of a list or quotation stands in its first line."""
        number = token.map[0] if token.map else 0
        line = self.lines[number]
        outer, column = self.containers[-1] if self.containers else (None, -1)
        is_same = outer is not None and outer.map is not None and outer.map[0] == number
        start = column + 1 if is_same else 0
        if token.type == "blockquote_open":
            if not is_same:
                quotes = sum(held.type == token.type for held, _column in self.containers)
                for _quote in range(quotes):
                    start = line.find(">", start) + 1
            return line.find(">", start)
        return start + len(line[start:]) - len(line[start:].lstrip("> \t"))

    def _strip(self, opening: Token, inline: Token) -> bool:
        """Give away a paragraph's lines of attributes; whether anything of it is left."""
        if "{" not in inline.content or not opening.map:
            return True
        lines = inline.content.split("\n")
        first, end = opening.map
        if len(lines) != end - first:
            return True
        while lines and _is_attributes(lines[-1]):
            holder = self._find_holder(first + len(lines) - 1)
            if not holder:
                break
            _give(holder, lines.pop())
        holder = self.previous[-1]
        begin = 0
        if holder and first and self.lines[first - 1].strip("> \t"):
            while begin < len(lines) and _is_attributes(lines[begin]):
                _give(holder, lines[begin])
                begin += 1
        inline.content = "\n".join(lines[begin:])
        return bool(inline.content)

    def _find_holder(self, number: int) -> Token | None:
        column = self.lines[number].find("{")
        return next((token for token, mark in self.containers if mark >= column), None)


def _is_attributes(line: str) -> bool:
    line = line.strip()
    if _LINE.fullmatch(line):
        return not is_slip(line)
    return line[:1] == "{" and read_speech(line) is not None


def _give(token: Token, line: str) -> None:
    """Let a block have the attributes of a line; code also its language."""
    line = line.strip()
    classes = _CLASS.findall(line)
    token.meta.setdefault("classes", []).extend(classes)
    if speech := (_SILENT if _CONTENTS.match(line) else read_speech(line)):
        token.meta["speech"] = speech
    if token.type in {"fence", "code_block"} and not token.info:
        names = [name.removeprefix("language-") for name in classes]
        known = (n for n, c in zip(names, classes, strict=True) if n != c or n in _OUTPUTS)
        token.info = next(known, "")
