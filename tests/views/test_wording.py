"""The pages of how it is spoken: nothing before a yes, exactly that after it."""

import json

import pytest
from django.urls import reverse

from narration import api
from narration.models import Job, LexiconEntry, LexiconState, SpeechPolicy
from narration.sources import get_scope_key
from tests.helpers import narrate, work
from tests.testapp.models import Note

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.xdist_group("wording")]


@pytest.fixture
def lesson(owner):
    return Note.objects.create(title="Queries", owner=owner, body="SQL is a language. Rain.\n")


@pytest.fixture
def scope(lesson):
    return get_scope_key(lesson)


@pytest.fixture
def author(client, owner):
    client.force_login(owner)
    return client


def send(client, scope, *, intent="save", entry=None, **fields):
    data = {
        "grapheme": "SQL", "alias": "sequel", "language": "en", "case_rule": "exact",
        "whole_words": "on", "state": "active", "intent": intent, **fields,
    }  # fmt: skip
    name, args = ("wording-entry", [scope, entry.uid]) if entry else ("wording-new", [scope])
    return client.post(reverse(f"narration:{name}", args=args), data)


def test_a_preview_tells_and_stores_nothing(author, lesson, scope):
    narrate(lesson, publish=True)
    page = send(author, scope, intent="preview").content.decode()
    assert "1 sentence changes" in page
    assert "in 1 narration" in page
    assert "sequel is a language." in page
    assert not LexiconEntry.objects.exists()
    assert api.state_of(lesson, language="en").status == "published"


def test_saving_changes_exactly_that(author, lesson, scope, owner):
    narrate(lesson, publish=True)
    response = send(author, scope)
    page = author.get(response.url).content.decode()
    assert page.count("Saved. 1 sentence changes.") == 1
    entry = LexiconEntry.objects.get()
    assert (entry.scope_key, entry.updated_by) == (scope, owner)
    assert api.state_of(lesson, language="en").status == "stale"
    state = reverse("narration:wording-state", args=[scope, entry.uid])
    author.post(state, {"state": "disabled"})
    assert api.state_of(lesson, language="en").status == "published"
    assert author.post(state, {"state": "loud"}).status_code == 404
    send(author, scope, entry=entry, intent="delete")
    assert not LexiconEntry.objects.exists()


def test_listening_asks_for_a_sound_and_waits_for_it(author, lesson, scope):
    page = send(author, scope, intent="listen", sample="SQL now.").content.decode()
    job = Job.objects.get(kind="preview")
    url = reverse("narration:audition", args=[job.uid])
    assert url in page
    assert json.loads(author.get(url).content)["url"] == ""
    work()
    answer = json.loads(author.get(url).content)
    assert (answer["state"], answer["problem"]) == ("done", "")
    sound = author.get(answer["url"])
    assert sound.status_code == 200
    sound.close()


def test_an_audition_is_nobody_elses(author, client, stranger, lesson, scope):
    send(author, scope, intent="listen")
    client.force_login(stranger)
    job = Job.objects.get(kind="preview")
    assert client.get(reverse("narration:audition", args=[job.uid])).status_code == 404


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"grapheme": "…"}, "with a letter or digit"),
        ({"alias": ""}, "Say how it is to be said"),
        ({"alias": "🙂"}, "nothing in this that can be spoken"),
        ({"language": "tlh"}, "Select a valid choice"),
        ({"grapheme": "x" * 300}, "at most 200"),
    ],
)
@pytest.mark.parametrize("intent", ["save", "preview", "listen"])
def test_bad_input_is_named_and_kept_in_the_form(author, lesson, scope, fields, words, intent):
    response = send(author, scope, intent=intent, **fields)
    assert response.status_code == 422
    assert words in response.content.decode()
    assert not LexiconEntry.objects.exists()
    assert not Job.objects.exists()


def test_a_word_has_one_entry_a_scope(author, lesson, scope):
    send(author, scope)
    response = send(author, scope, alias="other")
    assert response.status_code == 422
    assert "an entry for this word already" in response.content.decode()
    page = send(author, scope, alias="").content.decode()
    assert "an entry for this word already" in page
    assert "Say how it is to be said" in page
    assert "with a letter or digit" not in page


def test_an_empty_word_is_refused_once_and_beside_its_field(author, lesson, scope):
    page = send(author, scope, grapheme="").content.decode()
    assert page.count('class="nr-error"') == 1
    described, _error, after = page.partition('id="id_grapheme_error"')
    assert "id_grapheme_error" in described.rpartition("<input")[2]
    assert "with a letter or digit" in after[:200]


def test_two_authors_do_not_overwrite_each_other(author, lesson, scope):
    send(author, scope)
    entry = LexiconEntry.objects.get()
    seen = entry.updated_at.isoformat()
    send(author, scope, entry=entry, alias="first", seen=seen)
    response = send(author, scope, entry=entry, alias="second", seen=seen)
    assert response.status_code == 422
    assert "changed this meanwhile" in response.content.decode()
    entry.refresh_from_db()
    assert entry.alias == "first"


