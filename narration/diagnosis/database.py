"""The database: reachable, patient, migrated, and telling about the time we have."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

from django.db import OperationalError, connection
from django.db.migrations.executor import MigrationExecutor
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from narration.diagnosis.findings import Finding, State
from narration.models.triggers import list_missing

#: Clocks that differ by more seconds confuse who reads logs beside rows. Leases are safe: they go
#: by the database's clock alone.
CLOCK_SECONDS = 5.0


def check_database() -> Iterator[Finding]:
    """Reachability first: what cannot be reached is not looked at further."""
    title = _("Database")
    facts = {"vendor": connection.vendor, "engine": connection.settings_dict["ENGINE"]}
    try:
        connection.ensure_connection()
    except OperationalError:
        words = _("The database does not answer (%(vendor)s).") % facts
        advice = _("Start it, or correct DATABASE_URL or settings.DATABASES.")
        yield Finding("database", title, State.BROKEN, words, advice, facts)
        return
    facts["version"] = ".".join(map(str, connection.get_database_version()))
    words = _("%(vendor)s %(version)s answers.") % facts
    yield Finding("database", title, State.OK, words, facts=facts)
    yield from _check_connections()
    if connection.vendor == "sqlite":
        yield from _check_journal()
    yield from _check_migrations()
    yield from _check_triggers()
    yield from _check_clock()


def _check_connections() -> Iterator[Finding]:
    """The queue asks the database all the time: reconnecting at each question costs most of it."""
    age = connection.settings_dict["CONN_MAX_AGE"]
    title, facts = _("Connections"), {"conn_max_age": age}
    if age == 0:
        words = _("CONN_MAX_AGE is 0: the queue connects anew at every look.")
        yield Finding(
            "connections", title, State.WARNING, words, _("Set CONN_MAX_AGE to 600."), facts
        )
    elif connection.vendor != "sqlite" and not connection.settings_dict["CONN_HEALTH_CHECKS"]:
        words = _("A connection that broke is used again: CONN_HEALTH_CHECKS is off.")
        advice = _("Set CONN_HEALTH_CHECKS to True.")
        yield Finding("connections", title, State.WARNING, words, advice, facts)
    else:
        words = _("Connections are kept (CONN_MAX_AGE %(conn_max_age)s).") % facts
        yield Finding("connections", title, State.OK, words, facts=facts)


def _check_journal() -> Iterator[Finding]:
    """The other settings of SQLite belong to the system checks (W005)."""
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA journal_mode")
        mode = str(cursor.fetchone()[0])
    title, facts = _("Journal"), {"journal_mode": mode}
    if mode in ("wal", "memory"):
        yield Finding("journal", title, State.OK, _("Readers do not wait for writers."), "", facts)
        return
    words = _("SQLite's journal is '%(journal_mode)s': readers and writers wait for each other.")
    advice = _("Add 'PRAGMA journal_mode=WAL;' to the init_command of DATABASES.")
    yield Finding("journal", title, State.WARNING, words % facts, advice, facts)


def _check_migrations() -> Iterator[Finding]:
    executor = MigrationExecutor(connection)
    plan = executor.migration_plan(executor.loader.graph.leaf_nodes())
    title = _("Migrations")
    facts = {"unapplied": [f"{step.app_label}.{step.name}" for step, _backwards in plan]}
    if not plan:
        yield Finding("migrations", title, State.OK, _("All are applied."), facts=facts)
        return
    words = ngettext(
        "%(count)d migration is not applied.", "%(count)d migrations are not applied.", len(plan)
    ) % {"count": len(plan)}
    advice = _("Run: manage.py migrate")
    yield Finding("migrations", title, State.BROKEN, words, advice, facts)


def _check_triggers() -> Iterator[Finding]:
    """What no program may do to consents, whichever it is."""
    missing = list_missing()
    title, facts = _("Rules of consent"), {"missing": missing}
    if not missing:
        words = _("The database holds what consents promise.")
        yield Finding("triggers", title, State.OK, words, facts=facts)
        return
    words = _("The database does not hold what consents promise: triggers are missing (%(names)s).")
    advice = _("Run: manage.py migrate. It writes them anew, also where nothing is to be migrated.")
    told = words % {"names": ", ".join(missing)}
    yield Finding("triggers", title, State.BROKEN, told, advice, facts)


def _check_clock() -> Iterator[Finding]:
    skew = (datetime.now(UTC) - get_now()).total_seconds()
    title, facts = _("Clock"), {"skew_seconds": round(skew, 1)}
    if abs(skew) <= CLOCK_SECONDS:
        words = _("This machine and the database agree on the time.")
        yield Finding("clock", title, State.OK, words, facts=facts)
        return
    words = _("This machine's clock differs from the database's by %(skew_seconds)s s.") % facts
    advice = _("Have both set by NTP. Leases go by the database's clock alone and are safe.")
    yield Finding("clock", title, State.WARNING, words, advice, facts)


def get_now() -> datetime:
    """The database's clock, to the second at least."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT CURRENT_TIMESTAMP")
        value = cursor.fetchone()[0]
    now = value if isinstance(value, datetime) else datetime.fromisoformat(str(value))
    return now if now.tzinfo else now.replace(tzinfo=UTC)
