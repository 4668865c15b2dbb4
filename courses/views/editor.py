"""The lesson editor: write, preview, save on top of the version that was read, publish."""

from __future__ import annotations

import difflib
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from courses import api
from courses.forms import MAX_CHARACTERS, TextForm, normalise_newlines
from courses.models import EditConflictError, Lesson, LessonRevision, LessonText
from courses.models.base import get_text_languages
from courses.views.author import get_lesson, require_form
from narration import markup


@require_form
@login_required
def edit_text(request: HttpRequest, course: str, lesson: str) -> HttpResponse:
    """The editor of one language; a save that lost a race shows both texts with status 409."""
    text = get_text(request, course, lesson)
    if request.method != "POST":
        return render_editor(request, text, TextForm.of(text))
    form = TextForm(request.POST)
    if not form.is_valid():
        return render_editor(request, text, form, status=422)
    try:
        revision = save(text, form, request.user)
    except EditConflictError as conflict:
        return render_conflict(request, conflict.current, form)
    if revision is None:
        messages.info(request, _("Nothing changed, so there is no new version."))
    else:
        messages.success(request, _("Saved as version %(number)d.") % {"number": revision.version})
    return redirect(get_editor_url(text))


def save(text: LessonText, form: TextForm, user: Any) -> LessonRevision | None:
    """A new revision of what the form holds."""
    return text.save_revision(
        markdown=form.cleaned_data["markdown"],
        title=form.cleaned_data["title"],
        author=user,
        expected_version=form.cleaned_data["version"],
    )


def render_conflict(request: HttpRequest, current: LessonText, form: TextForm) -> HttpResponse:
    """Both texts: the author's stays in the form, the stored one stands beside it.

    The form now names the stored version, so that saving again is a decision, not an accident.
    """
    mine = form.cleaned_data
    again = TextForm({**mine, "version": current.version})
    conflict = {
        "text": current,
        "revision": current.revisions.filter(version=current.version).first(),
        "lines": build_diff(current.markdown, mine["markdown"]),
    }
    return render_editor(request, current, again, status=409, conflict=conflict)


def render_editor(
    request: HttpRequest, text: LessonText, form: TextForm, *, status: int = 200, **extra: Any
) -> HttpResponse:
    """The editor page."""
    lesson = text.lesson
    written = set(lesson.languages)
    context = {
        "lesson": lesson,
        "course": lesson.course,
        "text": text,
        "form": form,
        "other_languages": [lang for lang in get_text_languages() if lang[0] not in written],
        "can_publish": Lesson.objects.publishable_by(request.user).filter(pk=lesson.pk).exists(),
        "revisions": text.revisions.defer("markdown")[:5],
        **extra,
    }
    return render(request, "courses/author/editor.html", context, status=status)


@require_POST
@login_required
def preview(request: HttpRequest, course: str, lesson: str) -> HttpResponse:
    """The HTML learners would get of what is being typed; nothing is stored."""
    text = get_text(request, course, lesson)
    typed = request.POST.get("markdown", "").replace("\0", "")[:MAX_CHARACTERS]
    html = markup.render(normalise_newlines(typed), text.language).html
    return render(request, "courses/author/_preview.html", {"html": html, "text": text})


@require_POST
@login_required
def publish(request: HttpRequest, course: str, lesson: str) -> HttpResponse:
    """The newest text goes to the learners now; a track that speaks other words is withdrawn."""
    text = get_text(request, course, lesson)
    if not Lesson.objects.publishable_by(request.user).filter(pk=text.lesson_id).exists():
        raise Http404
    if text.version:
        api.publish_text(text, user=request.user)
        messages.success(request, _("Learners now read the newest text."))
    return redirect(get_editor_url(text))


@require_POST
@login_required
def add_language(request: HttpRequest, course: str, lesson: str) -> HttpResponse:
    """An empty text in another language, opened in the editor."""
    edited = get_lesson(request, course, lesson)
    language = request.POST.get("language", "")
    if language not in dict(get_text_languages()):
        raise Http404
    return redirect(get_editor_url(api.create_translation(edited, language=language)))


@require_safe
@login_required
def list_revisions(request: HttpRequest, course: str, lesson: str) -> HttpResponse:
    """All versions of a text, the newest first."""
    text = get_text(request, course, lesson)
    context = {
        "lesson": text.lesson,
        "course": text.lesson.course,
        "text": text,
        "revisions": text.revisions.defer("markdown"),
        "restore_url": get_url("courses:restore", text),
    }
    return render(request, "courses/author/history.html", context)


@require_safe
@login_required
def show_revision(request: HttpRequest, course: str, lesson: str, version: int) -> HttpResponse:
    """One version, and how it differs from the one before."""
    text = get_text(request, course, lesson)
    revision = get_object_or_404(text.revisions, version=version)
    before = text.revisions.filter(version=version - 1).values_list("markdown", flat=True).first()
    context = {
        "lesson": text.lesson,
        "course": text.lesson.course,
        "text": text,
        "revision": revision,
        "is_first": before is None,
        "lines": [] if before is None else build_diff(before, revision.markdown),
        "restore_url": get_url("courses:restore", text),
    }
    return render(request, "courses/author/revision.html", context)


@require_POST
@login_required
def restore(request: HttpRequest, course: str, lesson: str) -> HttpResponse:
    """An old version becomes the newest; the versions between stay in the history."""
    text = get_text(request, course, lesson)
    number = request.POST.get("version", "")
    revision = get_object_or_404(text.revisions, version=number if number.isdecimal() else 0)
    try:
        text.save_revision(
            markdown=revision.markdown,
            title=revision.title,
            author=request.user,
            expected_version=text.version,
        )
    except EditConflictError as conflict:
        messages.error(request, conflict.message)
    else:
        said = _("Version %(number)d is the newest again.") % {"number": revision.version}
        messages.success(request, said)
    return redirect(get_editor_url(text))


def get_text(request: HttpRequest, course: str, lesson: str) -> LessonText:
    """The text in the language of the query, else in the course's own, or 404."""
    edited = get_lesson(request, course, lesson)
    languages = edited.languages
    language = request.GET.get("language", "") or (languages[0] if languages else "")
    text = get_object_or_404(edited.texts.select_related("published_revision"), language=language)
    text.lesson = edited
    return text


def get_url(name: str, text: LessonText) -> str:
    """An address of the text's lesson, with the text's language."""
    lesson = text.lesson
    url = reverse(name, args=[lesson.course.slug, lesson.slug])
    return f"{url}?language={text.language}"


def get_editor_url(text: LessonText) -> str:
    """Where the text is edited."""
    return get_url("courses:edit", text)


def build_diff(before: str, after: str) -> list[tuple[str, str]]:
    """The lines that differ and their neighbours: (" " | "-" | "+", line); "@" where lines skip."""
    lines = difflib.unified_diff(before.splitlines(), after.splitlines(), lineterm="", n=1)
    return [(line[0], line[1:]) for line in list(lines)[3:]]
