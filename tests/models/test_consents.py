"""Consents in the database itself: what was agreed to never changes, and it ends once."""

import time
from datetime import timedelta

import pytest
from django.db import DatabaseError, connection, transaction
from django.utils import timezone

from narration.exceptions import ConsentError
from narration.models import Consent, Override, Rendition, Voice, VoiceLatents
from narration.models.statements import CURRENT, STATEMENTS, get_statement
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


PROOF = {
    "evidence": "A letter, in the safe.",
    "evidence_file": "evidence/aa/a.pdf",
    "evidence_name": "a.pdf",
    "evidence_sha256": "1" * 64,
    "evidence_size": 5,
    "recorded_by_name": "Rosa",
}


@pytest.mark.parametrize("name", PROOF)
def test_what_proves_a_consent_is_not_exchanged(name):
    consent = make_consent(**PROOF)
    other = 6 if name == "evidence_size" else "other"
    refuses(lambda: change(consent, **{name: other}))
    refuses(lambda: change(consent, **{name: 0 if name == "evidence_size" else ""}))


def test_evidence_may_be_added():
    consent = make_consent()
    assert change(consent, evidence_file="evidence/aa/a.pdf", evidence_size=5)


def test_who_recorded_and_who_took_back_is_nobody_else(django_user_model):
    rosa, mallory = (django_user_model.objects.create_user(name) for name in ("rosa", "mallory"))
    consent = make_consent(recorded_by=rosa, recorded_by_name="rosa")
    refuses(lambda: change(consent, recorded_by=mallory))
    now = timezone.now()
    told = {"revoked_by": rosa, "revoked_by_name": "rosa", "revoked_reason": "She asked."}
    assert change(consent, revoked_at=now, ended_at=now, **told)
    refuses(lambda: change(consent, revoked_by=mallory))
    refuses(lambda: change(consent, revoked_by_name="mallory"))
    refuses(lambda: change(consent, revoked_reason="She never said so."))
    assert change(consent, settled_at=now)
    rosa.delete()
    consent.refresh_from_db()
    assert (consent.recorded_by, consent.recorded_by_name) == (None, "rosa")
    assert (consent.revoked_by, consent.revoked_by_name) == (None, "rosa")
    refuses(lambda: change(consent, recorded_by=mallory))


def move(voice, consent, **changes):
    return Voice.objects.filter(pk=voice.pk).update(consent=consent, **changes)


@pytest.mark.parametrize("kind", ["cloned", "human"])
def test_a_voice_stays_with_its_person(kind):
    voice = make_voice(kind=kind, hertz=())
    refuses(lambda: move(voice, make_consent("Grace")))
    refuses(lambda: move(voice, None, kind="builtin", engine="dummy", engine_voice="low"))
    refuses(lambda: move(voice, voice.consent, kind="builtin", engine_voice="low"))
    refuses(lambda: move(voice, make_consent("Ada")))  # who may be somebody else of that name
    assert move(voice, make_consent("Ada", renews=voice.consent))


def test_only_a_word_that_holds_is_renewed_by_one_that_holds():
    past, now = timezone.now() - timedelta(hours=1), timezone.now()
    voice = make_voice(hertz=())
    word = {"renews": voice.consent}
    refuses(lambda: move(voice, make_consent(expires_at=past, **word)))
    refuses(lambda: move(voice, make_consent(ended_at=now, **word)))
    assert move(voice, make_consent(expires_at=now + DAY, **word))
    voice.refresh_from_db()
    new = make_consent(renews=voice.consent)
    change(voice.consent, expires_at=past)
    refuses(lambda: move(voice, new))
    refuses(lambda: make_consent(renews=voice.consent))
    ended = make_voice("Ended", hertz=())
    new = make_consent(renews=ended.consent)
    change(ended.consent, ended_at=now)
    refuses(lambda: move(ended, new))
    refuses(lambda: make_consent(renews=ended.consent))


def test_nobody_renews_for_another():
    given, other = make_consent(), make_consent()
    refuses(lambda: make_consent("Grace", renews=given))
    new = make_consent(renews=given)
    refuses(lambda: change(new, renews=other))
    refuses(lambda: change(new, renews=None))
    refuses(lambda: change(other, renews=given))


def test_the_family_of_a_consent_is_what_renews_it_and_what_it_renews():
    first, other = make_consent(), make_consent()
    second = make_consent(renews=first)
    third = make_consent(renews=second)
    fourth = make_consent(renews=first)
    for each in (first, second, third, fourth):
        assert set(Consent.objects.family(each)) == {first, second, third, fourth}
    assert list(Consent.objects.family(other)) == [other]


def test_what_is_imitated_and_learnt_stays_with_its_voice():
    voice = make_voice()
    other = make_voice("Other", consent=voice.consent, hertz=())
    learnt = VoiceLatents.objects.create(voice=voice, digest="0" * 64, file="latents/a.npz")
    refuses(lambda: voice.recordings.update(voice=other))
    refuses(lambda: VoiceLatents.objects.filter(pk=learnt.pk).update(voice=other))


@pytest.mark.skipif(connection.vendor != "sqlite", reason="others know no INSERT OR REPLACE")
@pytest.mark.parametrize("column", ["id", "uid"])
@pytest.mark.parametrize(
    ("table", "changes"),
    [
        ("consent", {"revoked_at": "NULL", "ended_at": "NULL"}),
        ("voice", {"consent_id": "(SELECT MAX(id) FROM narration_consent)"}),
        ("referencerecording", {"voice_id": "(SELECT MAX(id) FROM narration_voice)"}),
        ("voicelatents", {"voice_id": "(SELECT MAX(id) FROM narration_voice)"}),
    ],
)
def test_nothing_is_replaced(table, changes, column):
    now = timezone.now()
    voice = make_voice()
    VoiceLatents.objects.create(voice=voice, digest="0" * 64, file="latents/a.npz")
    change(voice.consent, revoked_at=now, ended_at=now)
    make_voice("Grace's", consent=make_consent("Grace"), hertz=())
    if column == "uid":
        changes = {**changes, "id": "id + 1000"}
    with connection.cursor() as cursor:
        cursor.execute(f"PRAGMA table_info(narration_{table})")
        columns = [row[1] for row in cursor.fetchall()]
    chosen = ", ".join(changes.get(name, name) for name in columns)
    sql = f"INSERT OR REPLACE INTO narration_{table} SELECT {chosen} FROM narration_{table}"

    def replace():
        with connection.cursor() as cursor:
            cursor.execute(f"{sql} WHERE id = (SELECT MIN(id) FROM narration_{table})")

    refuses(replace)
    assert not Consent.objects.live().filter(pk=voice.consent_id).exists()


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
