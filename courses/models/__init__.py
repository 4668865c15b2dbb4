"""Courses and who belongs to them; lessons and the versions of their texts."""

from courses.models.courses import Course, Membership, Role, Visibility
from courses.models.lessons import Lesson, LessonQuerySet
from courses.models.texts import EditConflictError, LessonRevision, LessonText
from courses.models.transfer import CourseUpload, ImportedText

__all__ = [
    "Course",
    "CourseUpload",
    "EditConflictError",
    "ImportedText",
    "Lesson",
    "LessonQuerySet",
    "LessonRevision",
    "LessonText",
    "Membership",
    "Role",
    "Visibility",
]
