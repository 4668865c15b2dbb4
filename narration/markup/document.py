"""The one walk over the tokens that yields the page and the passages together."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from markdown_it.token import Token

from narration.markup import wording
from narration.markup.figures import add_code, add_drawing, add_figures, are_figures
from narration.markup.mathml import build_mathml
from narration.markup.page import Page
from narration.markup.parser import parse
from narration.markup.pieces import BREAK, Piece, PieceCollector, show_silently
from narration.markup.sanitise import CLASSES, sanitise, strip_tags
from narration.markup.speech import Speech
from narration.markup.tables import add_table
from narration.text.normalization import say_cardinal
from narration.values import Aspect, Passage, Role, Run, RunKind

_DRAWN_TABLE = re.compile(r"\+[-=+]{3,}\+\n[|+]")
_ALERT = re.compile(r"\[!(NOTE|TIP|IMPORTANT|WARNING|CAUTION)\]\s*")
_FOR_TEACHERS = "instructor"
_SILENT_BOXES = {"silent", "mudo"}
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
    """An open box: how it closes, how many titles waited before it, whether it has a scope."""

    closer: str
    titles: int
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
        self._outside: list[int] = [0]  # boxes open around each open item or quotation
        self._awaited: Speech | None = None  # for the next block
        self._levels: list[int] = []  # where blocks with a scope of their own end
        self._tokens: Sequence[Token] = ()
        self._place = 0

    def walk(self, tokens: Sequence[Token]) -> None:
        self._tokens = tokens
        while self._place < len(tokens):
            self._read(tokens[self._place])
            self._place += 1
        self._close_boxes()
        self.page.close()

    def _read(self, token: Token) -> None:
        reader = getattr(self, f"_read_{token.type}", None)
        scopes = self._begin_scopes(token)
        if reader:
            reader(token)
        for _scope in range(scopes):
            self.page.end_scope()
        while token.nesting < 0 and self._levels[-1:] == [token.level]:
            self.page.end_scope()
            self._levels.pop()

    def _begin_scopes(self, token: Token) -> int:
        """Let what an author wrote around a block hold for it; how many scopes end with it."""
        if token.nesting < 0 or token.type.startswith("box_"):
            return 0
        speeches = [self._awaited, token.meta.get("speech")] if token.block else []
        found = [speech for speech in speeches if speech]
        for speech in found:
            self.page.begin_scope(speech)
        self._awaited = None
        self._levels += [token.level] * len(found) * token.nesting
        return 0 if token.nesting else len(found)

    # Containers

    def _read_blockquote_open(self, token: Token) -> None:
        """A quotation, or a box as repositories and older lessons write it."""
        name = self._take_alert() or self._find_box_class(token)
        self._roles.append(Role.BODY if name else Role.QUOTATION)
        self._outside.append(len(self._boxes) + 1)
        if name:
            self._open_box(name, name, None)
        else:
            self._boxes.append(_Box("</blockquote>", len(self.page.titles), False))
            self.page.html.append("<blockquote>")

    def _read_blockquote_close(self, _: Token) -> None:
        self._roles.pop()
        self._close_boxes()
        self._outside.pop()
        self._close_box()

    def _find_box_class(self, token: Token) -> str:
        for name in token.meta.get("classes", ()):
            if name == _FOR_TEACHERS or wording.box_title(name, self.language):
                return str(name)
        return ""

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
        self._outside.append(len(self._boxes))
        number = self._numbers[-1]
        self.page.announcement = ()
        if number is not None:
            said = say_cardinal(number, self.language) + ":"
            self.page.announcement = (Run("", spoken=said, aspect=Aspect.LIST_NUMBER),)
            self._numbers[-1] = number + 1
        following = self._tokens[self._place + 1]
        self._awaits_item = following.type == "paragraph_open" and following.hidden
        if not self._awaits_item:
            self.page.html.append("<li>")

    def _read_list_item_close(self, _: Token) -> None:
        self._close_boxes()
        self._outside.pop()
        self._roles.pop()
        self.page.announcement = ()
        self._awaited = None
        self.page.html.append("</li>")

    def _read_box_open(self, token: Token) -> None:
        self._open_item()
        speech = self._awaited or token.meta.get("speech")
        self._awaited = None
        if token.info in _SILENT_BOXES:
            speech = _SILENT
        if speech and token.info in {"", *_SILENT_BOXES} and not token.content:
            self.page.begin_scope(speech)
            self._boxes.append(_Box("", len(self.page.titles), True))
            return
        self._open_box(token.info, "" if token.content else token.info, speech)
        if token.content:
            title = PieceCollector(self.language).collect(
                [Token("text", "", 0, content=token.content)]
            )
            self.page.add(Role.BODY, [Piece("<strong>"), *title, Piece("</strong>")], "p")

    def _open_box(self, name: str, titled: str, speech: Speech | None) -> None:
        """Open a frame; one without a heading of its own, as its first block, is named."""
        speech = _SILENT if name == _FOR_TEACHERS else speech
        title = wording.box_title(titled, self.language)
        self._boxes.append(_Box("</aside>", len(self.page.titles), speech is not None))
        self.page.html.append(f'<aside class="{name if name in CLASSES else "box"}">')
        if speech:
            self.page.begin_scope(speech)
        if title and not self._has_heading():
            self.page.html.append(f'<p class="box-title">{title}</p>')  # outside of all segments
            said = Run("", spoken=f"{title}:", aspect=Aspect.CALLOUT_TITLE)
            self.page.titles.append(said)

    def _has_heading(self) -> bool:
        """Whether a heading comes next, but for a paragraph that an alert's mark left empty."""
        following = self._tokens[self._place + 1 : self._place + 5]
        if len(following) > 1 and following[1].type == "inline" and not following[1].children:
            following = following[3:]
        return bool(following) and following[0].type == "heading_open"

    def _read_box_close(self, _: Token) -> None:
        if len(self._boxes) > self._outside[-1]:
            self._close_box()

    def _close_box(self) -> None:
        box = self._boxes.pop()
        self.page.html.append(box.closer)
        del self.page.titles[box.titles :]
        self._awaited = None
        if box.has_scope:
            self.page.end_scope()

    def _close_boxes(self) -> None:
        """Close what an author left open in an item, in a quotation or at the end."""
        while len(self._boxes) > self._outside[-1]:
            self._close_box()

    def _read_footnote_block_open(self, _: Token) -> None:
        self._roles.append(Role.FOOTNOTE)
        self.page.html.append('<section class="footnotes"><ol>')

    def _read_footnote_block_close(self, _: Token) -> None:
        self._roles.pop()
        self.page.html.append("</ol></section>")

    def _read_footnote_open(self, token: Token) -> None:
        self.page.note = int(token.meta["id"])
        said = wording.say("footnote", self.language)
        self.page.titles.append(Run("", spoken=f"{said}:"))
        self._outside.append(len(self._boxes))
        self.page.html.append("<li>")

    def _read_footnote_close(self, _: Token) -> None:
        self._close_boxes()
        self._outside.pop()
        self.page.note = -1
        self.page.titles.clear()
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
            add_drawing(self.page, token.content)
            return
        if block.tag == "p" and are_figures(children):
            self._open_item()
            add_figures(self.page, children)
            return
        role = Role.HEADING if block.type == "heading_open" else self._roles[-1]
        name = "li" if self._awaits_item else "div" if block.hidden else block.tag
        collector = PieceCollector(self.language)
        pieces = collector.collect(children)
        if collector.speech and not any(piece.run and piece.run.text for piece in pieces):
            self._awaited = collector.speech
            pieces = []
        elif collector.speech:
            self.page.begin_scope(collector.speech)
        if name == "li" or show_silently(pieces) or any(piece.run for piece in pieces):
            self._add_text(role, pieces, name)
        if collector.speech and self._awaited is None:
            self.page.end_scope()
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
        pieces: list[Piece] = []
        for text in strip_tags(token.content):
            pieces += [BREAK, Piece("<br>")] if pieces else []
            pieces += PieceCollector(self.language).collect([Token("text", "", 0, content=text)])
        if pieces:
            self._open_item()
            self.page.add(self._roles[-1], pieces, "p")

    def _read_fence(self, token: Token) -> None:
        add_code(self.page, token)

    _read_code_block = _read_fence

    def _read_math_block(self, token: Token) -> None:
        tex = " ".join(token.content.split())
        run = Run(tex.replace(" ", "\N{NO-BREAK SPACE}"), RunKind.MATH)
        if tex:
            pieces = [Piece(build_mathml(tex, True), run)]
            self.page.add(self._roles[-1], pieces, "div", css="math")

    _read_math_block_label = _read_math_block

    def _read_table_open(self, _: Token) -> None:
        start = self._place
        while self._tokens[self._place].type != "table_close":
            self._place += 1
        add_table(self.page, self._tokens[start : self._place])
        self._place -= 1  # the walk goes on at its closing
