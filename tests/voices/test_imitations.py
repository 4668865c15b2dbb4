"""A person's voice by another name: an engine's own voice that is called as an imitation."""

from contextlib import contextmanager

import pytest
from django.contrib.auth.models import Permission
from django.core.exceptions import ValidationError
from django.db import IntegrityError, connection, transaction
from django.urls import reverse

from narration import api, storage
from narration.diagnosis import sound
from narration.exceptions import ConsentError, EngineError, NarrationNotFound, UnsupportedUtterance
from narration.models import Rendition, Track, TrackFile, Voice, VoiceLatents
from narration.models.triggers import install_triggers, remove_triggers
from narration.pipeline import consents
from narration.pipeline.casting import CastVoice, cast_voice
from narration.values import CLONED_PREFIX
from tests.helpers import narrate
from tests.testapp.models import Note

pytestmark = pytest.mark.django_db(transaction=True)

RULE = "narration_voice_imitates_nobody_by_name"


@contextmanager
def unruled():
    """Without the rules of its tables, as a database that somebody took them from."""
    remove_triggers()
    rule = next(each for each in Voice._meta.constraints if each.name == RULE)
    is_sqlite = connection.vendor == "sqlite"
    with connection.cursor() as cursor:
        if is_sqlite:
            cursor.execute("PRAGMA ignore_check_constraints = ON")
        else:
            cursor.execute(f"ALTER TABLE narration_voice DROP CONSTRAINT {RULE}")
    try:
        yield
    finally:
        install_triggers()
        if is_sqlite:
            with connection.cursor() as cursor:
                cursor.execute("PRAGMA ignore_check_constraints = OFF")
        else:
            Voice.objects.filter(engine_voice__startswith="@").update(engine_voice="?")
            with connection.schema_editor() as editor:
                editor.add_constraint(Voice, rule)


def find_name(voice):
    return cast_voice(voice).engine_voice


def list_files():
    return [name for folder in storage.list_folders() for name in storage.list_files(folder)]


@pytest.mark.parametrize("kind", ["builtin", "human"])
def test_no_form_takes_it(voice, kind):
    sly = Voice(name="Sly", engine="dummy", engine_voice=find_name(voice), kind=kind)
    sly.consent = voice.consent
    with pytest.raises(ValidationError) as refused:
        sly.full_clean(validate_constraints=False)
    assert list(refused.value.message_dict) == ["engine_voice"]


def test_the_admin_refuses_it(client, django_user_model, voice):
    editor = django_user_model.objects.create_user("editor", is_staff=True)
    names = ("add_voice", "change_voice", "view_voice")
    editor.user_permissions.set(Permission.objects.filter(codename__in=names))
    client.force_login(editor)
    fields = {"name": "Sly", "kind": "builtin", "engine": "dummy", "languages": '["en"]'}
    page = reverse("admin:narration_voice_add")
    answer = client.post(page, {**fields, "engine_voice": find_name(voice)})
    assert "begins with" in answer.content.decode()
    assert not Voice.objects.filter(name="Sly").exists()


@pytest.mark.parametrize("kind", ["builtin", "human", "cloned"])
def test_the_table_takes_none(voice, kind):
    facts = {"engine": "dummy", "kind": kind, "consent": voice.consent}
    with pytest.raises(IntegrityError), transaction.atomic():
        Voice.objects.create(name="Sly", engine_voice=find_name(voice), **facts)
    with pytest.raises(IntegrityError), transaction.atomic():
        Voice.objects.filter(pk=voice.pk).update(kind=kind, engine_voice=find_name(voice))


def test_settings_name_none(voice, settings):
    names = {"en": f"dummy:{find_name(voice)}"}
    settings.NARRATION = {**settings.NARRATION, "DEFAULT_VOICES": names}
    with pytest.raises(UnsupportedUtterance):
        Voice.objects.get_default("en")
    with pytest.raises(EngineError, match="begins with"):
        sound._speak("dummy", find_name(voice), "en")


def test_where_one_is_there_it_does_not_speak(note, owner, voice, cast):
    narrate(note)
    with unruled():
        sly = Voice.objects.create(
            name="Sly", engine="dummy", engine_voice=find_name(voice), languages=["en"]
        )
        assert sly in Voice.objects.needing_consent()
        with pytest.raises(ConsentError):
            Voice.objects.filter(pk=sly.pk).demand_consent(None)
        made = CastVoice(sly, cast_voice(voice).facts)
        with pytest.raises(ConsentError):
            made.build_utterance("It rained.", "en", 0)
        with pytest.raises(ConsentError):
            made.demand_consent()
        # Not even with the consent of the person it imitates: that is the other voice's.
        Voice.objects.filter(pk=sly.pk).update(consent=voice.consent)
        with pytest.raises(ConsentError):
            Voice.objects.filter(pk=sly.pk).demand_consent(None)
        other = Note.objects.create(title="Sly", owner=owner, body="It snowed.")
        cast(sly, f"testapp.note:{other.pk}")
        with pytest.raises(ConsentError):
            api.request_narration(other, language="en")


def test_what_one_spoke_ends_with_the_person_it_imitates(note, voice, models_dir):
    """As a version before this one let it: the renditions and tracks are under its name."""
    narrate(note, publish=True)
    with unruled():
        sly = Voice.objects.create(
            name="Sly", engine="dummy", engine_voice=find_name(voice), languages=["en"]
        )
        Rendition.objects.update(voice=sly)
        for track in Track.objects.all():
            track.voices.update(voice=sly)
        assert VoiceLatents.objects.get().digest == sly.engine_voice.removeprefix(CLONED_PREFIX)
        consents.revoke(voice.consent)
    assert not Rendition.objects.usable().exists()
    assert not TrackFile.objects.exists()
    assert list_files() == []
    with pytest.raises(NarrationNotFound):
        api.get_manifest(note, language="en", user=None)
