"""What learners hear, measured in the files they get: espeak-ng through the whole pipeline."""

from itertools import pairwise

import numpy as np
import pytest

from narration import storage
from narration.audio.codec import decode
from narration.audio.loudness import measure
from narration.models import TrackFile
from tests.helpers import get_narration, narrate
from tests.testapp.models import Note

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.xdist_group("sound")]

TEXTS = {
    "en": "# Rain\n\nIt rained on 3 May 2026. The **river** rose by 12 cm, and people came.\n\n"
    "- First item.\n- Second item.\n\n> Who measures the rain?\n\nShe said so. It rained again.\n",
    "pt-BR": "# Chuva\n\nChoveu no dia 3 de maio de 2026. O **rio** subiu 12 cm, e veio gente.\n\n"
    "- Primeiro item.\n- Segundo item.\n\n> Quem mede a chuva?\n\nEla disse. Choveu de novo.\n",
}


@pytest.fixture(params=["en", "pt-BR"])
def track(request, owner, settings):
    """A short lesson spoken by espeak-ng."""
    voices = {"en": "espeak:en-us", "pt-BR": "espeak:pt-br"}
    settings.NARRATION = {**settings.NARRATION, "DEFAULT_VOICES": voices}
    language = request.param
    note = Note.objects.create(title="x", owner=owner, body=TEXTS[language], language=language)
    job = narrate(note, language=language)
    assert (job.state, job.error) == ("done", "")
    return get_narration(note, language).draft_track


def load(track, name, form):
    row = TrackFile.objects.get(track=track, format=name)
    return decode(storage.read(storage.StoredFile(row.storage_name, row.size, row.sha256)), form)


def find_onset(samples, rate, start_ms, end_ms):
    """Milliseconds from the cue to the first sample above a hundredth of the sentence's peak."""
    first = max(0, (start_ms - 100) * rate // 1000)
    stretch = np.abs(samples[first : end_ms * rate // 1000])
    loud = np.flatnonzero(stretch > stretch.max() / 100)
    return (first + int(loud[0])) * 1000 / rate - start_ms


@pytest.mark.parametrize(("name", "form"), [("mp3", "mp3"), ("opus", "ogg")])
def test_each_sentence_starts_within_10_ms_of_its_cue(track, name, form):
    sound = load(track, name, form)
    segments = track.manifest["segments"]
    offsets = [
        find_onset(sound.samples, sound.sample_rate, s["start_ms"], s["end_ms"]) for s in segments
    ]
    assert len(offsets) == 8
    assert max(map(abs, offsets)) <= 10, offsets


def test_the_gaps_are_silent_and_shaped_by_structure(track):
    sound = load(track, "mp3", "mp3")
    segments = track.manifest["segments"]
    pairs = list(pairwise(segments))
    gaps = {(a["role"], b["role"], b["start_ms"] - a["end_ms"]) for a, b in pairs}
    assert ("heading", "body", 600) in gaps
    assert ("list_item", "list_item", 450) in gaps
    assert ("body", "body", 300) in gaps
    assert segments[0]["start_ms"] == 500
    assert abs(track.duration_ms - segments[-1]["end_ms"] - 500) <= 1
    for before, after in pairs:
        middle = (before["end_ms"] + after["start_ms"]) // 2
        at = slice(
            (middle - 50) * sound.sample_rate // 1000, (middle + 50) * sound.sample_rate // 1000
        )
        assert np.abs(sound.samples[at]).max() < 0.002


def test_loudness_meets_the_target_or_tells_its_shortfall(track):
    loudness = measure(load(track, "mp3", "mp3"))
    told = track.manifest
    assert loudness.lufs == pytest.approx(told["loudness"], abs=0.6)
    assert told["true_peak_db"] <= -1.0
    assert told["loudness"] + told["shortfall_lu"] == pytest.approx(-19, abs=0.3)


def test_written_words_light_up_in_order(track):
    for segment in track.manifest["segments"]:
        words = segment["words"]
        assert words, segment["text"]
        assert words[0][0] == 0 or not segment["text"][0].isalnum()
        starts = [word[0] for word in words]
        assert starts == sorted(starts)
        for start, end, start_ms, end_ms in words:
            assert 0 <= start < end <= len(segment["text"])
            assert segment["start_ms"] <= start_ms <= end_ms <= segment["end_ms"]


def test_captions_carry_the_written_text(track):
    row = TrackFile.objects.get(track=track, format="vtt")
    content = storage.read(storage.StoredFile(row.storage_name, row.size, row.sha256)).decode()
    assert content.startswith("WEBVTT")
    assert "12 cm" in content.replace("\n", " ")


def test_there_is_a_picture_of_the_sound(track):
    row = TrackFile.objects.get(track=track, format="png")
    content = storage.read(storage.StoredFile(row.storage_name, row.size, row.sha256))
    assert content.startswith(b"\x89PNG")
