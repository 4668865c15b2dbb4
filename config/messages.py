"""Collect and compile the translations: ``make messages``. Needs GNU gettext."""

import os
import re
import shutil
import sys
from contextlib import chdir
from pathlib import Path

import django
from django.core.management import call_command

ROOT = Path(__file__).resolve().parent.parent
FOLDERS = ("narration", "courses", "templates")
TOOLS = ("xgettext", "msgmerge", "msguniq", "msgattrib", "msgfmt")
LOCALES = ["pt_BR"]
#: Headers that change with every run, or that gettext adds empty: they tell nobody anything.
NOISE = re.compile(r'^"(POT-Creation-Date|Report-Msgid-Bugs-To):.*\n', re.MULTILINE)


def main() -> None:
    """Bring the catalogues of both apps and of the site up to date, in text and compiled."""
    if missing := [tool for tool in TOOLS if shutil.which(tool) is None]:
        sys.exit(f"GNU gettext is missing ({', '.join(missing)}): install the package 'gettext'.")
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings.dev")
    django.setup()
    for folder in FOLDERS:
        collect(ROOT / folder)
        with chdir(ROOT / folder):
            call_command("compilemessages", locale=LOCALES, verbosity=0)


def collect(folder: Path) -> None:
    """Write what ``folder`` marks for translation into its own ``locale``."""
    (folder / "locale").mkdir(exist_ok=True)
    with chdir(folder):
        call_command("makemessages", locale=LOCALES, no_location=True, no_wrap=True, verbosity=0)
    for catalogue in (folder / "locale").rglob("*.po"):
        catalogue.write_text(NOISE.sub("", catalogue.read_text(encoding="utf-8")), encoding="utf-8")


if __name__ == "__main__":
    main()
