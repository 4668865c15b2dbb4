"""Tables: rows of cells, each cell a sentence behind its column's name."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from markdown_it.token import Token

from narration.markup import wording
from narration.markup.page import Page, mark
from narration.markup.pieces import BREAK, Piece, PieceCollector, show_silently
from narration.values import Aspect, Role, Run


@dataclass(frozen=True, slots=True)
class Cell:
    """A cell's pieces and the attribute that aligns it."""

    align: str
    pieces: list[Piece]

    @property
    def text(self) -> str:
        """What stands in it."""
        return "".join(piece.run.text for piece in self.pieces if piece.run)

    @property
    def is_silent(self) -> bool:
        """Whether its author has nothing of it said, so that its column is not named either."""
        runs = [piece.run for piece in self.pieces if piece.run]
        return all(run.spoken == "" for run in runs if run.text.strip())


def add_table(page: Page, tokens: Sequence[Token]) -> None:
    """Add the table of these tokens, from its opening to before its closing."""
    header, *body = _collect_rows(tokens, page.language)
    names = [cell.text for cell in header]
    page.html.append("<table><thead>")
    if not body:
        _add_row(page, header, [""] * len(header), "th", "")
        page.html.append("</thead></table>")
        return
    cells = (f"<th{cell.align}>{show_silently(cell.pieces)}</th>" for cell in header)
    page.html.append(f"<tr>{''.join(cells)}</tr></thead><tbody>")
    caption = wording.table_caption(names, len(body), page.language)
    for row in body:
        _add_row(page, row, names, "td", caption)
        caption = ""
    page.html.append("</tbody></table>")


def _collect_rows(tokens: Sequence[Token], language: str) -> list[list[Cell]]:
    rows: list[list[Cell]] = []
    for place, token in enumerate(tokens):
        if token.type == "tr_open":
            rows.append([])
        elif token.type in {"th_open", "td_open"}:
            style = str(token.attrs.get("style", "")).removeprefix("text-align:")
            align = f' class="{style}"' if style else ""
            children = tokens[place + 1].children or []
            rows[-1].append(Cell(align, PieceCollector(language).collect(children)))
    return rows


def _add_row(page: Page, row: list[Cell], names: list[str], tag: str, caption: str) -> None:
    pieces: list[Piece] = []
    if caption:
        pieces.append(Piece(run=Run("", spoken=caption, aspect=Aspect.TABLE_CAPTION)))
    is_first = True
    for cell, name in zip(row, names, strict=False):
        if any(piece.run for piece in cell.pieces):
            pieces += [] if is_first else [BREAK]
            is_first = False
            if name and not cell.is_silent:
                header = Run("", spoken=f"{name}:", aspect=Aspect.TABLE_HEADER)
                pieces.append(Piece(run=header))
        shown = mark(cell.pieces, Aspect.TABLE_CELL)
        pieces += [Piece(f"<{tag}{cell.align}>"), *shown, Piece(f"</{tag}>")]
    page.add(Role.TABLE_ROW, pieces, "tr")
