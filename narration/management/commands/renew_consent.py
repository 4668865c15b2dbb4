"""``manage.py renew_consent``: a person agrees anew before their consent ends, from a terminal."""

from __future__ import annotations

from datetime import datetime, time
from pathlib import Path
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone
from django.utils.dateparse import parse_date, parse_datetime

from narration import api
from narration.exceptions import NarrationError
from narration.management.asking import build_choice, confirm, list_named
from narration.models import Consent, ConsentScope, Voice
from narration.models.statements import CURRENT, STATEMENTS, get_statement


class Command(BaseCommand):
    """Shows the statement and the voices that go on, asks, and records the new consent."""

    help = (
        "Records the same person's new consent, by which their voices go on; before the old one "
        "ends, for what has ended is deleted. Let them read the statement first."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Whose, what they agreed to, and how it is known."""
        parser.add_argument("consent", help="The person's name, or the uid of the old consent.")
        parser.add_argument("--until", default="", help="Its last day; without, it has no end.")
        parser.add_argument("--given", default="", help="When they agreed; without, now.")
        scope = parser.add_mutually_exclusive_group()
        scope.add_argument("--course", default="", help="A key such as courses.course:3.")
        scope.add_argument("--everywhere", action="store_true", help="Not for one course only.")
        parser.add_argument("--evidence", default="", help="How they agreed; where that is kept.")
        parser.add_argument("--evidence-file", type=Path, help="A scan, a mail, a recording.")
        parser.add_argument("--statement-language", default="en", choices=[*STATEMENTS[CURRENT]])
        parser.add_argument("--yes", action="store_true", help="Do not ask.")

    def handle(self, *args: Any, **options: Any) -> None:
        """``CommandError`` for what cannot be renewed, half a word, or where the answer is no."""
        old = _find(options["consent"])
        new = _build(old, options)
        evidence = _read(options["evidence_file"])
        voices = ", ".join(voice.name for voice in Voice.objects.filter(consent=old))
        scope = new.scope_key or "everything on this site"
        end = f"{new.expires_at:%Y-%m-%d}" if new.expires_at else "no end"
        self.stdout.write(f"{new.statement}\n\n{new.person}: {scope}, until {end}: {voices}.")
        if not options["yes"] and not confirm("Did they agree to this?"):
            raise CommandError("Nothing was recorded.")
        try:
            count = api.renew_consent(old, new, user=None, evidence=evidence)
        except NarrationError as error:
            raise CommandError(str(error)) from error
        except ValidationError as error:
            raise CommandError(" ".join(error.messages)) from error
        self.stdout.write(f"Renewed as {new.uid}; {count} voice(s) speak by it.")


def _find(name: str) -> Consent:
    spoken = Voice.objects.exclude(consent=None).values("consent")
    rows = list_named(name, Consent.objects.live().filter(person=name, pk__in=spoken))
    if len(rows) > 1:
        raise build_choice(name, rows)
    if not rows:
        raise CommandError(f"There is no consent of '{name}' that could be renewed.")
    try:
        api.check_renewable(rows[0])
    except NarrationError as error:
        raise CommandError(str(error)) from error
    return rows[0]


def _build(old: Consent, options: dict[str, Any]) -> Consent:
    """The new one, not stored; for the same scope where none is named."""
    scope, key = old.scope, old.scope_key
    if options["course"]:
        scope, key = ConsentScope.COURSE, options["course"]
    elif options["everywhere"]:
        scope, key = ConsentScope.INSTALLATION, ""
    given_at = _read_moment(options["given"], time.min) or timezone.now()
    if given_at > timezone.now():
        raise CommandError("--given is in the future.")
    return Consent(
        person=old.person,
        statement_version=CURRENT,
        statement=get_statement(options["statement_language"]),
        scope=scope,
        scope_key=key,
        evidence=options["evidence"],
        given_at=given_at,
        expires_at=_read_moment(options["until"], time.max),
    )


def _read_moment(words: str, time_of_day: time) -> datetime | None:
    """A day, or a day with its time; in the site's time zone where none is named."""
    if not words:
        return None
    try:
        day = parse_date(words)
        moment = datetime.combine(day, time_of_day) if day else parse_datetime(words)
    except ValueError:
        moment = None
    if moment is None:
        raise CommandError(f"'{words}' is no day such as 2028-01-31.")
    return moment if timezone.is_aware(moment) else timezone.make_aware(moment)


def _read(path: Path | None) -> api.Evidence | None:
    if path is None:
        return None
    try:
        return api.Evidence(path.name, path.read_bytes())
    except OSError as error:
        raise CommandError(f"{path} cannot be read: {error.strerror}.") from error
