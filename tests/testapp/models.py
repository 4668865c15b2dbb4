"""A second host: a note in Markdown with an owner, no courses anywhere."""

from django.conf import settings
from django.db import models


class Note(models.Model):
    title = models.CharField(max_length=100)
    body = models.TextField()
    language = models.CharField(max_length=10, default="en")
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE)
    is_public = models.BooleanField(default=True)
    version = models.PositiveIntegerField(default=1)
    public_version = models.PositiveIntegerField(null=True)

    def __str__(self) -> str:
        return self.title

    def edit(self, body: str) -> None:
        """Another text, another version."""
        self.body = body
        self.version += 1
        self.save()
