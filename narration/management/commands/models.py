"""``manage.py models``: fetch, bring, check and remove models, and accept their terms."""

from __future__ import annotations

import getpass
import json
import sys
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from narration import api, modelstore
from narration.exceptions import NarrationError
from narration.management.bars import show_progress
from narration.modelstore import ConfiguredModel, Inspection, Presence

MEGABYTE = 1_000_000
WRONG, NOT_ACCEPTED, MAY_PASS = 1, 3, 4
PRESENCES = {
    Presence.MISSING: "not here",
    Presence.CARD_ONLY: "card only",
    Presence.DAMAGED: "damaged",
    Presence.HERE: "here",
}


class Command(BaseCommand):
    """Exit status 1: it failed; 3: the terms are not accepted; 4: try again later."""

    #: What they say of models it tells itself.
    requires_system_checks = []
    help = "Lists, downloads, imports, verifies and removes models, and accepts their terms."

    def add_arguments(self, parser: CommandParser) -> None:
        """One subcommand each."""
        tasks = parser.add_subparsers(dest="task", required=True, metavar="TASK")
        listing = tasks.add_parser("list", help="The models of the configured engines.")
        listing.add_argument("--json", action="store_true", help="One JSON array, for programs.")
        fetching = tasks.add_parser("download", help="Fetch the published files and convert them.")
        bringing = tasks.add_parser("import", help="Convert published files from a folder or zip.")
        verifying = tasks.add_parser("verify", help="Compare every byte with the card.")
        removing = tasks.add_parser("remove", help="Delete a model from this machine.")
        accepting = tasks.add_parser("accept", help="Record who accepts a model's terms.")
        carding = tasks.add_parser("card", help="Print the card; or put one in its place.")
        verifying.add_argument("name", nargs="?", default="", help="Of a model; none: all.")
        for task in (fetching, bringing, removing, accepting, carding):
            task.add_argument("name", help="Of a model, or of its engine.")
        bringing.add_argument("path", type=Path, help="A folder or a zip.")
        for task in (fetching, bringing):
            task.add_argument("--accept", action="store_true", help="Accept the model's terms.")
        for task in (fetching, bringing, accepting):
            task.add_argument("--name", dest="who", default="", help="Who accepts the terms.")
        removing.add_argument("--yes", action="store_true", help="Do not ask.")
        carding.add_argument("--read", type=Path, help="A card from another machine.")

    def handle(self, *args: Any, **options: Any) -> None:
        """Do the task; ``CommandError`` says in one line what went wrong."""
        try:
            getattr(self, f"_{options['task']}")(options)
        except NarrationError as error:
            status = WRONG if error.is_permanent else MAY_PASS
            raise CommandError(str(error), returncode=status) from error

    def _list(self, options: dict[str, Any]) -> None:
        states = api.list_models()
        if options["json"]:
            rows = [_describe(state) for state in states]
            self.stdout.write(json.dumps(rows, indent=2, ensure_ascii=False))
            return
        if not states:
            self.stdout.write("No configured engine loads a model.")
        for state in states:
            self._write_state(state)

    def _write_state(self, state: api.ModelState) -> None:
        found = state.inspection
        model, terms = found.model, found.model.spec.terms
        self.stdout.write(self.style.MIGRATE_HEADING(f"{model.name}: {model.spec.title}"))
        where = PRESENCES[found.presence]
        if found.card is not None:
            proof = "verified" if found.is_verified else "unverified: nobody vouched for its files"
            where += f", {found.card.size / MEGABYTE:.0f} MB, {proof}"
        self.stdout.write(f"  {where}")
        for fault in found.faults:
            self.stdout.write(self.style.ERROR(f"  {fault}"))
        self.stdout.write(f"  engines      {', '.join(model.aliases)}")
        if found.card is not None:
            self.stdout.write(f"  fingerprint  {found.card.fingerprint}")
        self.stdout.write(f"  licence      {terms.licence}: {_say_acceptance(state)}")

    def _download(self, options: dict[str, Any]) -> None:
        model = modelstore.get_model(options["name"])
        who = self._agree(model, options)
        with show_progress(self.stdout) as report:
            modelstore.download(model, report)
        self._tell_made(model, who)

    def _import(self, options: dict[str, Any]) -> None:
        model = modelstore.get_model(options["name"])
        self._show_terms(model)
        with show_progress(self.stdout) as report:
            modelstore.import_from(model, options["path"], report)
        self._tell_made(model, _name(options) if options["accept"] else "")

    def _verify(self, options: dict[str, Any]) -> None:
        name = options["name"]
        models = [modelstore.get_model(name)] if name else modelstore.list_models()
        damaged = 0
        for model in models:
            with show_progress(self.stdout) as report:
                found = modelstore.verify(model, report)
            damaged += found.presence == Presence.DAMAGED
            damaged += bool(name) and found.presence == Presence.MISSING
            self._tell_verified(found)
        if damaged:
            raise CommandError("Not every model is as its card says.", returncode=WRONG)

    def _tell_verified(self, found: Inspection) -> None:
        title = found.model.spec.title
        for fault in found.faults:
            self.stdout.write(self.style.ERROR(f"{title}: {fault}"))
        if found.presence == Presence.HERE:
            end = "" if found.is_verified else " Nobody vouched for the files it was made from."
            self.stdout.write(self.style.SUCCESS(f"{title}: every byte is as its card says.{end}"))
        elif found.presence != Presence.DAMAGED:
            self.stdout.write(f"{title}: {PRESENCES[found.presence]}.")

    def _remove(self, options: dict[str, Any]) -> None:
        model = modelstore.get_model(options["name"])
        self.stdout.write(
            f"{model.spec.title} will be deleted from {model.folder}. Sound that was made with it, "
            "voices and accepted terms stay."
        )
        if not options["yes"] and not self._ask("Delete it?"):
            raise CommandError("Nothing was deleted.", returncode=WRONG)
        freed = modelstore.remove(model)
        self.stdout.write(self.style.SUCCESS(f"Deleted: {freed / MEGABYTE:.0f} MB are free again."))

    def _accept(self, options: dict[str, Any]) -> None:
        model = modelstore.get_model(options["name"])
        self._show_terms(model)
        if not options["who"] and not self._ask("Do you accept these terms?"):
            raise CommandError(
                'Not accepted. Run it again with --name "WHO" to accept.', returncode=NOT_ACCEPTED
            )
        self._record(model, _name(options))

    def _card(self, options: dict[str, Any]) -> None:
        model = modelstore.get_model(options["name"])
        if options["read"] is None:
            self.stdout.write(modelstore.export_card(model), ending="")
            return
        try:
            text = options["read"].read_text()
        except (OSError, ValueError) as error:
            raise CommandError(str(error), returncode=WRONG) from error
        card = modelstore.import_card(model, text)
        self.stdout.write(
            self.style.SUCCESS(f"{model.spec.title} can be planned with here ({card.fingerprint}).")
        )

    # Terms

    def _agree(self, model: ConfiguredModel, options: dict[str, Any]) -> str:
        """Show the terms; who accepts them now, "" where it is not needed or was done before."""
        self._show_terms(model)
        if not model.spec.terms.needs_acceptance:
            return ""
        if options["accept"] or options["who"]:
            return _name(options)
        if api.has_accepted_before(model.name):
            return ""
        if self._ask("Do you accept these terms?"):
            return _name(options)
        raise CommandError(
            'Nothing was fetched: run it again with --accept --name "WHO" to accept the terms.',
            returncode=NOT_ACCEPTED,
        )

    def _show_terms(self, model: ConfiguredModel) -> None:
        terms = model.spec.terms
        lines = [f"{model.spec.title}: {terms.licence}", f"  {terms.summary}", f"  {terms.url}"]
        if terms.is_non_commercial:
            lines.append("  Not for commercial use: neither the model nor what it says.")
        if terms.must_tell_listeners:
            lines.append(
                "  Listeners must be told that the voice is synthetic; every track says so."
            )
        self.stdout.write("\n".join(lines))

    def _record(self, model: ConfiguredModel, who: str) -> None:
        row = api.accept_licence(model.name, name=who)
        self.stdout.write(
            self.style.SUCCESS(f"{row.licence}: accepted by {row.name} on {row.at:%Y-%m-%d}.")
        )

    def _tell_made(self, model: ConfiguredModel, who: str) -> None:
        found = modelstore.inspect(model)
        assert found.card is not None  # noqa: S101 - it was made just now
        self.stdout.write(self.style.SUCCESS(f"{model.spec.title} is in {model.folder}."))
        if not found.is_verified:
            self.stdout.write(
                self.style.WARNING(
                    "Unverified: nobody vouched for checksums of the published files; those of "
                    "these are recorded in its card."
                )
            )
        if who:
            self._record(model, who)
        elif model.spec.terms.needs_acceptance and not _is_accepted(model):
            self.stdout.write(
                self.style.WARNING(
                    f"It says nothing before its terms are accepted: manage.py models accept "
                    f"{model.name}"
                )
            )

    def _ask(self, question: str) -> bool:
        """Whether somebody at a terminal says yes; nobody there is no."""
        if not sys.stdin.isatty():
            return False
        return input(f"{question} [y/N] ").strip().casefold() in ("y", "yes")


