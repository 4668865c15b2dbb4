"""``manage.py models``: fetch, bring, check and remove models, and accept their terms."""

from __future__ import annotations

import getpass
import json
import shlex
import sys
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from narration import api, modelstore
from narration.exceptions import NarrationError
from narration.management.bars import show_progress
from narration.models import LicenceAcceptance
from narration.modelstore import ConfiguredModel, Inspection, Presence
from narration.speaking import describe_engine

MEGABYTE = 1_000_000
WRONG, NOT_ACCEPTED, MAY_PASS = 1, 3, 4
PRESENCES = {
    Presence.MISSING: gettext_lazy("not here"),
    Presence.CARD_ONLY: gettext_lazy("card only"),
    Presence.UNREADABLE: gettext_lazy("not readable"),
    Presence.DAMAGED: gettext_lazy("damaged"),
    Presence.HERE: gettext_lazy("here"),
}
FAULTY = (Presence.DAMAGED, Presence.UNREADABLE)


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
        filing = tasks.add_parser("files", help="The names and addresses of the published files.")
        filing.add_argument("--curl", action="store_true", help="As commands that fetch them.")
        bringing = tasks.add_parser("import", help="Convert published files from a folder or zip.")
        verifying = tasks.add_parser("verify", help="Compare every byte with the card.")
        removing = tasks.add_parser("remove", help="Delete a model from this machine.")
        accepting = tasks.add_parser("accept", help="Record who accepts a model's terms.")
        naming = tasks.add_parser("voices", help="The voices a model speaks with.")
        carding = tasks.add_parser("card", help="Print the card; or put one in its place.")
        verifying.add_argument("name", nargs="?", default="", help="Of a model; none: all.")
        for task in (fetching, filing, bringing, removing, accepting, naming, carding):
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
        except OSError as error:  # a disk that is full, gone or not ours
            raise CommandError(str(error), returncode=WRONG) from error

    def _list(self, options: dict[str, Any]) -> None:
        states = api.list_models()
        if options["json"]:
            rows = [_describe(state) for state in states]
            self.stdout.write(json.dumps(rows, indent=2, ensure_ascii=False))
            return
        if not states:
            self.stdout.write(modelstore.explain_no_engine())
        for state in states:
            self._write_state(state)

    def _write_state(self, state: api.ModelState) -> None:
        found = state.inspection
        model, terms = found.model, found.model.spec.terms
        self.stdout.write(self.style.MIGRATE_HEADING(f"{model.name}: {model.spec.title}"))
        where = [str(PRESENCES[found.presence])]
        if found.card is not None:
            unverified = _("unverified: nobody vouched for its files")
            where += [
                f"{found.card.size / MEGABYTE:.0f} MB",
                _("checksums verified") if found.is_verified else unverified,
            ]
        self.stdout.write(f"  {', '.join(where)}")
        for fault in found.faults:
            self.stdout.write(self.style.ERROR(f"  {fault}"))
        rows = [(_("engines"), ", ".join(model.aliases))]
        if found.card is not None:
            rows.append((_("fingerprint"), found.card.fingerprint))
        rows.append((_("licence"), f"{terms.licence}: {_say_acceptance(state)}"))
        width = max(len(name) for name, _words in rows)
        for name, words in rows:
            self.stdout.write(f"  {name:<{width}}  {words}")

    def _download(self, options: dict[str, Any]) -> None:
        model = modelstore.get_model(options["name"])
        who = self._agree(model, options)
        with show_progress(self.stdout) as report:
            modelstore.download(model, report)
        self._tell_made(model, who)

    def _files(self, options: dict[str, Any]) -> None:
        """What another machine has to fetch; ``--curl``: as nothing but commands of a shell."""
        model = modelstore.get_model(options["name"])
        files = model.spec.files
        if options["curl"]:
            for file in (file for file in files if file.url):
                target = shlex.quote(f"{model.name}/{file.name}")
                self.stdout.write(
                    f"curl -fL -C - --create-dirs -o {target} {shlex.quote(file.url)}"
                )
            return
        width = max(len(file.name) for file in files)
        for file in files:
            size = f"  {file.size / MEGABYTE:.1f} MB" if file.size else ""
            self.stdout.write(f"{file.name:<{width}}  {file.url}{size}")
        words = _(
            "Save each under its name, folders included, in one folder, then: manage.py models "
            "import %(name)s FOLDER"
        )
        self.stdout.write(words % {"name": model.name})

    def _import(self, options: dict[str, Any]) -> None:
        model = modelstore.get_model(options["name"])
        self._show_terms(model)
        with show_progress(self.stdout) as report:
            modelstore.import_from(model, options["path"], report)
        self._tell_made(model, _name(options) if _accepts(model, options) else "")

    def _verify(self, options: dict[str, Any]) -> None:
        name = options["name"]
        models = [modelstore.get_model(name)] if name else modelstore.list_models()
        if not models:
            self.stdout.write(modelstore.explain_no_engine())
        damaged = 0
        for model in models:
            with show_progress(self.stdout) as report:
                found = modelstore.verify(model, report)
            damaged += found.presence in FAULTY
            damaged += bool(name) and found.presence == Presence.MISSING
            self._tell_verified(found)
        if damaged:
            raise CommandError(_("Not every model is as its card says."), returncode=WRONG)

    def _tell_verified(self, found: Inspection) -> None:
        title = found.model.spec.title
        for fault in found.faults:
            self.stdout.write(self.style.ERROR(f"{title}: {fault}"))
        if found.presence == Presence.HERE:
            words = _("%(title)s: every byte is as its card says.") % {"title": title}
            if not found.is_verified:
                words += " " + _("Nobody vouched for the files it was made from.")
            self.stdout.write(self.style.SUCCESS(words))
        elif found.presence not in FAULTY:
            self.stdout.write(f"{title}: {PRESENCES[found.presence]}.")

    def _remove(self, options: dict[str, Any]) -> None:
        model = modelstore.get_model(options["name"])
        words = _(
            "%(title)s will be deleted from %(folder)s. Sound that was made with it, voices and "
            "accepted terms stay."
        )
        self.stdout.write(words % {"title": model.spec.title, "folder": model.folder})
        if not options["yes"] and not self._ask(_("Delete it?")):
            raise CommandError(_("Nothing was deleted."), returncode=WRONG)
        freed = modelstore.remove(model)
        words = _("Deleted: %(size)s MB are free again.") % {"size": f"{freed / MEGABYTE:.0f}"}
        self.stdout.write(self.style.SUCCESS(words))

    def _accept(self, options: dict[str, Any]) -> None:
        model = modelstore.get_model(options["name"])
        self._show_terms(model)
        if not options["who"] and not self._ask(_("Do you accept these terms?")):
            words = _('Not accepted. Run it again with --name "WHO" to accept.')
            raise CommandError(words, returncode=NOT_ACCEPTED)
        self._record(model, _name(options))

    def _voices(self, options: dict[str, Any]) -> None:
        """Each as settings and policies name it, with what it may be asked to speak."""
        model = modelstore.get_model(options["name"])
        for alias in model.aliases:
            voices = describe_engine(alias).voices
            width = max((len(voice.name) for voice in voices), default=0) + len(alias) + 1
            for voice in voices:
                name, languages = f"{alias}:{voice.name}", " ".join(voice.languages)
                label = f"  ({_(voice.label)})" if voice.label not in ("", voice.name) else ""
                self.stdout.write(f"{name:<{width}}  {languages}{label}")

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
        words = _("%(title)s can be planned with here (%(fingerprint)s).")
        words %= {"title": model.spec.title, "fingerprint": card.fingerprint}
        self.stdout.write(self.style.SUCCESS(words))

    # Terms

    def _agree(self, model: ConfiguredModel, options: dict[str, Any]) -> str:
        """Show the terms; who accepts them now, "" where it is not needed or was done before."""
        self._show_terms(model)
        if _accepts(model, options):
            return _name(options)
        if not model.spec.terms.needs_acceptance:
            return ""
        if api.has_accepted_before(model.name):
            return ""
        if self._ask(_("Do you accept these terms?")):
            return _name(options)
        words = _(
            'Nothing was fetched: run it again with --accept --name "WHO" to accept the terms.'
        )
        raise CommandError(words, returncode=NOT_ACCEPTED)

    def _show_terms(self, model: ConfiguredModel) -> None:
        terms = model.spec.terms
        lines = [f"{model.spec.title}: {terms.licence}", _(terms.summary), terms.url]
        if terms.is_non_commercial:
            lines.append(_("Not for commercial use: neither the model nor what it says."))
        if terms.must_tell_listeners:
            lines.append(
                _(
                    "Listeners must be told that the voice is synthetic. Every track with it says "
                    "so, and nothing turns it off."
                )
            )
        self.stdout.write("\n  ".join(line for line in lines if line))

    def _record(self, model: ConfiguredModel, who: str) -> None:
        row = api.accept_licence(model.name, name=who)
        self.stdout.write(self.style.SUCCESS(f"{row.licence}: {_say_accepted(row)}."))

    def _tell_made(self, model: ConfiguredModel, who: str) -> None:
        found = modelstore.inspect(model)
        assert found.card is not None  # noqa: S101 - it was made just now
        names = {"title": model.spec.title, "folder": model.folder, "name": model.name}
        self.stdout.write(self.style.SUCCESS(_("%(title)s is in %(folder)s.") % names))
        if not found.is_verified:
            words = _(
                "Unverified: nobody vouched for checksums of the published files; those of these "
                "are recorded in its card."
            )
            self.stdout.write(self.style.WARNING(words))
        if who:
            self._record(model, who)
        elif model.spec.terms.needs_acceptance and not _is_accepted(model):
            words = _(
                "It says nothing before its terms are accepted: manage.py models accept %(name)s"
            )
            self.stdout.write(self.style.WARNING(words % names))

    def _ask(self, question: str) -> bool:
        """Whether somebody at a terminal says yes; nobody there is no."""
        if not sys.stdin.isatty():
            return False
        words = _("%(question)s [y/N] ") % {"question": question}
        # Translators: how people begin a yes, several ways separated by spaces.
        return input(words).strip().casefold() in _("y yes").split()


def _accepts(model: ConfiguredModel, options: dict[str, Any]) -> bool:
    """Whether whoever ran it accepts the terms: by saying so, or by giving their name."""
    is_said = bool(options["accept"] or options["who"].strip())
    return is_said and model.spec.terms.needs_acceptance


def _name(options: dict[str, Any]) -> str:
    return str(options["who"]).strip() or getpass.getuser()


def _is_accepted(model: ConfiguredModel) -> bool:
    states = (state for state in api.list_models() if state.inspection.model.name == model.name)
    return any(state.acceptance is not None for state in states)


def _say_acceptance(state: api.ModelState) -> str:
    if state.acceptance is not None:
        return _say_accepted(state.acceptance)
    is_needed = state.inspection.model.spec.terms.needs_acceptance
    return _("not accepted") if is_needed else _("free to use")


def _say_accepted(row: LicenceAcceptance) -> str:
    names = {"name": row.name, "at": date_format(row.at, "SHORT_DATE_FORMAT")}
    return _("accepted by %(name)s on %(at)s") % names


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
