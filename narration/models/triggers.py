"""What a table's constraints cannot say, held by triggers: facts stay facts, whoever writes.

They are taken away in every migration and written anew before it is committed, so that one that
fails leaves them as they were: SQLite loses those of a table that it copies, and copies no table
that another's name. ``doctor`` tells where some are missing, and every ``migrate`` writes those.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import connections, transaction
from django.db.migrations import Migration, RunPython

#: What somebody agreed to.
CONSENT_WORDS = (
    "person",
    "statement_version",
    "statement",
    "scope",
    "scope_key",
    "given_at",
    "renews_id",
)
#: What proves it and who wrote it down: added once, never exchanged.
CONSENT_PROOF = (
    "evidence",
    "evidence_file",
    "evidence_name",
    "evidence_sha256",
    "recorded_by_name",
)
#: Tables whose rows say whose a voice is, with what is unique in each.
_OWNED = {
    "consent": ("id", "uid"),
    "voice": ("id", "uid", "name"),
    "referencerecording": ("id", "uid", "file"),
    "voicelatents": ("id", "uid", "file", "digest"),
}

#: Now, as the database keeps moments.
_NOW = {"sqlite": "STRFTIME('%Y-%m-%d %H:%M:%f', 'now')", "postgresql": "STATEMENT_TIMESTAMP()"}
_SAME = {"sqlite": "{0} IS NOT {1}", "postgresql": "{0} IS DISTINCT FROM {1}"}
_INSTALLED = {
    "sqlite": "SELECT name, sql FROM sqlite_master WHERE type = 'trigger'",
    "postgresql": (
        "SELECT proname, prosrc FROM pg_trigger JOIN pg_proc ON pg_proc.oid = tgfoid"
        " WHERE NOT tgisinternal AND tgenabled <> 'D' AND pg_table_is_visible(tgrelid)"
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
    with transaction.atomic(using=using), connections[using].cursor() as cursor:
        for trigger in _find_missing(using):
            for statement in trigger.statements:
                cursor.execute(statement)


def remove_triggers(*, using: str = "default") -> None:
    """Take away those that are there."""
    connection = connections[using]
    if connection.vendor not in _SAME:
        return
    with transaction.atomic(using=using), connection.cursor() as cursor:
        installed = _list_installed(cursor, connection.vendor)
        for trigger in _build_triggers(connection.vendor):
            if trigger.name in installed:
                cursor.execute(trigger.drop)


def list_missing(*, using: str = "default") -> list[str]:
    """Those that are not there, or say something else; none where the tables are not ready."""
    return [trigger.name for trigger in _find_missing(using)]


def carry_triggers(
    *, using: str = "default", plan: Iterable[tuple[Migration, bool]] = (), **_signal: Any
) -> None:
    """Have each migration that is to be run take them away first and write them anew at its end.

    In its own transaction: what fails, in whichever app, leaves them on. Other apps' only where the
    database copies tables: one of theirs may change what a table of ours refers to.
    """
    for migration, _is_backwards in plan:
        if connections[using].vendor == "sqlite" or migration.app_label == "narration":
            away, anew = RunPython(_remove, _install), RunPython(_install, _remove)
            vars(migration)["operations"] = [away, *migration.operations, anew]


def _remove(_apps: Any, schema_editor: Any) -> None:
    remove_triggers(using=schema_editor.connection.alias)


def _install(_apps: Any, schema_editor: Any) -> None:
    install_triggers(using=schema_editor.connection.alias)


def _find_missing(using: str) -> list[_Trigger]:
    connection = connections[using]
    if connection.vendor not in _SAME or not _is_ready(connection):
        return []
    with connection.cursor() as cursor:
        installed = _list_installed(cursor, connection.vendor)
    wanted = _build_triggers(connection.vendor)
    return [trigger for trigger in wanted if installed.get(trigger.name) != trigger.body]


def _list_installed(cursor: Any, vendor: str) -> dict[str, str]:
    cursor.execute(_INSTALLED[vendor])
    return dict(cursor.fetchall())


def _is_ready(connection: Any) -> bool:
    """Whether the tables are those of this version: a site may have migrated to another."""
    tables = set(connection.introspection.table_names())
    if not {"narration_rendition", *(f"narration_{name}" for name in _OWNED)} <= tables:
        return False
    with connection.cursor() as cursor:
        found = connection.introspection.get_table_description(cursor, "narration_consent")
    wanted = {*CONSENT_WORDS, *CONSENT_PROOF, "expires_at", "revoked_at", "ended_at", "settled_at"}
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
    moved = differs("OLD.voice_id", "NEW.voice_id")
    # What was set aside is made again, perhaps with a new consent, under another row.
    remade = f"OLD.state <> 'quarantined' AND {moved}"
    other_person = f"OLD.kind <> 'builtin' AND ({differs('OLD.kind', 'NEW.kind')}"
    other_person += f" OR ({differs('OLD.consent_id', 'NEW.consent_id')} AND NOT EXISTS"
    other_person += f" ({_find_renewal(_NOW[vendor])})))"
    consent, rendition, voice = "narration_consent", "narration_rendition", "narration_voice"
    rules = [
        ("consent_is_a_fact", consent, "UPDATE", changed, "what was consented to never changes"),
        ("consent_is_proven", consent, "UPDATE", _say_forged(differs), "evidence never changes"),
        ("consent_grows_not", consent, "UPDATE", later, "a consent is never extended"),
        ("consent_ends_once", consent, "UPDATE", again, "a consent that ended has ended"),
        ("consent_renews", consent, "INSERT", _say_no_renewal(_NOW[vendor]), "it renews no other"),
        ("recording_made", rendition, "INSERT", not_human, "a recording names its person"),
        ("recording_kept", rendition, "UPDATE", not_human, "a recording names its person"),
        ("sound_stays", rendition, "UPDATE", remade, "a sound stays with its voice"),
        ("voice_is_its_persons", voice, "UPDATE", other_person, "a voice stays with its person"),
        (
            "reference_stays",
            "narration_referencerecording",
            "UPDATE",
            moved,
            "it belongs to one voice",
        ),
        ("latents_stay", "narration_voicelatents", "UPDATE", moved, "they belong to one voice"),
    ]
    if vendor == "sqlite":  # its INSERT OR REPLACE asks no trigger of a change
        rules += [_forbid_replacing(name, columns) for name, columns in _OWNED.items()]
    build = _build_sqlite if vendor == "sqlite" else _build_postgresql
    return [build(f"narration_{name}", *rule) for name, *rule in rules]


def _say_forged(differs: Callable[..., str]) -> str:
    """Who is deleted as a user may be forgotten as a row, not as a name, and nobody put instead."""

    def exchanged(column: str) -> str:
        return f"NEW.{column} IS NOT NULL AND {differs(f'OLD.{column}', f'NEW.{column}')}"

    proof = [
        f"(OLD.{name} <> '' AND {differs(f'OLD.{name}', f'NEW.{name}')})" for name in CONSENT_PROOF
    ]
    size = f"(OLD.evidence_size <> 0 AND {differs('OLD.evidence_size', 'NEW.evidence_size')})"
    writer = "(OLD.recorded_by_id IS NOT NULL OR OLD.recorded_by_name <> '')"
    writer = f"({writer} AND {exchanged('recorded_by_id')})"
    ender = [
        differs(f"OLD.{name}", f"NEW.{name}") for name in ("revoked_by_name", "revoked_reason")
    ]
    ended = " OR ".join([*ender, f"({exchanged('revoked_by_id')})"])
    return " OR ".join([*proof, size, writer, f"(OLD.revoked_at IS NOT NULL AND ({ended}))"])


def _say_no_renewal(now: str) -> str:
    """A consent renews the same person's, while that holds."""
    holds = f"given.person = NEW.person AND {_say_live('given', now)}"
    given = f"SELECT 1 FROM narration_consent AS given WHERE given.id = NEW.renews_id AND {holds}"  # noqa: S608
    return f"NEW.renews_id IS NOT NULL AND NOT EXISTS ({given})"


def _find_renewal(now: str) -> str:
    """The same person's new word, given while the old one held: see ``api.renew_consent``."""
    return (
        "SELECT 1 FROM narration_consent AS given JOIN narration_consent AS anew"  # noqa: S608
        " ON anew.renews_id = given.id WHERE given.id = OLD.consent_id"
        f" AND anew.id = NEW.consent_id AND {_say_live('given', now)} AND {_say_live('anew', now)}"
    )


def _say_live(row: str, now: str) -> str:
    return f"{row}.ended_at IS NULL AND ({row}.expires_at IS NULL OR {row}.expires_at > {now})"


def _forbid_replacing(name: str, columns: Sequence[str]) -> tuple[str, str, str, str, str]:
    table = f"narration_{name}"
    same = " OR ".join(f"kept.{column} = NEW.{column}" for column in columns)
    kind = " AND kept.kind <> 'builtin'" if name == "voice" else ""
    taken = f"EXISTS (SELECT 1 FROM {table} AS kept WHERE ({same}){kind})"  # noqa: S608
    return (f"{name}_not_replaced", table, "INSERT", taken, "it is there, and is not replaced")


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
