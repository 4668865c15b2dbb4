"""A consent that nears its end is renewed; who takes their voice back means all they renewed."""

import re
import threading
import time
from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.utils import timezone

from narration import api, runner
from narration.diagnosis.consents import check_consents
from narration.exceptions import ConflictError, NarrationNotFound
from narration.models import Consent, Event, ReferenceRecording, Rendition, Voice
from narration.pipeline import consents
from tests.helpers import get_narration, narrate
from tests.testapp.models import Note
from tests.voices.scenes import make_consent, make_voice
from tests.voices.test_doors import build_upload, make_operator, read
from tests.voices.test_leaks import list_files

pytestmark = pytest.mark.django_db(transaction=True)

DAY = timedelta(days=1)


@pytest.fixture
def operator(django_user_model, client):
    user = make_operator(django_user_model)
    client.force_login(user)
    return user


@pytest.fixture
def voice(cast):
    voice = make_voice(consent=make_consent(expires_at=timezone.now() + DAY))
    cast(voice)
    return voice


def build_word(**changes):
    """A consent that is not stored."""
    facts = {"statement_version": "1", "statement": "I agree.", "evidence": "Another letter."}
    return Consent(**{"person": "Ada", "given_at": timezone.now(), **facts, **changes})


def renew(voice, **changes):
    voice.refresh_from_db()
    new = build_word(**changes)
    api.renew_consent(voice.consent, new, user=None)
    voice.refresh_from_db()
    return new


def get_page(consent, name):
    return f"/admin/narration/consent/{consent.pk}/{name}/"


def build_data(**changes):
    facts = {
        "statement_language": "pt-BR",
        "scope": "installation",
        "given_at": "2026-01-01T10:00",
        "expires_at": "2126-01-01T10:00",
        "evidence": "Another letter.",
    }
    return {**facts, **changes}


def hears(note):
    try:
        return bool(api.get_manifest(note, language="en", user=None))
    except NarrationNotFound:
        return False


# The page.


def test_an_operator_renews_a_consent_on_its_page(client, operator, note, voice):
    narrate(note, publish=True)
    old = voice.consent
    page = get_page(old, "renew")
    assert page in read(client.get(get_page(old, "change")))
    shown = read(client.get(page))
    for words in ("Ada&#x27;s voice", "A note", "I am the person who is heard"):
        assert words in shown
    assert re.search(r'value="\d{4}-\d\d-\d\dT\d\d:\d\d"', shown)  # given now, unless said
    data = build_data(evidence_upload=build_upload(b"%PDF-", "letter.pdf"))
    answer = client.post(page, data, follow=True)
    assert "The voices speak by this consent now" in read(answer)
    voice.refresh_from_db()
    new = voice.consent
    assert new != old
    assert (new.person, new.renews, new.recorded_by) == ("Ada", old, operator)
    assert new.statement.startswith("Sou a pessoa")
    assert (new.evidence_name, new.expires_at.year) == ("letter.pdf", 2126)
    assert get_page(old, "change") in read(answer)
    assert page not in read(client.get(get_page(old, "change")))
    kinds = ["consent_recorded", "consent_renewed"]
    told = Event.objects.filter(kind__in=kinds).order_by("pk")
    assert list(told.values_list("kind", "actor_name")) == [(kind, "operator") for kind in kinds]
    assert told.last().data["voices"] == 1
    consents.Consent.objects.filter(pk=old.pk).update(expires_at=timezone.now())
    runner.sweep()
    assert Consent.objects.get(pk=old.pk).settled_at
    assert hears(note)
    assert narrate(note).synthesized == 0


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"evidence": ""}, "Give the evidence"),
        ({"scope": "course"}, "Name the course"),
        ({"given_at": "2126-01-01T10:00"}, "in the future"),
        ({"expires_at": "2026-02-01T10:00"}, "has ended already"),
        ({"expires_at": "2025-02-01T10:00"}, "expires before it was given"),
    ],
)
def test_half_a_word_renews_nothing(client, operator, voice, changes, words):
    upload = {} if "evidence" in changes else {"evidence_upload": build_upload(b"-", "a.txt")}
    before = list_files()
    answer = client.post(get_page(voice.consent, "renew"), build_data(**upload, **changes))
    assert answer.status_code == 200
    assert words in read(answer)
    assert Consent.objects.count() == 1
    assert list_files() == before


