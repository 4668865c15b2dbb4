"""Collect and compile the translations: ``make messages``. Needs GNU gettext."""

import os
import re
import shutil
import sys
from pathlib import Path

import django
from django.core.management import call_command

ROOT = Path(__file__).resolve().parent.parent
FOLDERS = ("narration", "courses", "templates")
#: A line that changes with every run and tells nobody anything.
CREATION_DATE = re.compile(r'^"POT-Creation-Date:.*\n', re.MULTILINE)


def main() -> None:
    if shutil.which("msgfmt") is None:
        sys.exit("GNU gettext is missing: install the package 'gettext'.")
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings.dev")
    django.setup()
    for folder in FOLDERS:
        os.chdir(ROOT / folder)
        Path("locale").mkdir(exist_ok=True)
        call_command("makemessages", locale=["pt_BR"], no_location=True, no_wrap=True, verbosity=0)
        for catalogue in Path("locale").rglob("*.po"):
            catalogue.write_text(CREATION_DATE.sub("", catalogue.read_text()))
        call_command("compilemessages", locale=["pt_BR"], verbosity=0)


if __name__ == "__main__":
    main()
