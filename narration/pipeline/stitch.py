"""Stitch: the renditions of a plan become one levelled track with cues, files and a manifest."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from django.db import IntegrityError, transaction

from narration import storage
from narration.audio.captions import build_webvtt
from narration.audio.encode import Tags, encode_mp3, encode_opus
from narration.audio.loudness import LevelledAudio, level
from narration.audio.peaks import Peaks, build_peaks, draw_waveform
from narration.audio.stitch import Piece, Placement, lay_out, stitch
from narration.digests import build_track_identity
from narration.exceptions import ConsentError, StorageCorrupt
from narration.manifests import MANIFEST_VERSION, build_words, get_extension, iter_cues
from narration.models import (
    Job,
    Narration,
    Rendition,
    RenditionState,
    Track,
    TrackFile,
    TrackRendition,
    TrackVoice,
    Voice,
)
from narration.pipeline.licences import list_duties, list_licences, say_synthetic
from narration.pipeline.plan import Plan, PlannedSegment
from narration.pipeline.renditions import get_timings, keep, load_waveform
from narration.values import Cue, CueWord

#: Raised when the same plan would be joined, levelled or encoded to something else.
STITCH_VERSION = 1
BATCH = 200


@dataclass(frozen=True, slots=True)
class _Sound:
    """A stitched plan before anything is stored."""

    levelled: LevelledAudio
    cues: list[Cue]
    peaks: Peaks


def find_track(narration: Narration, plan: Plan) -> Track | None:
    """The track that already speaks this plan, if all its files are whole."""
    track = Track.objects.filter(
        narration=narration, plan_digest=plan.digest, stitch_version=STITCH_VERSION
    ).first()
    if track is None:
        return None
    files = list(track.files.all())
    is_usable = files and all(storage.is_whole(file.storage_name, file.size) for file in files)
    return track if is_usable else None


def stitch_track(narration: Narration, plan: Plan, version: int, job: Job | None = None) -> Track:
    """Make the track of a plan whose utterances all have renditions.

    Files are stored before their rows; rows come in one transaction. ``StorageCorrupt`` when a
    rendition was found altered on reading: synthesize again, then stitch. ``StorageFull`` when
    there is no room for the files.
    """
    storage.check_room()
    wanted = plan.get_utterances()
    renditions = Rendition.objects.in_digests(wanted)
    _demand(wanted, renditions)
    sound = build_sound(plan, renditions)
    manifest = _build_manifest(narration, plan, sound)
    identity = build_track_identity(str(narration.uid), plan.digest, STITCH_VERSION)
    files = _store_files(identity, narration.language, sound, _build_tags(narration, manifest))
    with _forgetting(files):
        return _create_track(narration, plan, version, job, manifest, files, renditions)


def restitch_track(track: Track) -> None:
    """Make a track's files again from the renditions it was stitched from, at the same times.

    Needs neither its text nor an engine, and changes no cue. ``StorageCorrupt`` when a rendition
    is damaged too, set aside, or was made again with another length. ``ConsentError``, and no file
    stays, when a voice in it may speak no longer.
    """
    storage.check_room()
    _demand_voices(track)
    uses = track.renditions.select_related("rendition").order_by("position")
    if any(use.rendition.state != RenditionState.OK for use in uses):
        raise StorageCorrupt(f"A rendition of track {track.uid} is set aside.")
    cues = list(iter_cues(track.manifest))
    placements = tuple(
        Placement(_get_voice(track, entry), entry["start_ms"], entry["end_ms"])
        for entry in track.manifest["segments"]
    )
    waveforms = (load_waveform(use.rendition) for use in uses)
    try:
        levelled = level(lay_out(waveforms, placements, track.manifest["duration_ms"]))
    except ValueError as error:
        raise StorageCorrupt(f"Track {track.uid} cannot be made again: {error}") from error
    narration = track.narration
    identity = build_track_identity(str(narration.uid), track.plan_digest, track.stitch_version)
    sound = _Sound(levelled, cues, build_peaks(levelled.waveform))
    tags = _build_tags(narration, track.manifest)
    files = _store_files(identity, narration.language, sound, tags)
    with _forgetting(files), transaction.atomic():
        _demand_voices(track, lock=True)
        _repair_files(track, files)


def _demand_voices(track: Track, *, lock: bool = False) -> None:
    """``ConsentError`` unless all that are heard in a track may speak at all."""
    Voice.objects.filter(pk__in=track.voices.values("voice")).demand_consent(None, lock=lock)


@contextmanager
def _forgetting(files: Mapping[str, storage.StoredFile]) -> Iterator[None]:
    """Nobody is heard in files that were stored while their consent ended: those go again."""
    try:
        yield
    except ConsentError:
        names = {file.name for file in files.values()}
        rows = TrackFile.objects.filter(storage_name__in=names)
        for name in names - set(rows.values_list("storage_name", flat=True)):
            storage.delete(name)
        raise


def _get_voice(track: Track, entry: Mapping[str, Any]) -> str:
    name: str = track.manifest["voices"][entry["voice"]]["name"]
    return name


def _demand(wanted: Iterable[str], found: Collection[str]) -> None:
    """``StorageCorrupt`` unless each wanted rendition was found."""
    if missing := sum(digest not in found for digest in wanted):
        raise StorageCorrupt(f"{missing} rendition(s) are gone.", code="storage_missing")


def build_sound(plan: Plan, renditions: Mapping[str, Rendition]) -> _Sound:
    """Join, level, and tell when each segment sounds; one rendition in memory at a time."""
    audio = stitch(_iter_pieces(plan, renditions), plan.casting.gaps)
    levelled = level(audio)
    cues = [
        _build_cue(position, segment, placement)
        for position, (segment, placement) in enumerate(
            zip(plan.segments, audio.placements, strict=True)
        )
    ]
    return _Sound(levelled, cues, build_peaks(levelled.waveform))


def _iter_pieces(plan: Plan, renditions: Mapping[str, Rendition]) -> Iterator[Piece]:
    for segment in plan.segments:
        rendition = renditions[segment.digest]
        yield Piece(
            waveform=load_waveform(rendition),
            voice=segment.voice.name,
            role=segment.role,
            passage=str(segment.passage),
            pause_ms=segment.pause_ms or None,
            words=get_timings(rendition),
        )


def _build_cue(position: int, segment: PlannedSegment, placement: Placement) -> Cue:
    return Cue(
        position=position,
        anchor=segment.anchor,
        text=segment.display_text,
        start_ms=placement.start_ms,
        end_ms=placement.end_ms,
        role=segment.role,
        words=tuple(_iter_cue_words(segment, placement)),
    )


def _iter_cue_words(segment: PlannedSegment, placement: Placement) -> Iterator[CueWord]:
    """Times of written words: spoken words that stand for the same one are joined."""
    written = {(word.spoken_start, word.spoken_end): word for word in segment.spoken.words}
    last: CueWord | None = None
    for timing in placement.words:
        word = written.get((timing.spoken_start, timing.spoken_end))
        if word is None or word.start >= word.end:
            continue
        if last is not None and (last.start, last.end) == (word.start, word.end):
            last = CueWord(last.start, last.end, last.start_ms, timing.end_ms)
            continue
        if last is not None:
            yield last
        last = CueWord(word.start, word.end, timing.start_ms, timing.end_ms)
    if last is not None:
        yield last


def _build_manifest(narration: Narration, plan: Plan, sound: _Sound) -> dict[str, Any]:
    voices = list(dict.fromkeys(segment.voice.name for segment in plan.segments))
    engines = {segment.voice.name: segment.cast.facts.name for segment in plan.segments}
    return {
        "version": MANIFEST_VERSION,
        "language": narration.language,
        "duration_ms": sound.levelled.waveform.duration_ms,
        "loudness": sound.levelled.loudness.lufs,
        "true_peak_db": sound.levelled.loudness.true_peak_db,
        "shortfall_lu": sound.levelled.shortfall_lu,
        "synthetic": True,
        **list_duties(segment.cast for segment in plan.segments),
        "voices": [{"name": name, "engine": engines[name]} for name in voices],
        "segments": [
            {
                "position": cue.position,
                "anchor": cue.anchor,
                "offset": segment.anchor_offset,
                "role": str(cue.role),
                "text": cue.text,
                "text_key": segment.text_key,
                "occurrence": segment.occurrence,
                "voice": voices.index(segment.voice.name),
                "start_ms": cue.start_ms,
                "end_ms": cue.end_ms,
                "words": build_words(cue.words),
            }
            for cue, segment in zip(sound.cues, plan.segments, strict=True)
        ],
    }


def _build_tags(narration: Narration, manifest: Mapping[str, Any]) -> Tags | None:
    """Where listeners must be told, the file tells whoever has nothing but the file."""
    if not manifest.get("must_tell_listeners"):
        return None
    return Tags(language=narration.language, comment=say_synthetic(narration.language))


def _store_files(
    identity: str, language: str, sound: _Sound, tags: Tags | None
) -> dict[str, storage.StoredFile]:
    waveform = sound.levelled.waveform
    # The encoders leave the interpreter: side by side, an edit waits for the slower one alone.
    with ThreadPoolExecutor(2) as pool:
        mp3 = pool.submit(encode_mp3, waveform, tags)
        opus = pool.submit(encode_opus, waveform, tags)
    contents = {
        "mp3": mp3.result(),
        "opus": opus.result(),
        "vtt": build_webvtt(sound.cues, language=language).encode(),
        "peaks": sound.peaks.to_json(),
        "png": draw_waveform(sound.peaks),
    }
    return {
        name: storage.write("tracks", f"{identity}:{name}", get_extension(name), content)
        for name, content in contents.items()
    }


def _create_track(
    narration: Narration,
    plan: Plan,
    version: int,
    job: Job | None,
    manifest: dict[str, Any],
    files: Mapping[str, storage.StoredFile],
    renditions: Mapping[str, Rendition],
) -> Track:
    identity = {
        "narration": narration,
        "plan_digest": plan.digest,
        "stitch_version": STITCH_VERSION,
    }
    try:
        with transaction.atomic():
            voices = _lock_voices(plan)
            _demand(renditions, keep(renditions))  # none is pruned under our hands
            track = Track.objects.create(
                **identity,
                source_version=version,
                manifest=manifest,
                duration_ms=manifest["duration_ms"],
                loudness=manifest["loudness"],
                licences=list_licences(s.cast.facts for s in plan.segments),
                job=job,
            )
            _create_files(track, files)
            _name_voices(track, voices)
            TrackRendition.objects.bulk_create(
                [
                    TrackRendition(track=track, position=at, rendition=renditions[segment.digest])
                    for at, segment in enumerate(plan.segments)
                ],
                batch_size=BATCH,
            )
    except IntegrityError:
        track = Track.objects.get(**identity)
        with transaction.atomic():
            # The same sound may be another voice's by now, whose person consents.
            _name_voices(track, _lock_voices(plan))
            Track.objects.filter(pk=track.pk).update(manifest=manifest)
            _repair_files(track, files)
    return track


def _lock_voices(plan: Plan) -> list[Voice]:
    """Who speaks in a plan; ``ConsentError`` unless all may, until the transaction ends."""
    voices = Voice.objects.filter(pk__in={segment.voice.pk for segment in plan.segments})
    voices.demand_consent(plan.casting.scope_chain, lock=True)
    return list(voices)


def _name_voices(track: Track, voices: list[Voice]) -> None:
    track.voices.exclude(voice__in=voices).delete()
    rows = [TrackVoice(track=track, voice=voice) for voice in voices]
    TrackVoice.objects.bulk_create(rows, ignore_conflicts=True)


def _create_files(track: Track, files: Mapping[str, storage.StoredFile]) -> None:
    TrackFile.objects.bulk_create(
        [
            TrackFile(track=track, format=name, storage_name=f.name, sha256=f.sha256, size=f.size)
            for name, f in files.items()
        ]
    )


def _repair_files(track: Track, files: Mapping[str, storage.StoredFile]) -> None:
    """The track was there and its files were not whole, or gone: point it to the new ones."""
    for name, file in files.items():
        facts = {"storage_name": file.name, "sha256": file.sha256, "size": file.size}
        TrackFile.objects.update_or_create(
            track=track, format=name, defaults={**facts, "scrubbed_at": None}
        )
