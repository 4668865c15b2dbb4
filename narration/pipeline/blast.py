"""The blast radius of a change: which sentences would be said otherwise, before it is made.

Told from stored plans, without an engine. Segments keep how they are written, so the few that a
change may touch are said anew as they are and as they would be, and compared.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.contrib.contenttypes.models import ContentType
from django.db import models

from narration.engines.models import WITHOUT_MODEL
from narration.exceptions import EngineError
from narration.models import Narration, Rendition, Segment, iter_chunks
from narration.pipeline.casting import Casting, CastVoice
from narration.pipeline.castings import Castings
from narration.pipeline.changes import Change
from narration.pipeline.plans import plan_newest
from narration.pipeline.written import unpack_runs
from narration.sources import get_source, get_sources
from narration.speaking import describe_engine
from narration.text import say_runs
from narration.values import Role

SAMPLES = 3
_BATCH = 500


@dataclass(frozen=True, slots=True)
class ChangedSentence:
    """One sentence as it is said and as it would be; the same text may sound otherwise."""

    display_text: str
    before: str
    after: str
    digest: str
    voice_id: int
    language: str


@dataclass(frozen=True, slots=True)
class ChangedNarration:
    """A narration the change reaches. No sentences: only what is left out, or its gaps, change."""

    narration: Narration
    title: str
    url: str
    sentences: tuple[ChangedSentence, ...]


@dataclass(frozen=True, slots=True)
class BlastRadius:
    """What a change would do. ``utterances`` are distinct, ``missing`` those without sound yet."""

    narrations: tuple[ChangedNarration, ...] = ()
    utterances: int = 0
    missing: int = 0
    characters: int = 0
    samples: tuple[ChangedSentence, ...] = field(default=())

    @property
    def sentences(self) -> int:
        """How many sentences change, wherever they stand."""
        return sum(len(found.sentences) for found in self.narrations)


class _Scenes:
    """Castings as they are and as they would be, shared by narrations that are cast alike."""

    def __init__(self, objects: Mapping[int, Any], change: Change):
        self._chains = {
            pk: tuple(get_source(obj).get_scope_chain(obj)) for pk, obj in objects.items()
        }
        keys = {key for chain in self._chains.values() for key in chain}
        self._now = Castings(keys, amended=change.scope_keys)
        self._then = Castings(keys, change, change.scope_keys)

    def get(self, narration: Narration, rows: Iterable[Segment]) -> _Scene:
        """The scene of a narration in which phrases of these rows are foreign."""
        chain, language = self._chains[narration.pk], narration.language
        foreign = {row.language for row in rows} - {language}
        return _Scene(
            self._now.get(chain, language, foreign), self._then.get(chain, language, foreign)
        )


@dataclass(frozen=True, slots=True)
class _Scene:
    """One scope and language as it is and as it would be."""

    now: Casting
    then: Casting


class _CutOtherwise(Exception):
    """A sentence is, or would be, cut into clauses for its engine: only a plan can tell."""


def build_blast_radius(change: Change) -> BlastRadius:
    """What ``change`` would do to the newest plans. Grows with what it may touch, not with all."""
    reached = list(_find_narrations(change))
    rows = _load_candidates(change, [narration.pk for narration in reached])
    cut = _find_cut(rows)
    traits = change.get_replanned_traits()
    objects = _load_objects(
        n for n in reached if n.pk in rows or change.is_layout() or traits & set(n.traits)
    )
    scenes = _Scenes(objects, change)
    found = []
    for narration in reached:
        obj = objects.get(narration.pk)
        if obj is None:
            continue
        candidates = rows.get(narration.pk, [])
        is_replanned = bool(traits & set(narration.traits))
        try:
            if is_replanned or any((row.narration_id, row.anchor) in cut for row in candidates):
                raise _CutOtherwise
            scene = scenes.get(narration, candidates)
            changed = tuple(_compare(candidates, narration, scene, change))
            is_reached = bool(changed) or scene.now.gaps != scene.then.gaps
        except (_CutOtherwise, EngineError) as error:
            is_reached, changed = _try_plans(narration, obj, change, error)
        if is_reached:
            found.append(_describe(narration, obj, changed))
    return _sum_up(found)


def _find_cut(rows: Mapping[int, Sequence[Segment]]) -> set[tuple[int, str]]:
    """Sentences that were too long for their engine, by narration and anchor."""
    found: set[tuple[int, str]] = set()
    for chunk in iter_chunks(rows):
        clauses = Segment.objects.filter(narration__in=chunk, anchor_offset__gt=0)
        found.update(clauses.values_list("narration", "anchor"))
    return found


def list_planned(change: Change) -> dict[int, Any]:
    """When each narration in its scopes was planned: two looks tell which were meanwhile."""
    return {narration.pk: narration.planned_at for narration in _find_narrations(change)}


def _describe(
    narration: Narration, obj: models.Model, changed: tuple[ChangedSentence, ...]
) -> ChangedNarration:
    source, language = get_source(obj), narration.language
    title, url = source.get_title(obj, language), source.get_url(obj, language)
    return ChangedNarration(narration, title, url, changed)


def _find_narrations(change: Change) -> Iterator[Narration]:
    """Planned narrations in the scopes of the change, in a query a kind of host object."""
    for source in get_sources():
        wanted = models.Q(pk__in=[])
        for key in change.scope_keys:
            keys = source.find_in_scope(key)
            text = models.functions.Cast("pk", models.CharField(max_length=64))
            wanted |= models.Q(object_id__in=keys.annotate(key=text).values("key"))
        content_type = ContentType.objects.get_for_model(source.model)
        yield from Narration.objects.filter(
            wanted, content_type=content_type, planned_at__isnull=False
        ).order_by("pk")


def _load_candidates(change: Change, narrations: Sequence[int]) -> dict[int, list[Segment]]:
    """Segments the change may touch, by narration, in their order."""
    found: dict[int, list[Segment]] = defaultdict(list)
    for at in range(0, len(narrations), _BATCH):
        rows = Segment.objects.filter(narration__in=narrations[at : at + _BATCH])
        wanted = change.find_segments(rows).select_related("voice")
        for row in wanted.defer("word_map").order_by("narration_id", "position"):
            if change.may_touch(row):
                found[row.narration_id].append(row)
    return found


def _load_objects(narrations: Iterable[Narration]) -> dict[int, Any]:
    """Host objects by narration, in a query a kind; deleted ones are left out."""
    rows = list(narrations)
    models.prefetch_related_objects(rows, "source_object")
    return {row.pk: row.source_object for row in rows if row.source_object is not None}


def _compare(
    rows: Iterable[Segment], narration: Narration, scene: _Scene, change: Change
) -> Iterator[ChangedSentence]:
    for row in rows:
        foreign = "" if row.language == narration.language else row.language
        is_voiced = not foreign or scene.then.speaks(foreign)
        cast = scene.then.get(Role(row.role), foreign * is_voiced)
        then = _say(row, cast, scene, change)
        if row.utterance_digest != then.digest:
            yield then


def _say(row: Segment, cast: CastVoice, scene: _Scene, change: Change) -> ChangedSentence:
    """The sentence as this voice would say it."""
    text = row.spoken_text
    lexicon = scene.then.get_lexicon(cast)
    is_same = not change.is_of_words() and lexicon == scene.now.lexicon.get(
        row.voice.engine, describe_engine(row.voice.engine)
    )
    if row.runs is not None and not is_same:
        text = say_runs(unpack_runs(row.runs, row.display_text), row.language, lexicon).text
    if len(text) > cast.facts.get_max_characters(row.language):
        raise _CutOtherwise
    utterance = cast.build_utterance(text, row.language, row.take)
    digest = cast.build_digest(utterance)
    return ChangedSentence(
        row.display_text, row.spoken_text, text, digest, cast.voice.pk, row.language
    )


def _try_plans(
    narration: Narration, obj: Any, change: Change, error: Exception
) -> tuple[bool, tuple[ChangedSentence, ...]]:
    """As ``_compare_plans``; where an engine's model is gone nobody can count, and all may change.

    Every other refusal of an engine is the caller's to hear.
    """
    try:
        if isinstance(error, EngineError):
            raise error
        return _compare_plans(narration, obj, change)
    except EngineError as refusal:
        if refusal.code not in WITHOUT_MODEL:
            raise
        return True, ()


def _compare_plans(
    narration: Narration, obj: Any, change: Change
) -> tuple[bool, tuple[ChangedSentence, ...]]:
    """Whether another plan comes of it, and its new sentences: rules decide what is said."""
    now, _version = plan_newest(narration, obj)
    then, _version = plan_newest(narration, obj, change)
    known = now.get_utterances()
    added = (segment for segment in then.segments if segment.digest not in known)
    changed = tuple(
        ChangedSentence(
            segment.display_text,
            "",
            segment.spoken.text,
            segment.digest,
            segment.voice.pk,
            segment.language,
        )
        for segment in added
    )
    return now.digest != then.digest, changed


def _sum_up(found: Sequence[ChangedNarration]) -> BlastRadius:
    distinct: Mapping[str, ChangedSentence] = {
        sentence.digest: sentence for changed in found for sentence in changed.sentences
    }
    missing = distinct.keys() - Rendition.objects.find_digests(distinct)
    return BlastRadius(
        narrations=tuple(found),
        utterances=len(distinct),
        missing=len(missing),
        characters=sum(len(distinct[digest].after) for digest in missing),
        samples=tuple(distinct.values())[:SAMPLES],
    )
