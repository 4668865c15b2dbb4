from django.db import models


class Recipe(models.Model):
    title = models.CharField(max_length=100)
    steps = models.TextField()
    version = models.PositiveIntegerField(default=1)

    def __str__(self):
        return self.title
