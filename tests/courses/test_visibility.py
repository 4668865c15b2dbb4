"""Who sees what: strangers meet 404, as if nothing were there."""

from __future__ import annotations

import pytest
from django.urls import reverse

from courses import api
from courses.models import Course, Lesson, Role, Visibility
from narration.sources import get_source
from tests.courses.conftest import PASSWORD

pytestmark = pytest.mark.django_db

TEAM = {"author", "reviewer", "superuser", "staff"}
#: Who reads the published lesson of a course of each visibility.
READERS = {
    Visibility.DRAFT: TEAM,
    Visibility.ENROLLED: TEAM | {"enrolled"},
    Visibility.LOGIN: TEAM | {"enrolled", "other_author", "nobody_special"},
    Visibility.PUBLIC: TEAM | {"enrolled", "other_author", "nobody_special", "anonymous"},
}
EDITORS = {"author", "superuser"}
PEOPLE = sorted(READERS[Visibility.PUBLIC])

LESSON_PAGES = ["edit", "history", "lesson-settings"]
LESSON_POSTS = ["edit", "preview", "publish", "add-language", "restore", "move", "lesson-settings"]
COURSE_PAGES = ["author-course", "course-settings", "members"]
COURSE_POSTS = ["lesson-new", "member-remove", "members", "course-settings"]


@pytest.fixture
def people(author, make_user, join, course, client):
    """Everybody, by what they are; a function signs the client in as one of them."""
    from django.contrib.auth.models import Permission

    staff = make_user("staff", is_staff=True)
    views = Permission.objects.filter(codename__in=["view_course", "view_lesson"])
    staff.user_permissions.set(views)
    other_author = make_user("other_author")
    api.create_course(other_author, title="Lakes", language="en")
    users = {
        "author": author,
        "reviewer": join(course, "reviewer", Role.REVIEWER),
        "enrolled": join(course, "enrolled", Role.LEARNER),
        "other_author": other_author,
        "nobody_special": make_user("nobody_special"),
        "staff": staff,
        "superuser": make_user("superuser", is_staff=True, is_superuser=True),
    }

    def sign_in(who):
        if who == "anonymous":
            client.logout()
        else:
            assert client.login(username=users[who].username, password=PASSWORD)
        return client

    sign_in.users = users
    return sign_in


def list_allowed(people, ask):
    """The people for whom ``ask(client)`` gives 200; everybody else must get 404."""
    statuses = {who: ask(people(who)).status_code for who in PEOPLE}
    assert set(statuses.values()) <= {200, 404}, statuses
    return {who for who, status in statuses.items() if status == 200}


@pytest.mark.parametrize("visibility", Visibility.values)
@pytest.mark.parametrize("name", ["course", "lesson"])
def test_reading(people, course, published, visibility, name):
    Course.objects.update(visibility=visibility)
    address = [course.slug, *([published.lesson.slug] if name == "lesson" else [])]
    url = reverse(f"courses:{name}", args=address)

    assert list_allowed(people, lambda client: client.get(url)) == READERS[visibility]


@pytest.mark.parametrize("visibility", Visibility.values)
def test_home_lists_exactly_what_can_be_opened(people, course, visibility):
    Course.objects.filter(pk=course.pk).update(visibility=visibility)
    for who in PEOPLE:
        is_listed = course in people(who).get(reverse("courses:home")).context["courses"]
        assert is_listed == (who in READERS[visibility]), who


@pytest.mark.parametrize("visibility", Visibility.values)
def test_figures_follow_the_lesson(people, course, published, visibility):
    Course.objects.update(visibility=visibility)
    Lesson.objects.update(source_path="demo/en/a-shiver-in-the-air.md")
    url = reverse("courses:figure", args=[course.slug, published.lesson.slug, "sound-wave.svg"])

    assert list_allowed(people, lambda client: client.get(url)) == READERS[visibility]


