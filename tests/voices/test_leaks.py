"""What a consent does not cover is not heard by way of the cache, and leaves no file."""

from pathlib import Path

import pytest
from django.core.files.storage import storages

from narration import api
from narration.exceptions import ConflictError, ConsentError
from tests.helpers import narrate
from tests.testapp.models import Note
from tests.voices.scenes import make_consent, make_voice
from tests.voices.test_doors import SPEECH

pytestmark = pytest.mark.django_db(transaction=True)


def list_files():
    root = Path(storages["narration"].base_location)
    return sorted(path for path in root.rglob("*") if path.is_file())


def get_status(client, url):
    answer = client.get(url)
    answer.close()
    return answer.status_code


def test_the_same_sentence_elsewhere_is_not_heard_in_a_voice_of_this_course(
    note, owner, stranger, cast, client
):
    key = f"testapp.note:{note.pk}"
    cast(make_voice(consent=make_consent(scope="course", scope_key=key)))
    narrate(note, publish=True)
    urls = [row.audio_url for row in api.list_segments(note, language="en", user=owner)]
    other = Note.objects.create(title="Other", owner=stranger, body=note.body)
    with pytest.raises(ConsentError):
        api.request_narration(other, language="en", user=stranger)
    api.refresh_plan(other, language="en")
    client.force_login(stranger)
    assert {get_status(client, url) for url in urls} == {404}
    client.force_login(owner)
    assert {get_status(client, url) for url in urls} == {200}


def test_recordings_that_are_refused_together_leave_no_file():
    voice = make_voice(hertz=())
    api.add_recordings(voice, [("a.wav", SPEECH)], user=None)
    before = list_files()
    other = bytearray(SPEECH)
    for at in range(1000, len(other) - 1, 2):
        other[at] ^= 1
    with pytest.raises(ConflictError):
        api.add_recordings(voice, [("b.wav", bytes(other)), ("a.wav", SPEECH)], user=None)
    assert list_files() == before
