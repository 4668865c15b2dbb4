"""``manage.py revoke_consent``: a person takes their voice back, from a terminal."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from narration import api
from narration.exceptions import NarrationError
from narration.management.asking import build_choice, confirm, list_named
from narration.models import Consent, Voice


class Command(BaseCommand):
    """Shows what will be gone, asks, and does it."""

    help = (
        "Takes a consent back: its voices are silent at once, published lessons lose that sound, "
        "and recordings, latents and sound made with them are deleted. Cannot be undone."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Whose, and why."""
        parser.add_argument("consent", help="The person's name, or the consent's uid.")
        parser.add_argument("--reason", default="", help="Kept with the consent.")
        parser.add_argument("--yes", action="store_true", help="Do not ask.")

    def handle(self, *args: Any, **options: Any) -> None:
        """``CommandError`` when there is none or more than one, or the answer is no."""
        consent = _find(options["consent"])
        foreseen = api.foresee_revocation(consent)
        uses = api.list_uses(foreseen.voices)
        self.stdout.write(
            f"{_name_consents(foreseen)}: {_name_voices(foreseen.voices)}; cast in "
            f"{uses.narrations} text(s), spoken in {uses.spoken}, heard by learners in "
            f"{uses.published}."
        )
        if not options["yes"] and not confirm("Take it back for good?"):
            raise CommandError("Nothing was done.")
        try:
            api.revoke_consent(consent, reason=options["reason"])
        except NarrationError as error:
            raise CommandError(str(error)) from error
        consent.refresh_from_db()
        done = "everything is deleted" if consent.settled_at else "the next sweeps delete the rest"
        self.stdout.write(f"Taken back; {done}.")
        for voice in foreseen.speaking:
            self.stdout.write(
                f"{voice.name} speaks on: a person of this name has given another consent. If it "
                f"is the same person, take {voice.consent and voice.consent.uid} back as well."
            )


def _name_consents(foreseen: api.Revocation) -> str:
    days = ", ".join(f"{each.given_at:%Y-%m-%d}" for each in foreseen.consents)
    kind = "Consent" if len(foreseen.consents) == 1 else "Consents, each a renewal,"
    return f"{kind} of {foreseen.consents[0].person} ({days})"


def _name_voices(voices: Sequence[Voice]) -> str:
    return ", ".join(voice.name for voice in voices) or "no voice"


def _find(name: str) -> Consent:
    rows = list_named(name, Consent.objects.filter(person=name, revoked_at=None))
    if rows and {*rows} <= {*Consent.objects.family(rows[-1])}:
        return rows[0]  # the newest of one voice, which takes the others along
    if not rows:
        raise CommandError(f"There is no consent of '{name}' that could be taken back.")
    raise build_choice(name, rows)
