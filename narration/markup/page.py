"""The page being made: its HTML so far, its passages, and what holds for the next ones."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, replace

from narration.markup.pieces import Piece, build_runs, show_silently, show_spoken
from narration.markup.speech import Speech, apply_speech
from narration.text import cut_runs
from narration.values import Aspect, Passage, Role, Run


@dataclass(slots=True)
class Scope:
    """An author's word on several blocks: what it says is said once, by the first of them."""

    say: str
    is_said: bool = False


class Page:
    """Collects blocks: each is shown, and is a passage when there is something to say in it."""

    def __init__(self, language: str) -> None:
        self.language = language
        self.html: list[str] = []
        self.passages: list[Passage] = []
        self.announcement: tuple[Run, ...] = ()  # said before the next passage: a list's number
        self.titles: list[Run] = []  # of boxes and footnotes, said before their first passage
        self.note = -1  # the footnote being read
        # What holds for the next block; the language of each open scope, and who speaks in it.
        self._scopes: list[tuple[str, Scope | None]] = []
        self._pauses: list[Run] = []
        self._referrers: dict[int, str] = {}  # anchor of the first sentence that names a footnote

    def begin_scope(self, speech: Speech) -> None:
        """Let ``speech`` hold until ``end_scope``; the outermost that replaces words wins."""
        language, speaker = self._scopes[-1] if self._scopes else ("", None)
        if speaker is None and speech.say is not None:
            speaker = Scope(speech.say)
        self._scopes.append((speech.language or language, speaker))

    def end_scope(self) -> None:
        """End the innermost scope."""
        self._scopes.pop()

    def pause(self, run: Run) -> None:
        """Be silent before the next passage."""
        self._pauses.append(run)

    def add(
        self, role: Role, pieces: list[Piece], name: str, *, css: str = "", is_open: bool = False
    ) -> None:
        """Add an element, and its passage when there is something to say in it."""
        text = "".join(piece.run.text for piece in pieces if piece.run)
        attributes = f' class="{css}"' if css else ""
        if any(char.isalnum() for char in text):
            anchor = f"p{len(self.passages) + 1}"
            language, speaker = self._scopes[-1] if self._scopes else ("", None)
            language = language if language != self.language else ""
            lang = f' lang="{language}"' if language else ""
            attributes += f' id="{anchor}"{lang}'
            announced = self._take_announcements(speaker)
            pieces = _speak(pieces, speaker) if speaker else pieces
            shown = self._add_passage(role, announced, pieces, anchor, language)
        else:
            self._pauses += [piece.run for piece in pieces if piece.run and piece.run.pause_ms]
            shown = show_silently(pieces)
        if shown or is_open:
            self.html.append(f"<{name}{attributes}>{shown}" + ("" if is_open else f"</{name}>"))

    def close(self) -> None:
        """A pause behind the last block belongs to it."""
        if self._pauses and self.passages:
            last = self.passages[-1]
            self.passages[-1] = replace(last, runs=(*last.runs, *self._pauses))

    def _take_announcements(self, speaker: Scope | None) -> tuple[Run, ...]:
        """What is said before a passage; a block that is said otherwise leaves titles to others."""
        announced = self.announcement
        self.announcement = ()
        if speaker:
            return tuple(replace(run, spoken="") for run in announced)
        announced = (*self.titles, *announced)
        self.titles.clear()
        return announced

    def _add_passage(
        self,
        role: Role,
        announced: Sequence[Run],
        pieces: list[Piece],
        anchor: str,
        language: str,
    ) -> str:
        runs = (*self._pauses, *announced, *build_runs(pieces))
        cuts = cut_runs(runs, language or self.language)
        spans = [(cut.start, cut.end) for cut in cuts]
        self._note_references(pieces, [start for start, _end in spans], anchor)
        after = self._referrers.get(self.note, "") if self.note >= 0 else ""
        role = Role.FOOTNOTE if self.note >= 0 else role
        self.passages.append(Passage(role, runs, anchor, language, after))
        self._pauses = []
        return show_spoken(pieces, spans, anchor)

    def _note_references(self, pieces: Sequence[Piece], starts: list[int], anchor: str) -> None:
        place = 0
        for piece in pieces:
            place += len(piece.run.text) if piece.run else 0
            if piece.note >= 0 and starts:
                number = max(bisect_right(starts, max(place - 1, 0)), 1)
                self._referrers.setdefault(piece.note, f"{anchor}-{number}")


def _speak(pieces: Sequence[Piece], speaker: Scope) -> list[Piece]:
    """The pieces of a block as the scope around it says them; only its first block says it."""
    said = "" if speaker.is_said else speaker.say
    speaker.is_said = True
    return say_pieces(pieces, Speech(said))


def say_pieces(pieces: Sequence[Piece], speech: Speech) -> list[Piece]:
    """The same pieces, said as ``speech`` has it."""
    places = [at for at, piece in enumerate(pieces) if piece.run]
    runs = apply_speech([run for piece in pieces if (run := piece.run)], speech)
    spoken = list(pieces)
    for at, run in zip(places, runs, strict=True):
        if run != spoken[at].run:
            spoken[at] = replace(spoken[at], run=run)
    return spoken


def mark(pieces: Sequence[Piece], aspect: Aspect) -> list[Piece]:
    """The same pieces, their text marked as ``aspect`` where it is nothing more special."""
    return [
        replace(piece, run=replace(piece.run, aspect=aspect))
        if piece.run and piece.run.text and not piece.run.aspect
        else piece
        for piece in pieces
    ]
