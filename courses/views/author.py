"""What authors see of a course: its lessons, facts and members."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from courses import api
from courses.forms import CourseForm, LessonForm, LessonSettingsForm, MembershipForm
from courses.models import Course, Lesson, Membership, Role
from courses.rows import build_course_rows, build_lesson_rows, find_namesakes

require_form = require_http_methods(["GET", "HEAD", "POST"])


@require_safe
@login_required
def list_courses(request: HttpRequest) -> HttpResponse:
    """ "My courses" with what their narrations add up to."""
    courses = Course.objects.of_member(request.user, *Role.values).editable_by(request.user)
    others = Course.objects.none()
    if request.user.is_superuser:
        others = Course.objects.exclude(pk__in=courses.values("pk"))
    rows, other_rows = build_course_rows(courses), build_course_rows(others)
    context = {
        "rows": rows,
        "other_rows": other_rows,
        "namesakes": find_namesakes(row.course for row in [*rows, *other_rows]),
    }
    return render(request, "courses/author/courses.html", context)


@require_form
@login_required
def create_course(request: HttpRequest) -> HttpResponse:
    """A new course, owned by whoever makes it."""
    form = CourseForm(request.POST or None)
    if form.is_valid():
        course = api.create_course(request.user, **form.cleaned_data)
        messages.success(request, _("The course is there. Write its first lesson."))
        return redirect("courses:author-course", course.slug)
    return render(request, "courses/author/course_form.html", {"form": form})


@require_safe
@login_required
def show_course(request: HttpRequest, course: str) -> HttpResponse:
    """The lesson list with the state of every text."""
    found = get_course(request, course)
    lessons = Lesson.objects.filter(course=found).with_texts()
    context = {
        "course": found,
        "rows": build_lesson_rows(lessons.active(), published_only=False),
        "archived": lessons.exclude(archived_at=None),
        "form": LessonForm(initial={"language": found.language}),
    }
    return render(request, "courses/author/course.html", context)


@require_form
@login_required
def edit_course(request: HttpRequest, course: str) -> HttpResponse:
    """The course's facts."""
    found = get_course(request, course)
    form = CourseForm(request.POST or None, instance=found)
    if form.is_valid():
        form.save()
        messages.success(request, _("Saved."))
        return redirect("courses:author-course", form.instance.slug)
    # A refused address must not reach the links of the page.
    found = get_object_or_404(Course, pk=found.pk)
    return render(request, "courses/author/course_form.html", {"form": form, "course": found})


@require_form
@login_required
def edit_members(request: HttpRequest, course: str) -> HttpResponse:
    """Who belongs to the course; owners add people and change their roles."""
    found = get_course(request, course)
    form = MembershipForm(request.POST or None)
    if request.method == "POST":
        require_owner(request, found)
    if form.is_valid():
        if is_last_owner(found, form.cleaned_data["username"], form.cleaned_data["role"]):
            form.add_error("role", _("A course keeps at least one owner."))
        else:
            form.save(found)
            return redirect("courses:members", found.slug)
    context = {
        "course": found,
        "form": form,
        "memberships": found.memberships.select_related("user"),
        "is_owner": is_owner(request, found),
    }
    return render(request, "courses/author/members.html", context)


@require_POST
@login_required
def remove_member(request: HttpRequest, course: str) -> HttpResponse:
    """Somebody leaves the course; the last owner stays."""
    found = get_course(request, course)
    require_owner(request, found)
    membership = get_object_or_404(found.memberships, uid=request.POST.get("member", ""))
    if is_last_owner(found, membership.user.get_username(), ""):
        messages.error(request, _("A course keeps at least one owner."))
    else:
        membership.delete()
    return redirect("courses:members", found.slug)


@require_POST
@login_required
def create_lesson(request: HttpRequest, course: str) -> HttpResponse:
    """A new lesson at the end, opened in the editor."""
    found = get_course(request, course)
    form = LessonForm(request.POST)
    if not form.is_valid():
        messages.error(request, _("A lesson needs a title."))
        return redirect("courses:author-course", found.slug)
    text = api.create_lesson(found, **form.cleaned_data)
    url = reverse("courses:edit", args=[found.slug, text.lesson.slug])
    return redirect(f"{url}?language={text.language}")


@require_POST
@login_required
def move_lesson(request: HttpRequest, course: str, lesson: str) -> HttpResponse:
    """One place up or down."""
    moved = get_lesson(request, course, lesson)
    if moved.archived_at is None:
        moved.move(-1 if request.POST.get("direction") == "up" else 1)
    return redirect(f"{reverse('courses:author-course', args=[course])}#{moved.slug}")


@require_form
@login_required
def edit_lesson_settings(request: HttpRequest, course: str, lesson: str) -> HttpResponse:
    """A lesson's address and whether it is archived."""
    edited = get_lesson(request, course, lesson)
    form = LessonSettingsForm(request.POST or None, instance=edited)
    if form.is_valid():
        archived_at = edited.archived_at or timezone.now()
        edited.archived_at = archived_at if form.cleaned_data["is_archived"] else None
        with transaction.atomic():
            edited.save(update_fields=["slug", "archived_at"])
        return redirect("courses:author-course", course)
    context = {"course": edited.course, "lesson": get_lesson(request, course, lesson), "form": form}
    return render(request, "courses/author/lesson_form.html", context)


def get_course(request: HttpRequest, slug: str) -> Course:
    """A course the author may edit, or 404."""
    return get_object_or_404(Course.objects.editable_by(request.user), slug=slug)


def get_lesson(request: HttpRequest, course: str, lesson: str) -> Lesson:
    """A lesson the author may edit, or 404."""
    lessons = Lesson.objects.editable_by(request.user).with_texts()
    return get_object_or_404(lessons, course__slug=course, slug=lesson)


def is_owner(request: HttpRequest, course: Course) -> bool:
    """Whether the visitor owns the course, or everything."""
    owned = Course.objects.of_member(request.user, Role.OWNER).filter(pk=course.pk)
    return request.user.is_superuser or owned.exists()


def require_owner(request: HttpRequest, course: Course) -> None:
    """404 unless the visitor owns the course."""
    if not is_owner(request, course):
        raise Http404


def is_last_owner(course: Course, username: str, role: str) -> bool:
    """Whether giving ``username`` this role would leave the course without an owner."""
    owners = Membership.objects.filter(course=course, role=Role.OWNER)
    return role != Role.OWNER and not owners.exclude(user__username=username).exists()
