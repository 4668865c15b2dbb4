"""Every message has its Portuguese, compiled, and no page falls back to English."""

from __future__ import annotations

import re
import shutil
from html.parser import HTMLParser
from pathlib import Path

import polib
import pytest
from django.apps import apps
from django.urls import reverse
from django.utils import translation

from config import messages
from narration import api
from narration.models import Job, JobState
from narration.pipeline.explanations import JOB_EXPLANATIONS, explain_job
from tests.helpers import narrate

ROOT = Path(__file__).parent.parent
needs_courses = pytest.mark.skipif(
    not apps.is_installed("courses"), reason="the pages of the site need courses"
)
CATALOGUES = sorted(ROOT.glob("*/locale/pt_BR/LC_MESSAGES/django.po"))
PLACEHOLDER = re.compile(r"%\(\w+\)\d*[sd]|\{\w+\}")
PORTUGUESE = {"accept-language": "pt-br"}
PANEL = "/narration/panel/testapp.note/{}/en/"

#: Words of English pages that no Portuguese sentence has.
ENGLISH = frozenset(
    re.findall(
        r"\w+",
        """
        the of and is are was were be not with from your you yet this that these what which who
        nobody to in on it its for if or by an all only there here where when while again
        actions add address administration archive archived back before being both cancel change
        changed changes click close code course courses delete done download draft edit empty
        enrolled everyone everybody every failed formatting forward heading hide highlight history
        incomplete keys language languages learner learners lesson lessons list listen made make
        members missing move my name narrate narrated narration new newest next nothing off open
        out page password pause play player position press preview previous progress public publish
        published quotation read ready reload remove retake reviewer role save saved second seconds
        sentence sentences settings show sign signed skip somebody something sound space speed
        spoken state stop take text title transcript try unsaved up user version versions view
        voice waiting whole write written
        """,
    )
)
SAID = re.compile(
    r"aria-label|title|placeholder|alt|label|data-(text-\w+|label|leave|unsaved-text)"
)
VOID = frozenset({"br", "col", "hr", "img", "input", "link", "meta", "source", "track", "wbr"})
SILENT = frozenset({"script", "style", "svg"})


class Reader(HTMLParser):
    """Collects what a page says in the reader's language: text, and attributes people meet.

    What is marked as being in another language, such as a lesson or a language's own name, is not
    the page's to translate.
    """

    def __init__(self) -> None:
        super().__init__()
        self.said: list[str] = []
        self._skipped = [False]

    def handle_starttag(self, tag, attrs):
        names = dict(attrs)
        language = names.get("lang") or "pt-br"
        is_skipped = self._skipped[-1] or tag in SILENT or not language.startswith("pt")
        if not is_skipped:
            self.said += [v or "" for k, v in attrs if SAID.fullmatch(k)]
        if tag not in VOID:
            self._skipped.append(is_skipped)

    def handle_endtag(self, tag):
        if tag not in VOID and len(self._skipped) > 1:
            self._skipped.pop()

    def handle_data(self, data):
        if not self._skipped[-1]:
            self.said.append(data)


def find_english(html: str) -> list[str]:
    """The English words a page says, with the sentence each stands in."""
    reader = Reader()
    reader.feed(html)
    lines = [" ".join(each.split()) for each in reader.said]
    return [line for line in lines if ENGLISH & set(re.findall(r"[^\W\d_]+", line.lower()))]


def get_pairs(entry):
    if not entry.msgid_plural:
        return [(entry.msgid, entry.msgstr)]
    sources = [entry.msgid, entry.msgid_plural]
    return list(zip(sources, entry.msgstr_plural.values(), strict=True))


@pytest.fixture(autouse=True)
def english():
    """A page in Portuguese leaves its language behind for whatever runs next in this thread."""
    with translation.override("en"):
        yield


# The catalogues


def test_there_is_a_catalogue_for_each_app_and_the_site():
    assert [path.parts[-5] for path in CATALOGUES] == ["courses", "narration", "templates"]


@pytest.mark.parametrize("path", CATALOGUES, ids=lambda path: path.parts[-5])
def test_every_message_is_translated_with_its_placeholders(path):
    catalogue = polib.pofile(str(path))
    assert len(catalogue) > 10
    for entry in catalogue:
        assert "fuzzy" not in entry.flags, entry.msgid
        for source, translation_ in get_pairs(entry):
            assert translation_, source
            wanted, given = PLACEHOLDER.findall(source), PLACEHOLDER.findall(translation_)
            assert sorted(wanted) == sorted(given), source


@pytest.mark.parametrize("path", CATALOGUES, ids=lambda path: path.parts[-5])
def test_what_is_compiled_is_what_is_written(path):
    written = {e.msgid: get_pairs(e) for e in polib.pofile(str(path)) if not e.obsolete}
    compiled = {e.msgid: get_pairs(e) for e in polib.mofile(str(path.with_suffix(".mo")))}
    assert written == compiled


@pytest.mark.skipif(not shutil.which("xgettext"), reason="GNU gettext is missing")
@pytest.mark.parametrize("folder", messages.FOLDERS)
def test_collecting_again_changes_nothing(folder, tmp_path, settings):
    copy = tmp_path / folder
    shutil.copytree(ROOT / folder, copy, ignore=shutil.ignore_patterns("static", "demo", "*.mo"))
    settings.LOCALE_PATHS = []
    messages.collect(copy)
    catalogue = Path("locale/pt_BR/LC_MESSAGES/django.po")
    committed = (ROOT / folder / catalogue).read_text(encoding="utf-8")
    assert (copy / catalogue).read_text(encoding="utf-8") == committed, "run `make messages`"