def _name(options: dict[str, Any]) -> str:
    return str(options["who"]).strip() or getpass.getuser()


def _is_accepted(model: ConfiguredModel) -> bool:
    states = (state for state in api.list_models() if state.inspection.model.name == model.name)
    return any(state.acceptance is not None for state in states)


def _say_acceptance(state: api.ModelState) -> str:
    if state.acceptance is not None:
        return f"accepted by {state.acceptance.name} on {state.acceptance.at:%Y-%m-%d}"
    return "not accepted" if state.inspection.model.spec.terms.needs_acceptance else "free to use"


def _describe(state: api.ModelState) -> dict[str, Any]:
    found, accepted = state.inspection, state.acceptance
    model, terms, card = found.model, found.model.spec.terms, found.card
    return {
        "name": model.name,
        "title": model.spec.title,
        "engine": model.engine,
        "aliases": list(model.aliases),
        "folder": str(model.folder),
        "presence": str(found.presence),
        "faults": list(found.faults),
        "verified": found.is_verified,
        "fingerprint": card.fingerprint if card else "",
        "bytes": card.size if card else 0,
        "licence": terms.licence,
        "licence_url": terms.url,
        "needs_acceptance": terms.needs_acceptance,
        "non_commercial": terms.is_non_commercial,
        "must_tell_listeners": terms.must_tell_listeners,
        "accepted_by": accepted.name if accepted else "",
        "accepted_at": accepted.at.isoformat() if accepted else "",
    }
