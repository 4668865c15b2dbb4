"""Rows as a finished narration leaves them, without an engine: for the tests of what shows them."""

from __future__ import annotations

import datetime as dt
import hashlib

from django.contrib.contenttypes.models import ContentType

from narration import storage
from narration.manifests import build_media_url, get_extension
from narration.models import (
    Narration,
    Rendition,
    Segment,
    Track,
    TrackFile,
    TrackRendition,
    Voice,
)

#: 200 001 bytes: more than three blocks, no whole number of them, no two ranges alike.
AUDIO = b"".join(number.to_bytes(3, "big") for number in range(66667))
CONTENTS = {
    "mp3": AUDIO,
    "opus": b"OggS" + AUDIO[:1000],
    "vtt": "WEBVTT\n\n00:00.000 --> 00:01.000\nÁgua.\n".encode(),
    "peaks": b"[0,1]",
    "png": b"\x89PNG",
}


def make_narration(obj, language="en", *, plan="a" * 64):
    return Narration.objects.create(
        content_type=ContentType.objects.get_for_model(obj),
        object_id=str(obj.pk),
        language=language,
        plan_digest=plan,
        source_version=1,
        segments=1,
    )


def make_track(narration, *, published=True, plan="a" * 64):
    track = Track.objects.create(
        narration=narration,
        source_version=1,
        plan_digest=plan,
        stitch_version=1,
        manifest={"version": 1, "segments": [], "duration_ms": 1500},
        duration_ms=1500,
    )
    for name, content in CONTENTS.items():
        stored = storage.write("tracks", f"{track.uid}:{name}", get_extension(name), content)
        TrackFile.objects.create(
            track=track,
            format=name,
            storage_name=stored.name,
            sha256=stored.sha256,
            size=stored.size,
        )
    narration.draft_track = track
    narration.published_track = track if published else None
    narration.save(update_fields=["draft_track", "published_track"])
    return track


def make_rendition(text="It rained.", *, content=AUDIO[:9000]):
    voice, _ = Voice.objects.get_or_create(
        name="dummy:tone", defaults={"engine": "dummy", "engine_voice": "tone"}
    )
    digest = hashlib.sha256(text.encode()).hexdigest()
    stored = storage.write("renditions", digest, "flac", content)
    return Rendition.objects.create(
        digest=digest,
        digest_version=1,
        storage_name=stored.name,
        spoken_text=text,
        language="en",
        voice=voice,
        engine="dummy",
        sound_version=1,
        sha256=stored.sha256,
        size=stored.size,
        sample_rate=22050,
        duration_ms=1234,
        last_used_on=dt.date(2026, 1, 1),
    )


def make_segment(narration, rendition, position=0):
    return Segment.objects.create(
        narration=narration,
        position=position,
        text_key=f"{position:064d}",
        role="body",
        language=narration.language,
        anchor=f"p{position}-1",
        display_text=rendition.spoken_text,
        spoken_text=rendition.spoken_text,
        voice=rendition.voice,
        utterance_digest=rendition.digest,
    )


def use_rendition(track, rendition, position=0):
    return TrackRendition.objects.create(track=track, position=position, rendition=rendition)


def get_file(track, file_format="mp3"):
    return track.files.get(format=file_format)


def get_url(track, file_format="mp3"):
    return build_media_url("tracks", get_file(track, file_format).storage_name)
