"""Courses in and out by the browser: upload an archive, see the plan, say yes; download one."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_safe

from courses.forms import UploadForm
from courses.models import Course, CourseUpload, Visibility
from courses.transfer.applying import ImportResult, import_course
from courses.transfer.exporting import export_course
from courses.transfer.files import read_upload
from courses.transfer.planning import EDITED_HERE, Action, describe_order, plan_import
from courses.transfer.reading import FoundCourse, read_course
from courses.transfer.wording import list_conflicts
from courses.views.author import get_course, require_form
from narration.exceptions import NarrationError

#: An upload nobody said yes to is forgotten after this.
KEPT = timedelta(days=1)
#: Pictures that are named; the rest are counted.
SHOWN = 20


@require_form
@login_required
def upload(request: HttpRequest, course: str = "") -> HttpResponse:
    """Take an archive for a new course, or to bring one up to date; leads to its plan."""
    found = get_course(request, course) if course else None
    form = UploadForm(request.POST or None, request.FILES or None)
    if request.method == "POST" and form.is_valid():
        file = form.cleaned_data["archive"]
        content = file.read()
        try:
            read_course(read_upload(file.name, content))
        except NarrationError as error:
            form.add_error("archive", str(error))
        else:
            return redirect("courses:import-plan", _keep(request, found, file.name, content).uid)
    status = 422 if form.errors else 200
    context = {"form": form, "course": found}
    return render(request, "courses/author/transfer.html", context, status=status)


def _keep(request: HttpRequest, course: Course | None, name: str, content: bytes) -> CourseUpload:
    CourseUpload.objects.filter(at__lt=timezone.now() - KEPT).delete()
    user: Any = request.user
    return CourseUpload.objects.create(user=user, course=course, name=name[-200:], content=content)


@require_form
@login_required
def confirm(request: HttpRequest, upload: Any) -> HttpResponse:
    """The plan of an upload, and what was said to it."""
    kept = CourseUpload.objects.select_related("course").filter(uid=upload).first()
    if kept is None and request.method == "POST":
        return _tell_gone(request)
    if kept is None or kept.user_id != request.user.pk:
        raise Http404
    course = get_course(request, kept.course.slug) if kept.course else None
    if request.method == "POST" and "cancel" in request.POST:
        kept.delete()
        return _back(course, "courses:author-course", "courses:author")
    force = request.POST.get("force") == "on"
    try:
        found = read_course(read_upload(kept.name, bytes(kept.content)))
        if request.method == "POST":
            return _import(request, kept, course, found, force=force)
        plan = plan_import(course, found)
        notes = list_conflicts(course, found, plan)
    except NarrationError as error:
        # What cannot be planned is of no use to anybody.
        CourseUpload.objects.filter(pk=kept.pk).delete()
        messages.error(request, str(error))
        return _back(course, "courses:import-course", "courses:import")
    context = {
        "upload": kept,
        "course": course,
        "found": found,
        "plan": plan,
        "notes": notes,
        "conflicts": plan.count(*EDITED_HERE) + plan.is_reordered + len(notes),
        "writes": plan.count(Action.NEW, Action.CHANGED),
        "pictures": found.missing_pictures[:SHOWN],
        "title": found.title,
    }
    return render(request, "courses/author/transfer_plan.html", context)


def _tell_gone(request: HttpRequest) -> HttpResponse:
    """A second press of the same button finds nothing to do any more."""
    messages.info(request, _("This upload was imported or cancelled already."))
    return redirect("courses:author")


def _back(course: Course | None, to_course: str, to_all: str) -> HttpResponse:
    return redirect(to_course, course.slug) if course else redirect(to_all)


def _import(
    request: HttpRequest,
    kept: CourseUpload,
    course: Course | None,
    found: FoundCourse,
    *,
    force: bool,
) -> HttpResponse:
    """Import it once, however often and wherever the button was pressed: who deletes the row."""
    gone, _rows = CourseUpload.objects.filter(pk=kept.pk).delete()
    if not gone:
        return _tell_gone(request)
    result = import_course(
        found,
        course=course,
        title=request.POST.get("title", "").strip()[:200],
        user=request.user,
        force=force,
    )
    for level, words in describe_import(result, found):
        messages.add_message(request, level, words)
    return redirect("courses:author-course", result.course.slug)


def describe_import(result: ImportResult, found: FoundCourse) -> Iterator[tuple[int, str]]:
    """What was done and what was not, in sentences."""
    count = result.plan.count(Action.NEW, Action.CHANGED)
    said = ngettext("%(count)d text was imported.", "%(count)d texts were imported.", count)
    where = _("The course is a draft: only its team reads it.")
    is_draft = result.course.visibility == Visibility.DRAFT
    yield messages.SUCCESS, " ".join([said % {"count": count}, *([where] if is_draft else [])])
    conflicts = result.plan.count(Action.CONFLICT)
    if conflicts:
        words = ngettext(
            "%(count)d text was edited here and in the files; it is as it was.",
            "%(count)d texts were edited here and in the files; they are as they were.",
            conflicts,
        )
        yield messages.WARNING, words % {"count": conflicts}
    if result.plan.is_reordered:
        yield messages.WARNING, describe_order()
    missing = len(found.missing_pictures)
    if missing:
        words = ngettext(
            "%(count)d picture that a text shows was not carried over.",
            "%(count)d pictures that texts show were not carried over.",
            missing,
        )
        yield messages.WARNING, words % {"count": missing}
    yield from ((messages.WARNING, note) for note in result.notes)


@require_safe
@login_required
def download(request: HttpRequest, course: str) -> HttpResponse:
    """The course as an archive that can be imported elsewhere."""
    found = get_course(request, course)
    with_audio = request.GET.get("audio") == "on"
    content = export_course(found, user=request.user, with_audio=with_audio)
    response = HttpResponse(content, content_type="application/zip")
    response["Content-Disposition"] = f'attachment; filename="{found.slug}.zip"'
    return response
