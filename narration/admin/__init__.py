"""Django's admin. Public: ``NarratedAdmin``, for the models a host has narrated."""

from narration.admin import cloning, consents, models_page, sound, voices, work, work_page
from narration.admin.narrated import NarratedAdmin
from narration.admin.queue import guard_queue

__all__ = [
    "NarratedAdmin",
    "cloning",
    "consents",
    "models_page",
    "sound",
    "voices",
    "work",
    "work_page",
]

guard_queue()
