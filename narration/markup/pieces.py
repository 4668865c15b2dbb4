"""Inline tokens → pieces: what is shown, and which of it is text that is spoken.

A piece is either markup, or a run with its place in the passage's display text. White space is
collapsed here, once, for the HTML and the display text alike, which is what makes them equal.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from html import escape

from markdown_it.token import Token

from narration.markup import wording
from narration.markup.mathml import build_mathml
from narration.markup.speech import Speech, apply_speech
from narration.text import sentence_anchor
from narration.values import Aspect, Run, RunKind

_SPACES = re.compile(r"[ \t\n\r\f\v]+")
_RAW_TAG = re.compile(r"<(?P<slash>/?)(?P<name>sub|sup|kbd|br)\s*/?>", re.IGNORECASE)
# What a browser shows instead of the text inside, or not at all.
_UNREAD_TAG = re.compile(
    r"<(?P<slash>/?)(?P<name>video|audio|iframe|object|svg|canvas|script|style|noscript)\b",
    re.IGNORECASE,
)
# Elements inside each other beyond this many are shown without their marks.
_DEEPEST = 60
_TAGS = {"em": "em", "strong": "strong", "s": "s"}


@dataclass(frozen=True, slots=True)
class Piece:
    """Markup (``html`` alone), text (``run`` alone) or an atom: ``html`` shown for ``run``.

    ``note`` is the number of the footnote that is referred to here, from 0; -1 for none.
    """

    html: str = ""
    run: Run | None = None
    note: int = -1


_BREAK_RUN = Run("\n\n")
#: Ends a sentence without showing anything.
BREAK = Piece(run=_BREAK_RUN)
# Pictures that tell machines' state, not the lesson.
_BADGE = re.compile(
    r"https?://(?:[\w.-]{0,60}(?:shields\.io|badgen\.net|travis-ci\.\w+|codecov\.io|coveralls\.io)"
    r"|badge|[^?#\s]{0,300}[/._-]badges?(?:[/._-]|$))"
)
# The code of an emoji, as repositories write it.
_EMOJI_CODE = re.compile(r"(?<!\S)(:(?:[+-]1|[a-z][a-z0-9_+-]{0,40}):)(?=[\s.,;!?)]|$)")


class PieceCollector:
    """Walks the inline tokens of one block; ``pieces`` is the result."""

    def __init__(self, language: str = "en") -> None:
        self.pieces: list[Piece] = []
        self.speech: Speech | None = None  # of the whole block
        self._language = language
        self._phrases: list[tuple[Speech, int]] = []
        self._holder = 0  # where the last link, picture or stretch of code began
        self._raw: list[str] = []  # open elements, innermost last; ours and the author's
        self._keys = 0  # how many of them are keys of a keyboard
        self._links = 0
        self._after_space = True
        self._unread = ""  # the raw element whose text nobody sees

    def collect(self, tokens: Iterable[Token]) -> list[Piece]:
        """Read a block's tokens; white space at its end is dropped, open raw elements closed."""
        for token in tokens:
            self._read(token)
        while self._raw:
            self._end()
        _strip_end(self.pieces)
        return self.pieces

    def _read(self, token: Token) -> None:
        reader = getattr(self, f"_read_{token.type}", None)
        if self._unread and not token.nesting and token.type != "html_inline":
            return
        if reader:
            reader(token)
        elif token.nesting:
            self._read_nested(token)

    def _markup(self, html: str) -> None:
        self.pieces.append(Piece(html))

    def _text(self, text: str, kind: RunKind = RunKind.PROSE, spoken: str | None = None) -> None:
        text = _SPACES.sub(" ", text)
        if self._after_space:
            text = text.removeprefix(" ")
        if text:
            self._after_space = text.endswith(" ")
            self._append_text(Run(text, kind, spoken=spoken))

    def _append_text(self, run: Run) -> None:
        last = self.pieces[-1] if self.pieces else Piece()
        if last.run and not last.html and _is_joinable(last.run, run):
            self.pieces[-1] = Piece(run=replace(run, text=last.run.text + run.text))
        else:
            self.pieces.append(Piece(run=run))

    def _atom(self, html: str, run: Run) -> None:
        # A no-break space is no place to cut, so an atom stays within one sentence.
        text = _SPACES.sub("\N{NO-BREAK SPACE}", run.text.strip())
        if text:
            self._after_space = False
            self.pieces.append(Piece(html, replace(run, text=text)))
        else:
            self._markup(html)

    def _read_text(self, token: Token) -> None:
        kind = RunKind.LINK if self._links else RunKind.PROSE
        if self._keys or ":" not in token.content:
            self._text(token.content, RunKind.CODE if self._keys else kind)
            return
        for place, text in enumerate(_EMOJI_CODE.split(token.content)):
            self._text(text, kind, "" if place % 2 else None)

    def _read_softbreak(self, _: Token) -> None:
        self._text(" ")

    def _read_hardbreak(self, _: Token) -> None:
        self._text(" ")
        self._markup("<br>")

    def _read_code_inline(self, token: Token) -> None:
        self._holder = len(self.pieces)
        self._markup("<code>")
        self._text(token.content, RunKind.CODE)
        self._markup("</code>")

    def _read_math_inline(self, token: Token) -> None:
        self._atom(build_mathml(token.content.strip()), Run(token.content, RunKind.MATH))

    _read_math_inline_double = _read_math_inline

    def _read_image(self, token: Token) -> None:
        alt = plain_text(token)
        self._holder = len(self.pieces)
        spoken = "" if is_badge(token) else None
        self._atom(image_html(token, alt), Run(alt, spoken=spoken, aspect=Aspect.FIGURE_ALT))

    def _read_filename(self, token: Token) -> None:
        if token.content:
            self._markup(f'<code class="filename">{escape(token.content)}</code> ')

    def _read_variable(self, token: Token) -> None:
        self._markup(f'<code class="variable">{escape(token.content)}</code>')

    def _read_citation(self, token: Token) -> None:
        said = wording.say_citation(token.content, self._language)
        shown = f'<span class="citation">{escape(token.content)}</span>'
        self._atom(shown, Run(token.content, spoken=said, aspect=Aspect.CITATION))

    def _read_footnote_ref(self, token: Token) -> None:
        number = int(token.meta["id"])
        self.pieces.append(Piece(f'<sup class="footnote">{number + 1}</sup>', note=number))

    def _read_pause(self, token: Token) -> None:
        self.pieces.append(Piece(run=Run("", spoken="", pause_ms=int(token.meta["ms"]))))

    def _read_attributes(self, token: Token) -> None:
        """Behind a link, a picture or code they are for that, at the end for the block."""
        speech = token.meta.get("speech")
        if speech is None:
            return
        is_behind = bool(self.pieces) and self.pieces[-1] == Piece(self.pieces[-1].html)
        if is_behind and self.pieces[-1].html in {"</a>", "</code>"}:
            self._say(self._holder, speech)
        elif self.pieces and self.pieces[-1].html and self.pieces[-1].run:
            self._say(len(self.pieces) - 1, speech)
        else:
            self.speech = speech

    def _read_speech_open(self, token: Token) -> None:
        speech: Speech = token.meta["speech"]
        self._phrases.append((speech, len(self.pieces)))
        lang = f' lang="{escape(speech.language)}"' if speech.language else ""
        self._open("span", lang)

    def _read_speech_close(self, _: Token) -> None:
        speech, start = self._phrases.pop()
        self._say(start, speech)
        self._close("span")
        if speech.say and not any(piece.run for piece in self.pieces[start:]):
            self.pieces.append(Piece(run=Run("", spoken=speech.say)))

    def _say(self, start: int, speech: Speech) -> None:
        """Let the pieces from ``start`` be said that way."""
        places = [at for at in range(start, len(self.pieces)) if self.pieces[at].run]
        runs = apply_speech([run for at in places if (run := self.pieces[at].run)], speech)
        for at, run in zip(places, runs, strict=True):
            self.pieces[at] = replace(self.pieces[at], run=run)

    def _read_html_inline(self, token: Token) -> None:
        if unread := _UNREAD_TAG.match(token.content):
            name = unread["name"].lower()
            if not unread["slash"]:
                self._unread = self._unread or name
            elif name == self._unread:
                self._unread = ""
        match = _RAW_TAG.fullmatch(token.content)
        if not match or self._unread:
            return
        name = match["name"].lower()
        if name == "br":
            self._read_hardbreak(token)
        elif not match["slash"]:
            self._open(name)
        elif self._raw and self._raw[-1] == name:
            self._end()

    def _read_nested(self, token: Token) -> None:
        if token.tag == "a":
            self._read_link(token)
        elif token.tag in _TAGS:
            self._open(token.tag) if token.nesting > 0 else self._close(token.tag)

    def _read_link(self, token: Token) -> None:
        self._links += token.nesting
        if token.nesting > 0:
            self._holder = len(self.pieces)
            self._begin("a", build_link(token))
        else:
            self._close("a")

    def _open(self, name: str, attributes: str = "") -> None:
        self._begin(name, f"<{name}{attributes}>")

    def _begin(self, name: str, html: str) -> None:
        self._raw.append(name)
        self._keys += name == "kbd"
        if len(self._raw) <= _DEEPEST:
            self._markup(html)

    def _end(self) -> str:
        """Close the innermost element and give its name."""
        is_shown = len(self._raw) <= _DEEPEST
        name = self._raw.pop()
        self._keys -= name == "kbd"
        if is_shown:
            self._markup(f"</{name}>")
        return name

    def _close(self, name: str) -> None:
        """Close our element, and before it the raw ones an author left open inside."""
        while self._raw and self._end() != name:
            pass


