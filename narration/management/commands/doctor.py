"""``manage.py doctor``: what is well, what is not, and what to do."""

from __future__ import annotations

import json
import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.utils import translation
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from narration.diagnosis import Finding, State, diagnose, is_broken


class Command(BaseCommand):
    """Exit status 1 when anything is broken, 0 with warnings."""

    help = "Looks at everything narration needs and says in plain words what is wrong."
    #: It tells of them itself, with everything else.
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        """``--json``, ``--speak``, ``--language``."""
        parser.add_argument("--json", action="store_true", help="One JSON object, for programs.")
        parser.add_argument(
            "--speak",
            action="store_true",
            help="Start the engines; each default voice says a word.",
        )
        parser.add_argument("--language", default="", help="Of the words, such as pt-br.")

    def handle(self, *args: Any, **options: Any) -> None:
        """Look, tell, and leave with a status."""
        with translation.override(options["language"] or None):
            findings = list(diagnose(speak=options["speak"]))
            if options["json"]:
                self._tell_programs(findings)
            else:
                self._tell_people(findings)
        if is_broken(findings):
            sys.exit(1)

    def _tell_programs(self, findings: list[Finding]) -> None:
        body = {"broken": is_broken(findings), "findings": [each.as_dict() for each in findings]}
        self.stdout.write(json.dumps(body, indent=2, ensure_ascii=False))

    def _tell_people(self, findings: list[Finding]) -> None:
        width = max(len(each.title) for each in findings)
        for each in findings:
            mark, style = self._get_mark(each.state)
            self.stdout.write(f"{style(mark)} {each.title:{width}}  {each.words}")
            if each.advice:
                self.stdout.write(f"  {'':{width}}  → {each.advice}")
            if each.name == "voices" and each.facts:
                self._write_voices(each.facts["voices"])
        self.stdout.write(_summarise(findings))

    def _get_mark(self, state: State) -> tuple[str, Any]:
        return {
            State.OK: ("✓", self.style.SUCCESS),
            State.WARNING: ("!", self.style.WARNING),
            State.BROKEN: ("✗", self.style.ERROR),
        }[state]

    def _write_voices(self, voices: list[dict[str, Any]]) -> None:
        timing = {True: _("yes"), False: _("no"), None: _("no engine")}
        rows = [(_("voice"), _("engine"), _("languages"), _("word timing"))] + [
            (row["name"], row["engine"], ", ".join(row["languages"]), timing[row["word_timing"]])
            for row in voices
        ]
        widths = [max(len(row[column]) for row in rows) for column in range(4)]
        for row in rows:
            cells = (f"{cell:{width}}" for cell, width in zip(row, widths, strict=True))
            self.stdout.write(f"    {'  '.join(cells).rstrip()}")


def _summarise(findings: list[Finding]) -> str:
    counts = {state: sum(each.state == state for each in findings) for state in State}
    if counts[State.BROKEN]:
        return ngettext(
            "%(count)d thing is broken.", "%(count)d things are broken.", counts[State.BROKEN]
        ) % {"count": counts[State.BROKEN]}
    if counts[State.WARNING]:
        return ngettext(
            "It works, with %(count)d warning.",
            "It works, with %(count)d warnings.",
            counts[State.WARNING],
        ) % {"count": counts[State.WARNING]}
    return _("All is well.")