# The pages


@pytest.fixture
def lesson(owner):
    """A Portuguese lesson, so that every English word on its pages is ours."""
    from courses import api as courses
    from courses.models import Visibility

    course = courses.create_course(
        owner, title="Rios", language="pt-BR", visibility=Visibility.PUBLIC
    )
    text = courses.create_lesson(course, title="A nascente")
    markdown = "O rio nasce *pequeno*. Depois cresce 21 km.\n"
    text.save_revision(markdown=markdown, title=text.title, author=owner, expected_version=0)
    return text.lesson


def get_addresses(lesson):
    course, both = [lesson.course.slug], [lesson.course.slug, lesson.slug]
    key = ["courses.lesson", str(lesson.pk), "pt-BR"]
    return {
        "home": reverse("courses:home"),
        "login": reverse("login"),
        "course": reverse("courses:course", args=course),
        "lesson": lesson.get_absolute_url(),
        "my courses": reverse("courses:author"),
        "new course": reverse("courses:course-new"),
        "course's lessons": reverse("courses:author-course", args=course),
        "course's settings": reverse("courses:course-settings", args=course),
        "members": reverse("courses:members", args=course),
        "editor": reverse("courses:edit", args=both),
        "versions": reverse("courses:history", args=both),
        "one version": reverse("courses:revision", args=[*both, 1]),
        "lesson's settings": reverse("courses:lesson-settings", args=both),
        "sentences": reverse("narration:segments", args=key),
        "panel": reverse("narration:panel", args=key),
    }


def assert_portuguese(client, addresses):
    answers = {name: client.get(url, headers=PORTUGUESE) for name, url in addresses.items()}
    assert {name: answer.status_code for name, answer in answers.items()} == dict.fromkeys(
        answers, 200
    )
    said = {name: find_english(answer.content.decode()) for name, answer in answers.items()}
    assert {name: lines for name, lines in said.items() if lines} == {}


@needs_courses
@pytest.mark.django_db(transaction=True)
def test_no_page_of_a_narrated_course_says_an_english_word(client, owner, lesson):
    narrate(lesson, language="pt-BR", user=owner, publish=True)
    addresses = get_addresses(lesson)
    public = {name: addresses[name] for name in ("home", "login", "course", "lesson")}
    assert_portuguese(client, public)
    client.force_login(owner)
    assert_portuguese(client, addresses)
    missing = client.get("/courses/nowhere/", headers=PORTUGUESE)
    assert missing.status_code == 404
    assert find_english(missing.content.decode()) == []


@needs_courses
@pytest.mark.django_db
def test_no_page_of_an_unpublished_course_says_an_english_word(client, owner, lesson):
    from courses import api as courses

    courses.create_lesson(lesson.course, title="A foz")
    client.force_login(owner)
    addresses = get_addresses(lesson)
    del addresses["lesson"]
    assert_portuguese(client, addresses)


def test_an_english_word_is_found_in_text_and_in_what_is_read_out():
    assert find_english("<p>Salvo <b>just saved</b></p>") == ["just saved"]
    assert find_english('<button aria-label="Play">▶</button>') == ["Play"]
    assert find_english('<p>Aula<br></p><p lang="en">The river</p><p>Ouvir</p>') == []


@pytest.mark.django_db
def test_a_page_answers_in_the_readers_language(client, note, owner):
    client.force_login(owner)
    url = PANEL.format(note.pk)
    assert b"Narrate" in client.get(url).content
    answer = client.get(url, headers=PORTUGUESE).content.decode()
    assert "Narrar" in answer
    assert "não narrada" in answer
    assert "Narrate" not in answer


# The words for what goes wrong


@pytest.mark.django_db
def test_the_panel_tells_in_portuguese_why_a_job_failed(client, note, owner):
    client.force_login(owner)
    words = "Kept in English for the log."
    job = api.request_narration(note, language="en")
    for code in [*JOB_EXPLANATIONS, "a_code_nobody_knows"]:
        Job.objects.filter(pk=job.pk).update(state=JobState.FAILED, error_code=code, error=words)
        answer = client.get(PANEL.format(note.pk), headers=PORTUGUESE).content.decode()
        with translation.override("pt-br"):
            assert explain_job(code) in answer, code
        assert words not in answer
        assert find_english(answer) == []


def test_every_code_the_runner_gives_has_words():
    files = (ROOT / "narration" / "runner").glob("*.py")
    source = "\n".join(path.read_text(encoding="utf-8") for path in files)
    codes = set(re.findall(r'code"?[=:] ?"(\w+)"', source))
    assert "kills_worker" in codes
    assert codes <= JOB_EXPLANATIONS.keys()


@pytest.mark.django_db
def test_what_the_database_keeps_of_a_failed_job_stays_english(note, owner):
    note.edit("\n")
    with translation.override("pt-br"):
        job = narrate(note, user=owner)
    assert job.error_code == "nothing_to_say"
    assert job.error == "There is nothing to speak in this text."


@pytest.mark.django_db
def test_a_refused_wish_is_told_in_portuguese(client, note, owner):
    client.force_login(owner)
    url = reverse("narration:publish", args=["testapp.note", str(note.pk), "en"])
    api.refresh_plan(note, language="en")
    answer = client.post(url, headers={**PORTUGUESE, "HX-Request": "true"}).content.decode()
    assert "Nenhuma narração do texto mais novo está pronta" in answer