def plain_text(token: Token) -> str:
    """Give the text of an image's label: its words without markup."""
    parts = (child.content or " " * (child.type == "softbreak") for child in token.children or ())
    return _SPACES.sub(" ", "".join(parts)).strip()


def build_link(token: Token) -> str:
    """Build the opening tag of a link; the sanitiser judges its address."""
    title = f' title="{escape(str(token.attrs["title"]))}"' if "title" in token.attrs else ""
    return f'<a href="{escape(str(token.attrs.get("href", "")))}"{title}>'


def image_html(token: Token, alt: str) -> str:
    """Build the element of an image token; the sanitiser judges its address."""
    title = f' title="{escape(str(token.attrs["title"]))}"' if "title" in token.attrs else ""
    source = escape(str(token.attrs.get("src", "")))
    return f'<img src="{source}" alt="{escape(alt)}"{title} loading="lazy">'


def is_badge(token: Token) -> bool:
    """Tell pictures of a build's state from pictures of the lesson."""
    return bool(_BADGE.match(str(token.attrs.get("src", ""))))


def _strip_end(pieces: list[Piece]) -> None:
    """Drop the space behind the last text, wherever markup closes after it."""
    for place in range(len(pieces) - 1, -1, -1):
        piece = pieces[place]
        if not piece.run or not piece.run.text:
            continue
        if piece.html or not piece.run.text.endswith(" "):
            return
        text = piece.run.text.rstrip(" ")
        pieces[place] = replace(piece, run=replace(piece.run, text=text)) if text else Piece()
        if text:
            return


