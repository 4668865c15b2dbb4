"""TeX → MathML that carries nothing but mathematics."""

from __future__ import annotations

import re
from functools import lru_cache
from html import escape
from xml.etree.ElementTree import tostring

import nh3
from latex2mathml.converter import convert_to_element

from narration.markup.sanitise import MATHML_ATTRIBUTES, MATHML_TAGS

_LONGEST = 1000
# The converter writes operators as the text of character references.
_REFERENCE = re.compile(r"&amp;(#x[0-9A-Fa-f]{1,6};)")


@lru_cache(maxsize=1024)
def build_mathml(tex: str, is_block: bool = False) -> str:
    """Give a ``<math>`` element, or the escaped source in ``<code>`` where TeX is not understood.

    The result is cleaned on its own: whatever an author hides in the formula, no element or
    attribute of the page around it survives.
    """
    fallback = f"<code>{escape(tex)}</code>"
    if len(tex) > _LONGEST:
        return fallback
    try:
        element = convert_to_element(tex, display="block" if is_block else "inline")
    except Exception:  # noqa: BLE001 — the converter raises many kinds, and never for our faults
        return fallback
    source = _REFERENCE.sub(r"&\1", tostring(element, encoding="unicode"))
    cleaned = nh3.clean(source, tags=MATHML_TAGS, attributes={"*": MATHML_ATTRIBUTES})
    return cleaned if cleaned.startswith("<math") else fallback
