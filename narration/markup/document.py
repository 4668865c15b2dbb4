"""The one walk over the tokens that yields the page and the passages together."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape, unescape

from markdown_it.token import Token

from narration.markup import wording
from narration.markup.mathml import build_mathml
from narration.markup.parser import parse
from narration.markup.pieces import (
    BREAK,
    Piece,
    PieceCollector,
    build_runs,
    image_html,
    plain_text,
    show_silently,
    show_spoken,
)
from narration.markup.sanitise import CLASSES, sanitise, strip_tags
from narration.text import cut_sentences
from narration.text.normalization import say_cardinal
from narration.values import Passage, Role, Run, RunKind

_DRAWN_TABLE = re.compile(r"\+[-=+]{3,}\+\n[|+]")
_ALONE = {"image", "softbreak", "hardbreak", "attributes", "template"}


@dataclass(frozen=True, slots=True)
class Document:
    """A rendered text: safe ``html``, and its ``passages`` in reading order.

    Sentence k (from 1) of a passage is shown by the elements whose ``data-narration`` is
    ``{anchor}-{k}``; their text, joined, is the sentence's display text. An element with
    ``data-display-length`` inside them stands for that many characters instead.
    """

    html: str
    passages: tuple[Passage, ...]


def render(markdown: str, language: str) -> Document:
    """Render Markdown once, for eyes and ears; any text is fine, in time linear to its length."""
    walker = _Walker(language)
    walker.walk(parse(markdown))
    return Document(sanitise("".join(walker.html)), tuple(walker.passages))


class _Walker:
    """Holds the page so far and where in its structure the walk is."""

    def __init__(self, language: str) -> None:
        self.language = language
        self.html: list[str] = []
        self.passages: list[Passage] = []
        self._roles: list[Role] = [Role.BODY]
        self._numbers: list[int | None] = []  # next number of each open list, None for bullets
        self._number = ""  # said before the next passage
        self._awaits_item = False  # a list item whose element bears the anchor of its text
        self._boxes = 0
        self._is_silent = False
        self._tokens: Sequence[Token] = ()
        self._place = 0

    def walk(self, tokens: Sequence[Token]) -> None:
        self._tokens = tokens
        while self._place < len(tokens):
            token = tokens[self._place]
            reader = getattr(self, f"_read_{token.type}", None)
            if reader:
                reader(token)
            self._place += 1
        self.html += ["</aside>"] * self._boxes

    # Containers

    def _read_blockquote_open(self, _: Token) -> None:
        self._roles.append(Role.QUOTATION)
        self.html.append("<blockquote>")

    def _read_blockquote_close(self, _: Token) -> None:
        self._roles.pop()
        self.html.append("</blockquote>")

    def _read_bullet_list_open(self, _: Token) -> None:
        self._numbers.append(None)
        self.html.append("<ul>")

    def _read_ordered_list_open(self, token: Token) -> None:
        start = int(token.attrs.get("start", 1))
        self._numbers.append(start)
        self.html.append(f'<ol start="{start}">' if start != 1 else "<ol>")

    def _read_bullet_list_close(self, _: Token) -> None:
        self._numbers.pop()
        self.html.append("</ul>")

    def _read_ordered_list_close(self, _: Token) -> None:
        self._numbers.pop()
        self.html.append("</ol>")

    def _read_list_item_open(self, _: Token) -> None:
        self._roles.append(Role.LIST_ITEM)
        number = self._numbers[-1]
        self._number = "" if number is None else say_cardinal(number, self.language) + ":"
        if number is not None:
            self._numbers[-1] = number + 1
        following = self._tokens[self._place + 1]
        self._awaits_item = following.type == "paragraph_open" and following.hidden
        if not self._awaits_item:
            self.html.append("<li>")

    def _read_list_item_close(self, _: Token) -> None:
        self._roles.pop()
        self._number = ""
        self.html.append("</li>")

    def _read_box_open(self, token: Token) -> None:
        name = token.info if token.info in CLASSES else "box"
        self._boxes += 1
        self.html.append(f'<aside class="{name}">')

    def _read_box_close(self, _: Token) -> None:
        if self._boxes:
            self._boxes -= 1
            self.html.append("</aside>")

    def _read_footnote_block_open(self, _: Token) -> None:
        self._is_silent = True
        self.html.append('<section class="footnotes"><ol>')

    def _read_footnote_block_close(self, _: Token) -> None:
        self._is_silent = False
        self.html.append("</ol></section>")

    def _read_footnote_open(self, _: Token) -> None:
        self.html.append("<li>")

    def _read_footnote_close(self, _: Token) -> None:
        self.html.append("</li>")

    # Blocks

    def _read_hr(self, _: Token) -> None:
        self.html.append("<hr>")

    def _read_inline(self, token: Token) -> None:
        """Text of a paragraph or heading; the token before it says of which."""
        block = self._tokens[self._place - 1]
        children = token.children or []
        if _DRAWN_TABLE.match(token.content):
            source = f"<pre>{escape(token.content)}</pre>"
            self._open_item()
            self._add_listing(wording.say("table", self.language), source)
            return
        if (
            block.tag == "p"
            and any(child.type == "image" for child in children)
            and all(
                child.type in _ALONE or (child.type == "text" and not child.content.strip())
                for child in children
            )
        ):
            self._open_item()
            self._add_figures(children)
            return
        role = Role.HEADING if block.type == "heading_open" else self._roles[-1]
        name = "li" if self._awaits_item else "div" if block.hidden else block.tag
        pieces = PieceCollector().collect(children)
        if name == "li" or show_silently(pieces):
            self._add(role, pieces, name, is_open=name == "li")
        self._awaits_item = False

    def _open_item(self) -> None:
        if self._awaits_item:
            self.html.append("<li>")
            self._awaits_item = False

    def _read_html_block(self, token: Token) -> None:
        text = unescape(strip_tags(token.content))
        pieces = PieceCollector().collect([Token("text", "", 0, content=text)])
        if pieces:
            self._add(self._roles[-1], pieces, "p")

    def _read_fence(self, token: Token) -> None:
        words = unescape(token.info).split()
        classes = f' class="language-{escape(words[0])}"' if words else ""
        self._add_listing(
            wording.code_caption(token.info, self.language),
            f"<pre><code{classes}>{escape(token.content)}</code></pre>",
        )

    def _add_listing(self, caption: str, source: str) -> None:
        """What is announced by its caption and not spelled: code, a table drawn in characters."""
        shown = (Piece("<figcaption>"), Piece(run=Run(caption)), Piece("</figcaption>"))
        self._add(Role.CODE, [*shown, Piece(source)], "figure", css="code")

    _read_code_block = _read_fence

    def _read_math_block(self, token: Token) -> None:
        tex = " ".join(token.content.split())
        run = Run(tex.replace(" ", "\N{NO-BREAK SPACE}"), RunKind.MATH)
        if tex:
            self._add(self._roles[-1], [Piece(build_mathml(tex, True), run)], "div", css="math")

    _read_math_block_label = _read_math_block

    def _add_figures(self, children: Sequence[Token]) -> None:
        for place, token in enumerate(children):
            if token.type != "image":
                continue
            label = plain_text(token)
            following = children[place + 1 : place + 2]
            given = following[0].content if following and following[0].type == "attributes" else ""
            self._add_figure(token, " ".join(given.split()) or label, label if given else "")

    def _add_figure(self, token: Token, alt: str, caption: str) -> None:
        """An image on its own: what it shows is said, and written below it."""
        pieces = [Piece(image_html(token, alt))]
        word = wording.say("figure", self.language)
        if alt:
            is_named = alt.lower().startswith(("fig.", word.lower()))
            announced = [] if is_named else [Piece(run=Run("", spoken=f"{word}:"))]
            pieces += [Piece("<figcaption>"), *announced, Piece(run=Run(alt))]
            pieces += [BREAK, Piece("<br>"), Piece(run=Run(caption))] if caption else []
            pieces.append(Piece("</figcaption>"))
        self._add(Role.FIGURE, pieces, "figure")

    # Tables

    def _read_table_open(self, _: Token) -> None:
        rows = self._collect_rows()
        header, body = rows[0], rows[1:]
        names = ["".join(run.text for run in build_runs(cell)) for _, cell in header]
        self.html.append("<table><thead>")
        if body:
            cells = (f"<th{align}>{show_silently(cell)}</th>" for align, cell in header)
            self.html.append(f"<tr>{''.join(cells)}</tr></thead><tbody>")
            for row in body:
                self._add_row(row, names, "td")
            self.html.append("</tbody></table>")
        else:
            self._add_row(header, [""] * len(header), "th")
            self.html.append("</thead></table>")

    def _collect_rows(self) -> list[list[tuple[str, list[Piece]]]]:
        """Take the table's tokens: rows of cells, each with its attributes and pieces."""
        rows: list[list[tuple[str, list[Piece]]]] = []
        while (token := self._tokens[self._place]).type != "table_close":
            if token.type == "tr_open":
                rows.append([])
            elif token.type in {"th_open", "td_open"}:
                style = str(token.attrs.get("style", "")).removeprefix("text-align:")
                align = f' class="{style}"' if style else ""
                children = self._tokens[self._place + 1].children or []
                rows[-1].append((align, PieceCollector().collect(children)))
            self._place += 1
        return rows

    def _add_row(self, row: list[tuple[str, list[Piece]]], names: list[str], tag: str) -> None:
        """Each cell is a sentence of its own, said behind its column's name."""
        pieces: list[Piece] = []
        for (align, cell), name in zip(row, names, strict=False):
            if any(piece.run for piece in cell):
                pieces += [BREAK] if any(piece.run for piece in pieces) else []
                pieces += [Piece(run=Run("", spoken=f"{name}:"))] if name else []
            pieces += [Piece(f"<{tag}{align}>"), *cell, Piece(f"</{tag}>")]
        self._add(Role.TABLE_ROW, pieces, "tr")

    # Passages

    def _add(
        self, role: Role, pieces: list[Piece], name: str, *, css: str = "", is_open: bool = False
    ) -> None:
        """Add an element, and its passage when there is something to say in it."""
        text = "".join(piece.run.text for piece in pieces if piece.run)
        attributes = f' class="{css}"' if css else ""
        if self._is_silent or not any(char.isalnum() for char in text):
            shown = show_silently(pieces)
        else:
            anchor = f"p{len(self.passages) + 1}"
            attributes += f' id="{anchor}"'
            shown = show_spoken(pieces, cut_sentences(text, self.language), anchor)
            number = (Run("", spoken=self._number),) if self._number else ()
            self.passages.append(Passage(role, number + build_runs(pieces), anchor))
            self._number = ""
        self.html.append(f"<{name}{attributes}>{shown}" + ("" if is_open else f"</{name}>"))
