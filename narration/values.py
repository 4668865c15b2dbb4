"""The values that cross the rooms of the house: frozen, typed, free of Django.

Times are integer milliseconds, offsets count characters (Python ``str`` indices), languages are
BCP 47 tags such as ``en`` or ``pt-BR``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Literal

import numpy as np
import numpy.typing as npt


class Role(StrEnum):
    """What a passage is in its host text; gaps and casting depend on it."""

    TITLE = "title"
    HEADING = "heading"
    BODY = "body"
    LIST_ITEM = "list_item"
    QUOTATION = "quotation"
    TABLE_ROW = "table_row"
    CODE = "code"
    FIGURE = "figure"
    FOOTNOTE = "footnote"


class Aspect(StrEnum):
    """What a run is to the construct it belongs to; a speech policy may leave it unsaid."""

    CODE_CAPTION = "code_caption"
    CODE_LINE = "code_line"
    TABLE_CAPTION = "table_caption"
    TABLE_HEADER = "table_header"
    TABLE_CELL = "table_cell"
    FIGURE_LABEL = "figure_label"
    FIGURE_ALT = "figure_alt"
    LIST_NUMBER = "list_number"
    CALLOUT_TITLE = "callout_title"
    CITATION = "citation"


class RunKind(StrEnum):
    """What kind of writing a run is; the spoken form depends on it."""

    PROSE = "prose"
    CODE = "code"
    MATH = "math"
    LINK = "link"


@dataclass(frozen=True, slots=True)
class Run:
    """A stretch of a passage written in one way.

    ``text`` is what the learner reads. ``spoken``, when given, is said instead of what
    normalization would make of ``text``; an empty string says nothing. ``language`` is set only
    where it differs from the passage's. ``aspect`` is "" for plain text. ``pause_ms`` is silence
    an author asks for where the run stands; such a run has no text.
    """

    text: str
    kind: RunKind = RunKind.PROSE
    language: str = ""
    spoken: str | None = None
    aspect: Aspect | Literal[""] = ""
    pause_ms: int = 0


@dataclass(frozen=True, slots=True)
class Passage:
    """One block of host text, in reading order.

    ``anchor`` is unique in the object and prefixes the anchors of its sentences
    (``{anchor}-1``, ``{anchor}-2`` …); "" where the host shows no page. ``after`` is the anchor of
    the sentence a footnote belongs to, "" elsewhere.
    """

    role: Role
    runs: tuple[Run, ...]
    anchor: str = ""
    language: str = ""
    after: str = ""

    @property
    def text(self) -> str:
        """The display text: what the runs say, joined."""
        return "".join(run.text for run in self.runs)


@dataclass(frozen=True, slots=True)
class WordSpan:
    """One spoken word and the written text it stands for.

    ``spoken_start:spoken_end`` are offsets in the spoken text, ``start:end`` in the display text.
    Several spoken words may share one written span ("21" → "twenty one").
    """

    spoken_start: int
    spoken_end: int
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class SpokenForm:
    """What an engine is asked to say for a display text, and which word comes from where.

    ``words`` is ordered and covers every whitespace-separated word of ``text``.
    """

    text: str
    words: tuple[WordSpan, ...] = ()


@dataclass(frozen=True, slots=True)
class EngineVoice:
    """A voice as its engine knows it. ``languages`` are the tags it may be asked to speak."""

    name: str
    languages: tuple[str, ...]
    label: str = ""


#: Names of cloned voices begin with it; the digest of what they imitate follows.
CLONED_PREFIX = "@"


@dataclass(frozen=True, slots=True)
class Utterance:
    """The exact request to an engine; everything here changes the sound and nothing else does.

    ``voice`` is the engine's own name of the voice, or that of a cloned one; ``settings`` holds
    only what differs from the engine's defaults. ``attempt`` is the quality gate's: it seeds
    chance anew inside the same take and is no part of the identity.
    """

    text: str
    language: str
    voice: str
    settings: Mapping[str, Any] = field(default_factory=dict)
    take: int = 0
    attempt: int = 0


@dataclass(frozen=True, slots=True)
class WordTiming:
    """When a spoken word sounds: offsets in the utterance's text, times from its first sample."""

    spoken_start: int
    spoken_end: int
    start_ms: int
    end_ms: int


@dataclass(frozen=True, slots=True)
class Waveform:
    """Mono samples in memory: float32 in [-1, 1], shape (n,), at ``sample_rate`` Hz."""

    samples: npt.NDArray[np.float32]
    sample_rate: int

    @property
    def duration_ms(self) -> int:
        """Length rounded to the nearest millisecond."""
        return round(len(self.samples) * 1000 / self.sample_rate)


