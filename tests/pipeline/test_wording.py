"""Every choice about words touches only the sentences it really changes."""

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction

from narration import api
from narration.exceptions import ConflictError, NotAllowed
from narration.models import Event, Job, LexiconEntry, Segment, SpeechPolicy, Voice
from narration.pipeline import blast
from narration.sources import get_scope_key
from tests.helpers import LONG_LESSON, get_narration, narrate, work
from tests.testapp.models import Note

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.xdist_group("wording")]

BODY = """\
# Queries

SQL is a language. You write SQL. You write SQL.

We call `SQL` by name; NoSQL is another thing.

A plain sentence with MySQL in it.
"""


@pytest.fixture
def lesson(owner):
    return Note.objects.create(title="Queries", owner=owner, body=BODY)


def build_entry(**fields) -> LexiconEntry:
    given = {"language": "en", "grapheme": "SQL", "alias": "sequel", "state": "active"}
    return LexiconEntry(**{**given, **fields})


def get_spoken(obj) -> list[str]:
    rows = Segment.objects.filter(narration=get_narration(obj)).order_by("position")
    return list(rows.values_list("spoken_text", flat=True))


def test_an_entry_costs_exactly_the_utterances_that_hold_its_word(lesson):
    first = narrate(lesson, publish=True)
    change = api.change_entry(build_entry())
    radius = api.build_blast_radius(change)
    # Three sentences of two texts, and one with inline code; NoSQL and MySQL are other words.
    assert (radius.sentences, radius.utterances, radius.missing) == (4, 3, 3)
    assert not LexiconEntry.objects.exists()

    applied = api.apply_change(change)
    assert (applied.sentences, applied.utterances) == (4, 3)
    job = narrate(lesson)
    assert (job.state, job.synthesized) == ("done", 3)
    assert job.reused == first.total - 3
    assert "sequel is a language." in get_spoken(lesson)
    assert "You write sequel." in get_spoken(lesson)


@pytest.mark.parametrize(
    "fields",
    [
        {"grapheme": "PostgreSQL"},
        {"state": "proposed"},
        {"state": "disabled"},
        {"language": "pt-BR"},
        {"scope_key": "testapp.note:999999"},
        {"engine": "another"},
        {"grapheme": "sql"},
        {"grapheme": "plain", "alias": "plain"},
    ],
)
def test_an_entry_that_changes_nothing_costs_nothing(lesson, fields):
    narrate(lesson, publish=True)
    change = api.change_entry(build_entry(**fields))
    radius = api.build_blast_radius(change)
    assert (radius.narrations, radius.utterances) == ((), 0)
    api.apply_change(change)
    assert api.estimate_narration(lesson, language="en").missing == 0
    assert narrate(lesson).synthesized == 0
    assert not Event.objects.filter(kind="stale").exists()


def test_applying_marks_the_narration_stale_once_and_no_other(lesson, owner):
    other = Note.objects.create(title="Other", owner=owner, body="Nothing of the kind.\n")
    narrate(lesson, publish=True)
    narrate(other, publish=True)
    planned_at = get_narration(other).planned_at
    entry = build_entry()
    api.apply_change(api.change_entry(entry))
    assert api.state_of(lesson, language="en").status == "stale"
    assert api.state_of(other, language="en").status == "published"
    assert get_narration(other).planned_at == planned_at
    entry.alias = "S Q L"
    api.apply_change(api.change_entry(entry))
    assert Event.objects.filter(kind="stale").count() == 1


def test_taking_an_entry_back_finds_the_old_sound_again(lesson):
    narrate(lesson, publish=True)
    before = get_spoken(lesson)
    entry = build_entry()
    api.apply_change(api.change_entry(entry))
    narrate(lesson)
    change = api.change_entry(entry, removes=True)
    assert api.build_blast_radius(change).missing == 0
    api.apply_change(change)
    assert get_spoken(lesson) == before
    assert narrate(lesson).synthesized == 0


def test_the_nearest_scope_wins(lesson):
    narrate(lesson)
    api.apply_change(api.change_entry(build_entry(alias="wide")))
    key = get_scope_key(lesson)
    api.apply_change(api.change_entry(build_entry(alias="near", scope_key=key)))
    assert "near is a language." in get_spoken(lesson)
    radius = api.build_blast_radius(
        api.change_entry(LexiconEntry.objects.get(scope_key=""), removes=True)
    )
    assert radius.utterances == 0


def test_case_rules_and_parts_of_words(lesson):
    narrate(lesson)
    any_case = api.change_entry(build_entry(grapheme="sql", case_rule="any"))
    assert api.build_blast_radius(any_case).utterances == 3
    parts = api.change_entry(build_entry(whole_words=False))
    assert api.build_blast_radius(parts).utterances == 4
    words = api.change_entry(build_entry(grapheme="plain  sentence", alias="simple one"))
    assert api.build_blast_radius(words).utterances == 1


