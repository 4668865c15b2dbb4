"""Run in the host's environment: narrate a recipe through the worker and tell what came of it."""

import importlib.util
import json
import sys
import time

import django

django.setup()

from django.conf import settings
from django.contrib.auth import get_user_model
from django.test import Client
from recipes.models import Recipe

import narration
from narration import api

SECONDS = 45

settings.ALLOWED_HOSTS = ["testserver"]
recipe = Recipe.objects.create(title="Bread", steps="# Bread\n\nMix *flour* and water.\n")
job = api.request_narration(recipe, language="en", publish=True)
deadline = time.monotonic() + SECONDS
state = api.state_of(recipe, language="en")
while state.job and state.job.is_active and time.monotonic() < deadline:
    time.sleep(0.1)
    state = api.state_of(recipe, language="en")
state = api.state_of(recipe, language="en")  # once more: the job may have ended between two reads

admin = get_user_model().objects.create_superuser("admin", password="admin")
staff, anyone = Client(), Client()
staff.force_login(admin)
manifest = api.get_manifest(recipe, language="en", user=None)
media = anyone.get(manifest["files"]["mp3"]["url"])
facts = {
    "narration": narration.__file__,
    "strangers": [
        name
        for name in ("bench", "config", "courses", "tests")
        if importlib.util.find_spec(name) is not None
    ],
    "path": sys.path,
    "status": state.status,
    "synthesized": state.job.synthesized,
    "segments": [segment["text"] for segment in manifest["segments"]],
    "media_status": media.status_code,
    "mp3": b"".join(media).hex(),
    "page": anyone.get("/recipes/1/").content.decode(),
    "admin_list": staff.get("/admin/recipes/recipe/").content.decode(),
    "admin_page": staff.get("/admin/recipes/recipe/1/change/").content.decode(),
    "panel_for_anyone": anyone.get("/narration/panel/recipes.recipe/1/en/").status_code,
}
print(json.dumps(facts))
