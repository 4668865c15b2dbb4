"""What an author says about saying: attributes in braces, after the manner of Pandoc.

``[SQL]{say="sequel"}``, ``{.silent}``, ``{lang=fr}``, ``{pause=800}``; each also in Portuguese.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from narration.values import Run

LONGEST_PAUSE_MS = 10_000
_PAUSE = re.compile(
    r"\{[ ]{0,3}(?:pause|pausa)[ ]{0,3}=[ ]{0,3}[\"']?(?P<number>\d{1,6}(?:[.,]\d{1,3})?)"
    r"[ ]?(?P<unit>ms|s)?[\"']?[ ]{0,3}\}"
)
_BRACES = re.compile(
    r"\{:?(?P<body>(?:[ ]{0,3}(?:[.#][\w-]{1,40}|[\w-]{1,40}=(?:\"[^\"\n]{0,500}\"|'[^'\n]{0,500}'"
    r"|[^\s\"'{}]{1,200}))){1,8})[ ]{0,3}\}"
)
_PART = re.compile(
    r"[.#](?P<name>[\w-]+)|(?P<key>[\w-]+)=(?:\"(?P<double>[^\"]*)\"|'(?P<single>[^']*)'|(?P<bare>\S+))"
)
_TAG = re.compile(r"[A-Za-z]{2,3}(?:-[A-Za-z0-9]{2,8}){0,3}")
_SILENT = {"silent", "mudo"}
# Of words up to this length one wrong letter makes a slip, of longer ones two.
_SHORT = 4
_PLAIN = re.compile(r"\{[ ]{0,3}[.#][\w-]{1,60}(?:[ ]{1,3}[.#][\w-]{1,60}){0,8}[ ]{0,3}\}")
_KEYS = {"say": "say", "diga": "say", "lang": "language", "idioma": "language"}


@dataclass(frozen=True, slots=True)
class Speech:
    """How a phrase or block is said: in other words, not at all (``say`` is ""), in a language."""

    say: str | None = None
    language: str = ""

    @property
    def is_silent(self) -> bool:
        """Whether nothing of it is said."""
        return self.say == ""


def find_pause(text: str, place: int) -> tuple[int, int] | None:
    """Milliseconds of the pause written at ``place``, at most ten seconds, and where it ends."""
    match = _PAUSE.match(text, place)
    if not match:
        return None
    number = float(match["number"].replace(",", "."))
    ms = round(number * 1000) if match["unit"] == "s" else round(number)
    return min(ms, LONGEST_PAUSE_MS), match.end()


def find_speech(text: str, place: int) -> tuple[Speech, int] | None:
    """What the braces at ``place`` say and where they end; None where they say nothing we know."""
    match = _BRACES.match(text, place)
    speech = _read(match["body"]) if match else None
    return (speech, match.end()) if match and speech else None


def read_speech(braces: str) -> Speech | None:
    """What a text that is nothing but braces says, None where it says nothing we know."""
    found = find_speech(braces, 0)
    return found[0] if found and found[1] == len(braces) else None


def is_pandoc(braces: str) -> bool:
    """Whether braces hold nothing but classes and names of Pandoc's, none of them a slip."""
    return bool(_PLAIN.fullmatch(braces)) and not is_slip(braces)


def is_slip(braces: str) -> bool:
    """Whether a class in braces is ours but for a letter or two: ``{.slient}``."""
    names = [part["name"] for part in _PART.finditer(braces) if part["name"]]
    return any(
        name != word and _distance(name.lower(), word) <= (2 if len(word) > _SHORT else 1)
        for name in names
        for word in _SILENT
        if name not in _SILENT and abs(len(name) - len(word)) <= 2
    )


def _distance(left: str, right: str) -> int:
    """Letters to add, drop, replace or swap until one word is the other."""
    rows = [list(range(len(right) + 1))]
    for i, char in enumerate(left, 1):
        row = [i]
        for j, other in enumerate(right, 1):
            best = min(row[-1] + 1, rows[-1][j] + 1, rows[-1][j - 1] + (char != other))
            if i > 1 and j > 1 and char == right[j - 2] and left[i - 2] == other:
                best = min(best, rows[-2][j - 2] + 1)
            row.append(best)
        rows.append(row)
    return rows[-1][-1]


def _read(body: str) -> Speech | None:
    """Other classes and names may stand beside ours; a key we do not know is a misspelling."""
    speech = Speech()
    for part in _PART.finditer(body):
        if part["name"]:
            speech = replace(speech, say="") if part["name"] in _SILENT else speech
            continue
        key = _KEYS.get(part["key"])
        value = part["double"] or part["single"] or part["bare"] or ""
        if key is None or (key == "language" and not _TAG.fullmatch(value)):
            return None
        speech = replace(speech, **{key: " ".join(value.split())})
    return speech if speech != Speech() else None


def apply_speech(runs: Sequence[Run], speech: Speech) -> list[Run]:
    """The runs of a phrase or block as ``speech`` has them: the first says it, the rest nothing."""
    spoken = list(runs)
    if speech.language:
        spoken = [replace(run, language=run.language or speech.language) for run in spoken]
    if speech.say is None:
        return spoken
    said = speech.say
    for at, run in enumerate(spoken):
        if run.pause_ms:
            continue
        is_text = bool(run.text.strip())
        spoken[at] = replace(run, spoken=said if is_text else "")
        said = "" if is_text else said
    return spoken