def test_strangers_see_and_change_nothing(client, stranger, lesson, scope, owner):
    client.force_login(owner)
    send(client, scope)
    entry = LexiconEntry.objects.get()
    client.force_login(stranger)
    for name, args in (
        ("wording", [scope]), ("wording-rules", [scope]), ("wording-new", [scope]),
        ("wording-entry", [scope, entry.uid]), ("wording", ["installation"]),
        ("explain", ["testapp.note", lesson.pk, "en", 0]),
    ):  # fmt: skip
        assert client.get(reverse(f"narration:{name}", args=args)).status_code == 404, name
    assert send(client, scope, entry=entry, alias="mine").status_code == 404
    client.force_login(owner)
    assert client.get(reverse("narration:wording", args=["installation"])).status_code == 404
    other = reverse("narration:wording-entry", args=["installation", entry.uid])
    assert client.get(other).status_code == 404


def test_wider_entries_are_shown_and_not_changed_here(author, lesson, scope):
    LexiconEntry.objects.create(language="en", grapheme="API", alias="A P I", state="active")
    LexiconEntry.objects.create(language="en", grapheme="SQL", alias="wide", state="active")
    send(author, scope)
    page = author.get(reverse("narration:wording", args=[scope])).content.decode()
    assert "from the whole site" in page
    assert "replaced by an entry here" in page


def test_the_list_asks_as_much_for_many_as_for_few(
    author, lesson, scope, django_assert_max_num_queries
):
    for number in range(60):
        LexiconEntry.objects.create(
            scope_key=scope if number % 2 else "",
            language="en",
            grapheme=f"w{number}",
            alias="x",
            state=LexiconState.ACTIVE,
        )
    with django_assert_max_num_queries(12):
        author.get(reverse("narration:wording", args=[scope]))


def test_rules_are_previewed_saved_and_taken_back(author, lesson, scope):
    lesson.edit("One.\n\n```\nx\n```\n")
    narrate(lesson, publish=True)
    url = reverse("narration:wording-rules", args=[scope])
    assert author.get(url).status_code == 200
    page = author.post(url, {"rule_code": "skip", "intent": "preview"}).content.decode()
    assert "1 narration is put together anew" in page
    assert not SpeechPolicy.objects.exists()
    author.post(url, {"rule_code": "skip", "gap_sentence_ms": "800", "intent": "save"})
    policy = SpeechPolicy.objects.get()
    assert (policy.rules, policy.gaps) == ({"code": "skip"}, {"sentence_ms": 800})
    assert api.state_of(lesson, language="en").status == "stale"
    author.post(url, {"intent": "save"})
    policy.refresh_from_db()
    assert (policy.rules, policy.gaps) == ({}, {})
    assert api.state_of(lesson, language="en").status == "published"


@pytest.mark.parametrize(
    "fields",
    [{"rule_code": "shout"}, {"gap_sentence_ms": "-1"}, {"cast_en_body": "Nobody"}],
)
def test_wrong_rules_are_refused(author, lesson, scope, fields):
    url = reverse("narration:wording-rules", args=[scope])
    assert author.post(url, {**fields, "intent": "save"}).status_code == 422
    assert not SpeechPolicy.objects.exists()


def test_a_sentence_is_explained_and_leads_to_the_lexicon(author, lesson, scope):
    send(author, scope)
    narrate(lesson)
    page = author.get(
        reverse("narration:explain", args=["testapp.note", lesson.pk, "en", 0])
    ).content.decode()
    assert "SQL → sequel" in page
    lesson.edit("It is 21 km.\n")
    narrate(lesson)
    why = reverse("narration:explain", args=["testapp.note", lesson.pk, "en", 0])
    page = author.get(why).content.decode()
    assert "grapheme=21+km" in page
    assert "quantity" in page
    missing = reverse("narration:explain", args=["testapp.note", lesson.pk, "en", 99])
    assert author.get(missing).status_code == 404


def test_a_language_without_rules_and_a_phrase_nobody_speaks_are_told(author, owner):
    note = Note.objects.create(title="N", owner=owner, body="He said [nuqneH]{lang=tlh}.\n")
    url = reverse("narration:panel", args=["testapp.note", note.pk, "en"])
    page = author.get(url).content.decode()
    assert "No voice speaks" in page
    assert "are not put into words" not in page
    other = Note.objects.create(title="N", owner=owner, body="Bonjour.\n", language="fr")
    url = reverse("narration:panel", args=["testapp.note", other.pk, "fr"])
    assert "are not put into words" in author.get(url).content.decode()


def test_the_admin_refreshes_the_plans_it_reaches(admin_client, lesson):
    narrate(lesson, publish=True)
    url = reverse("admin:narration_lexiconentry_add")
    admin_client.post(url, {
        "language": "en", "grapheme": "SQL", "alias": "sequel", "case_rule": "exact",
        "whole_words": "on", "state": "active",
    })  # fmt: skip
    assert api.state_of(lesson, language="en").status == "stale"
    entry = LexiconEntry.objects.get()
    delete = reverse("admin:narration_lexiconentry_delete", args=[entry.pk])
    admin_client.post(delete, {"post": "yes"})
    assert api.state_of(lesson, language="en").status == "published"