@dataclass(frozen=True, slots=True)
class EngineResult:
    """What an engine answers for one utterance: the sound, its word timing if it can, the cost.

    ``device`` is where it was made, a fact. ``evidence`` is what only the engine can know of how
    it went, for the quality gate: ``hit_limit`` (it stopped because it had to), ``loop`` (the
    longest repetition of the same tokens, in tokens), ``split`` (in so many pieces, as memory ran
    out), ``on_cpu`` (by the processor, as the card's memory ran out).
    """

    waveform: Waveform
    words: tuple[WordTiming, ...] = ()
    engine_ms: int = 0
    device: str = "cpu"
    evidence: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Latents:
    """What an engine computed from a voice's recordings, as one file (``engines.latents``)."""

    data: bytes


@dataclass(frozen=True, slots=True)
class Terms:
    """Under what conditions a model may speak.

    ``licence`` is short and stable ("CPML-1.0"); ``summary`` is a sentence or two for people.
    Where ``needs_acceptance``, the engine refuses until an operator has accepted. Where
    ``must_tell_listeners``, every track says that its speech is synthetic and nothing hides it.
    """

    licence: str
    url: str
    summary: str
    needs_acceptance: bool = False
    is_non_commercial: bool = False
    must_tell_listeners: bool = False


@dataclass(frozen=True, slots=True)
class CueWord:
    """A written word's moment in the track: display offsets inside the segment, track times."""

    start: int
    end: int
    start_ms: int
    end_ms: int


@dataclass(frozen=True, slots=True)
class Cue:
    """A segment's moment in the track. ``text`` is its display text, ``anchor`` its element."""

    position: int
    anchor: str
    text: str
    start_ms: int
    end_ms: int
    role: Role = Role.BODY
    words: tuple[CueWord, ...] = ()


@dataclass(frozen=True, slots=True)
class SettingSpec:
    """A number an engine lets its caller choose: default and inclusive range.

    ``is_whole``: 50.5 is refused rather than rounded, so that one sound has one identity.
    ``help`` is a sentence and ``label`` a name for people, in English; whoever shows them
    translates them (``engines.marking``). Without a label the setting's key serves.
    """

    default: float
    minimum: float
    maximum: float
    help: str = ""
    is_whole: bool = False
    label: str = ""

    def takes(self, value: Any) -> bool:
        """Whether it is a number in range, and a whole one where it must be."""
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        if not is_number or not self.minimum <= value <= self.maximum:  # NaN is in no range
            return False
        return not self.is_whole or value == int(value)

    def unify(self, value: Any) -> Any:
        """The same number in the same type, so that 60 and 60.0 have one identity.

        What it does not take stays as it is, to be refused.
        """
        if not self.takes(value):
            return value
        return int(value) if self.is_whole else float(value)


@dataclass(frozen=True, slots=True)
class EngineFacts:
    """What an engine declares: enough to plan and to make digests without starting it.

    ``sound_version`` is ours and is raised only when the sound changes. ``profile`` is a configured
    choice that changes the sound, such as ``gpu-bf16``. ``slots`` is how many utterances it speaks
    at once. ``licence`` is a sentence for people; ``versions`` names what the sound is made with.
    ``phoneme_alphabet`` names the phonemes it takes between ``[[`` and ``]]``, "" for none.
    ``limits`` are the languages in which an utterance may be longer than ``max_characters``.
    """

    name: str
    languages: tuple[str, ...]
    voices: tuple[EngineVoice, ...]
    sample_rate: int
    sound_version: int
    model_fingerprint: str
    max_characters: int
    settings: Mapping[str, SettingSpec] = field(default_factory=dict)
    supports_word_timing: bool = False
    supports_takes: bool = False
    profile: str = ""
    slots: int = 1
    licence: str = ""
    versions: Mapping[str, str] = field(default_factory=dict)
    phoneme_alphabet: str = ""
    supports_cloning: bool = False
    terms: Terms | None = None
    limits: Mapping[str, int] = field(default_factory=dict)

    def get_max_characters(self, language: str) -> int:
        """How long an utterance in this language may be: its own limit, or the engine's."""
        wanted = language.casefold()
        own = (limit for tag, limit in self.limits.items() if tag.casefold() == wanted)
        return next(own, self.max_characters)

    def drop_defaults(self, settings: Mapping[str, Any]) -> dict[str, Any]:
        """The settings that differ from this engine's defaults: what a digest may hold."""
        specs = self.settings
        return {
            key: specs[key].unify(value) if key in specs else value
            for key, value in settings.items()
            if key not in specs or value != specs[key].default
        }


@dataclass(frozen=True, slots=True)
class EngineConfig:
    """How to start an engine: the dotted path of its class, its options, where and for how long.

    ``python`` is the interpreter that runs it, "" for ours. A sentence may take
    ``deadline_base_s + deadline_per_character_s × characters`` seconds once the engine begins it.
    ``models_dir`` is where models and the latents of cloned voices lie. ``is_heavy`` tells whether
    it competes with others for the memory of its device; None asks the engine (it has a model).
    """

    alias: str
    backend: str
    options: Mapping[str, Any] = field(default_factory=dict)
    lane: str = "cpu"
    python: str = ""
    deadline_base_s: float = 20.0
    deadline_per_character_s: float = 0.05
    models_dir: str = ""
    is_heavy: bool | None = None
