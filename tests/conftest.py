"""Fixtures every room uses. Files go to a folder of the test's own."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest
from django.apps import apps
from django.core.files.storage import storages
from django.db import connection
from django.utils import translation

from narration.speaking import close_all


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup, django_db_blocker):
    """PostgreSQL drops no database that somebody uses, and a live server keeps its connections."""
    yield
    with django_db_blocker.unblock():
        if connection.vendor == "postgresql":
            with connection.cursor() as cursor:
                cursor.execute(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                    " WHERE datname = current_database() AND pid <> pg_backend_pid()"
                )


@pytest.fixture(autouse=True)
def narration_storage(settings, tmp_path):
    """Sound of one test never meets another's."""
    settings.STORAGES = {
        **settings.STORAGES,
        "narration": {
            "BACKEND": "narration.storage.AtomicFileStorage",
            "OPTIONS": {"location": tmp_path / "narration"},
        },
    }
    return storages["narration"]


@pytest.fixture(autouse=True)
def english():
    """A page asked for in Portuguese leaves its language behind in the thread."""
    translation.activate("en")
    yield
    translation.deactivate()


@pytest.fixture
def no_engines():
    """Nothing is warm: not what an earlier test has loaded, nor afterwards what this one has."""
    close_all()
    yield
    close_all()


@pytest.fixture
def chromium(monkeypatch):
    """A browser beside which the test asks the database, between its calls only."""
    from tests.chromium import open_chromium

    monkeypatch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
    with open_chromium() as browser:
        yield browser


@pytest.fixture
def owner(django_user_model):
    return django_user_model.objects.create_user("owner", password="owner-password")


@pytest.fixture
def stranger(django_user_model):
    return django_user_model.objects.create_user("stranger", password="stranger-password")


@pytest.fixture
def note(owner):
    from tests.testapp.models import Note

    return Note.objects.create(
        title="A note",
        owner=owner,
        body="# Rain\n\nIt rained. The *river* rose. It rained.\n\n- one\n- two\n",
    )


# The rooms of the plugin that touch a database: what is tested there needs no courses.
PLUGIN = ("admin", "diagnosis", "jobs", "models", "modelstore", "pipeline", "player")
PLUGIN += ("rest", "speaking", "views", "voices")
NEEDS_COURSES = ("bench", "browser", "courses", "docs", "packaging")
TESTS = Path(__file__).parent

collect_ignore = [] if apps.is_installed("courses") else [TESTS / room for room in NEEDS_COURSES]


def pytest_itemcollected(item):
    """Mark the plugin's tests, and skip by name what this machine cannot run.

    Where everything must run, let it fail.
    """
    if item.path.relative_to(TESTS).parts[0] in PLUGIN:
        item.add_marker("plugin")
    is_browser = item.get_closest_marker("browser") is not None
    if is_browser and not (shutil.which("chromium") or os.environ.get("NARRATION_REQUIRE_ALL")):
        item.add_marker(pytest.mark.skip(reason="Chromium is missing: browser tests"))


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items):
    """Clusters wait more than they work: begun last, they would leave the other core idle."""
    items.sort(key=lambda item: item.get_closest_marker("cluster") is None)