def test_unpublished_lesson_is_not_there_for_learners(people, course, text):
    url = reverse("courses:lesson", args=[course.slug, text.lesson.slug])
    assert list_allowed(people, lambda client: client.get(url)) == set()
    page = people("enrolled").get(reverse("courses:course", args=[course.slug]))
    assert page.context["rows"] == []


def test_archived_lesson_and_archived_course_leave_the_learners(people, course, published):
    Lesson.objects.update(archived_at="2026-01-01T00:00Z")
    lesson_url = reverse("courses:lesson", args=[course.slug, published.lesson.slug])
    assert people("enrolled").get(lesson_url).status_code == 404

    Course.objects.update(archived_at="2026-01-01T00:00Z")
    course_url = reverse("courses:course", args=[course.slug])
    assert list_allowed(people, lambda client: client.get(course_url)) == TEAM


def test_lesson_is_404_in_a_language_it_is_not_published_in(people, published):
    api.create_translation(published.lesson, language="pt-BR")
    url = published.lesson.get_absolute_url()

    assert people("enrolled").get(f"{url}?language=pt-BR").status_code == 404
    assert people("enrolled").get(f"{url}?language=en").status_code == 200


@pytest.mark.parametrize("name", LESSON_PAGES + COURSE_PAGES)
def test_author_pages_are_for_editors(people, course, published, name):
    args = [course.slug] if name in COURSE_PAGES else [course.slug, published.lesson.slug]
    url = reverse(f"courses:{name}", args=args)

    for who in PEOPLE:
        response = people(who).get(url)
        if who == "anonymous":
            assert response.url.startswith(reverse("login"))
        else:
            assert response.status_code == (200 if who in EDITORS else 404), who


@pytest.mark.parametrize("name", LESSON_POSTS + COURSE_POSTS)
def test_strangers_change_nothing(people, course, published, name):
    args = [course.slug] if name in COURSE_POSTS else [course.slug, published.lesson.slug]
    url = reverse(f"courses:{name}", args=args)
    data = {
        "title": "Mine",
        "markdown": "Mine.",
        "version": "1",
        "language": "en",
        "direction": "up",
        "slug": "mine",
        "username": "staff",
        "role": "owner",
        "member": str(course.memberships.get(user__username="author").uid),
    }
    for who in set(PEOPLE) - EDITORS:
        response = people(who).post(url, data)
        assert response.status_code == (302 if who == "anonymous" else 404), who
    published.refresh_from_db()
    assert published.version == 1
    assert set(course.memberships.values_list("user__username", "role")) == {
        ("author", "owner"),
        ("reviewer", "reviewer"),
        ("enrolled", "learner"),
    }


def test_an_author_who_does_not_own_the_course_cannot_change_its_members(course, join, client):
    client.force_login(join(course, "helper", Role.AUTHOR))
    url = reverse("courses:members", args=[course.slug])

    assert client.get(url).status_code == 200
    assert client.post(url, {"username": "helper", "role": "owner"}).status_code == 404


@pytest.mark.parametrize(
    ("requires_review", "publishers"),
    [(False, {"author", "superuser"}), (True, {"author", "reviewer", "superuser"})],
)
def test_source_asks_the_same_people(people, published, requires_review, publishers):
    Course.objects.update(visibility=Visibility.ENROLLED, requires_review=requires_review)
    source = get_source(Lesson)

    def list_for(action):
        found = {who: source.visible_to(user, action) for who, user in people.users.items()}
        return {who for who, lessons in found.items() if published.lesson in lessons}

    assert list_for("view") == list_for("listen") == READERS[Visibility.ENROLLED]
    assert list_for("narrate") == EDITORS
    assert list_for("publish") == publishers


def test_authors_do_not_publish_where_review_is_required(course, text, join, client):
    Course.objects.update(requires_review=True)
    client.force_login(join(course, "second", Role.AUTHOR))
    url = reverse("courses:publish", args=[course.slug, text.lesson.slug])

    assert client.post(url).status_code == 404
    text.refresh_from_db()
    assert not text.is_published
