"""What imports remember: the text each file last brought, and archives that wait for a yes."""

from __future__ import annotations

from django.conf import settings
from django.db import models

from courses.models.base import Row
from courses.models.courses import Course
from courses.models.texts import LessonText


class ImportedText(Row):
    """What the last import wrote into a text; where the text differs now, somebody edited here.

    The rows of one import follow one another in ``at`` as the files did. No ``path``: the files
    lost it, and the import took the lesson out of use.
    """

    text = models.OneToOneField(LessonText, on_delete=models.CASCADE, related_name="imported")
    path = models.CharField(max_length=500)
    digest = models.CharField(max_length=64)
    at = models.DateTimeField(auto_now=True)

    def __str__(self) -> str:
        return self.path


class CourseUpload(Row):
    """An uploaded archive between its plan and the author's yes; nobody else's business.

    In the database, so that whichever web process gets the yes finds it.
    """

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    course = models.ForeignKey(Course, null=True, on_delete=models.CASCADE, related_name="+")
    name = models.CharField(max_length=200)
    content = models.BinaryField()
    at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return self.name
