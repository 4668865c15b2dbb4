"""What is announced rather than read: pictures on their own, code, tables drawn in characters."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from html import escape

from markdown_it.token import Token

from narration.markup import wording
from narration.markup.page import Page, mark, say_pieces
from narration.markup.pieces import (
    BREAK,
    Piece,
    build_link,
    image_html,
    is_badge,
    plain_text,
)
from narration.markup.speech import Speech
from narration.values import Aspect, Role, Run, RunKind

_LINKS = {"link_open", "link_close"}
_ALONE = {"image", "softbreak", "hardbreak", "attributes", "template", "pause", *_LINKS}


def are_figures(tokens: Sequence[Token]) -> bool:
    """Whether a paragraph is nothing but pictures, which may be links."""
    images = [token for token in tokens if token.type == "image"]
    has_links = any(token.type in _LINKS for token in tokens)
    if not images or (has_links and any(is_badge(image) for image in images)):
        return False
    return all(token.type in _ALONE or _is_blank(token) for token in tokens)


def _is_blank(token: Token) -> bool:
    return token.type == "text" and not token.content.strip()


def add_figures(page: Page, tokens: Sequence[Token]) -> None:
    """Add each picture as a figure with what it shows, said and written below it."""
    link = ""
    for place, token in enumerate(tokens):
        if token.type in _LINKS:
            link = build_link(token) if token.nesting > 0 else ""
        elif token.type == "pause":
            page.pause(Run("", spoken="", pause_ms=int(token.meta["ms"])))
        elif token.type == "image":
            given, speech = _find_attributes(tokens[place + 1 : place + 3])
            label = plain_text(token)
            alt = " ".join(given.split()) or label
            picture = image_html(token, alt)
            shown = f"{link}{picture}</a>" if link else picture
            is_silent = not alt or is_badge(token)
            told = [] if is_silent else _tell(page, alt, label if given else "")
            pieces = mark([Piece(shown), *told], Aspect.FIGURE_ALT)
            page.add(Role.FIGURE, say_pieces(pieces, speech) if speech else pieces, "figure")


def _find_attributes(following: Sequence[Token]) -> tuple[str, Speech | None]:
    """The alternative text and the spoken form in the braces behind a picture or its link."""
    for token in following:
        if token.type == "attributes":
            return token.content, token.meta.get("speech")
        if token.type != "link_close":
            break
    return "", None


def _tell(page: Page, alt: str, caption: str) -> Iterator[Piece]:
    word = wording.say("figure", page.language)
    yield Piece("<figcaption>")
    if not alt.lower().startswith(("fig.", word.lower())):
        yield Piece(run=Run("", spoken=f"{word}:", aspect=Aspect.FIGURE_LABEL))
    yield Piece(run=Run(alt))
    if caption:
        yield from (BREAK, Piece("<br>"), Piece(run=Run(caption)))
    yield Piece("</figcaption>")


def add_code(page: Page, token: Token) -> None:
    """Add a block of code behind its caption."""
    name = wording.find_code_language(token.info)
    language = f' class="language-{escape(name)}"' if name else ""
    source = [Piece(f"<pre><code{language}>"), *_build_code(token.content)]
    _add_listing(page, wording.code_caption(token.info, page.language), source, "</code></pre>")


def add_drawing(page: Page, text: str) -> None:
    """Add a table drawn in characters; it is announced, since nobody can listen to it."""
    source = [Piece(f"<pre>{escape(text)}")]
    _add_listing(page, wording.say("table", page.language), source, "</pre>")


def _add_listing(page: Page, caption: str, source: list[Piece], closer: str) -> None:
    run = Run(caption, aspect=Aspect.CODE_CAPTION)
    shown = [Piece("<figcaption>"), Piece(run=run), Piece("</figcaption>")]
    page.add(Role.CODE, [*shown, *source, Piece(closer)], "figure", css="code")


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