def test_what_cannot_be_renewed_says_why(client, operator, voice):
    alone = make_consent("Grace")
    renewed = voice.consent
    newer = renew(voice)
    for consent in (alone, renewed):
        assert "No voice speaks by it" in read(client.get(get_page(consent, "renew")))
        assert "No voice speaks by it" in read(
            client.post(get_page(consent, "renew"), build_data())
        )
    api.revoke_consent(newer)
    for consent in (renewed, newer):
        assert "It has ended" in read(client.post(get_page(consent, "renew"), build_data()))
        assert get_page(consent, "renew") not in read(client.get(get_page(consent, "change")))
    assert Consent.objects.count() == 3


def test_nobody_renews_for_another_or_too_late(voice):
    now = timezone.now()
    for new in (build_word(person="Grace"), build_word(given_at=now - DAY, expires_at=now)):
        with pytest.raises(ConflictError):
            api.renew_consent(voice.consent, new, user=None)
    past = timezone.now() - timedelta(seconds=1)
    Consent.objects.filter(pk=voice.consent_id).update(expires_at=past)
    with pytest.raises(ConflictError) as refused:
        renew(voice)
    assert refused.value.code == "consent_ended"
    assert Consent.objects.count() == 1


def test_a_narrower_word_silences_what_is_elsewhere(note, owner, voice):
    other = Note.objects.create(title="Other", owner=owner, body="It snowed.")
    for each in (note, other):
        narrate(each, publish=True)
    renew(voice, scope="course", scope_key=f"testapp.note:{note.pk}")
    assert [hears(each) for each in (note, other)] == [True, False]
    assert get_narration(note).published_track
    narration = get_narration(other)
    assert (narration.draft_track, narration.published_track) == (None, None)
    told = Event.objects.get(kind="withdrawn")
    assert (told.narration, "another course" in told.data["reason"]) == (narration, True)


# Taking back.


@pytest.mark.parametrize("which", [0, 1, 2])
def test_whichever_word_is_taken_back_the_voice_is_gone(client, operator, note, voice, which):
    narrate(note, publish=True)
    words = [voice.consent, renew(voice), renew(voice)]
    question = read(client.get(get_page(words[which], "revoke")))
    assert "Ada&#x27;s voice" in question
    for each in words:
        assert get_page(each, "change") in question
    answer = client.post(get_page(words[which], "revoke"), {"reason": "She asked."}, follow=True)
    assert "Nothing is spoken in this voice any more" in read(answer)
    assert not hears(note)
    assert not Rendition.objects.usable().exists()
    assert not ReferenceRecording.objects.exists()
    assert list_files() == []
    for row in Consent.objects.all():
        assert (row.revoked_by, row.revoked_reason) == (operator, "She asked.")
        assert row.settled_at
    told = Event.objects.filter(kind="consent_revoked")
    assert told.filter(data__with=consents.name_consent(words[which])).count() == 2
    assert told.count() == 3


def test_what_has_ended_by_itself_keeps_its_end(voice):
    first = voice.consent
    second = renew(voice)
    Consent.objects.filter(pk=first.pk).update(ended_at=timezone.now())
    api.revoke_consent(second)
    first.refresh_from_db()
    assert first.revoked_at is None


def test_an_older_word_that_has_ended_takes_the_newer_along(note, voice):
    narrate(note, publish=True)
    first = voice.consent
    renew(voice)
    Consent.objects.filter(pk=first.pk).update(ended_at=timezone.now())
    api.revoke_consent(first)
    assert not hears(note)
    assert not Consent.objects.filter(revoked_at=None).exists()


