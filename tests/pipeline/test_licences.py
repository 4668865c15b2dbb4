"""Nothing is spoken under terms nobody accepted, and what must be told is told."""

from __future__ import annotations

import io
import shutil

import av
import pytest
from django.core.management import CommandError, call_command
from django.template import Context, Template
from django.test import RequestFactory
from django.utils import translation

from narration import api, modelstore
from narration.exceptions import EngineError, LicenceNotAccepted, NotAllowed
from narration.models import Job, JobState, LicenceAcceptance, Rendition, Track
from narration.pipeline import warming
from narration.speaking import describe_engine, get_engine_process
from narration.storage import StoredFile, read
from tests.helpers import get_narration, narrate, work
from tests.modelled import accepted, here, published, small  # noqa: F401
from tests.modelstore.engines import SmallEngine, build_spec

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_request_is_refused_before_anything_waits(here, note):  # noqa: F811
    with pytest.raises(LicenceNotAccepted) as caught:
        api.request_narration(note, language="en")
    assert caught.value.code == "licence_not_accepted"
    assert "models accept small" in str(caught.value)
    assert "terms" in api.explain_error(caught.value)
    assert not Job.objects.exists()


def test_so_are_many_at_once_and_auditions(here, note, owner):  # noqa: F811
    outcome = api.request_narrations([note], languages=["en"], user=owner)
    assert [refusal.error.code for refusal in outcome.refused] == ["licence_not_accepted"]
    assert not Job.objects.exists()
    with pytest.raises(LicenceNotAccepted):
        api.request_audition("It rained.", language="en", scope_key="", user=None)
    assert not Job.objects.exists()


def test_the_worker_refuses_what_got_past(here, note, monkeypatch):  # noqa: F811
    from narration.pipeline import requests

    with monkeypatch.context() as patched:
        patched.setattr(requests.Permits, "require", lambda *_: None)
        job = api.request_narration(note, language="en")
    work()
    job.refresh_from_db()
    assert (job.state, job.error_code) == (JobState.FAILED, "licence_not_accepted")
    assert not Rendition.objects.exists()


def test_the_worker_refuses_a_preview_that_got_past(here, monkeypatch):  # noqa: F811
    from narration.pipeline import previews

    with monkeypatch.context() as patched:
        patched.setattr(previews.Permits, "require", lambda *_: None)
        job = api.request_audition("It rained.", language="en", scope_key="", user=None)
    work()
    job.refresh_from_db()
    assert (job.state, job.error_code) == (JobState.FAILED, "licence_not_accepted")


def test_accepted_it_speaks(accepted, note):  # noqa: F811
    assert narrate(note).state == JobState.DONE


def test_another_model_must_be_accepted_anew(accepted, note, published):  # noqa: F811
    (published / "weights.pth").write_bytes(b"newer")
    modelstore.import_from(accepted, published)
    with pytest.raises(LicenceNotAccepted):
        api.request_narration(note, language="en")


def test_other_terms_must_be_accepted_anew(accepted, note, monkeypatch):  # noqa: F811
    from dataclasses import replace

    terms = replace(SmallEngine.model.terms, licence="TEST-2.0")
    monkeypatch.setattr(SmallEngine, "model", build_spec(terms=terms))
    from narration.speaking import warm

    warm._describe.cache_clear()
    try:
        with pytest.raises(LicenceNotAccepted):
            api.request_narration(note, language="en")
    finally:
        warm._describe.cache_clear()


def test_a_model_that_was_replaced_is_loaded_anew(accepted, note, published):  # noqa: F811
    narrate(note)
    (published / "weights.pth").write_bytes(b"newer")
    fingerprint = modelstore.import_from(accepted, published).fingerprint
    api.accept_licence("small", name="Ada")
    assert describe_engine("little").model_fingerprint == fingerprint
    assert narrate(note).state == JobState.DONE
    assert Rendition.objects.filter(model_fingerprint=fingerprint).exists()
    loaded = get_engine_process("little").loaded_facts  # what really spoke
    assert loaded.model_fingerprint == fingerprint


def test_who_accepted_is_never_forgotten(accepted):  # noqa: F811
    row = LicenceAcceptance.objects.get()
    with pytest.raises(NotAllowed):
        row.delete()
    with pytest.raises(NotAllowed):
        LicenceAcceptance.objects.all().delete()
    assert LicenceAcceptance.objects.count() == 1


def test_only_who_may_accepts(here, stranger, owner):  # noqa: F811
    with pytest.raises(NotAllowed):
        api.accept_licence("small", name="Mallory", user=stranger)
    owner.is_superuser = True
    owner.save()
    assert api.accept_licence("small", name="Ada", user=owner).user == owner


# What must be told ---------------------------------------------------------------------------


def read_comment(file):
    data = read(StoredFile(file.storage_name, file.size, file.sha256))
    with av.open(io.BytesIO(data)) as container:
        tags = {**container.metadata, **container.streams.audio[0].metadata}
    return {name.lower(): value for name, value in tags.items()}.get("comment", "")


