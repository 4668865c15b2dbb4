"""A lesson page, its sound and its manifest, as the plugin would serve them."""

import json
import re
from dataclasses import dataclass

import numpy as np

from narration.audio.encode import encode_mp3, encode_opus
from narration.audio.peaks import build_peaks
from narration.values import Waveform

RATE = 24_000
SENTENCE_MS = 1_200
GAP_MS = 400
MEDIA = "/media/"
FILLING = "goes on for a while, so that the page is long enough to scroll through as it is read."

#: (anchor, role, display text, HTML of the sentence); one line is one segment.
SENTENCES = [
    ("t-1", "heading", "A push that moves on", None),
    ("p1-1", "body", "Air looks like nothing, but it is crowded.", None),
    (
        "p1-2",
        "body",
        "Nothing travels but the push.",
        (
            '<strong><span data-narration="p1-2" id="p1-2">Nothing travels</span></strong>'
            '<span data-narration="p1-2"> but the push.</span>'
        ),
    ),
    (
        "p1-3",
        "body",
        "A wave 🌊🌊 is a shape, not a thing.",
        None,
    ),
    ("p1-4", "body", "Nothing travels but the push.", None),
    (
        "p2-1",
        "body",
        "The frequency is f = 1/T in hertz.",
        (
            '<span data-narration="p2-1" id="p2-1">The frequency is <math data-display-length="7">'
            "<mi>f</mi><mo>=</mo><mfrac><mn>1</mn><mi>T</mi></mfrac></math>"
            ' in <a href="#hertz">hertz</a>.</span>'
        ),
    ),
    ("p2-2", "body", "When it is fast we hear it high,", None),
    ("p2-2", "body", "and when it is slow we hear it low.", None),
    ("q-1", "quotation", "Sound is motion that has found a listener.", None),
    ("i1-1", "list_item", "Period is the time of one repetition.", None),
    ("i2-1", "list_item", "Amplitude is the size of the push.", None),
    *[
        (f"p{number}-{each}", "body", f"Sentence {each} of paragraph {number} {FILLING}", None)
        for number in range(5, 11)
        for each in range(1, 4)
    ],
]


@dataclass(frozen=True)
class Lesson:
    manifest: dict
    html: str
    files: dict[str, bytes]


def build_lesson() -> Lesson:
    waveform, manifest = build_sound()
    files = {
        "track.mp3": encode_mp3(waveform),
        "track.opus": encode_opus(waveform),
        "track.json": build_peaks(waveform).to_json(),
        "track.vtt": b"WEBVTT\n",
    }
    types = {
        "mp3": "audio/mpeg",
        "opus": "audio/ogg",
        "peaks": "application/json",
        "vtt": "text/vtt",
    }
    manifest["files"] = {
        name: {
            "url": f"{MEDIA}track.{'json' if name == 'peaks' else name}",
            "type": kind,
            "size": 1,
        }
        for name, kind in types.items()
    }
    return Lesson(manifest, build_html(), files)


def build_sound():
    """A tone per sentence, its pitch the sentence's own, loud and soft like words."""
    segments, parts, at_ms = [], [silence(500)], 500
    ends: dict[str, int] = {}
    for position, (anchor, role, text, _html) in enumerate(SENTENCES):
        offset = ends.get(anchor, 0)
        ends[anchor] = offset + len(text) + 1
        segments.append(
            {
                "position": position,
                "anchor": anchor,
                "offset": offset,
                "role": role,
                "text": text,
                "voice": 0,
                "start_ms": at_ms,
                "end_ms": at_ms + SENTENCE_MS,
                "words": build_words(text, at_ms),
            }
        )
        parts += [tone(300 + 20 * position, position), silence(GAP_MS)]
        at_ms += SENTENCE_MS + GAP_MS
    manifest = {
        "version": 1,
        "narration": "n",
        "track": "track-1",
        "language": "en",
        "duration_ms": at_ms,
        "loudness": -19.0,
        "synthetic": True,
        "voices": [{"name": "Ada", "engine": "espeak"}],
        "segments": segments,
    }
    return Waveform(np.concatenate(parts), RATE), json.loads(json.dumps(manifest))


def build_words(text: str, start_ms: int) -> list[list[int]]:
    words, at = [], 0
    for word in text.split(" "):
        words.append([at, at + len(word)])
        at += len(word) + 1
    step = SENTENCE_MS // len(words)
    return [[*span, start_ms + i * step, start_ms + (i + 1) * step] for i, span in enumerate(words)]


def silence(milliseconds: int):
    return np.zeros(RATE * milliseconds // 1000, np.float32)


def tone(hertz: float, seed: int):
    time = np.arange(RATE * SENTENCE_MS // 1000) / RATE
    swell = 0.35 + 0.25 * np.sin(2 * np.pi * (1.5 + seed % 4) * time + seed)
    return (swell * 0.6 * np.sin(2 * np.pi * hertz * time)).astype(np.float32)


def build_html() -> str:
    tags = {"heading": "h2", "quotation": "blockquote", "list_item": "li"}
    blocks: dict[str, list[str]] = {}
    roles = {}
    for anchor, role, text, html in SENTENCES:
        block = anchor.rpartition("-")[0]
        roles[block] = role
        if anchor == "p2-2" and text.startswith("and"):
            # A sentence cut at a clause is one span in the page.
            blocks[block][-1] = blocks[block][-1].replace("</span>", f" {text}</span>")
        else:
            wrapped = f'<span data-narration="{anchor}" id="{anchor}">{text}</span>'
            blocks.setdefault(block, []).append(html or wrapped)
    html = "\n".join(
        f"<{tags.get(roles[block], 'p')}>{' '.join(parts)}</{tags.get(roles[block], 'p')}>"
        for block, parts in blocks.items()
    )
    return re.sub(r"(<li>.*</li>)", r"<ul>\1</ul>", html, flags=re.DOTALL)
