"""Lessons of any number of sentences, each different, of the lengths that real lessons have."""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Any

from courses import api as courses
from courses.models import Course, LessonText, Visibility
from narration import api, runner

SUBJECTS = ("The river", "A careful reader", "Every bridge", "The second wave", "Our teacher")
VERBS = ("carries", "describes", "measures", "reaches", "changes", "remembers")
OBJECTS = ("the old harbour", "a quiet valley", "twelve small boats", "the long answer", "light")
ENDINGS = (
    "before the morning train arrives",
    "while the children listen",
    "because nobody has counted it yet",
    "and leaves the rest for another day, when there is more time and the weather is better",
)
PARAGRAPH, SECTION = 4, 12


def build_lesson(sentences: int, seed: int) -> list[str]:
    """Sentences that differ from each other and from those of every other seed."""
    draw = random.Random(seed)
    return [_build_sentence(draw, f"{_spell(seed)} {_spell(at)}") for at in range(sentences)]


def build_markdown(sentences: list[str]) -> str:
    """A text of exactly these sentences: headings, paragraphs, now and then a list."""
    return "\n\n".join(_iter_blocks(sentences)) + "\n"


def create_course(owner: Any) -> Course:
    """A public course."""
    return courses.create_course(owner, title="Bench", language="en", visibility=Visibility.PUBLIC)


def create_text(course: Course, markdown: str) -> LessonText:
    """A lesson of the course with a first version of its text."""
    title = f"Lesson {course.lessons.count() + 1}"
    text = courses.create_lesson(course, title=title)
    save_text(text, markdown)
    return text


def save_text(text: LessonText, markdown: str) -> None:
    """Another version."""
    text.save_revision(
        markdown=markdown, title=text.title, author=None, expected_version=text.version
    )


def narrate(text: LessonText) -> Any:
    """Request, work off in this process, publish; the job. ``RuntimeError`` when it is not done."""
    job = api.request_narration(text.lesson, language=text.language, publish=True)
    runner.run_lane(job.lane, seconds=600)
    job.refresh_from_db()
    if job.state != "done":
        raise RuntimeError(f"The job ended as {job.state}: {job.error}")
    return job


def _build_sentence(draw: random.Random, name: str) -> str:
    subject, verb = draw.choice(SUBJECTS), draw.choice(VERBS)
    return f"{subject} of {name} {verb} {draw.choice(OBJECTS)} {draw.choice(ENDINGS)}."


def _spell(number: int) -> str:
    """A pronounceable name for a number, so that sentences differ and hold no digits."""
    syllables = [a + b for a in "bdglmnrstv" for b in "aeiou"]
    name = ""
    while number or not name:
        number, at = divmod(number, len(syllables))
        name = syllables[at] + name
    return name.capitalize() + "n"


def _iter_blocks(sentences: list[str]) -> Iterator[str]:
    at = 0
    while at < len(sentences):
        if at % SECTION == 0:
            yield f"## {sentences[at].rstrip('.')}"
            at += 1
            continue
        end = min(at + PARAGRAPH, at - at % SECTION + SECTION)
        block = sentences[at:end]
        is_list = (at // SECTION) % 3 == 2
        yield "\n".join(f"- {item}" for item in block) if is_list else " ".join(block)
        at = end