def get_track(note):
    return get_narration(note).draft_track


def test_the_manifest_the_row_and_the_files_tell(accepted, note):  # noqa: F811
    narrate(note)
    track = get_track(note)
    assert track.manifest["must_tell_listeners"]
    assert track.manifest["non_commercial"]
    assert track.synthetic
    (licence,) = track.licences
    assert "What it says may not be sold." in licence
    files = {file.format: file for file in track.files.all()}
    assert read_comment(files["mp3"]) == read_comment(files["opus"]) == "Read by a synthetic voice"


def test_the_panel_marks_as_english_what_nobody_translated(accepted, note, owner, client):  # noqa: F811
    narrate(note)
    client.force_login(owner)
    url = f"/narration/panel/testapp.note/{note.pk}/en/"
    page = client.get(url, headers={"accept-language": "pt-br"}).content.decode()
    assert '<li lang="en">TEST-1.0: For tests only.' in page
    with translation.override("pt-br"):
        (licence,) = api.list_restrictions(note, language="en")
    assert licence in get_track(note).licences


def test_a_voice_without_such_a_duty_tells_nothing_of_it(note, settings):
    narrate(note)
    track = get_track(note)
    assert not track.manifest["must_tell_listeners"]
    assert not track.manifest["non_commercial"]
    assert read_comment(track.files.get(format="mp3")) == ""


def test_a_file_made_again_tells_too(accepted, note):  # noqa: F811
    from narration.pipeline.stitch import restitch_track

    narrate(note)
    restitch_track(get_track(note))
    for name in ("mp3", "opus"):
        assert read_comment(get_track(note).files.get(format=name)) == "Read by a synthetic voice"


def render(note, owner):
    request = RequestFactory().get("/")
    request.user = owner
    template = Template('{% load narration_tags %}{% narration_player note "en" draft=True %}')
    return template.render(Context({"note": note, "request": request}))


def test_the_page_tells(accepted, note, owner):  # noqa: F811
    narrate(note)
    page = render(note, owner)
    assert page.count("data-synthetic-voice") == 1
    assert "Read by a synthetic voice" in page


def test_no_template_of_a_host_hides_it(accepted, note, owner, settings, tmp_path):  # noqa: F811
    narrate(note)
    folder = tmp_path / "templates" / "narration"
    folder.mkdir(parents=True)
    (folder / "player.html").write_text("<p>My own player</p><!-- data-synthetic-voice -->")
    (engine,) = settings.TEMPLATES
    settings.TEMPLATES = [{**engine, "DIRS": [folder.parent, *engine["DIRS"]]}]
    page = render(note, owner)
    assert "My own player" in page
    assert "Read by a synthetic voice: " in page


def test_a_manifest_that_lost_its_flag_of_speech_still_tells(accepted, note, owner):  # noqa: F811
    narrate(note)
    track = get_track(note)
    track.manifest["synthetic"] = False
    Track.objects.filter(pk=track.pk).update(manifest=track.manifest)
    assert "Read by a synthetic voice" in render(note, owner)


# Without the model ---------------------------------------------------------------------------


def test_without_its_model_an_engine_is_named_in_plain_words(small, note):  # noqa: F811
    with pytest.raises(EngineError) as caught:
        api.request_narration(note, language="en")
    assert caught.value.code == "model_missing"
    assert "not on the server" in api.explain_error(caught.value)


def test_a_model_that_goes_away_under_a_site_leaves_its_pages(accepted, note, owner):  # noqa: F811
    narrate(note)
    shutil.rmtree(accepted.folder)
    assert api.list_segments(note, language="en", user=owner)
    assert api.state_of(note, language="en")


def test_what_no_worker_could_load_is_refused_before_one_is_asked(here):  # noqa: F811
    with pytest.raises(LicenceNotAccepted, match="models accept"):
        api.request_warm("little")
    with pytest.raises(CommandError, match="is not accepted"):
        call_command("warm", "little", "--wait")
    shutil.rmtree(here.folder)
    with pytest.raises(CommandError, match="models download"):
        call_command("warm", "little", "--wait")
    assert not Job.objects.exists()


def test_no_engine_is_loaded_ahead_under_terms_nobody_accepted(here, monkeypatch):  # noqa: F811
    """Asked for under terms that are others by the time it is loaded, say."""
    with monkeypatch.context() as unasked:
        unasked.setattr(warming, "_demand_model", lambda _alias: None)
        job = api.request_warm("little")
    assert work(job.lane) == 1
    job.refresh_from_db()
    assert (job.state, job.error_code) == ("failed", "licence_not_accepted")
    api.accept_licence("small", name="Ada")
    job = api.request_warm("little")
    work(job.lane)
    job.refresh_from_db()
    assert job.state == "done"
