"""Triggers: what no program may do to consents and voices, and that they are there."""

from functools import partial
from importlib import import_module

import pytest
from django.core.management import call_command
from django.db import connection
from django.db.migrations import RunPython
from django.db.models import ProtectedError

from narration.diagnosis.database import check_database
from narration.models import Rendition, Voice
from narration.models.triggers import install_triggers, list_missing
from tests.models.test_consents import change, refuses
from tests.models.test_tables import build_rendition
from tests.voices.scenes import make_consent, make_voice

pytestmark = pytest.mark.django_db


def drop(name, table="narration_consent"):
    with connection.cursor() as cursor:
        on = "" if connection.vendor == "sqlite" else f" ON {table}"
        cursor.execute(f"DROP TRIGGER {name}{on}")


def look():
    return next(each for each in check_database() if each.name == "triggers")


def test_missing_triggers_are_noticed_and_migrate_writes_them():
    consent = make_consent()
    assert look().state == "ok"
    drop("narration_consent_is_a_fact")
    assert change(consent, person="Grace")
    found = look()
    assert found.state == "broken"
    assert "narration_consent_is_a_fact" in found.words
    assert "manage.py migrate" in found.advice
    call_command("migrate", verbosity=0)
    assert look().state == "ok"
    refuses(lambda: change(consent, person="Ada"))


def test_triggers_that_say_something_else_are_missing():
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            drop("narration_consent_is_a_fact")
            cursor.execute(
                "CREATE TRIGGER narration_consent_is_a_fact BEFORE UPDATE ON narration_consent"
                " BEGIN SELECT 1; END"
            )
        else:
            name = "narration_consent_is_a_fact"
            cursor.execute(f"ALTER TABLE narration_consent DISABLE TRIGGER {name}")
    assert list_missing() == ["narration_consent_is_a_fact"]
    install_triggers()
    assert list_missing() == []


@pytest.fixture
def late():
    """A migration of another app that is not applied yet: its operations are the test's."""
    sessions = import_module("django.contrib.sessions.migrations.0001_initial").Migration
    kept = sessions.operations
    call_command("migrate", "sessions", "zero", verbosity=0)
    sessions.operations = [*kept]
    yield sessions.operations
    sessions.operations = kept
    call_command("migrate", "sessions", verbosity=0)


@pytest.mark.django_db(transaction=True)
def test_a_migration_of_another_app_that_fails_leaves_the_triggers_on(late):
    missing = []

    def fail(_apps, _editor):
        missing.extend(list_missing())
        raise RuntimeError("It failed.")

    late.append(RunPython(fail))
    with pytest.raises(RuntimeError):
        call_command("migrate", verbosity=0)
    # SQLite could not have copied a table of ours with them.
    assert bool(missing) == (connection.vendor == "sqlite")
    assert list_missing() == []


@pytest.mark.django_db(transaction=True)
def test_a_migration_that_fails_on_the_way_back_leaves_them_on():
    module = import_module("narration.migrations.0004_voices").Migration
    kept = module.operations

    def fail(_apps, _editor):
        assert list_missing()
        raise RuntimeError("It failed.")

    module.operations = [*kept, RunPython(RunPython.noop, fail)]
    try:
        with pytest.raises(RuntimeError):
            call_command("migrate", "narration", "0003", verbosity=0)
    finally:
        module.operations = kept
    assert list_missing() == []


def remove(row):
    with connection.cursor() as cursor:
        cursor.execute(f"DELETE FROM {row._meta.db_table} WHERE id = %s", [row.pk])


@pytest.mark.django_db(transaction=True)
def test_a_consent_is_there_as_long_as_its_voice():
    voice = make_voice()
    refuses(partial(remove, voice.consent))
    with pytest.raises(ProtectedError):
        voice.consent.delete()
    assert Voice.objects.get() == voice


def test_a_sound_stays_with_its_voice():
    voice = make_voice()
    low = Voice.objects.create(name="Low", engine="dummy", engine_voice="low")
    for at, (mine, other) in enumerate(((voice, low), (low, voice))):
        sound = build_rendition(mine, digest=f"{at:064x}", storage_name=f"{at}.flac")
        sound.save()
        move = Rendition.objects.filter(pk=sound.pk).update
        refuses(partial(move, voice=other))
        refuses(partial(move, voice=other, state="quarantined"))
        assert move(state="quarantined")
        assert move(voice=other, state="ok")  # made again


@pytest.mark.django_db(transaction=True)
def test_migrating_back_and_forth_keeps_what_is_held():
    call_command("migrate", "narration", "0003", verbosity=0)
    assert list_missing() == []  # nothing is there that could miss any
    call_command("migrate", "narration", verbosity=0)
    assert list_missing() == []
    consent = make_consent()
    refuses(lambda: change(consent, person="Grace"))
