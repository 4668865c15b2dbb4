"""What ``manage.py check`` finds wrong before a listener does; each fault has a number and a hint.

E001-E004 the plugin's own settings, E005-E006 and W001-W004 the queue's, W005 the database's,
W006 the signing key (only with ``--deploy``), W007 the models', W008 their licences' (only with
``--database``), W009 a lane of heavy engines with too many processes.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from fractions import Fraction
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, register
from django.core.checks import Warning as CheckWarning
from django.db import DatabaseError

from narration import conf, modelstore, storage
from narration.engines.base import has_language
from narration.engines.models import WITHOUT_MODEL
from narration.exceptions import ConfigurationError, NarrationError
from narration.models import LicenceAcceptance
from narration.speaking import describe_engine, is_heavy
from narration.values import EngineConfig, EngineFacts

#: Seconds django-q2 adds to a task's timeout before its guard ends the worker.
GUARD_GRACE_SECONDS = 3
#: Fewer seconds of waiting for SQLite's lock lose writes when workers meet.
SQLITE_WAIT_SECONDS = 10
#: Django's own bar for a secret (security.W009).
SECRET_LENGTH, SECRET_VARIETY = 50, 5


@register("narration")
def check_settings(**_options: Any) -> list[CheckMessage]:
    """E001: ``settings.NARRATION`` cannot be read. E002, E003: what it names is not there.

    W007: an engine is rightly configured, and its model was not fetched yet.
    """
    try:
        configuration = conf.get_configuration()
    except ConfigurationError as error:
        return [_build_settings_error(str(error))]
    except (AttributeError, TypeError, ValueError) as error:
        return [_build_settings_error(f"settings.NARRATION has a value of the wrong kind: {error}")]
    errors: list[CheckMessage] = []
    for engine in configuration.engines.values():
        errors += _check_engine(engine)
    if not any(error.is_serious() for error in errors):
        for language, name in configuration.default_voices.items():
            errors += _check_voice(language, name)
    return errors


@register("narration", Tags.files)
def check_storage(**_options: Any) -> list[CheckMessage]:
    """E004: there is nowhere to keep the sound."""
    if storage.ALIAS in settings.STORAGES:
        return []
    return [
        Error(
            'STORAGES has no "narration": there is nowhere to keep the sound.',
            hint='Add "narration": {"BACKEND": "narration.storage.AtomicFileStorage", '
            '"OPTIONS": {"location": …}} to STORAGES, in a folder no web server shows.',
            id="narration.E004",
        )
    ]


@register("narration")
def check_queue(**_options: Any) -> list[CheckMessage]:
    """E005, E006, W001-W004: a cluster that repeats, loses or never ends its tasks."""
    return list(_iter_queue_faults(getattr(settings, "Q_CLUSTER", {})))


@register("narration")
def check_lanes(**_options: Any) -> list[CheckMessage]:
    """W009: several processes of one cluster would each load the same model."""
    cluster = getattr(settings, "Q_CLUSTER", {})
    try:
        engines = conf.get_engines().values()
        heavy = [(each.lane, each.alias) for each in engines if is_heavy(each)]
    except (NarrationError, AttributeError, TypeError, ValueError):
        return []  # E001 and E002 tell of it
    lanes: dict[str, list[str]] = {}
    for lane, alias in heavy:
        lanes.setdefault(lane, []).append(alias)
    return [
        _build_crowd_warning(lane, aliases, count)
        for lane, aliases in sorted(lanes.items())
        if (count := _count_processes(cluster, lane)) != 1
    ]


@register("narration")  # Django runs checks tagged "database" only where one is named
def check_database(**_options: Any) -> list[CheckMessage]:
    """W005: SQLite as it comes answers contended writes with "database is locked"."""
    return [
        CheckWarning(
            f"DATABASES['{alias}'] is SQLite that will answer \"database is locked\" under load.",
            hint='Set OPTIONS = {"transaction_mode": "IMMEDIATE", "timeout": 20, "init_command": '
            '"PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;"}.',
            id="narration.W005",
        )
        for alias, database in settings.DATABASES.items()
        if "sqlite3" in str(database.get("ENGINE", "")) and not _is_patient(database)
    ]


@register("narration", Tags.database)
def check_licences(
    *, databases: Sequence[str] | None = None, **_options: Any
) -> list[CheckMessage]:
    """W008: an engine refuses to speak until somebody accepts the terms of its model.

    Only where a database is named: it has to be asked.
    """
    if not databases:
        return []
    found: list[CheckMessage] = []
    for alias in conf.get_engines():
        with suppress(NarrationError, DatabaseError):  # before the first migration
            facts = describe_engine(alias)
            if not LicenceAcceptance.objects.allows(facts):
                found.append(_build_licence_warning(alias, facts))
    return found


@register("narration", Tags.security, deploy=True)
def check_signing_key(**_options: Any) -> list[CheckMessage]:
    """W006: the key that makes media URLs unguessable can be guessed."""
    given = getattr(settings, "NARRATION", {})
    key = given.get("SIGNING_KEY") if isinstance(given, Mapping) else ""
    key = str(key or settings.SECRET_KEY)
    is_weak = len(key) < SECRET_LENGTH or len(set(key)) < SECRET_VARIETY
    if not is_weak and not key.startswith("django-insecure-"):
        return []
    return [
        CheckWarning(
            "The key that names media files is weak: their URLs can be guessed from a text.",
            hint="Set NARRATION['SIGNING_KEY'], or SECRET_KEY, to 50 random characters or more.",
            id="narration.W006",
        )
    ]


def _count_processes(cluster: Mapping[str, Any], lane: str) -> int:
    """Processes of the cluster that serves a lane; 0: as many as there are processors."""
    own = cluster.get("ALT_CLUSTERS", {}).get(lane, {})
    return int(own.get("workers", cluster.get("workers")) or 0)


def _build_crowd_warning(lane: str, aliases: list[str], count: int) -> CheckMessage:
    number = str(count or "one process for each processor")
    return CheckWarning(
        f"Lane '{lane}' is served by a cluster of {number}, and each would load "
        f"{', '.join(sorted(aliases))} for itself.",
        hint=f'Set Q_CLUSTER["ALT_CLUSTERS"]["{lane}"] = {{"workers": 1}} and start one '
        f"cluster for each card with the variable Q_CLUSTER_NAME={lane}, all in the settings that "
        f"DJANGO_SETTINGS_MODULE names: {modelstore.PAGE}.",
        id="narration.W009",
    )


def _build_settings_error(message: str) -> CheckMessage:
    known = ", ".join(sorted(conf.DEFAULTS))
    return Error(message, hint=f"NARRATION may have these keys: {known}.", id="narration.E001")


def _check_engine(engine: EngineConfig) -> list[CheckMessage]:
    try:
        describe_engine(engine.alias)
    except NarrationError as error:
        if error.code in WITHOUT_MODEL:
            return [_build_model_warning(engine.alias, error)]
        return [
            Error(
                f"NARRATION['ENGINES']['{engine.alias}'] cannot speak here: {error}",
                hint="Correct its BACKEND or OPTIONS, install what it needs, or take it out.",
                id="narration.E002",
            )
        ]
    return []


def _check_voice(language: str, name: Any) -> list[CheckMessage]:
    alias, _separator, voice_name = str(name).partition(":")
    try:
        facts = describe_engine(alias)
    except NarrationError as error:
        if error.code in WITHOUT_MODEL:  # told above; its voices are in its card
            return []
        return [_build_voice_error(language, name, str(error), "an alias of NARRATION['ENGINES']")]
    if any(
        voice.name == voice_name and has_language(voice.languages, language)
        for voice in facts.voices
    ):
        return []
    fault = f"{facts.name} has no such voice for '{language}'."
    return [_build_voice_error(language, name, fault, _list_voices(facts, language))]


def _build_model_warning(alias: str, error: NarrationError) -> CheckMessage:
    return CheckWarning(
        f"NARRATION['ENGINES']['{alias}'] does not speak yet: {error}",
        hint="`manage.py models list` tells which models there are; a machine that speaks nothing "
        "needs only the card (`manage.py models card`).",
        id="narration.W007",
    )


def _build_licence_warning(alias: str, facts: EngineFacts) -> CheckMessage:
    assert facts.terms is not None  # noqa: S101 - without terms there is nothing to accept
    return CheckWarning(
        f"NARRATION['ENGINES']['{alias}'] may not speak: nobody has accepted the terms of its "
        f"model ({facts.terms.licence}).",
        hint=f'Read {facts.terms.url}, then `manage.py models accept {facts.name} --name "WHO"`, '
        "or accept it in the admin under Models.",
        id="narration.W008",
    )


def _build_voice_error(language: str, name: Any, fault: str, choices: str) -> CheckMessage:
    return Error(
        f"NARRATION['DEFAULT_VOICES']['{language}'] is '{name}': {fault}",
        hint=f'Write it as "alias:engine voice"; there is: {choices}.',
        id="narration.E003",
    )


def _list_voices(facts: EngineFacts, language: str) -> str:
    names = [voice.name for voice in facts.voices if has_language(voice.languages, language)]
    return ", ".join(names[:8]) or f"no voice of {facts.name} for '{language}'"


def _iter_queue_faults(cluster: Mapping[str, Any]) -> Iterator[CheckMessage]:
    timeout, retry = cluster.get("timeout"), cluster.get("retry", 60)
    if not isinstance(timeout, int) or timeout <= 0 or retry <= timeout:
        yield Error(
            f"Q_CLUSTER has timeout {timeout!r} and retry {retry!r}: running tasks are repeated.",
            hint='Set "timeout" to a whole number of seconds and "retry" to four times as many.',
            id="narration.E005",
        )
        return
    yield from _iter_guard_faults(timeout, cluster.get("guard_cycle", 0.5))
    yield from _iter_repetition_faults(cluster)
    yield from _iter_prefetch_faults(cluster, timeout, retry)
    # django-q2 takes ALT_CLUSTERS out of the settings where Q_CLUSTER_NAME has chosen a cluster.
    if "ALT_CLUSTERS" not in cluster and "cluster_name" not in cluster:
        yield CheckWarning(
            "Q_CLUSTER has no ALT_CLUSTERS: a cluster for one lane consumes the default queue.",
            hint='Add "ALT_CLUSTERS": {} and choose a lane with the variable Q_CLUSTER_NAME.',
            id="narration.W003",
        )
    if not cluster.get("orm"):
        yield CheckWarning(
            "Q_CLUSTER uses a broker that loses hints in flight; work then waits for the sweep.",
            hint='Set "orm": "default".',
            id="narration.W004",
        )


def _iter_guard_faults(timeout: int, guard_cycle: Any) -> Iterator[CheckMessage]:
    """The guard counts down in floats and ends a worker at exactly 0: only exact parts arrive."""
    is_number = isinstance(guard_cycle, int | float) and guard_cycle > 0
    if is_number and not Fraction(timeout + GUARD_GRACE_SECONDS) % Fraction(guard_cycle):
        return
    yield Error(
        f"Q_CLUSTER['guard_cycle'] is {guard_cycle!r}, no exact part of timeout + "
        f"{GUARD_GRACE_SECONDS}: a stuck task is never ended.",
        hint='Set "guard_cycle" to 0.25, 0.5 or 1.',
        id="narration.E006",
    )


def _iter_repetition_faults(cluster: Mapping[str, Any]) -> Iterator[CheckMessage]:
    if cluster.get("ack_failures") is True and cluster.get("max_attempts") == 1:
        return
    yield CheckWarning(
        "Q_CLUSTER repeats tasks that failed, for ever; a job counts its own claims.",
        hint='Set "ack_failures": True and "max_attempts": 1.',
        id="narration.W001",
    )


def _iter_prefetch_faults(
    cluster: Mapping[str, Any], timeout: int, retry: int
) -> Iterator[CheckMessage]:
    workers = cluster.get("workers") or 1
    waiting = cluster.get("queue_limit", workers**2) + cluster.get("bulk", 1)
    if Fraction(retry) > (1 + Fraction(waiting, workers)) * timeout:
        return
    yield CheckWarning(
        "Q_CLUSTER fetches tasks so early that they are repeated while they wait.",
        hint='Set "queue_limit": 1, "bulk": 1 and "retry" to four times "timeout".',
        id="narration.W002",
    )


def _is_patient(database: Mapping[str, Any]) -> bool:
    options = database.get("OPTIONS", {})
    is_immediate = str(options.get("transaction_mode", "")).upper() == "IMMEDIATE"
    return is_immediate and options.get("timeout", 5) >= SQLITE_WAIT_SECONDS
