"""What checks and the doctor say of models: missing, damaged, not accepted, well."""

from __future__ import annotations

import os

import pytest

from narration import api, checks, modelstore
from narration.diagnosis import State, sound
from narration.diagnosis.models import check_models
from narration.engines.models import get_user
from tests.modelled import accepted, here, published, small  # noqa: F401

pytestmark = pytest.mark.django_db


def get_ids(messages):
    assert all(message.hint for message in messages)
    return [message.id for message in messages]


def find():
    (finding,) = check_models()
    return finding


def test_a_missing_model_is_a_warning_and_no_error(small):  # noqa: F811
    assert get_ids(checks.check_settings()) == ["narration.W007"]
    assert find().state == State.WARNING
    assert "models download small" in find().advice


def test_its_default_voice_is_judged_once_it_is_here(here, settings):  # noqa: F811
    assert checks.check_settings() == []
    settings.NARRATION = {**settings.NARRATION, "DEFAULT_VOICES": {"en": "little:nobody"}}
    assert get_ids(checks.check_settings()) == ["narration.E003"]


def test_other_faults_are_told_beside_it(small, settings):  # noqa: F811
    settings.NARRATION = {**settings.NARRATION, "DEFAULT_VOICES": {"en": "dummy:nobody"}}
    assert get_ids(checks.check_settings()) == ["narration.W007", "narration.E003"]
    engines = {**settings.NARRATION["ENGINES"], "gone": {"BACKEND": "nowhere.Engine"}}
    settings.NARRATION = {**settings.NARRATION, "ENGINES": engines}
    assert get_ids(checks.check_settings()) == ["narration.W007", "narration.E002"]


def test_a_card_that_cannot_be_read_is_a_warning(here):  # noqa: F811
    (here.folder / "model.json").write_text("{")
    assert get_ids(checks.check_settings()) == ["narration.W007"]
    assert find().state == State.BROKEN


def test_terms_nobody_accepted_are_told_where_a_database_is_named(here):  # noqa: F811
    assert checks.check_licences() == []
    assert get_ids(checks.check_licences(databases=["default"])) == ["narration.W008"]
    assert find().state == State.WARNING
    assert "accept" in find().advice
    api.accept_licence("small", name="Ada")
    assert checks.check_licences(databases=["default"]) == []
    assert find().state == State.OK
    assert find().facts["accepted_by"] == "Ada"


def test_a_damaged_model_is_broken(accepted):  # noqa: F811
    (accepted.folder / "weights.safetensors").write_bytes(b"short")
    assert find().state == State.BROKEN
    assert "models verify small" in find().advice


def test_a_card_alone_is_well(accepted, settings, tmp_path):  # noqa: F811
    card = modelstore.export_card(accepted)
    settings.NARRATION = {**settings.NARRATION, "MODELS_DIR": tmp_path / "web"}
    modelstore.import_card(modelstore.get_model("small"), card)
    assert find().state == State.OK
    assert "another machine" in find().words
    assert checks.check_settings() == []


def test_without_a_folder_for_models_an_engine_that_needs_one_is_told(small, settings):  # noqa: F811
    settings.NARRATION = {**settings.NARRATION, "MODELS_DIR": ""}
    assert get_ids(checks.check_settings()) == ["narration.W007"]


def test_the_doctor_makes_no_engine_speak_under_terms_nobody_accepted(here, settings, monkeypatch):  # noqa: F811
    english = {"en": "little:low"}
    settings.NARRATION = {**settings.NARRATION, "DEFAULT_VOICES": english}
    monkeypatch.setattr(sound, "EngineProcess", None)  # it would start one
    (refused,) = sound.check_speech()
    assert refused.state == State.BROKEN
    assert "models accept small" in refused.words


def test_a_model_of_another_user_is_broken_and_says_whom_to_give_it(accepted, monkeypatch):  # noqa: F811
    withheld, ask = accepted.folder / "weights.safetensors", os.access
    monkeypatch.setattr(os, "access", lambda path, *rest: path != withheld and ask(path, *rest))
    assert find().state == State.BROKEN
    assert "weights.safetensors cannot be read by user" in find().words
    assert f"chown -R {get_user()} {accepted.models_dir}" in find().advice
