"""An engine's settings are fields of the form of its voices."""

from __future__ import annotations

import re

import pytest
from django.core.exceptions import ValidationError

from narration.models import Voice
from tests.voices.test_doors import make_operator, read

pytestmark = pytest.mark.django_db


@pytest.fixture
def operator(django_user_model, client):
    user = make_operator(django_user_model)
    client.force_login(user)
    return user


def test_settings_are_numbers_with_their_range_and_only_differences_are_stored(client, operator):
    voice = Voice.objects.create(name="Low", engine="dummy", engine_voice="low", languages=["en"])
    page = f"/admin/narration/voice/{voice.pk}/change/"
    shown = read(client.get(page))
    field = re.search(r'<input type="number"[^>]*name="setting_pace"[^>]*>', shown)[0]
    assert 'min="0.5"' in field
    assert 'max="2.0"' in field
    assert 'value="1.0"' in field
    assert "How fast: 2 is twice as fast." in shown
    data = {
        "name": "Low",
        "engine": "dummy",
        "engine_voice": "low",
        "languages": '["en"]',
        "setting_pace": "1.5",
    }
    assert client.post(page, data).status_code == 302
    voice.refresh_from_db()
    assert voice.settings == {"pace": 1.5}
    assert "less than or equal" in read(client.post(page, {**data, "setting_pace": "3"}))
    for default in ("1", ""):
        assert client.post(page, {**data, "setting_pace": default}).status_code == 302
        voice.refresh_from_db()
        assert voice.settings == {}


def test_a_whole_number_has_a_field_of_whole_numbers(client, operator):
    voice = Voice.objects.create(
        name="Eva", engine="espeak", engine_voice="en-us", languages=["en"], settings={"rate": 200}
    )
    page = f"/admin/narration/voice/{voice.pk}/change/"
    field = re.search(r'<input type="number"[^>]*name="setting_rate"[^>]*>', read(client.get(page)))
    assert 'value="200"' in field[0]
    assert 'min="80"' in field[0]
    assert "step=" not in field[0]  # a browser's own step is 1
    data = {
        "name": "Eva",
        "engine": "espeak",
        "engine_voice": "en-us",
        "languages": '["en"]',
        "setting_pitch": "50",
    }
    assert "Enter a whole number." in read(client.post(page, {**data, "setting_rate": "180.7"}))
    assert client.post(page, {**data, "setting_rate": "180"}).status_code == 302
    voice.refresh_from_db()
    assert voice.settings == {"rate": 180}
    voice.settings = {"rate": 180.7}
    with pytest.raises(ValidationError, match="whole numbers"):
        voice.full_clean()
