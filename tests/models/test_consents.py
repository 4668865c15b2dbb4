"""Consents in the database itself: what was agreed to never changes, and it ends once."""

import time
from datetime import timedelta

import pytest
from django.core.management import call_command
from django.db import DatabaseError, connection, transaction
from django.utils import timezone

from narration.exceptions import ConsentError
from narration.models import Consent, Override, Rendition, Voice
from narration.models.statements import CURRENT, STATEMENTS, get_statement
from narration.models.triggers import install_triggers
from tests.models.test_tables import build_rendition
from tests.voices.scenes import make_consent, make_voice

pytestmark = pytest.mark.django_db

DAY = timedelta(days=1)


def refuses(make):
    with pytest.raises(DatabaseError), transaction.atomic():
        make()


def change(consent, **changes):
    return Consent.objects.filter(pk=consent.pk).update(**changes)


@pytest.mark.parametrize(
    "changes",
    [
        {"person": ""},
        {"statement": ""},
        {"evidence": ""},
        {"scope": "course"},
        {"scope_key": "courses.course:3"},
        {"expires_at": timezone.now() - 2 * DAY},
        {"revoked_at": timezone.now()},
        {"settled_at": timezone.now()},
    ],
)
def test_half_a_consent_is_none(changes):
    refuses(lambda: make_consent(**changes))


def test_a_file_is_evidence_too():
    assert make_consent(evidence="", evidence_file="evidence/aa/a.pdf").pk


@pytest.mark.parametrize(
    "changes",
    [
        {"person": "Grace"},
        {"statement": "I agree to more."},
        {"statement_version": "2"},
        {"scope": "course", "scope_key": "courses.course:3"},
        {"given_at": timezone.now() - 2 * DAY},
    ],
)
def test_what_somebody_agreed_to_never_changes(changes):
    consent = make_consent()
    refuses(lambda: change(consent, **changes))


def test_a_consent_is_shortened_and_never_extended():
    consent = make_consent(expires_at=timezone.now() + 2 * DAY)
    assert change(consent, expires_at=timezone.now() + DAY)
    refuses(lambda: change(consent, expires_at=timezone.now() + 3 * DAY))
    refuses(lambda: change(consent, expires_at=None))


@pytest.mark.parametrize("field", ["revoked_at", "ended_at", "settled_at"])
def test_what_ended_has_ended(field):
    consent = make_consent()
    now = timezone.now()
    assert change(consent, revoked_at=now, ended_at=now, settled_at=now)
    refuses(lambda: change(consent, **{field: None}))
    refuses(lambda: change(consent, **{field: now + DAY}))


def test_a_recording_names_its_person():
    human = Voice.objects.create(name="Ada herself", kind="human", consent=make_consent())
    low = Voice.objects.create(name="Low", engine="dummy", engine_voice="low")
    refuses(lambda: build_rendition(low, kind="recording").save())
    spoken = build_rendition(human, kind="recording")
    spoken.save()
    refuses(lambda: Rendition.objects.filter(pk=spoken.pk).update(voice=low))
    assert spoken.voice.consent.person == "Ada"


def test_a_chosen_recording_is_there(note):
    from tests.views.rows import make_narration

    word = {"narration": make_narration(note), "text_key": "t", "kind": "recording"}
    refuses(lambda: Override.objects.create(**word))


def test_triggers_are_written_again_where_they_were_lost():
    consent = make_consent()
    with connection.cursor() as cursor:
        table = "" if connection.vendor == "sqlite" else " ON narration_consent"
        cursor.execute(f"DROP TRIGGER narration_consent_is_a_fact{table}")
    assert change(consent, person="Grace")
    install_triggers()
    refuses(lambda: change(consent, person="Ada"))


def demand(voice, chain=("",)):
    """The code of the refusal, "" where the voice may speak."""
    try:
        Voice.objects.filter(pk=voice.pk).demand_consent(chain)
    except ConsentError as error:
        return error.code
    return ""


def test_a_voice_speaks_while_its_consent_holds():
    low = Voice.objects.create(name="Low", engine="dummy", engine_voice="low")
    assert demand(low) == ""
    voice = make_voice()
    assert demand(voice) == ""
    change(voice.consent, expires_at=timezone.now() + timedelta(milliseconds=1))
    time.sleep(0.05)
    assert demand(voice) == "consent_expired"
    now = timezone.now()
    change(voice.consent, revoked_at=now, ended_at=now)
    assert demand(voice) == "consent_revoked"


def test_a_voice_of_a_course_speaks_in_that_course():
    voice = make_voice(consent=make_consent(scope="course", scope_key="courses.course:3"))
    assert demand(voice, ("courses.lesson:8", "courses.course:3", "")) == ""
    assert demand(voice, ("courses.lesson:9", "courses.course:4", "")) == "consent_scope"
    assert demand(voice, None) == ""


def test_the_statement_is_there_in_both_languages():
    assert set(STATEMENTS[CURRENT]) == {"en", "pt-BR"}
    assert get_statement("pt-br") == STATEMENTS[CURRENT]["pt-BR"]
    assert get_statement("en-GB") == get_statement("fr") == STATEMENTS[CURRENT]["en"]


@pytest.mark.django_db(transaction=True)
def test_migrating_back_and_forth_keeps_what_is_held():
    call_command("migrate", "narration", "0003", verbosity=0)
    call_command("migrate", "narration", verbosity=0)
    consent = make_consent()
    refuses(lambda: change(consent, person="Grace"))
