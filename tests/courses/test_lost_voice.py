"""A published lesson whose voice was lost: it is read, says nothing, and can be narrated anew."""

from __future__ import annotations

import pytest

from courses.api import publish_text
from narration import api
from narration.models import SpeechPolicy
from narration.pipeline import consents
from tests.helpers import work
from tests.voices.scenes import make_voice

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def spoken(text, settings, tmp_path, monkeypatch):
    """A lesson that learners hear in a person's voice."""
    monkeypatch.setattr("narration.queue.bell.ring", lambda _lane: None)
    settings.NARRATION = {**settings.NARRATION, "MODELS_DIR": str(tmp_path / "models")}
    voice = make_voice()
    SpeechPolicy.objects.create(casting={"en": {"body": voice.name}})
    job = api.request_narration(text.lesson, language="en", publish=True)
    work()
    job.refresh_from_db()
    assert (job.state, job.error) == ("done", "")
    return voice


def test_the_page_stays_and_is_silent(client, text, spoken, write):
    page = f"/courses/{text.lesson.course.slug}/{text.lesson.slug}/"
    before = client.get(page)
    assert before.status_code == 200, page
    assert "<audio" in before.content.decode()
    consents.revoke(spoken.consent)
    after = client.get(page)
    assert after.status_code == 200
    assert "<audio" not in after.content.decode()
    assert "Then it grows." in after.content.decode()
    write(text, "It rains again.")
    publish_text(text, user=None)
    assert "It rains again." in client.get(page).content.decode()


def test_authors_read_why_and_another_voice_speaks(client, author, text, spoken):
    consents.revoke(spoken.consent)
    client.force_login(author)
    panel = f"/narration/panel/courses.lesson/{text.lesson.pk}/en/"
    assert "took back their consent" in client.get(panel).content.decode()
    answer = client.post(f"{panel}narrate/", follow=True)
    assert "took back their consent" in answer.content.decode()
    SpeechPolicy.objects.update(casting={})
    job = api.request_narration(text.lesson, language="en", publish=True)
    work()
    job.refresh_from_db()
    assert job.state == "done"
    assert api.get_manifest(text.lesson, language="en", user=None)["files"]
