"""Addresses. All pages of a lesson lie directly under it, so that ``figures/…`` resolves there."""

from django.urls import path, register_converter

from courses.figures import FigureConverter
from courses.views import author, editor, learner, transfer

register_converter(FigureConverter, "figure")

app_name = "courses"

COURSE = "courses/<slug:course>"
LESSON = "courses/<slug:course>/<slug:lesson>"
TEACH = "teach/<slug:course>"

urlpatterns = [
    path("", learner.home, name="home"),
    path(f"{COURSE}/", learner.show_course, name="course"),
    path(f"{LESSON}/", learner.show_lesson, name="lesson"),
    path(f"{LESSON}/figures/<figure:name>", learner.serve_figure, name="figure"),
    path(f"{LESSON}/edit", editor.edit_text, name="edit"),
    path(f"{LESSON}/preview", editor.preview, name="preview"),
    path(f"{LESSON}/publish", editor.publish, name="publish"),
    path(f"{LESSON}/languages", editor.add_language, name="add-language"),
    path(f"{LESSON}/history", editor.list_revisions, name="history"),
    path(f"{LESSON}/history-<int:version>", editor.show_revision, name="revision"),
    path(f"{LESSON}/restore", editor.restore, name="restore"),
    path(f"{LESSON}/move", author.move_lesson, name="move"),
    path(f"{LESSON}/settings", author.edit_lesson_settings, name="lesson-settings"),
    path("teach/", author.list_courses, name="author"),
    path("teach/import", transfer.upload, name="import"),
    path("teach/import/<uuid:upload>", transfer.confirm, name="import-plan"),
    path("teach/new", author.create_course, name="course-new"),
    path(f"{TEACH}/", author.show_course, name="author-course"),
    path(f"{TEACH}/import", transfer.upload, name="import-course"),
    path(f"{TEACH}/export", transfer.download, name="export"),
    path(f"{TEACH}/settings", author.edit_course, name="course-settings"),
    path(f"{TEACH}/members", author.edit_members, name="members"),
    path(f"{TEACH}/members/remove", author.remove_member, name="member-remove"),
    path(f"{TEACH}/lessons/new", author.create_lesson, name="lesson-new"),
]