def test_a_phrase_spoken_differently_and_a_phrase_in_accents(lesson):
    lesson.edit("O coração é um músculo. O CORAÇÃO bate.\n")
    Note.objects.filter(pk=lesson.pk).update(language="pt-BR")
    lesson.refresh_from_db()
    api.refresh_plan(lesson, language="pt-BR")
    entry = build_entry(language="pt-BR", grapheme="Ção", alias="sao", whole_words=False)
    entry.case_rule = "any"
    assert api.build_blast_radius(api.change_entry(entry)).utterances == 2


def test_an_author_fixed_sentence_is_left_alone(lesson):
    from narration.models import Override

    narrate(lesson)
    segment = Segment.objects.get(display_text="SQL is a language.")
    Override.objects.create(
        narration=segment.narration, text_key=segment.text_key, kind="spoken", value="Mine."
    )
    api.refresh_plan(lesson, language="en")
    assert api.build_blast_radius(api.change_entry(build_entry())).utterances == 2


def test_rules_of_a_policy(lesson):
    lesson.edit("One.\n\n```python\nx = 1\n```\n\nTwo.\n")
    job = narrate(lesson, publish=True)
    assert any(text.startswith("Code example") for text in get_spoken(lesson))
    change = api.change_policy(SpeechPolicy(rules={"code": "skip"}))
    radius = api.build_blast_radius(change)
    assert (len(radius.narrations), radius.utterances) == (1, 0)
    api.apply_change(change)
    assert get_spoken(lesson) == ["One.", "Two."]
    assert api.state_of(lesson, language="en").status == "stale"
    assert narrate(lesson).synthesized == 0
    assert job.total == 3


def test_a_rule_for_what_a_text_has_not_touches_it_not(lesson):
    narrate(lesson, publish=True)
    change = api.change_policy(SpeechPolicy(rules={"tables": "skip"}))
    assert api.build_blast_radius(change).narrations == ()


def test_gaps_change_the_track_and_no_sentence(lesson):
    narrate(lesson, publish=True)
    change = api.change_policy(SpeechPolicy(gaps={"paragraph_ms": 2000}))
    radius = api.build_blast_radius(change)
    assert (len(radius.narrations), radius.sentences) == (1, 0)
    api.apply_change(change)
    assert api.state_of(lesson, language="en").status == "stale"
    assert narrate(lesson).synthesized == 0


def test_casting_a_role_anew(lesson):
    narrate(lesson, publish=True)
    main = Voice.objects.get()
    other = Voice.objects.create(
        name="Other", engine=main.engine, engine_voice="high", languages=["en"]
    )
    change = api.change_policy(SpeechPolicy(casting={"en": {"heading": other.name}}))
    radius = api.build_blast_radius(change)
    assert (radius.sentences, radius.utterances) == (1, 1)
    api.apply_change(change)
    assert narrate(lesson).synthesized == 1


def test_a_voice_setting(lesson):
    job = narrate(lesson, publish=True)
    voice = Voice.objects.get()
    voice.settings = {"pace": 1.5}
    radius = api.build_blast_radius(api.change_voice(voice))
    assert radius.utterances == job.total
    assert Voice.objects.get().settings == {}


def test_it_asks_as_many_queries_of_a_long_text_as_of_a_short_one(
    lesson, owner, django_assert_max_num_queries
):
    long = Note.objects.create(title="Long", owner=owner, body=LONG_LESSON.read_text())
    api.refresh_plan(lesson, language="en")
    api.refresh_plan(long, language="en")
    with django_assert_max_num_queries(17):
        radius = api.build_blast_radius(api.change_entry(build_entry()))
    assert radius.utterances == 3


@pytest.mark.parametrize(
    "fields",
    [
        {"grapheme": "…"},
        {"alias": ""},
        {"alias": "🙂"},
        {"phoneme": "s"},
        {"alias": "", "phoneme": "s"},
        {"alias": "", "phoneme": "s", "engine": "nobody"},
    ],
)
def test_entries_that_say_nothing_are_refused(fields):
    with pytest.raises(ValidationError):
        build_entry(**fields).full_clean()


@pytest.mark.parametrize("fields", [{"alias": ""}, {"grapheme": ""}, {"phoneme": "s"}])
def test_the_database_refuses_them_too(fields):
    with pytest.raises(IntegrityError), transaction.atomic():
        build_entry(**fields).save()


def test_strangers_change_no_wording(lesson, owner, stranger):
    mine = api.change_entry(build_entry(scope_key=get_scope_key(lesson)))
    api.build_blast_radius(mine, user=owner)
    with pytest.raises(NotAllowed):
        api.build_blast_radius(mine, user=stranger)
    with pytest.raises(NotAllowed):
        api.apply_change(mine, user=stranger)
    with pytest.raises(NotAllowed):
        api.apply_change(api.change_entry(build_entry()), user=owner)
    assert not LexiconEntry.objects.exists()


