"""What a table's constraints cannot say, held by triggers: facts stay facts, whoever writes.

They are taken away before every migration and written anew after it: SQLite loses those of a table
that it copies, and copies no table that another's name.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.db import connections, transaction

#: What somebody agreed to.
CONSENT_WORDS = ("person", "statement_version", "statement", "scope", "scope_key", "given_at")

_SAME = {"sqlite": "{0} IS NOT {1}", "postgresql": "{0} IS DISTINCT FROM {1}"}


_INSTALLED = {
    "sqlite": "SELECT name, sql FROM sqlite_master WHERE type = 'trigger'",
    "postgresql": (
        "SELECT proname, prosrc FROM pg_trigger JOIN pg_proc ON pg_proc.oid = tgfoid"
        " WHERE NOT tgisinternal"
    ),
}


@dataclass(frozen=True, slots=True)
class _Trigger:
    """``body`` is how the database tells it again; it is written where that differs."""

    name: str
    body: str
    drop: str
    statements: tuple[str, ...]


def install_triggers(*, using: str = "default", **_signal: Any) -> None:
    """Write those that are missing or say something else, where the tables are there."""
    connection = connections[using]
    if connection.vendor not in _SAME or not _is_ready(connection):
        return
    with transaction.atomic(using=using), connection.cursor() as cursor:
        cursor.execute(_INSTALLED[connection.vendor])
        installed = dict(cursor.fetchall())
        for trigger in _build_triggers(connection.vendor):
            if installed.get(trigger.name) != trigger.body:
                for statement in trigger.statements:
                    cursor.execute(statement)


def remove_triggers(*, using: str = "default", **_signal: Any) -> None:
    """Take away those that are there."""
    connection = connections[using]
    if connection.vendor not in _SAME:
        return
    with transaction.atomic(using=using), connection.cursor() as cursor:
        cursor.execute(_INSTALLED[connection.vendor])
        installed = dict(cursor.fetchall())
        for trigger in _build_triggers(connection.vendor):
            if trigger.name in installed:
                cursor.execute(trigger.drop)


def _is_ready(connection: Any) -> bool:
    """Whether the tables are those of this version: a site may have migrated to another."""
    tables = set(connection.introspection.table_names())
    if not {"narration_consent", "narration_rendition", "narration_voice"} <= tables:
        return False
    with connection.cursor() as cursor:
        found = connection.introspection.get_table_description(cursor, "narration_consent")
    wanted = {*CONSENT_WORDS, "expires_at", "revoked_at", "ended_at", "settled_at"}
    return wanted <= {column.name for column in found}


def _build_triggers(vendor: str) -> list[_Trigger]:
    """Each has a name, a table and event, a condition of refusal, and words."""
    differs = _SAME[vendor].format
    changed = " OR ".join(differs(f"OLD.{name}", f"NEW.{name}") for name in CONSENT_WORDS)
    later = "(OLD.expires_at IS NOT NULL AND NEW.expires_at IS NULL)"
    later += " OR NEW.expires_at > OLD.expires_at"
    again = " OR ".join(
        f"(OLD.{name} IS NOT NULL AND {differs(f'OLD.{name}', f'NEW.{name}')})"
        for name in ("revoked_at", "ended_at", "settled_at")
    )
    not_human = (
        "NEW.kind = 'recording' AND NOT EXISTS (SELECT 1 FROM narration_voice AS voice"
        " WHERE voice.id = NEW.voice_id AND voice.kind = 'human')"
    )
    consent, rendition = "narration_consent", "narration_rendition"
    rules = (
        ("consent_is_a_fact", consent, "UPDATE", changed, "what was consented to never changes"),
        ("consent_grows_not", consent, "UPDATE", later, "a consent is never extended"),
        ("consent_ends_once", consent, "UPDATE", again, "a consent that ended has ended"),
        ("recording_made", rendition, "INSERT", not_human, "a recording names its person"),
        ("recording_kept", rendition, "UPDATE", not_human, "a recording names its person"),
    )
    build = _build_sqlite if vendor == "sqlite" else _build_postgresql
    return [build(f"narration_{name}", *rule) for name, *rule in rules]


def _build_sqlite(name: str, table: str, event: str, condition: str, words: str) -> _Trigger:
    body = f"CREATE TRIGGER {name} BEFORE {event} ON {table} FOR EACH ROW WHEN {condition} "
    body += f"BEGIN SELECT RAISE(ABORT, '{words}'); END"
    drop = f"DROP TRIGGER IF EXISTS {name}"
    return _Trigger(name, body, drop, (drop, body))


def _build_postgresql(name: str, table: str, event: str, condition: str, words: str) -> _Trigger:
    # A trigger's own condition may hold no subquery; that of its function may.
    body = f" BEGIN IF {condition} THEN RAISE EXCEPTION '{words}' USING ERRCODE = "
    body += "'check_violation'; END IF; RETURN NEW; END "
    function = f"CREATE OR REPLACE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $${body}$$"
    trigger = f"CREATE TRIGGER {name} BEFORE {event} ON {table} FOR EACH ROW "
    trigger += f"EXECUTE FUNCTION {name}()"
    drop = f"DROP TRIGGER IF EXISTS {name} ON {table}"
    return _Trigger(name, body, drop, (function, drop, trigger))