def build_runs(pieces: Iterable[Piece]) -> tuple[Run, ...]:
    """Join the runs of neighbouring pieces that are written in the same way."""
    runs: list[Run] = []
    for piece in pieces:
        run = piece.run
        if run is None:
            continue
        if runs and not piece.html and _is_joinable(runs[-1], run):
            runs[-1] = replace(runs[-1], text=runs[-1].text + run.text)
        else:
            runs.append(run)
    return tuple(runs)


def _is_joinable(left: Run, right: Run) -> bool:
    if left.kind is RunKind.MATH or left.spoken is not None or left.pause_ms:
        return False
    return replace(left, text="") == replace(right, text="")


def show_silently(pieces: Iterable[Piece]) -> str:
    """Give the HTML of pieces nobody speaks."""
    return "".join(piece.html or (escape(piece.run.text) if piece.run else "") for piece in pieces)


def show_spoken(pieces: Iterable[Piece], spans: Sequence[tuple[int, int]], anchor: str) -> str:
    """Give the HTML of pieces with every sentence in spans of its own, the first with its id."""
    return "".join(_Marker(spans, anchor).iter_html(pieces))


class _Marker:
    """Carries the place in the display text, and the sentence there, through the pieces."""

    def __init__(self, spans: Sequence[tuple[int, int]], anchor: str) -> None:
        self.spans = spans
        self.anchor = anchor
        self.place = 0
        self.current = 0
        self.named = -1

    def iter_html(self, pieces: Iterable[Piece]) -> Iterator[str]:
        for piece in pieces:
            if piece.run is None:
                yield piece.html
            elif piece.run.text == _BREAK_RUN.text:
                self.place += len(piece.run.text)
                yield piece.html
            elif piece.html:
                yield self._mark_atom(piece.html, len(piece.run.text))
            else:
                yield from self._mark_text(piece.run.text)

    def _mark_atom(self, html: str, length: int) -> str:
        self._skip_finished()
        self.place += length
        return self._wrap(f'<span data-display-length="{length}">{html}</span>')

    def _mark_text(self, text: str) -> Iterator[str]:
        done = 0
        while done < len(text):
            self._skip_finished()
            start, end = self.spans[self.current] if self.current < len(self.spans) else (-1, -1)
            if start < 0 or self.place < start:  # white space between sentences
                length = (
                    len(text) - done if start < 0 else min(start - self.place, len(text) - done)
                )
                yield escape(text[done : done + length])
            else:
                length = min(end - self.place, len(text) - done)
                yield self._wrap(escape(text[done : done + length]))
            done += length
            self.place += length

    def _skip_finished(self) -> None:
        while self.current < len(self.spans) and self.spans[self.current][1] <= self.place:
            self.current += 1

    def _wrap(self, html: str) -> str:
        name = sentence_anchor(self.anchor, self.current + 1)
        identity = f' id="{name}"' if self.named < self.current else ""
        self.named = self.current
        return f'<span data-narration="{name}"{identity}>{html}</span>'
