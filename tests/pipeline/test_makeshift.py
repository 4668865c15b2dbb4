"""What was spoken as memory ran out is no longer what it would be with room: it is said so."""

from __future__ import annotations

import pytest

from narration import api
from narration.models import Rendition, Segment
from narration.pipeline.doubts import HEARD
from narration.pipeline.renditions import load_waveform
from tests.helpers import narrate
from tests.testapp.models import Note
from tests.views.test_panel import get_page

pytestmark = pytest.mark.django_db(transaction=True)

LONG = "The river rose at night, and nobody in the village heard it come."


@pytest.fixture
def let(settings, tmp_path, no_engines):
    """The card has room for so many characters from now on, None for any."""
    room = tmp_path / "room"

    def let(characters, **more):
        options = {"room": str(room), "ms_per_character": 8, **more}
        engine = {"BACKEND": "tests.pipeline.tight.TightEngine", "OPTIONS": options}
        settings.NARRATION = {**settings.NARRATION, "ENGINES": {"dummy": engine}}
        room.unlink(missing_ok=True)
        if characters is not None:
            room.write_text(str(characters))

    return let


@pytest.fixture
def note(owner):
    return Note.objects.create(title="Rain", owner=owner, body=f"It rained. {LONG}")


def get(take=0):
    return Rendition.objects.get(spoken_text=LONG, take=take)


@pytest.mark.parametrize(
    ("room", "more", "code", "device"),
    [(45, {}, "split", "card:1"), (10, {"allow_cpu": True}, "on_cpu", "cpu")],
)
def test_it_is_stored_flagged_and_told_in_plain_words(
    note, owner, client, let, room, more, code, device
):
    let(room, **more)
    assert narrate(note).state == "done"
    made = get()
    assert (made.verdict, made.device) == ("flagged", device)
    assert [finding["code"] for finding in made.gate["findings"]] == [code]
    assert "attempts" not in made.gate  # at once there is no more room
    assert api.state_of(note, language="en").flagged == 1
    client.force_login(owner)
    page = get_page(client, "segments", note)
    assert f"This may sound wrong. {HEARD[code]}".replace("'", "&#x27;") in page
    assert page.count("to be heard") == 1


def test_a_retake_with_room_is_whole_and_leaves_no_mark(note, let):
    let(45)
    narrate(note)
    let(None)
    position = Segment.objects.get(display_text=LONG).position
    api.retake_segment(note, language="en", position=position)
    assert api.estimate_narration(note, language="en").missing == 1
    job = narrate(note)
    assert (job.state, job.synthesized) == ("done", 1)
    assert (get(1).verdict, get(1).gate["findings"]) == ("ok", [])
    assert get(1).duration_ms > get().duration_ms  # the pieces have no white space between them
    assert api.state_of(note, language="en").flagged == 0


def test_what_was_made_stays_as_it_is_and_flagged_wherever_it_is_said(note, owner, let):
    """Sound that somebody may have published is not exchanged under them."""
    let(45)
    narrate(note)
    before = load_waveform(get()).samples.tobytes()
    let(None)
    other = Note.objects.create(title="Other", owner=owner, body=LONG)
    assert narrate(other).state == "done"
    assert narrate(note).synthesized == 0
    assert load_waveform(get()).samples.tobytes() == before
    assert api.state_of(other, language="en").flagged == 1


def test_with_room_nothing_is_flagged(note, let):
    let(None, allow_cpu=True)
    narrate(note)
    assert (get().verdict, get().device) == ("ok", "card:1")
