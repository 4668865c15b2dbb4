"""The promise, line by line, on the demo lesson of more than 150 sentences."""

import re

import pytest

from narration import api
from narration.models import Segment, Voice
from tests.helpers import LONG_LESSON, count_sound, get_narration, narrate
from tests.testapp.models import Note

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.xdist_group("promise")]


# A hundred and fifty sentences of it are enough; each test narrates them.
BODY = LONG_LESSON.read_text()
BODY = BODY[: BODY.index("\n\n", len(BODY) * 50 // 100) + 1]


@pytest.fixture
def lesson(owner):
    """The long lesson, narrated once."""
    note = Note.objects.create(title="Sound in numbers", owner=owner, body=BODY)
    job = narrate(note)
    assert (job.state, job.error) == ("done", "")
    assert job.total >= 150
    assert job.synthesized == job.total
    return note


def test_nothing_changed_costs_nothing(lesson):
    before = count_sound()
    assert api.estimate_narration(lesson, language="en").missing == 0
    job = narrate(lesson)
    assert (job.state, job.synthesized, job.reused) == ("done", 0, job.total)
    assert count_sound() == before


def test_what_is_not_spoken_costs_nothing(lesson):
    """Title, bold, link target and white space: no synthesis and no new track."""
    before = count_sound()
    bold = re.sub(r"^(The|A) (\w+)", r"\1 **\2**", BODY, flags=re.MULTILINE)
    links = re.sub(r"\]\(http[^)]+\)", "](https://example.org/elsewhere)", bold)
    spaced = links.replace("\n\n", "\n\n\n").replace(". ", ".  ")
    assert bold != BODY
    assert links != bold
    lesson.title = "Another title"
    lesson.edit(spaced)
    assert api.estimate_narration(lesson, language="en").missing == 0
    job = narrate(lesson)
    assert (job.state, job.synthesized) == ("done", 0)
    assert count_sound() == before


def test_one_sentence_changed_costs_one(lesson):
    renditions, tracks = count_sound()
    sentence = Segment.objects.filter(role="body").order_by("position")[20].display_text
    lesson.edit(lesson.body.replace(sentence, "This sentence is new.", 1))
    assert api.estimate_narration(lesson, language="en").missing == 1
    job = narrate(lesson)
    assert (job.state, job.synthesized) == ("done", 1)
    assert count_sound() == (renditions + 1, tracks + 1)


def test_paragraphs_reordered_cost_no_synthesis_and_a_new_track(lesson):
    renditions, tracks = count_sound()
    blocks = lesson.body.split("\n\n")
    plain = [at for at, block in enumerate(blocks) if block[:1].isalpha() and len(block) > 80]
    first, second = plain[3], plain[5]
    blocks[first], blocks[second] = blocks[second], blocks[first]
    lesson.edit("\n\n".join(blocks))
    assert api.estimate_narration(lesson, language="en").missing == 0
    job = narrate(lesson)
    assert (job.state, job.synthesized) == ("done", 0)
    assert count_sound() == (renditions, tracks + 1)


def test_a_sentence_spoken_in_another_lesson_costs_nothing(lesson, owner):
    said = Segment.objects.filter(role="body").order_by("position")[10].display_text
    other = Note.objects.create(title="Another", owner=owner, body=f"{said}\n\nOnly here.\n")
    assert api.estimate_narration(other, language="en").missing == 1
    job = narrate(other)
    assert (job.state, job.synthesized, job.reused) == ("done", 1, 1)


def test_a_voice_setting_costs_all_of_that_voice(lesson):
    voice = Voice.objects.get()
    voice.settings = {"pace": 1.5}
    voice.save()
    api.refresh_plan(lesson, language="en")
    total = api.estimate_narration(lesson, language="en").missing
    job = narrate(lesson)
    assert (job.state, job.synthesized, job.total) == ("done", total, total)


def test_a_setting_at_its_default_costs_nothing(lesson):
    voice = Voice.objects.get()
    voice.settings = {"pace": 1.0}
    voice.save()
    job = narrate(lesson)
    assert (job.state, job.synthesized) == ("done", 0)


def test_an_estimate_asks_no_engine(lesson, monkeypatch):
    def refuse(*_args, **_kwargs):
        raise AssertionError("an engine was started")

    monkeypatch.setattr("narration.speaking.client.EngineProcess.start", refuse)
    lesson.edit(lesson.body + "\n\nOne sentence more.\n")
    estimate = api.estimate_narration(lesson, language="en")
    assert estimate.missing == 1
    assert estimate.characters == len("One sentence more.")
    assert get_narration(lesson).segments == estimate.segments
