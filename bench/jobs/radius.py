"""The blast radius: what is asked before a wording is changed, over many sentences."""

import time

from bench.jobs.clocks import count_queries, learn_sizes
from bench.jobs.scenes import write_course
from bench.report import tell
from narration import api
from narration.models import LexiconEntry, LexiconState, Segment, SpeechPolicy, Voice

SENTENCES = 99


def measure(author, lessons: int) -> None:
    """Lessons of a hundred sentences, a heading among them; nothing is changed."""
    _course, objects = write_course(author, "Radius", lessons, SENTENCES, heading="Chapter")
    course = api.get_scope_chain(api.get_own_scope(objects[0]))[1]
    voice = Voice.objects.create(name="radius", engine="dummy", engine_voice="low")
    high = Voice.objects.create(name="high", engine="dummy", engine_voice="high")
    casting = {"body": voice.name}
    SpeechPolicy.objects.create(scope_key=course, casting={"en": casting})
    began = time.perf_counter()
    for lesson in objects:
        api.refresh_plan(lesson, language="en")
    total = Segment.objects.filter(voice=voice).count()
    tell("plan: a sentence", 1000 * (time.perf_counter() - began) / total, "ms", total)
    learn_sizes()
    voice.settings = {"pace": 1.1}
    headings = api.get_policy(course, user=author)
    headings.casting = {"en": {**casting, "heading": high.name}}
    changes = {
        "an entry that nobody says": api.change_entry(build_entry(course, "zyzzyva")),
        "an entry that one lesson says": api.change_entry(build_entry(course, "Radius 0")),
        "an entry in one sentence of each": api.change_entry(build_entry(course, "number 3")),
        "an entry that all say": api.change_entry(build_entry(course, "number")),
        "another voice for headings": api.change_policy(headings),
        "a voice that speaks them all": api.change_voice(voice),
    }
    for name, change in changes.items():
        tell_radius(name, change, total)


def build_entry(scope_key: str, grapheme: str) -> LexiconEntry:
    return LexiconEntry(
        scope_key=scope_key,
        language="en",
        grapheme=grapheme,
        alias="something",
        state=LexiconState.ACTIVE,
    )


def tell_radius(name: str, change, total: int) -> None:
    began = time.perf_counter()
    radius = api.build_blast_radius(change)
    spent = time.perf_counter() - began
    tell(f"blast radius: {name}", spent, "s", total)
    tell(f"blast radius: {name}: sentences", radius.sentences, "sentences", total)
    queries = count_queries(lambda: api.build_blast_radius(change))
    tell(f"blast radius: {name}: queries", queries, "queries", total)
