"""Run in the host's environment: narrate a recipe through the worker and tell what came of it."""

import importlib.util
import json
import sys
import time

import django

SECONDS = 45


def main():
    django.setup()
    from django.conf import settings
    from recipes.models import Recipe

    settings.ALLOWED_HOSTS = ["testserver"]
    recipe = Recipe.objects.create(title="Bread", steps="# Bread\n\nMix *flour* and water.\n")
    print(json.dumps({**narrate(recipe), **look(recipe), **find_strangers()}))


def narrate(recipe):
    from narration import api

    api.request_narration(recipe, language="en", publish=True)
    deadline = time.monotonic() + SECONDS
    while api.state_of(recipe, language="en").job.is_active and time.monotonic() < deadline:
        time.sleep(0.1)
    state = api.state_of(recipe, language="en")
    return {"status": state.status, "synthesized": state.job.synthesized}


def look(recipe):
    from django.contrib.auth import get_user_model
    from django.test import Client

    from narration import api

    staff, anyone = Client(), Client()
    staff.force_login(get_user_model().objects.create_superuser("admin", password="admin"))
    manifest = api.get_manifest(recipe, language="en", user=None)
    media = anyone.get(manifest["files"]["mp3"]["url"])
    return {
        "segments": [segment["text"] for segment in manifest["segments"]],
        "media_status": media.status_code,
        "mp3": b"".join(media).hex(),
        "page": anyone.get("/recipes/1/").content.decode(),
        "admin_list": staff.get("/admin/recipes/recipe/").content.decode(),
        "admin_page": staff.get("/admin/recipes/recipe/1/change/").content.decode(),
        "panel_for_anyone": anyone.get("/narration/panel/recipes.recipe/1/en/").status_code,
    }


def find_strangers():
    import narration

    names = ("bench", "config", "courses", "tests")
    strangers = [name for name in names if importlib.util.find_spec(name) is not None]
    return {"narration": narration.__file__, "strangers": strangers, "path": sys.path}


main()
