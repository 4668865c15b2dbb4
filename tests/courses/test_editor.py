"""Writing: saves, conflicts, the preview, publishing the words alone."""

from __future__ import annotations

import pytest
from bs4 import BeautifulSoup
from django.urls import reverse

from courses.models import LessonText
from narration import api as narration

pytestmark = pytest.mark.django_db


@pytest.fixture
def page(client, author, text):
    """``page("edit", data)`` posts to a page of the lesson; without data it gets it."""
    client.force_login(author)

    def ask(name, data=None, *args):
        url = reverse(f"courses:{name}", args=[text.lesson.course.slug, text.lesson.slug, *args])
        return client.get(url) if data is None else client.post(url, data)

    return ask


def fill(response, **changes):
    """The editor's form as a browser would send it."""
    form = BeautifulSoup(response.content, "html.parser").find("form", {"data-editor": True})
    fields = {
        "title": form.find("input", {"name": "title"}).get("value", ""),
        "version": form.find("input", {"name": "version"})["value"],
        # The parser keeps the line feed after <textarea> that browsers drop.
        "markdown": form.find("textarea").text.removeprefix("\n"),
    }
    return fields | changes


def test_saving_makes_a_version_and_says_so(page, text):
    response = page("edit", fill(page("edit"), markdown="New words.\r\nSecond line.\r\n"))

    assert response.status_code == 302
    stored = LessonText.objects.get(pk=text.pk)
    assert (stored.version, stored.markdown) == (2, "New words.\nSecond line.\n")
    assert stored.revisions.first().author_name == "author"


def test_saving_the_untouched_form_changes_nothing(page, text, write):
    write(text, "\n  Starts with space, ends without line feed. & <b>")
    page("edit", fill(page("edit")))

    assert LessonText.objects.get(pk=text.pk).version == 2


def test_conflict_shows_both_texts_and_stores_neither_silently(page, text, write):
    mine = fill(page("edit"), markdown="Mine <b>here</b>.\n", title="My title")
    write(text, "Theirs, with care.\n")

    response = page("edit", mine)

    assert response.status_code == 409
    soup = BeautifulSoup(response.content, "html.parser")
    theirs, kept = (area.text.strip() for area in soup.find_all("textarea"))
    assert (theirs, kept) == ("Theirs, with care.", "Mine <b>here</b>.")
    assert fill(response)["title"] == "My title"
    assert LessonText.objects.get(pk=text.pk).markdown == "Theirs, with care.\n"


def test_saving_again_after_a_conflict_is_a_decision_and_theirs_stays_in_history(page, text, write):
    mine = fill(page("edit"), markdown="Mine.\n")
    write(text, "Theirs.\n")

    page("edit", fill(page("edit", mine)))

    stored = LessonText.objects.get(pk=text.pk)
    assert (stored.version, stored.markdown) == (3, "Mine.\n")
    assert stored.revisions.get(version=2).markdown == "Theirs.\n"


def test_invalid_form_keeps_what_was_typed(page, text):
    response = page("edit", fill(page("edit"), title="", markdown="Kept."))

    assert response.status_code == 422
    assert fill(response)["markdown"] == "Kept."
    assert LessonText.objects.get(pk=text.pk).version == 1


@pytest.mark.parametrize(
    "hostile",
    [
        "<script>alert(1)</script>",
        '<img src="x" onerror="alert(1)">',
        "[click](javascript:alert(1))",
        '<a href="data:text/html,<script>alert(1)</script>">x</a>',
        '<svg><script>alert(1)</script></svg><p style="position:fixed" onclick="x()">p</p>',
        "```\n</code></pre><script>alert(1)</script>\n```",
        "$\\text{</math><script>alert(1)</script>}$",
        "\0<scr\0ipt>alert(1)</script>",
    ],
)
def test_preview_runs_nothing(page, hostile):
    response = page("preview", {"markdown": f"Before.\n\n{hostile}\n\nAfter."})

    assert response.status_code == 200
    soup = BeautifulSoup(response.content, "html.parser")
    assert not soup.find_all(["script", "iframe", "object", "style", "form", "base"])
    for element in soup.find_all(True):
        for name, value in element.attrs.items():
            assert not name.startswith("on")
            assert name != "style"
            assert not str(value).strip().lower().startswith(("javascript:", "data:text"))
    assert "Before." in soup.text
    assert "After." in soup.text


def test_preview_stores_nothing(page, text):
    page("preview", {"markdown": "Not saved."})
    assert LessonText.objects.get(pk=text.pk).version == 1


