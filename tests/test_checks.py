"""Every fault of the settings is planted once and must be found, with its number and a hint."""

from __future__ import annotations

import pytest
from django.conf import settings as django_settings

from narration import checks

DUMMY = {"BACKEND": "narration.engines.dummy.DummyEngine"}
GOOD = {"ENGINES": {"dummy": DUMMY}, "DEFAULT_VOICES": {"en": "dummy:tone"}}


def get_ids(messages):
    assert all(message.hint for message in messages)
    return [message.id for message in messages]


def test_the_settings_of_this_project_have_no_fault():
    found = [
        *checks.check_settings(),
        *checks.check_storage(),
        *checks.check_queue(),
        *checks.check_database(),
    ]
    assert found == []


@pytest.mark.parametrize(
    "given",
    [
        {**GOOD, "ENGINE": {}},
        {**GOOD, "LEASE_SECONDS": "soon"},
        {**GOOD, "ENGINES": {"dummy": {}}},
        {**GOOD, "ENGINES": {"dummy": {**DUMMY, "OPTION": {}}}},
        {**GOOD, "ENGINES": ["dummy"]},
        ["ENGINES"],
    ],
)
def test_unreadable_settings_are_e001(settings, given):
    settings.NARRATION = given
    assert get_ids(checks.check_settings()) == ["narration.E001"]


@pytest.mark.parametrize(
    "backend",
    ["narration.engines.nowhere.Engine", "narration.engines.dummy.Nobody", "pathlib.Path", "dummy"],
)
def test_an_engine_that_cannot_be_imported_is_e002(settings, backend):
    settings.NARRATION = {**GOOD, "ENGINES": {"dummy": {"BACKEND": backend}}}
    assert get_ids(checks.check_settings()) == ["narration.E002"]


@pytest.mark.parametrize("voice", ["dummy:nobody", "nowhere:tone", "tone", "", None])
def test_a_default_voice_its_engine_does_not_know_is_e003(settings, voice):
    settings.NARRATION = {**GOOD, "DEFAULT_VOICES": {"en": voice}}
    assert get_ids(checks.check_settings()) == ["narration.E003"]


def test_a_default_voice_that_does_not_speak_the_language_is_e003(settings):
    settings.NARRATION = {**GOOD, "DEFAULT_VOICES": {"tlh": "dummy:tone"}}
    assert get_ids(checks.check_settings()) == ["narration.E003"]


def test_no_place_for_the_sound_is_e004(settings):
    settings.STORAGES = {k: v for k, v in settings.STORAGES.items() if k != "narration"}
    assert get_ids(checks.check_storage()) == ["narration.E004"]


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"timeout": None}, "narration.E005"),
        ({"timeout": 1.5}, "narration.E005"),
        ({"retry": 600}, "narration.E005"),
        ({"guard_cycle": 0.1}, "narration.E006"),
        ({"guard_cycle": 2}, "narration.E006"),
        ({"guard_cycle": 0}, "narration.E006"),
        ({"ack_failures": False}, "narration.W001"),
        ({"max_attempts": 0}, "narration.W001"),
        ({"retry": 1000}, "narration.W002"),
        ({"queue_limit": 50}, "narration.W002"),
        ({"orm": None}, "narration.W004"),
    ],
)
def test_an_unsafe_cluster_is_found(settings, change, expected):
    settings.Q_CLUSTER = {**settings.Q_CLUSTER, "ALT_CLUSTERS": {}, **change}
    assert get_ids(checks.check_queue()) == [expected]


@pytest.mark.parametrize("guard_cycle", [0.25, 0.5, 1])
def test_guard_cycles_that_arrive_at_zero_pass(settings, guard_cycle):
    settings.Q_CLUSTER = {**settings.Q_CLUSTER, "ALT_CLUSTERS": {}, "guard_cycle": guard_cycle}
    assert checks.check_queue() == []


def test_no_alternative_clusters_is_w003(settings):
    cluster = {k: v for k, v in settings.Q_CLUSTER.items() if k != "ALT_CLUSTERS"}
    settings.Q_CLUSTER = cluster
    assert get_ids(checks.check_queue()) == ["narration.W003"]
    # A cluster chosen by name: django-q2 itself has taken ALT_CLUSTERS out.
    settings.Q_CLUSTER = {**cluster, "cluster_name": "gpu"}
    assert checks.check_queue() == []


def test_no_cluster_settings_at_all_is_e005(settings):
    del settings.Q_CLUSTER
    assert get_ids(checks.check_queue()) == ["narration.E005"]


@pytest.mark.parametrize(
    "options", [{}, {"transaction_mode": "IMMEDIATE"}, {"timeout": 20}, {"transaction_mode": None}]
)
def test_impatient_sqlite_is_w005(monkeypatch, options):
    database = {"ENGINE": "django.db.backends.sqlite3", "OPTIONS": options}
    monkeypatch.setattr(django_settings, "DATABASES", {"default": database})
    assert get_ids(checks.check_database()) == ["narration.W005"]


def test_other_databases_are_left_alone(monkeypatch):
    database = {"ENGINE": "django.db.backends.postgresql"}
    monkeypatch.setattr(django_settings, "DATABASES", {"default": database})
    assert checks.check_database() == []


@pytest.mark.parametrize("secret", ["short", "a" * 60, "django-insecure-" + "abcdefgh" * 8])
def test_a_weak_signing_key_is_w006(settings, secret):
    settings.SECRET_KEY = secret
    assert get_ids(checks.check_signing_key()) == ["narration.W006"]
    settings.NARRATION = {"SIGNING_KEY": "0123456789abcdef" * 4}
    assert checks.check_signing_key() == []


def test_the_checks_are_registered():
    from django.core.checks import registry

    ours = {
        check.__name__ for check in registry.registry.get_checks(include_deployment_checks=True)
    }
    assert {
        "check_settings",
        "check_storage",
        "check_queue",
        "check_database",
        "check_signing_key",
    } <= ours


@pytest.mark.parametrize(
    ("cluster", "heavy", "found"),
    [
        ({"workers": 2}, True, ["narration.W009"]),
        ({}, True, ["narration.W009"]),  # as many as there are processors
        ({"workers": 2}, False, []),
        ({"workers": 1}, True, []),
        ({"workers": 2, "ALT_CLUSTERS": {"gpu": {"workers": 1}}}, True, []),
        ({"workers": 2, "ALT_CLUSTERS": {"gpu": {}}}, True, ["narration.W009"]),
        ({"workers": 1, "ALT_CLUSTERS": {"gpu": {"workers": 2}}}, True, ["narration.W009"]),
    ],
)
def test_a_model_that_several_processes_would_load_is_w009(settings, cluster, heavy, found):
    engine = {**DUMMY, "LANE": "gpu", "HEAVY": heavy}
    settings.NARRATION = {**GOOD, "ENGINES": {"dummy": DUMMY, "card": engine}}
    settings.Q_CLUSTER = cluster
    messages = checks.check_lanes()
    assert get_ids(messages) == found
    assert not found or ("gpu" in messages[0].msg and "card" in messages[0].msg)
    assert not found or "DJANGO_SETTINGS_MODULE" in messages[0].hint
    assert not found or "docs/how-to/install-the-neural-engines.md" in messages[0].hint
