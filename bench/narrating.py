"""The espeak path: speed, parts, growth, and what an edit costs."""

import random
import time

from bench.clock import read_engine_cpu, timed_parts
from bench.report import tell
from courses import api as courses
from courses.models import Visibility
from narration import api, runner

WORDS = """
    river water hill boat rain stone cold clear people bridge summer winter morning light sound
    travels carries measures begins grows meets crosses reaches across under between slowly often
""".split()  # noqa: SIM905 - a list of words is read as words


def build_text(count: int, seed: int) -> str:
    """``count`` different sentences of about 75 characters, in paragraphs of five."""
    rng = random.Random(seed)
    sentences = [
        f"The {' '.join(rng.choice(WORDS) for _ in range(rng.randint(7, 14)))} number {n}."
        for n in range(count)
    ]
    return "\n\n".join(" ".join(sentences[at : at + 5]) for at in range(0, count, 5))


def make_text(author, course, count: int):
    text = courses.create_lesson(course, title=f"Lesson of {count}")
    return save(text, build_text(count, count), author)


def save(text, markdown: str, author):
    text.save_revision(
        markdown=markdown, title=text.title, author=author, expected_version=text.version
    )
    return text


def narrate(text):
    """The job as it ended, wall seconds, CPU seconds of ours and of the engine."""
    wall, ours, engine = time.perf_counter(), time.process_time(), read_engine_cpu()
    job = api.request_narration(text.lesson, language="en")
    runner.run_lane("cpu", seconds=3600)
    job.refresh_from_db()
    assert job.state == "done", (job.state, job.error)
    wall = time.perf_counter() - wall
    return job, wall, time.process_time() - ours, read_engine_cpu() - engine


def measure(author, counts: list[int]):
    """Narrate lessons of these lengths, then edit one sentence of the longest."""
    course = courses.create_course(
        author, title="Bench", language="en", visibility=Visibility.PUBLIC
    )
    narrate(make_text(author, course, 3))  # warm
    walls = {}
    for count in counts:
        text = make_text(author, course, count)
        with timed_parts() as spent:
            job, walls[count], ours, engine = narrate(text)
        assert job.synthesized == count
        audio = job.audio_ms / 1000
        tell("time", walls[count], "s", count)
        tell("audio per wall second", audio / walls[count], "s/s", count)
    tell("audio per CPU second", audio / (ours + engine), "s/s", count)
    tell("CPU share: engine", 100 * engine / audio, "% of audio", count)
    tell("CPU share: everything else", 100 * ours / audio, "% of audio", count)
    for part, seconds in spent.items():
        tell(f"CPU share: {part}", 100 * seconds / audio, "% of audio", count)
    small, large = counts[-2:]
    tell("growth", (walls[large] / large) / (walls[small] / small), f"t({large}) : t({small})")
    measure_edits(author, text, count, walls[count])
    return text


def measure_edits(author, text, count: int, full: float) -> None:
    job, wall, _ours, _engine = narrate(text)
    tell("unchanged: syntheses", job.synthesized, "syntheses", count)
    tell("unchanged: time", wall, "s", count)
    markdown = text.markdown.replace("number 3.", "number three hundred and three.")
    save(text, markdown, author)
    with timed_parts() as spent:
        job, wall, _ours, _engine = narrate(text)
    tell("one edit: syntheses", job.synthesized, "syntheses", count)
    tell("one edit: time", wall, "s", count)
    tell("one edit: share of the whole", 100 * wall / full, "%", count)
    for part in ("stitch", "loudness", "mp3", "opus"):
        tell(f"one edit: {part}", spent[part], "CPU s", count)
    api.publish_narration(text.lesson, language="en")
