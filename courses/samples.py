"""The demo: two courses written for this project, three users to try them as.

A text that a person edited is left alone; texts that only this module wrote follow the files.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.contrib.auth import get_user_model
from django.db import transaction

from courses import api
from courses.figures import DEMO
from courses.models import Course, LessonText, Membership, Role, Visibility


@dataclass(frozen=True)
class DemoUser:
    """Somebody to sign in as; ``role`` in both courses, "" for none."""

    name: str
    password: str
    role: str
    is_admin: bool = False


USERS = (
    DemoUser("admin", "demo-admin", "", is_admin=True),
    DemoUser("author", "demo-author", Role.OWNER),
    DemoUser("learner", "demo-learner", Role.LEARNER),
)


def load_demo(*, reset: bool = False) -> list[LessonText]:
    """Make or update users, courses and lessons; the texts of the demo in order.

    With ``reset`` edited texts and passwords become what they were; nothing is deleted.
    """
    users = [load_user(user, reset=reset) for user in USERS]
    texts: list[LessonText] = []
    for folder in sorted(path.parent for path in DEMO.glob("*/course.json")):
        texts.extend(
            load_course(json.loads((folder / "course.json").read_text("utf-8")), users, reset=reset)
        )
    return texts


def load_user(user: DemoUser, *, reset: bool) -> tuple[DemoUser, Any]:
    """The account of a demo user; an account that was there keeps its password unless reset."""
    account, is_new = get_user_model().objects.get_or_create(
        username=user.name, defaults={"is_staff": user.is_admin, "is_superuser": user.is_admin}
    )
    if is_new or reset:
        account.set_password(user.password)
        account.save(update_fields=["password"])
    return user, account


def load_course(
    facts: dict[str, Any], users: list[tuple[DemoUser, Any]], *, reset: bool
) -> Iterator[LessonText]:
    """One course and its lessons, yielded in order."""
    course, _created = Course.objects.get_or_create(
        slug=facts["slug"],
        defaults={
            "title": facts["title"],
            "language": facts["language"],
            "visibility": Visibility.PUBLIC,
        },
    )
    for user, account in users:
        if user.role:
            Membership.objects.get_or_create(
                course=course, user=account, defaults={"role": user.role}
            )
    for lesson in facts["lessons"]:
        yield load_lesson(course, lesson, reset=reset)


def load_lesson(course: Course, facts: dict[str, str], *, reset: bool) -> LessonText:
    """One lesson, published; its text follows the file as long as only this module wrote it."""
    language = course.language
    path = DEMO / language / facts["file"]
    text = find_text(course, facts["slug"]) or api.create_lesson(
        course,
        title=facts["title"],
        slug=facts["slug"],
        source_path=str(path.relative_to(DEMO.parent)),
    )
    if not reset and was_edited(text):
        return text
    with transaction.atomic():
        revision = text.save_revision(
            markdown=path.read_text("utf-8").strip() + "\n",
            title=facts["title"],
            author=None,
            expected_version=text.version,
        )
    if revision or not text.is_published:
        api.publish_text(text, user=None)
    return text


def find_text(course: Course, slug: str) -> LessonText | None:
    """The text of a demo lesson in the course's language."""
    texts = LessonText.objects.filter(lesson__course=course, lesson__slug=slug)
    return texts.filter(language=course.language).first()


def was_edited(text: LessonText) -> bool:
    """Whether a person wrote the newest version."""
    newest = text.revisions.filter(version=text.version).first()
    return newest is not None and bool(newest.author_name)