def test_an_audition_is_heard_by_who_asked(lesson, owner, stranger, client):
    scope = get_scope_key(lesson)
    change = api.change_entry(build_entry(scope_key=scope))
    job = api.request_audition(
        "SQL is fast.", language="en", scope_key=scope, user=owner, change=change
    )
    assert (job.state, job.payload["text"]) == ("queued", "sequel is fast.")
    assert api.find_audition_url(job) == ""
    work()
    job.refresh_from_db()
    assert (job.state, job.synthesized) == ("done", 1)
    url = api.find_audition_url(job)
    client.force_login(owner)
    response = client.get(url)
    assert response.status_code == 200
    response.close()
    client.force_login(stranger)
    assert client.get(url).status_code == 404
    again = api.request_audition(
        "SQL is fast.", language="en", scope_key=scope, user=owner, change=change
    )
    assert again.state == "done"
    assert Job.objects.filter(kind="preview").count() == 1


def test_an_explanation_names_the_entry(lesson):
    entry = build_entry()
    api.apply_change(api.change_entry(entry))
    lesson.edit("You write 21 SQL lines.\n")
    narrate(lesson)
    found = api.explain_sentence(lesson, language="en", number=1)
    said = {reason.written: (reason.spoken, reason.entry) for reason in found.reasons}
    assert said["SQL"] == ("sequel", entry)
    assert said["21"][0] == "twenty-one"
    assert said["You write"] == ("You write", None)
    assert found.rendition is not None


def test_a_plan_read_by_an_older_version_is_made_anew_before_it_is_told(lesson, monkeypatch):
    narrate(lesson)
    assert get_narration(lesson).reading_version > 0
    Segment.objects.filter(position=0).update(utterance_digest="0" * 64)
    get_narration(lesson).__class__.objects.update(reading_version=0, plan_digest="old")
    assert api.estimate_narration(lesson, language="en").missing == 0


def test_nobody_floods_the_queue_with_auditions(lesson, owner):
    scope = get_scope_key(lesson)
    for number in range(3):
        api.request_audition(f"Word {number}.", language="en", scope_key=scope, user=owner)
    with pytest.raises(ConflictError, match="Wait until"):
        api.request_audition("One more.", language="en", scope_key=scope, user=owner)
    assert Job.objects.filter(kind="preview").count() == 3
    # What waits already is no new wish.
    api.request_audition("Word 1.", language="en", scope_key=scope, user=owner)
    work()
    api.request_audition("One more.", language="en", scope_key=scope, user=owner)


def test_a_refresh_that_dies_is_done_by_a_worker(lesson, monkeypatch):
    narrate(lesson, publish=True)

    def die(narration):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("narration.api.wording.plans.refresh_plan", die)
        with pytest.raises(KeyboardInterrupt):
            api.apply_change(api.change_entry(build_entry()))
    assert LexiconEntry.objects.exists()
    work()
    assert api.state_of(lesson, language="en").status == "stale"


def test_who_looked_at_another_row_changes_nothing(lesson):
    api.apply_change(api.change_entry(build_entry()))
    mine, before = LexiconEntry.objects.get(), LexiconEntry.objects.get()
    LexiconEntry.objects.get().save()  # somebody else, in this moment
    mine.alias = "lost"
    with pytest.raises(ConflictError):
        api.apply_change(api.change_entry(mine, before=before))
    assert LexiconEntry.objects.get().alias != "lost"
    with pytest.raises(ConflictError):
        api.apply_change(api.change_entry(build_entry()))
    policy = SpeechPolicy.objects.create(scope_key="", gaps={"paragraph_ms": 100})
    before = SpeechPolicy.objects.get()
    policy.save()
    with pytest.raises(ConflictError):
        api.apply_change(api.change_policy(SpeechPolicy.objects.get(), before=before))


def test_a_word_that_makes_a_sentence_too_long_for_its_engine_is_counted_in_clauses(owner):
    filler = ", ".join(["a clause of some words that goes on"] * 10)
    note = Note.objects.create(title="Long", owner=owner, body=f"SQL is here, {filler}, at last.")
    narrate(note)
    assert max(len(row.spoken_text) for row in Segment.objects.all()) > 370
    change = api.change_entry(build_entry(alias="structured query language, as they say"))
    told = api.build_blast_radius(change)
    api.apply_change(change)
    assert narrate(note).synthesized == told.missing == told.utterances >= 2
    back = api.change_entry(LexiconEntry.objects.get(), removes=True)
    assert api.build_blast_radius(back).missing == 0  # the whole sentence is still there


def test_what_is_planned_while_a_change_is_counted_is_refreshed_too(lesson, owner, monkeypatch):
    count = blast.build_blast_radius

    def and_somebody_writes(change):
        radius = count(change)
        late = Note.objects.create(title="Late", owner=owner, body="SQL came late.")
        api.refresh_plan(late, language="en")
        return radius

    monkeypatch.setattr(blast, "build_blast_radius", and_somebody_writes)
    api.apply_change(api.change_entry(build_entry()))
    work()
    assert Segment.objects.get(display_text="SQL came late.").spoken_text == "sequel came late."
