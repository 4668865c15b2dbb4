"""Bad sentences, damaged files, texts that change under a running job."""

from __future__ import annotations

import pytest

from narration import api
from narration.models import Job, Rendition, Track
from tests.helpers import get_narration

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.cluster,
    pytest.mark.xdist_group("cluster"),
]


def test_sentences_that_crash_or_hang_the_engine(scene):
    scene.narration = {"DEADLINE_BASE_SECONDS": 3}
    scene.dummy |= {"crash_on": "crash", "hang_on": "hang"}
    bad = scene.write_lesson(body="It begins.\n\nThey crash.\n\nThey hang.\n\nIt ends.")
    good = scene.write_lesson("good", sentences=5)
    with scene.cluster() as troupe:
        before = troupe.wait_whole()
        partial = scene.request(bad, publish=True)
        scene.finish(partial)
        assert (partial.state, partial.synthesized, partial.failed) == ("partial", 2, 2)
        codes = dict(partial.errors.values_list("text", "code"))
        assert codes == {"They crash.": "engine_crashed", "They hang.": "engine_hung"}
        assert not Track.objects.exists()
        assert api.state_of(bad, language="en").status == "partial"
        done = scene.request(good)
        scene.finish(done)
        assert troupe.wait_whole() == before  # no worker died of it
    partial.delete()
    scene.assert_whole(good, besides=["It begins.", "It ends."])


def test_damaged_renditions_are_made_again_and_never_served(scene):
    lesson = scene.write_lesson(sentences=6)
    with scene.cluster():
        scene.finish(scene.request(lesson))
        flipped, cut, gone = Rendition.objects.order_by("pk")[:3]
        Track.objects.all().delete()
        for rendition in (flipped, cut, gone):
            path = scene.files / rendition.storage_name
            content = path.read_bytes()
            path.unlink()
            if rendition is flipped:
                path.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
            elif rendition is cut:
                path.write_bytes(content[:-9])
        again = scene.request(lesson)
        scene.finish(again)
        assert again.synthesized == 3
    spoken = scene.count_spoken()
    assert {text for text, count in spoken.items() if count > 1} == {
        rendition.spoken_text for rendition in (flipped, cut, gone)
    }
    scene.assert_whole(lesson, made_again=3)


def test_a_text_edited_and_one_unpublished_while_they_are_narrated(scene):
    newer = "\n\n".join(["A new beginning.", *(f"Sentence {n} of both." for n in range(1, 12))])
    scene.rehearse(newer)
    edited = scene.write_lesson(body=newer.replace("A new", "An old"))
    hidden = scene.write_lesson("hidden", sentences=12)
    scene.dummy["delay_ms"] = 120
    with scene.cluster():
        jobs = [scene.request(edited, publish=True), scene.request(hidden, publish=True)]
        scene.wait_made(8)
        edited.edit(newer)
        type(hidden).objects.filter(pk=hidden.pk).update(is_public=False, public_version=None)
        scene.finish(*jobs)
    assert [job.state for job in jobs] == ["done", "done"]
    edited.refresh_from_db()
    # What was asked to be published is not what is there now: the newer text waits as a draft.
    assert edited.public_version is None
    assert get_narration(edited).published_track is None
    assert get_narration(edited).draft_track.source_version == 2
    assert Job.objects.count() == 2
    scene.assert_whole(edited, hidden, besides=["An old beginning."])
