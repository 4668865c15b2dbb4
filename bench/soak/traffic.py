"""Authors who write, edit, listen, publish and change their minds without a pause."""

import random
import time

from bench.narrating import build_text
from courses import api as courses
from courses.models import LessonText, Visibility
from narration import api
from narration.exceptions import ConflictError

#: One deed of an author in so many seconds: what two cores can narrate beside the deaths.
PAUSE_SECONDS = 0.5


class Authors:
    """New lessons, edits of old ones, publications; ``done`` counts them."""

    def __init__(self, author, seed: int):
        self.author = author
        self.rng = random.Random(seed)
        self.course = courses.create_course(
            author, title="Soak", language="en", visibility=Visibility.PUBLIC
        )
        self.texts: list[LessonText] = []
        self.done = {
            "lessons": 0, "edits": 0, "publications": 0, "auditions": 0, "cancelled": 0,
            "conflicts": 0,
        }  # fmt: skip

    def work(self, seconds: float) -> None:
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            deeds = (self.write, self.write, self.edit, self.edit, self.publish)
            self.rng.choice((*deeds, self.listen, self.cancel))()
            time.sleep(self.rng.uniform(0, 2 * PAUSE_SECONDS))

    def write(self) -> None:
        number = len(self.texts)
        text = courses.create_lesson(self.course, title=f"Lesson {number}")
        self.texts.append(text)
        self.done["lessons"] += 1
        self.save(text, build_text(self.rng.randint(3, 15), number + 1))

    def edit(self) -> None:
        if not self.texts:
            return
        text = self.rng.choice(self.texts)
        sentences = text.markdown.split(". ")
        at = self.rng.randrange(len(sentences))
        sentences[at] = f"Edited {self.rng.randrange(10**9)} in lesson {text.pk}"
        self.done["edits"] += 1
        self.save(text, ". ".join(sentences).rstrip(".") + ".")

    def publish(self) -> None:
        if not self.texts:
            return
        try:
            api.publish_narration(self.rng.choice(self.texts).lesson, language="en")
            self.done["publications"] += 1
        except ConflictError:
            self.done["conflicts"] += 1  # not ready yet, or edited since: refused as it must be

    def listen(self) -> None:
        """Hear a word before it is taught: a preview, beside whatever else is made."""
        try:
            api.request_audition(
                text=f"Word {self.rng.randrange(10**9)}.", language="en", scope_key="",
                user=self.author,
            )  # fmt: skip
            self.done["auditions"] += 1
        except ConflictError:
            self.done["conflicts"] += 1  # enough of them wait already

    def cancel(self) -> None:
        if self.texts:
            lesson = self.rng.choice(self.texts).lesson
            self.done["cancelled"] += api.cancel_jobs(lesson, language="en", user=self.author)

    def settle(self) -> None:
        """Whoever cancelled wants it after all."""
        for text in self.texts:
            api.request_narration(text.lesson, language="en")

    def save(self, text: LessonText, markdown: str) -> None:
        text.save_revision(
            markdown=markdown, title=text.title, author=self.author, expected_version=text.version
        )
        api.request_narration(text.lesson, language="en", publish=self.rng.random() < 0.5)
