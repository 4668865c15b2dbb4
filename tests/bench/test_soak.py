"""A soak is worth what its verdict finds: each fault is planted once."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest
from django.core.files.storage import storages

from bench.soak import verdict
from narration.models import Event, Job, Rendition, Track
from tests.helpers import narrate

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def soaked(note, tmp_path):
    """A text as the soak sees it, narrated, and what its engines wrote down."""
    narrate(note)
    log = tmp_path / "spoken"
    log.write_text("\n".join(Rendition.objects.values_list("digest", flat=True)))
    text = SimpleNamespace(
        pk=note.pk, lesson=note, version=note.version, refresh_from_db=lambda: None
    )
    return text, log


def judge(soaked, *, deaths=0):
    text, log = soaked
    return list(verdict.find_violations([text], log, deaths))


def test_what_is_whole_has_no_violation(soaked):
    assert judge(soaked) == []


@pytest.mark.parametrize(
    ("plant", "words"),
    [
        (lambda text, log: Job.objects.update(state="failed"), "is failed"),
        (lambda text, log: Job.objects.update(state="cancelled"), "is cancelled"),
        (lambda text, log: setattr(text, "version", 2), "newest text is not narrated"),
        (lambda text, log: Event.objects.all().delete(), "events tell"),
        (lambda text, log: _leave_file(), "temporary file"),
        (lambda text, log: log.write_text("a b"), "no engine spoke"),
        (lambda text, log: log.write_text(f"{log.read_text()}\n" * 2), "spoken again"),
    ],
)
def test_a_planted_fault_is_found(soaked, plant, words):
    plant(*soaked)
    assert any(words in violation for violation in judge(soaked))


def test_a_death_explains_what_was_in_hand_and_no_more(soaked):
    _text, log = soaked
    lines = log.read_text().split()
    log.write_text("\n".join([*lines, *lines[:4]]))
    assert len(judge(soaked)) == 1
    assert judge(soaked, deaths=1) == []


def test_sound_that_differs_from_peace_is_found(soaked, monkeypatch):
    text, _log = soaked
    monkeypatch.setattr("bench.soak.verdict.bell.ring", lambda _lane: None)
    assert list(verdict.compare_with_peace([text])) == []
    Rendition.objects.filter(pk=Rendition.objects.first().pk).update(sha256="0" * 64)
    manifest = Track.objects.first().manifest
    Track.objects.update(manifest={**manifest, "segments": manifest["segments"][:-1]})
    found = list(verdict.compare_with_peace([text]))
    assert [words.split()[0] for words in found] == ["lesson", "rendition"]


def _leave_file():
    (Path(storages["narration"].base_location) / ".partial-1").touch()
