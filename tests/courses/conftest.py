"""A course with its people: everybody who might knock at a page."""

from __future__ import annotations

import pytest

from courses import api
from courses.models import Course, Membership, Role, Visibility

PASSWORD = "a-password-for-tests"


@pytest.fixture(autouse=True)
def static_root(settings, tmp_path):
    """A folder that is there: the middleware that serves files warns of a missing one."""
    settings.STATIC_ROOT = tmp_path


@pytest.fixture
def make_user(django_user_model):
    def make(name, **fields):
        return django_user_model.objects.create_user(name, password=PASSWORD, **fields)

    return make


@pytest.fixture
def author(make_user):
    return make_user("author")


@pytest.fixture
def course(author):
    return api.create_course(author, title="Rivers", language="en", visibility=Visibility.PUBLIC)


@pytest.fixture
def join(make_user):
    """Join a course in a role under a new name."""

    def add(course: Course, name: str, role: str = Role.LEARNER):
        user = make_user(name)
        Membership.objects.create(course=course, user=user, role=role)
        return user

    return add


@pytest.fixture
def write():
    """Save a new version of a text on top of the newest."""

    def save(text, markdown, *, author=None, title=""):
        text.save_revision(
            markdown=markdown,
            title=title or text.title,
            author=author,
            expected_version=text.version,
        )
        return text

    return save


@pytest.fixture
def text(course, author, write):
    """A lesson with one saved, unpublished version."""
    created = api.create_lesson(course, title="The source")
    return write(created, "A river begins *small*.\n\nThen it grows.\n", author=author)


@pytest.fixture
def published(text, author):
    api.publish_text(text, user=author)
    return text