def test_a_renewal_under_way_is_taken_back_with_the_rest(note, voice, monkeypatch):
    """Who takes it back waits for the renewal, and then takes it along."""
    narrate(note, publish=True)
    old, inside = voice.consent, threading.Event()
    withdraw = consents.withdraw_beyond

    def renew_slowly(consent, **facts):
        inside.set()
        time.sleep(0.3)  # time enough to overtake, if nothing held the end back
        return withdraw(consent, **facts)

    monkeypatch.setattr(consents, "withdraw_beyond", renew_slowly)

    def renew_it():
        api.renew_consent(old, build_word(), user=None)
        connection.close()

    renewal = threading.Thread(target=renew_it)
    renewal.start()
    assert inside.wait(60)
    api.revoke_consent(Consent.objects.get(pk=old.pk))
    renewal.join(60)
    assert Consent.objects.filter(revoked_at=None).count() == 0
    assert Consent.objects.count() == 2
    assert not hears(note)
    assert list_files() == []


def test_what_speaks_on_is_told(client, operator, note, voice):
    """Another consent of somebody of that name, perhaps the same person: nobody knows."""
    other = make_voice("Ada, low", hertz=(222.0,))
    make_voice("Grace", consent=make_consent("Grace"), hertz=(444.0,))
    question = read(client.get(get_page(voice.consent, "revoke")))
    assert "These go on" in question
    assert f'Ada, low (<a href="{get_page(other.consent, "change")}">' in question
    shown = read(client.post(get_page(voice.consent, "revoke"), follow=True))
    assert "these voices speak on: Ada, low." in shown
    assert "Grace" not in shown
    shown = read(client.post(get_page(other.consent, "revoke"), follow=True))
    assert "speak on" not in shown


def test_a_word_nobody_speaks_by_is_taken_back_as_such(client, operator):
    shown = read(client.post(get_page(make_consent(), "revoke"), follow=True))
    assert "No voice spoke by it" in shown
    assert "Nothing is spoken in this voice" not in shown


def test_a_persons_own_voice_is_renewed_as_well(voice):
    human = Voice.objects.create(name="Ada herself", kind="human", consent=voice.consent)
    new = renew(voice)
    human.refresh_from_db()
    assert human.consent == new


def test_the_command_takes_a_renewed_word_back_by_the_name(note, voice, capsys):
    narrate(note, publish=True)
    renew(voice)
    call_command("revoke_consent", "Ada", "--yes")
    assert not hears(note)
    said = capsys.readouterr().out
    assert "Ada's voice; cast in 1 text(s), spoken in 1, heard by learners in 1." in said
    assert not Consent.objects.filter(revoked_at=None).exists()


def test_the_command_tells_what_speaks_on(voice, capsys):
    other = make_voice("Ada, low", hertz=(222.0,))
    call_command("revoke_consent", str(voice.consent.uid), "--yes")
    said = capsys.readouterr().out
    assert "Ada, low speaks on" in said
    assert str(other.consent.uid) in said


def call(*options):
    call_command("renew_consent", *options)