def test_preview_is_what_learners_will_read(page, client, text):
    preview = page("preview", {"markdown": text.markdown}).content.decode().strip()
    page("publish", {})
    article = client.get(text.lesson.get_absolute_url()).content.decode()

    assert preview in article


def test_pages_allow_no_inline_script_or_style(page):
    for response in (page("edit"), page("history"), page("revision", None, 1)):
        policy = response.headers["Content-Security-Policy"]
        assert "unsafe-inline" not in policy
        soup = BeautifulSoup(response.content, "html.parser")
        assert not soup.find_all(style=True)
        assert all(script.get("src") for script in soup.find_all("script"))
        assert not [e for e in soup.find_all(True) if any(a.startswith("on") for a in e.attrs)]


def test_publishing_the_words_shows_them_to_learners(page, client, text, write):
    page("publish", {})
    write(text, "A newer text.")
    client.logout()

    shown = client.get(text.lesson.get_absolute_url()).content.decode()
    assert "A river begins" in shown
    assert "A newer text." not in shown


@pytest.mark.parametrize(("is_stale", "withdrawn"), [(True, 1), (False, 0)])
def test_publishing_words_withdraws_only_sound_that_says_something_else(
    page, text, monkeypatch, is_stale, withdrawn
):
    calls = []
    state = narration.NarrationState("stale", "en", has_published=True, is_stale=is_stale)
    monkeypatch.setattr(narration, "state_of", lambda obj, *, language: state)
    monkeypatch.setattr(narration, "withdraw_narration", lambda *args, **named: calls.append(named))

    page("publish", {})

    assert len(calls) == withdrawn
    assert LessonText.objects.get(pk=text.pk).is_published


def test_a_text_never_published_has_no_sound_to_withdraw(page, client, text):
    url = reverse("courses:edit", args=[text.lesson.course.slug, text.lesson.slug])
    assert "withdrawn until" not in client.get(url).content.decode()
    page("publish", {})
    LessonText.objects.filter(pk=text.pk).update(version=text.version + 1)
    assert "withdrawn until" in client.get(url).content.decode()


def test_restoring_makes_the_old_text_the_newest(page, text, write):
    first = text.markdown
    write(text, "Second.")
    page("restore", {"version": "1"})

    stored = LessonText.objects.get(pk=text.pk)
    assert (stored.version, stored.markdown) == (3, first)
    assert page("restore", {"version": "x"}).status_code == 404


def test_another_language_begins_empty_and_is_edited_by_its_query(page, client, text):
    response = page("add-language", {"language": "pt-BR"})
    assert response.url.endswith("?language=pt-BR")
    editor = client.get(response.url)
    assert fill(editor)["version"] == "0"

    client.post(response.url, fill(editor, title="A nascente", markdown="Um rio nasce."))
    assert LessonText.objects.get(language="pt-BR").version == 1
    assert page("add-language", {"language": "tlh"}).status_code == 404


def test_new_course_lesson_and_settings(client, author):
    client.force_login(author)
    made = client.post(
        reverse("courses:course-new"),
        {"title": "Água", "language": "pt-BR", "visibility": "draft", "slug": ""},
    )
    assert made.url == reverse("courses:author-course", args=["agua"])
    lesson = client.post(
        reverse("courses:lesson-new", args=["agua"]), {"title": "Rio", "language": "pt-BR"}
    )
    assert lesson.url.startswith(reverse("courses:edit", args=["agua", "rio"]))
    url = reverse("courses:lesson-settings", args=["agua", "rio"])
    client.post(url, {"slug": "o-rio", "is_archived": "on"})
    lessons = client.get(made.url)
    assert [each.slug for each in lessons.context["archived"]] == ["o-rio"]


def test_the_last_owner_stays(client, course, author):
    client.force_login(author)
    uid = course.memberships.get().uid
    client.post(reverse("courses:member-remove", args=[course.slug]), {"member": uid})
    client.post(
        reverse("courses:members", args=[course.slug]), {"username": "author", "role": "learner"}
    )
    assert course.memberships.get().role == "owner"


def test_figure_names_cannot_leave_their_folder(client, course, published):
    published.lesson.source_path = "demo/en/x.md"
    published.lesson.save()
    base = published.lesson.get_absolute_url()
    for name in ("../course.json", "..%2fen%2fcourse.json", "none.svg", "course.json", ".svg"):
        assert client.get(f"{base}figures/{name}").status_code == 404
