"""YAML and JSON that strangers wrote, as plain strings and numbers that a database can keep.

Nothing else in the house reads them: tags make nothing, nothing is too big, and every error names
the file.
"""

from __future__ import annotations

import json
import re
from typing import Any

import yaml
from django.utils.translation import gettext as _

from courses.transfer.files import TransferError, require_storable

#: Whole numbers beyond this are no number of ours.
BIGGEST = 2**31 - 1
#: Characters of front matter that are looked at.
LONGEST_MATTER = 16_384
_NUMBER = re.compile(r"[+-]?\d{1,9}(?:\.\d{1,9})?")


def read_yaml(text: str, path: str) -> dict[str, str]:
    """The strings of a YAML mapping, as they are typed; what is no string is left out.

    No tag is followed: ``!!int`` and ``!!timestamp`` are strings too. ``TransferError`` names
    ``path`` where it is no YAML or holds what cannot be stored.
    """
    try:
        found = yaml.load(text[: LONGEST_MATTER + 1], Loader=yaml.BaseLoader)  # noqa: S506
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        first = str(error).splitlines()[0] if str(error) else ""
        words = _("The front matter of %(path)s is no YAML: %(error)s")
        raise TransferError(words % {"path": path, "error": first}) from error
    if not isinstance(found, dict):
        return {}
    strings = {
        key: value
        for key, value in found.items()
        if isinstance(key, str) and isinstance(value, str)
    }
    for value in strings.values():
        require_storable(value, path)
    return strings


def read_number(value: str) -> float | None:
    """A number as people write it; None for anything else."""
    return float(value) if _NUMBER.fullmatch(value.strip()) else None


def read_json(text: str, path: str) -> Any:
    """JSON without what a database cannot keep: surrogates, NUL, endless and huge numbers."""
    try:
        found = json.loads(text)
    except (ValueError, RecursionError) as error:
        words = _("%(path)s is no JSON: %(error)s") % {"path": path, "error": error}
        raise TransferError(words) from error
    waiting = [found]
    while waiting:
        value = waiting.pop()
        if isinstance(value, dict):
            waiting += [*value, *value.values()]
        elif isinstance(value, list):
            waiting += value
        elif isinstance(value, str):
            require_storable(value, path)
        elif isinstance(value, int | float) and not _is_number(value):
            raise TransferError(_("%(path)s holds a number that is too big.") % {"path": path})
    return found


def _is_number(value: float) -> bool:
    return -BIGGEST <= value <= BIGGEST  # neither is true of NaN