def test_the_command_renews_after_one_question(note, voice, monkeypatch, capsys, tmp_path):
    old, letter = voice.consent, tmp_path / "letter.pdf"
    letter.write_bytes(b"%PDF-")
    words = ["Ada", "--until", "2126-01-31", "--evidence-file", str(letter)]
    monkeypatch.setattr("builtins.input", lambda _question: "no")
    with pytest.raises(CommandError):
        call(*words)
    assert Consent.objects.get() == old
    monkeypatch.setattr("builtins.input", lambda _question: "yes")
    call(*words, "--statement-language", "pt-BR")
    said = capsys.readouterr().out
    assert "Sou a pessoa" in said
    assert "Ada: everything on this site, until 2126-01-31: Ada's voice." in said
    voice.refresh_from_db()
    assert voice.consent.renews == old
    assert (voice.consent.evidence_name, voice.consent.scope) == ("letter.pdf", "installation")
    # By the name again: the old one has no voice any more, so there is only one to be renewed.
    key = f"testapp.note:{note.pk}"
    call("Ada", "--evidence", "A mail.", "--course", key, "--yes")
    voice.refresh_from_db()
    assert (voice.consent.scope_key, voice.consent.expires_at) == (key, None)
    call("Ada", "--evidence", "A mail.", "--yes")
    voice.refresh_from_db()
    assert voice.consent.scope_key == key
    call(str(voice.consent.uid), "--evidence", "A mail.", "--everywhere", "--yes")
    voice.refresh_from_db()
    assert voice.consent.scope == "installation"


@pytest.mark.parametrize(
    ("words", "refusal"),
    [
        (["Nobody"], "no consent of 'Nobody'"),
        (["Ada"], "Give the evidence"),
        (["Ada", "--evidence", "-", "--until", "soon"], "is no day"),
        (["Ada", "--evidence", "-", "--until", "2020-01-01"], "before it was given"),
        (["Ada", "--evidence", "-", "--given", "2126-01-01"], "in the future"),
        (["Ada", "--evidence", "-", "--course", "nonsense"], "A scope is empty or looks like"),
        (["Ada", "--evidence-file", "/nowhere/letter.pdf"], "cannot be read"),
    ],
)
def test_the_command_says_what_is_wrong(voice, words, refusal):
    with pytest.raises(CommandError, match=refusal):
        call(*words, "--yes")
    assert Consent.objects.get() == voice.consent


def test_the_command_takes_no_person_for_another(voice):
    other = make_voice("Ada, low", hertz=(222.0,))
    with pytest.raises(CommandError, match=str(other.consent.uid)):
        call("Ada", "--evidence", "-", "--yes")


def test_the_doctor_names_what_ends_soon(voice):
    finding = next(each for each in check_consents() if each.name == "consents")
    assert (finding.state, finding.facts["ending"]) == ("warning", [voice.name])
    renew(voice, expires_at=timezone.now() + 20 * DAY)
    finding = next(each for each in check_consents() if each.name == "consents")
    assert (finding.state, finding.facts["ending"]) == ("ok", [])


@pytest.mark.parametrize("name", ["renew_consent", "revoke_consent"])
def test_where_nobody_can_be_asked_the_commands_say_which_option_confirms(voice, monkeypatch, name):
    def refuse(_question):
        raise EOFError

    monkeypatch.setattr("builtins.input", refuse)
    words = [name, "Ada", *(["--evidence", "A letter."] if name == "renew_consent" else [])]
    with pytest.raises(CommandError, match="Pass --yes"):
        call_command(*words)
    assert Consent.objects.get(revoked_at=None)


def test_where_it_is_cast_and_where_it_is_spoken_are_told_apart(
    client, operator, note, voice, capsys
):
    narrate(note, publish=True)
    other = Note.objects.create(title="Silent", owner=note.owner, body="Nobody said this.")
    api.refresh_plan(other, language="en")
    uses = api.list_uses([voice])
    assert (uses.narrations, uses.spoken, uses.published) == (2, 1, 1)
    shown = read(client.get(f"/admin/narration/voice/{voice.pk}/uses/"))
    assert "Cast in: 2. Spoken in, so that there is sound of it: 1." in shown
    assert "6 sentences · 6 are spoken · published" in shown
    assert "1 sentence · only cast, nothing is spoken" in shown
    call_command("revoke_consent", str(voice.consent.uid), "--yes")
    assert "cast in 2 text(s), spoken in 1, heard by learners in 1." in capsys.readouterr().out
    assert api.list_uses([voice]).spoken == 0
