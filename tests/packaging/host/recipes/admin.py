from django.contrib import admin

from narration.admin import NarratedAdmin
from recipes.models import Recipe


@admin.register(Recipe)
class RecipeAdmin(NarratedAdmin):
    list_display = ["title"]
