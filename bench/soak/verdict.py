"""What must be true when the last job has ended, whatever was killed."""

import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from django.core.files.storage import storages
from django.db.models import Q

from narration import api, runner, storage
from narration.models import Event, Job, Narration, Rendition, SynthesisFailure, Track, TrackFile
from narration.queue import bell

#: A death takes along what each of two workers had in hand: a sentence spoken, one lined up.
IN_HAND = 4


def wait_for_the_end(seconds: float) -> bool:
    """Whether every job has ended in time."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if not Job.objects.active().exists():
            return True
        time.sleep(0.5)
    return False


def find_violations(texts, log: Path, deaths: int) -> Iterator[str]:
    """In words; none when nothing was lost, doubled or left behind."""
    jobs = Job.objects.exclude(state="done")
    asked = jobs.filter(state="cancelled").filter(
        Q(cancel_requested=True) | Q(error_code="superseded")
    )
    for job in jobs.exclude(pk__in=asked.values("pk")):
        yield f"job {job.pk} is {job.state}: {job.error_code} {job.error}"
    for text in texts:
        text.refresh_from_db()
        narration = api.find_narration(text.lesson, language="en")
        if narration.source_version != text.version or not narration.has_current(
            narration.draft_track
        ):
            yield f"lesson {text.pk}: the newest text is not narrated"
    told = Event.objects.filter(kind="job_done", job__kind="narrate")
    if told.count() != Job.objects.filter(state="done", kind="narrate").count():
        yield f"{told.count()} events tell of a job's end, which is not the number of jobs done"
    if list(Path(storages["narration"].base_location).rglob(".partial-*")):
        yield "a temporary file is left"
    spoken = count_spoken(log)
    if len(spoken) < Rendition.objects.count():
        yield "there is sound that no engine spoke"
    twice = count_twice(spoken)
    if twice > IN_HAND * deaths:
        yield f"{twice} sentences were spoken again, more than {deaths} deaths explain"


def count_spoken(log: Path) -> Counter[str]:
    return Counter(log.read_text().split())


def count_twice(spoken: Counter[str]) -> int:
    return spoken.total() - len(spoken)


def compare_with_peace(texts) -> Iterator[str]:
    """Narrate the same texts again with nobody disturbing, and compare every file and cue."""
    disturbed = {text.pk: hear(text) for text in texts}
    checksums = dict(Rendition.objects.values_list("digest", "sha256"))
    Narration.objects.update(draft_track=None, published_track=None)
    for model in (Track, Rendition, SynthesisFailure):
        model.objects.all().delete()
    bell.ring = lambda _lane: None
    for text in texts:
        api.request_narration(text.lesson, language="en")
    runner.run_lane("cpu", seconds=3600)
    for text in texts:
        if hear(text) != disturbed[text.pk]:
            yield f"lesson {text.pk} sounds otherwise than in peace"
    for digest, sha256 in Rendition.objects.values_list("digest", "sha256"):
        if checksums.get(digest) != sha256:
            yield f"rendition {digest[:12]} is not that of an undisturbed run"


def hear(text):
    """Cues and audio files of a lesson's draft, each file read and verified."""
    track = api.find_narration(text.lesson, language="en").draft_track
    if track is None:
        return None
    files = list(TrackFile.objects.filter(track=track).order_by("format"))
    for file in files:
        storage.read(storage.StoredFile(file.storage_name, file.size, file.sha256))
    return track.manifest["segments"], [(file.format, file.sha256) for file in files]
