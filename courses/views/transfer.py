"""Courses in and out by the browser: upload an archive, see the plan, say yes; download one."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import ngettext
from django.views.decorators.http import require_safe

from courses.forms import UploadForm
from courses.models import Course, CourseUpload
from courses.transfer.applying import import_course
from courses.transfer.exporting import export_course
from courses.transfer.files import read_archive
from courses.transfer.planning import Action, plan_import
from courses.transfer.reading import FoundCourse, read_course
from courses.views.author import get_course, require_form
from narration.exceptions import NarrationError

#: An upload nobody said yes to is forgotten after this.
KEPT = timedelta(days=1)


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
            read_course(read_archive(content))
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
    return CourseUpload.objects.create(user=user, course=course, name=name[:200], content=content)


@require_form
@login_required
def confirm(request: HttpRequest, upload: Any) -> HttpResponse:
    """The plan of an upload, and what was said to it."""
    kept = get_object_or_404(CourseUpload.objects.select_related("course"), uid=upload)
    if kept.user_id != request.user.pk:
        raise Http404
    course = get_course(request, kept.course.slug) if kept.course else None
    if request.method == "POST" and "cancel" in request.POST:
        kept.delete()
        return _back(course, "courses:author-course", "courses:author")
    force = request.POST.get("force") == "on"
    try:
        found = read_course(read_archive(bytes(kept.content)))
        if request.method == "POST":
            return _import(request, kept, course, found, force=force)
    except NarrationError as error:
        messages.error(request, str(error))
        return _back(course, "courses:import-course", "courses:import")
    plan = plan_import(course, found)
    context = {
        "upload": kept,
        "course": course,
        "found": found,
        "plan": plan,
        "conflicts": plan.count(Action.CONFLICT, Action.KEPT),
        "writes": plan.count(Action.NEW, Action.CHANGED),
        "title": found.facts.get("title") or found.texts[0].title,
    }
    return render(request, "courses/author/transfer_plan.html", context)


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
    result = import_course(
        found,
        course=course,
        title=request.POST.get("title", "").strip()[:200],
        user=request.user,
        force=force,
    )
    kept.delete()
    count = result.plan.count(Action.NEW, Action.CHANGED)
    said = ngettext("%(count)d text was imported.", "%(count)d texts were imported.", count)
    messages.success(request, said % {"count": count})
    conflicts = result.plan.count(Action.CONFLICT)
    if conflicts:
        words = ngettext(
            "%(count)d text was edited here and in the files; it is as it was.",
            "%(count)d texts were edited here and in the files; they are as they were.",
            conflicts,
        )
        messages.warning(request, words % {"count": conflicts})
    for note in result.notes:
        messages.warning(request, note)
    return redirect("courses:author-course", result.course.slug)


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
