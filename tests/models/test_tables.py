"""The tables hold what they promise, in the database itself."""

import uuid

import pytest
from django.contrib.contenttypes.models import ContentType
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.utils import timezone

from narration import models as tables
from narration.models import (
    Job,
    LexiconEntry,
    Narration,
    Override,
    Rendition,
    Segment,
    SpeechPolicy,
    Track,
    TrackRendition,
    Voice,
)
from tests.voices.scenes import make_consent

pytestmark = pytest.mark.django_db


@pytest.fixture
def voice():
    return Voice.objects.create(name="Low", engine="dummy", engine_voice="low", languages=["en"])


@pytest.fixture
def narration(note):
    content_type = ContentType.objects.get_for_model(note)
    return Narration.objects.create(content_type=content_type, object_id=note.pk, language="en")


def build_rendition(voice, **kwargs):
    facts = {
        "digest": "d" * 64,
        "digest_version": 1,
        "storage_name": "renditions/aa/a.flac",
        "spoken_text": "Hello.",
        "language": "en",
        "voice": voice,
        "engine": "dummy",
        "sound_version": 1,
        "sha256": "s" * 64,
        "size": 10,
        "sample_rate": 16000,
        "duration_ms": 500,
    }
    return Rendition(**{**facts, **kwargs})


def refuses(make):
    """The database, not a form, says no."""
    with pytest.raises(IntegrityError), transaction.atomic():
        make()


def test_every_table_has_a_unique_public_id():
    rows = [getattr(tables, name) for name in tables.__all__]
    rows = [row for row in rows if isinstance(row, type) and issubclass(row, tables.Row)]
    concrete = [row for row in rows if not row._meta.abstract]
    assert len(concrete) == 26
    assert all(row._meta.get_field("uid").unique for row in concrete)
    assert all(row._meta.pk.get_internal_type() == "BigAutoField" for row in concrete)


@pytest.mark.parametrize("kind", ["cloned", "human"])
def test_the_voice_of_a_person_needs_a_consent(kind):
    facts = {"engine": "dummy", "kind": kind}
    refuses(lambda: Voice.objects.create(name="No consent", **facts))
    assert Voice.objects.create(name="Consent", consent=make_consent(), **facts).pk


def test_choices_are_held_by_the_database(voice, narration):
    refuses(lambda: Voice.objects.filter(pk=voice.pk).update(kind="robot"))
    job = Job.objects.create(
        narration=narration, request_key="k", lane="cpu", queued_at=timezone.now()
    )
    refuses(lambda: Job.objects.filter(pk=job.pk).update(state="sleeping"))
    refuses(lambda: Job.objects.filter(pk=job.pk).update(kind="dance"))
    refuses(lambda: build_rendition(voice, state="lost").save())


def test_one_sound_for_one_digest(voice):
    build_rendition(voice).save()
    refuses(lambda: build_rendition(voice, storage_name="renditions/bb/b.flac").save())


def test_one_edition_of_an_object_in_a_language(narration):
    narration.pk, narration.uid = None, uuid.uuid4()
    refuses(lambda: narration.save(force_insert=True))


def test_one_waiting_job_for_a_request_and_one_running_for_a_narration(narration):
    now = timezone.now()
    first = Job.objects.create(narration=narration, request_key="k", lane="cpu", queued_at=now)
    refuses(
        lambda: Job.objects.create(narration=narration, request_key="k", lane="cpu", queued_at=now)
    )
    Job.objects.filter(pk=first.pk).update(state="running")
    second = Job.objects.create(narration=narration, request_key="k", lane="cpu", queued_at=now)
    refuses(lambda: Job.objects.filter(pk=second.pk).update(state="running"))
    Job.objects.filter(pk=first.pk).update(state="done")
    assert Job.objects.filter(pk=second.pk).update(state="running") == 1


def test_what_a_track_uses_cannot_be_deleted(voice, narration):
    rendition = build_rendition(voice)
    rendition.save()
    track = Track.objects.create(
        narration=narration,
        source_version=1,
        plan_digest="p",
        stitch_version=1,
        manifest={},
        duration_ms=1,
    )
    TrackRendition.objects.create(track=track, position=0, rendition=rendition)
    refuses(rendition.delete)
    refuses(voice.delete)


def test_lexicon_policy_and_override_keys_have_no_null(narration):
    entry = {"language": "en", "grapheme": "SQL", "alias": "sequel"}
    LexiconEntry.objects.create(**entry)
    refuses(lambda: LexiconEntry.objects.create(**entry))
    SpeechPolicy.objects.create()
    refuses(SpeechPolicy.objects.create)
    word = {"narration": narration, "text_key": "t", "kind": "take"}
    Override.objects.create(**word, value="1")
    refuses(lambda: Override.objects.create(**word, value="2"))


def test_a_segments_place_and_occurrence_are_its_own(narration, voice):
    segment = {
        "narration": narration,
        "role": "body",
        "language": "en",
        "display_text": "A.",
        "spoken_text": "A.",
        "voice": voice,
        "utterance_digest": "d",
    }
    Segment.objects.create(position=0, text_key="a", **segment)
    refuses(lambda: Segment.objects.create(position=0, text_key="b", **segment))
    refuses(lambda: Segment.objects.create(position=1, text_key="a", **segment))
    assert Segment.objects.create(position=1, text_key="a", occurrence=1, **segment).pk


def test_a_changed_voice_or_policy_raises_its_version(voice):
    voice.settings = {"pace": 1.2}
    voice.save()
    assert Voice.objects.get().version == 2
    policy = SpeechPolicy.objects.create()
    policy.gaps = {"sentence_ms": 200}
    policy.save()
    assert SpeechPolicy.objects.get().version == 2


@pytest.mark.parametrize(
    "key", ["courses", "testapp.note:", "testapp.note:abc", "testapp.note:01", "no.such:1", ":1"]
)
def test_scopes_are_written_in_one_way(key):
    for row in (SpeechPolicy(scope_key=key), LexiconEntry(scope_key=key, grapheme="a", alias="b")):
        with pytest.raises(ValidationError) as refusal:
            row.full_clean()
        assert "scope_key" in refusal.value.message_dict


def test_policies_are_objects_of_the_right_shape():
    empty = SpeechPolicy(casting=None, gaps=None, rules=None, quotas=None)
    empty.full_clean()
    assert (empty.casting, empty.gaps, empty.rules, empty.quotas) == ({}, {}, {}, {})
    for fields in ({"casting": {"en": {"body": [1]}}}, {"quotas": {"characters_a_day": "many"}}):
        with pytest.raises(ValidationError):
            SpeechPolicy(**fields).full_clean()
