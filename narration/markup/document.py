"""The one walk over the tokens that yields the page and the passages together."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape, unescape

from markdown_it.token import Token

from narration.markup import wording
from narration.markup.mathml import build_mathml
from narration.markup.page import Page, Scope, mark, say_pieces
from narration.markup.parser import parse
from narration.markup.pieces import (
    BREAK,
    Piece,
    PieceCollector,
    image_html,
    is_badge,
    plain_text,
    show_silently,
)
from narration.markup.sanitise import CLASSES, sanitise, strip_tags
from narration.markup.speech import Speech
from narration.markup.tables import add_table
from narration.text.normalization import say_cardinal
from narration.values import Aspect, Passage, Role, Run, RunKind

_DRAWN_TABLE = re.compile(r"\+[-=+]{3,}\+\n[|+]")
_ALERT = re.compile(r"\[!(NOTE|TIP|IMPORTANT|WARNING|CAUTION)\]\s*")
_ALONE = {"image", "softbreak", "hardbreak", "attributes", "template"}
_SILENT = Speech("")


@dataclass(frozen=True, slots=True)
class Document:
    """A rendered text: safe ``html``, and its ``passages`` in the order of the page.

    Segment k (from 1) of a passage, as ``narration.text.cut_runs`` cuts it, is shown by the
    elements whose ``data-narration`` is ``{anchor}-{k}``; their text, joined, is the segment's
    display text. An element with ``data-display-length`` inside them stands for that many
    characters instead.
    """

    html: str
    passages: tuple[Passage, ...]


def render(markdown: str, language: str) -> Document:
    """Render Markdown once, for eyes and ears; any text is fine, in time linear to its length."""
    walker = _Walker(language)
    walker.walk(parse(markdown))
    return Document(sanitise("".join(walker.page.html)), tuple(walker.page.passages))


@dataclass(frozen=True, slots=True)
class _Box:
    """An open box: how it closes, and whether a scope ends with it."""

    closer: str
    has_scope: bool


class _Walker:
    """Holds where in its structure the walk is; the page holds what came of it."""

    def __init__(self, language: str) -> None:
        self.language = language
        self.page = Page(language)
        self._roles: list[Role] = [Role.BODY]
        self._numbers: list[int | None] = []  # next number of each open list, None for bullets
        self._awaits_item = False  # a list item whose element bears the anchor of its text
        self._boxes: list[_Box] = []
        self._quotes: list[str] = []
        self._awaited: Speech | None = None  # for the next block
        self._levels: list[int] = []  # where blocks with a scope of their own end
        self._tokens: Sequence[Token] = ()
        self._place = 0

    def walk(self, tokens: Sequence[Token]) -> None:
        self._tokens = tokens
        while self._place < len(tokens):
            self._read(tokens[self._place])
            self._place += 1
        self.page.html += [box.closer for box in reversed(self._boxes)]
        self.page.close()

    def _read(self, token: Token) -> None:
        reader = getattr(self, f"_read_{token.type}", None)
        is_alone = self._begin_scope(token)
        if reader:
            reader(token)
        if is_alone or (token.nesting < 0 and self._levels[-1:] == [token.level]):
            self.page.scopes.pop()
            if not is_alone:
                self._levels.pop()

    def _begin_scope(self, token: Token) -> bool:
        """Let what an author wrote above a block hold for it; whether for this token alone."""
        if self._awaited is None or token.nesting < 0 or token.type.startswith("box_"):
            return False
        self.page.scopes.append(Scope(self._awaited))
        self._awaited = None
        if token.nesting > 0:
            self._levels.append(token.level)
        return token.nesting == 0

    # Containers

    def _read_blockquote_open(self, _: Token) -> None:
        alert = self._take_alert()
        self._roles.append(Role.BODY if alert else Role.QUOTATION)
        self._quotes.append("aside" if alert else "blockquote")
        self.page.html.append(f'<aside class="{alert}">' if alert else "<blockquote>")
        if alert:
            self._announce_box(alert)

    def _read_blockquote_close(self, _: Token) -> None:
        self._roles.pop()
        self.page.html.append(f"</{self._quotes.pop()}>")

    def _take_alert(self) -> str:
        """The kind of a quotation that begins with "[!NOTE]", which is then taken out."""
        inline = self._tokens[self._place + 2 : self._place + 3]
        children = inline[0].children if inline and inline[0].type == "inline" else None
        match = _ALERT.match(inline[0].content) if children else None
        if not match or not children:
            return ""
        children[0].content = _ALERT.sub("", children[0].content, count=1)
        if not children[0].content:
            del children[:2]  # and the end of its line
        return match[1].lower()

    def _read_bullet_list_open(self, _: Token) -> None:
        self._numbers.append(None)
        self.page.html.append("<ul>")

    def _read_ordered_list_open(self, token: Token) -> None:
        start = int(token.attrs.get("start", 1))
        self._numbers.append(start)
        self.page.html.append(f'<ol start="{start}">' if start != 1 else "<ol>")

    def _read_bullet_list_close(self, _: Token) -> None:
        self._numbers.pop()
        self.page.html.append("</ul>")

    def _read_ordered_list_close(self, _: Token) -> None:
        self._numbers.pop()
        self.page.html.append("</ol>")

    def _read_list_item_open(self, _: Token) -> None:
        self._roles.append(Role.LIST_ITEM)
        number = self._numbers[-1]
        if number is not None:
            said = say_cardinal(number, self.language) + ":"
            # A box that begins with a list is named before its first number.
            self.page.announcement += (Run("", spoken=said, aspect=Aspect.LIST_NUMBER),)
            self._numbers[-1] = number + 1
        following = self._tokens[self._place + 1]
        self._awaits_item = following.type == "paragraph_open" and following.hidden
        if not self._awaits_item:
            self.page.html.append("<li>")

    def _read_list_item_close(self, _: Token) -> None:
        self._roles.pop()
        self.page.announcement = ()
        self.page.html.append("</li>")

    def _read_box_open(self, token: Token) -> None:
        name = token.info if token.info in CLASSES else "box"
        speech = token.meta.get("speech")
        if token.info in {"silent", "mudo", "instructor"}:
            speech = _SILENT
        if speech:
            self.page.scopes.append(Scope(speech))
        is_frame = speech is None or token.info == "instructor"
        self._boxes.append(_Box("</aside>" if is_frame else "", speech is not None))
        if not is_frame:
            return
        self.page.html.append(f'<aside class="{name}">')
        if token.content:
            title = PieceCollector(self.language).collect(
                [Token("text", "", 0, content=token.content)]
            )
            self.page.add(Role.BODY, [Piece("<strong>"), *title, Piece("</strong>")], "p")
        elif self._tokens[self._place + 1 : self._place + 2]:
            self._announce_box(name)

    def _announce_box(self, name: str) -> None:
        """Name a box; one with a heading of its own, as its first block, names itself."""
        following = next((token for token in self._tokens[self._place + 1 :][:1]), Token("", "", 0))
        title = wording.box_title(name, self.language)
        if title and following.type != "heading_open":
            said = Run("", spoken=f"{title}:", aspect=Aspect.CALLOUT_TITLE)
            self.page.announcement = (said,)

    def _read_box_close(self, _: Token) -> None:
        if self._boxes:
            box = self._boxes.pop()
            self.page.html.append(box.closer)
            if box.has_scope:
                self.page.scopes.pop()

    def _read_footnote_block_open(self, _: Token) -> None:
        self._roles.append(Role.FOOTNOTE)
        self.page.html.append('<section class="footnotes"><ol>')

    def _read_footnote_block_close(self, _: Token) -> None:
        self._roles.pop()
        self.page.html.append("</ol></section>")

    def _read_footnote_open(self, token: Token) -> None:
        self.page.note = int(token.meta["id"])
        said = wording.say("footnote", self.language)
        self.page.announcement = (Run("", spoken=f"{said}:"),)
        self.page.html.append("<li>")

    def _read_footnote_close(self, _: Token) -> None:
        self.page.note = -1
        self.page.announcement = ()
        self.page.html.append("</li>")

    # Blocks

    def _read_hr(self, _: Token) -> None:
        self.page.html.append("<hr>")

    def _read_inline(self, token: Token) -> None:
        """Text of a paragraph or heading; the token before it says of which."""
        block = self._tokens[self._place - 1]
        children = token.children or []
        if _DRAWN_TABLE.match(token.content):
            self._open_item()
            source = [Piece(f"<pre>{escape(token.content)}</pre>")]
            self._add_listing(wording.say("table", self.language), source)
            return
        if block.tag == "p" and _are_figures(children):
            self._open_item()
            self._add_figures(children)
            return
        role = Role.HEADING if block.type == "heading_open" else self._roles[-1]
        name = "li" if self._awaits_item else "div" if block.hidden else block.tag
        collector = PieceCollector(self.language)
        pieces = collector.collect(children)
        if collector.speech and not any(piece.run and piece.run.text for piece in pieces):
            self._awaited = collector.speech
            pieces = []
        elif collector.speech:
            self.page.scopes.append(Scope(collector.speech))
        if name == "li" or show_silently(pieces) or any(piece.run for piece in pieces):
            self._add_text(role, pieces, name)
        if collector.speech and self._awaited is None:
            self.page.scopes.pop()
        self._awaits_item = False

    def _add_text(self, role: Role, pieces: list[Piece], name: str) -> None:
        if name != "li" and not show_silently(pieces):
            name = "div"  # a pause shows nothing, not even the space of a paragraph
        self.page.add(role, pieces, name, is_open=name == "li")

    def _open_item(self) -> None:
        if self._awaits_item:
            self.page.html.append("<li>")
            self._awaits_item = False

    def _read_html_block(self, token: Token) -> None:
        text = unescape(strip_tags(token.content))
        pieces = PieceCollector(self.language).collect([Token("text", "", 0, content=text)])
        if pieces:
            self.page.add(self._roles[-1], pieces, "p")

    def _read_fence(self, token: Token) -> None:
        words = unescape(token.info).split()
        classes = f' class="language-{escape(words[0])}"' if words else ""
        source = [
            Piece(f"<pre><code{classes}>"),
            *_build_code(token.content),
            Piece("</code></pre>"),
        ]
        self._add_listing(wording.code_caption(token.info, self.language), source)

    def _add_listing(self, caption: str, source: list[Piece]) -> None:
        """What is announced by its caption and not spelled: code, a table drawn in characters."""
        run = Run(caption, aspect=Aspect.CODE_CAPTION)
        shown = [Piece("<figcaption>"), Piece(run=run), Piece("</figcaption>")]
        self.page.add(Role.CODE, [*shown, *source], "figure", css="code")

    _read_code_block = _read_fence

    def _read_math_block(self, token: Token) -> None:
        tex = " ".join(token.content.split())
        run = Run(tex.replace(" ", "\N{NO-BREAK SPACE}"), RunKind.MATH)
        if tex:
            pieces = [Piece(build_mathml(tex, True), run)]
            self.page.add(self._roles[-1], pieces, "div", css="math")

    _read_math_block_label = _read_math_block

    def _add_figures(self, children: Sequence[Token]) -> None:
        for place, token in enumerate(children):
            if token.type != "image":
                continue
            label = plain_text(token)
            following = children[place + 1 : place + 2]
            given, speech = "", None
            if following and following[0].type == "attributes":
                given, speech = following[0].content, following[0].meta.get("speech")
            alt = " ".join(given.split()) or label
            self._add_figure(token, alt, label if given else "", speech)

    def _add_figure(self, token: Token, alt: str, caption: str, speech: Speech | None) -> None:
        """An image on its own: what it shows is said, and written below it."""
        pieces = [Piece(image_html(token, alt))]
        word = wording.say("figure", self.language)
        if alt and not is_badge(token):
            is_named = alt.lower().startswith(("fig.", word.lower()))
            label = Run("", spoken=f"{word}:", aspect=Aspect.FIGURE_LABEL)
            announced = [] if is_named else [Piece(run=label)]
            pieces += [Piece("<figcaption>"), *announced, Piece(run=Run(alt))]
            pieces += [BREAK, Piece("<br>"), Piece(run=Run(caption))] if caption else []
            pieces.append(Piece("</figcaption>"))
        pieces = mark(pieces, Aspect.FIGURE_ALT)
        self.page.add(Role.FIGURE, say_pieces(pieces, speech) if speech else pieces, "figure")

    def _read_table_open(self, _: Token) -> None:
        start = self._place
        while self._tokens[self._place].type != "table_close":
            self._place += 1
        add_table(self.page, self._tokens[start : self._place])
        self._place -= 1  # the walk goes on at its closing


def _are_figures(children: Sequence[Token]) -> bool:
    """Whether a paragraph is nothing but pictures."""
    return any(child.type == "image" for child in children) and all(
        child.type in _ALONE or (child.type == "text" and not child.content.strip())
        for child in children
    )


def _build_code(content: str) -> list[Piece]:
    """Each line of code is a sentence; indentation and empty lines are only shown."""
    pieces: list[Piece] = []
    for line in content.split("\n"):
        body = line.strip()
        if body:
            indent = line[: len(line) - len(line.lstrip())]
            run = Run(body, RunKind.CODE, aspect=Aspect.CODE_LINE)
            rest = line[len(indent) + len(body) :]
            pieces += [BREAK, Piece(escape(indent)), Piece(run=run), Piece(escape(rest))]
        pieces.append(Piece("\n"))
    return [piece for piece in pieces[:-1] if piece.html or piece.run]
