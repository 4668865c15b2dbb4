"""What is heard, to be read: captions, the data of the highlight, and a transcript.

All are written from the one list of cues. Cues that are silent or empty have no caption.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby, pairwise

from narration.values import Cue, Role

LINE_CHARACTERS = 42
LINES = 2

# A no-break space holds its neighbours together; what is longer than a line is cut.
_WORD = re.compile(rf"[\S\u00a0\u202f]{{1,{LINE_CHARACTERS}}}")
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")

Span = tuple[int, int]


def build_webvtt(cues: Iterable[Cue], *, language: str, title: str = "") -> str:
    """A WebVTT caption file: at most two balanced lines of 42 characters at a time.

    A longer sentence is shown in parts, each from its first word on, or in proportion to its
    letters where no word is timed. Identifiers are the segment's position, ``12`` or ``12.2``.
    """
    parts = [f"WEBVTT {_escape(_clean(title))}".strip(), f"NOTE Language: {_escape(language)}"]
    for cue in cues:
        parts += _iter_caption_blocks(cue)
    return "\n\n".join(parts) + "\n"


def build_metadata_vtt(cues: Iterable[Cue]) -> str:
    """WebVTT metadata in the SyncMediaLite shape: which element, and which of its characters.

    Offsets count Unicode code points of the segment's display text. Cues without an anchor are
    not on the page and have no entry.
    """
    parts = ["WEBVTT"]
    for cue in cues:
        if cue.anchor and cue.end_ms > cue.start_ms:
            parts += _iter_highlight_blocks(cue)
    return "\n\n".join(parts) + "\n"


def build_transcript(cues: Iterable[Cue]) -> str:
    """Plain text: a passage a line, list items marked, an empty line between the rest."""
    lines: list[str] = []
    role_before: Role | None = None
    for (_, role), group in groupby(cues, key=lambda cue: (_get_passage(cue), cue.role)):
        text = " ".join(_clean(cue.text) for cue in group if cue.text.strip())
        if not text:
            continue
        is_item = role is Role.LIST_ITEM
        if lines and not (is_item and role_before is role):
            lines.append("")
        lines.append(f"- {text}" if is_item else text)
        role_before = role
    return "".join(f"{line}\n" for line in lines)


def format_timestamp(time_ms: int) -> str:
    """``HH:MM:SS.mmm`` as WebVTT wants it."""
    seconds, ms = divmod(time_ms, 1000)
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours:02}:{minutes:02}:{seconds:02}.{ms:03}"


def _iter_caption_blocks(cue: Cue) -> Iterator[str]:
    lines = _split_lines(cue.text)
    if not lines or cue.end_ms <= cue.start_ms:
        return
    groups = [lines[index : index + LINES] for index in range(0, len(lines), LINES)]
    times = _build_times(cue, [group[0][0] for group in groups])
    for number, (group, (start_ms, end_ms)) in enumerate(
        zip(groups, pairwise(times), strict=True), start=1
    ):
        name = f"{cue.position}.{number}" if len(groups) > 1 else str(cue.position)
        text = "\n".join(_escape(_clean(cue.text[start:end])) for start, end in group)
        yield _build_block(name, start_ms, end_ms, text)


def _iter_highlight_blocks(cue: Cue) -> Iterator[str]:
    selector = {"type": "FragmentSelector", "value": cue.anchor}
    payload = {"selector": selector, "group": "sentence"}
    yield _build_block(str(cue.position), cue.start_ms, cue.end_ms, _dump(payload))
    for number, word in enumerate(cue.words, start=1):
        if word.end_ms > word.start_ms:
            span = {"type": "TextPositionSelector", "start": word.start, "end": word.end}
            payload = {"selector": {**selector, "refinedBy": span}, "group": "word"}
            name = f"{cue.position}.{number}"
            yield _build_block(name, word.start_ms, word.end_ms, _dump(payload))


def _build_block(name: str, start_ms: int, end_ms: int, text: str) -> str:
    return f"{name}\n{format_timestamp(start_ms)} --> {format_timestamp(end_ms)}\n{text}"


def _split_lines(text: str) -> list[Span]:
    """Spans of the text, no longer than a line and of about equal length."""
    words = [match.span() for match in _WORD.finditer(_CONTROL.sub(" ", text))]
    lines = _fill(words, LINE_CHARACTERS)
    if len(lines) < 2:
        return lines
    # The narrowest width that needs no more lines: no last line of one short word.
    width = max(1, (words[-1][1] - words[0][0]) // len(lines))
    while width < LINE_CHARACTERS and len(_fill(words, width)) > len(lines):
        width += 1
    return _fill(words, width)


def _fill(words: Sequence[Span], width: int) -> list[Span]:
    lines: list[Span] = []
    for start, end in words:
        if lines and end - lines[-1][0] <= width:
            lines[-1] = (lines[-1][0], end)
        else:
            lines.append((start, end))
    return lines


def _build_times(cue: Cue, starts: Sequence[int]) -> list[int]:
    """When each part begins, and the end of the last; strictly rising."""
    times = [cue.start_ms]
    for start in starts[1:]:
        times.append(max(times[-1] + 1, _get_time(cue, start)))
    return [*times, max(times[-1] + 1, cue.end_ms)]


def _get_time(cue: Cue, offset: int) -> int:
    """When the character at ``offset`` is spoken."""
    for word in cue.words:
        if word.end > offset:
            return word.start_ms
    return cue.start_ms + (cue.end_ms - cue.start_ms) * offset // len(cue.text)


def _get_passage(cue: Cue) -> str:
    """Sentences of one passage share all of their anchor but its last number."""
    return cue.anchor.rpartition("-")[0] or f"#{cue.position}"


def _clean(text: str) -> str:
    return " ".join(_CONTROL.sub(" ", text).split())


def _escape(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _dump(payload: object) -> str:
    # JSON may write ">" as it likes; WebVTT may not see "-->".
    return json.dumps(payload, separators=(",", ":")).replace(">", "\\u003e")
