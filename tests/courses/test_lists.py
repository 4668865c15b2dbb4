"""A list costs the same number of queries however long it is."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from courses import api
from courses.models import Course, Lesson, LessonRevision, LessonText
from narration.sources import get_scope_key

pytestmark = pytest.mark.django_db


def add_lessons(course, count):
    """Published lessons in two languages, written straight into the tables."""
    start = Lesson.objects.count()
    lessons = Lesson.objects.bulk_create(
        Lesson(course=course, slug=f"l{start + n}", position=start + n) for n in range(count)
    )
    texts = LessonText.objects.bulk_create(
        LessonText(lesson=lesson, language=language, title=lesson.slug, version=1)
        for lesson in lessons
        for language in ("en", "pt-BR")
    )
    revisions = LessonRevision.objects.bulk_create(
        LessonRevision(text=text, version=1, title=text.title) for text in texts
    )
    for text, revision in zip(texts, revisions, strict=True):
        text.published_revision = revision
    LessonText.objects.bulk_update(texts, ["published_revision"])


def count_queries(client, url):
    with CaptureQueriesContext(
        connection,
    ) as queries:
        assert client.get(url).status_code == 200
    return len(queries)


PAGES = {
    "author-course": lambda course: reverse("courses:author-course", args=[course.slug]),
    "author": lambda course: reverse("courses:author"),
    "course": lambda course: reverse("courses:course", args=[course.slug]),
    "home": lambda course: reverse("courses:home"),
    "lesson": lambda course: reverse("courses:lesson", args=[course.slug, "l0"]),
    "admin": lambda course: reverse("admin:courses_lesson_changelist"),
}


def test_texts_in_two_languages_are_no_two_lessons(client, course, author):
    client.force_login(author)
    api.create_lesson(course, title="Springs")
    page = client.get(reverse("courses:author")).content.decode()
    assert "0 of 1 lesson can be heard" in page
    add_lessons(course, 1)
    page = client.get(reverse("courses:author")).content.decode()
    assert "2 lessons" in page
    assert "0 of 3 texts can be heard" in page


@pytest.mark.parametrize("name", ["author", "home"])
def test_addresses_tell_courses_of_one_title_apart(name, client, author):
    client.force_login(author)
    api.create_course(author, title="Lakes", language="en")
    api.create_course(author, title="Rivers", language="en")
    url = reverse(f"courses:{name}")
    assert "card__address" not in client.get(url).content.decode()
    api.create_course(author, title="Rivers", language="en")
    page = client.get(url).content.decode()
    assert page.count("card__address") == 2
    for rivers in Course.objects.filter(title="Rivers"):
        assert f"{rivers.get_absolute_url()}</p>" in page


@pytest.mark.parametrize("name", ["wording", "wording-rules", "wording-new"])
def test_how_a_course_is_spoken_stands_under_its_tabs(name, client, course, author):
    client.force_login(author)
    page = client.get(reverse(f"narration:{name}", args=[get_scope_key(course)])).content.decode()
    assert reverse("courses:members", args=[course.slug]) in page
    assert page.count('aria-current="page"') == 1


@pytest.mark.parametrize("name", PAGES)
def test_queries_do_not_grow_with_the_lessons(name, client, course, author):
    author.is_staff = author.is_superuser = True
    author.save()
    client.force_login(author)
    url = PAGES[name](course)
    add_lessons(course, 5)
    client.get(url)  # content types and the like are read once
    few = count_queries(client, url)
    add_lessons(course, 45)

    assert count_queries(client, url) == few <= 20


def test_my_courses_do_not_grow_with_the_courses(client, author):
    client.force_login(author)
    counts = []
    for _round in range(2):
        for _number in range(5):
            add_lessons(api.create_course(author, title="Course", language="en"), 3)
        client.get(reverse("courses:author"))
        counts.append(count_queries(client, reverse("courses:author")))
    assert counts[0] == counts[1]
    assert Course.objects.count() == 10


def test_lists_do_not_read_the_texts(client, course, author):
    add_lessons(course, 2)
    with CaptureQueriesContext(connection) as queries:
        client.get(reverse("courses:course", args=[course.slug]))
    assert not [q["sql"] for q in queries if '"markdown"' in q["sql"]]


def test_lesson_knows_its_neighbours(client, course):
    add_lessons(course, 3)
    neighbours = client.get(reverse("courses:lesson", args=[course.slug, "l1"])).context[
        "neighbours"
    ]
    assert (neighbours.previous.slug, neighbours.next.slug) == ("l0", "l2")
    assert (neighbours.number, neighbours.count) == (2, 3)


@pytest.mark.parametrize("interface", ["en", "pt-br"])
def test_lesson_opens_in_the_visitors_language_where_it_is_published(client, course, interface):
    add_lessons(course, 1)
    url = reverse("courses:lesson", args=[course.slug, "l0"])
    shown = client.get(url, headers={"accept-language": interface}).context["language"]
    assert shown.lower() == interface
