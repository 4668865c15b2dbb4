from django.contrib import admin

from narration.admin import NarratedAdmin
from tests.testapp.models import Note


@admin.register(Note)
class NoteAdmin(NarratedAdmin):
    list_display = ["title"]
