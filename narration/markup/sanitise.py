"""The last word on what HTML may hold."""

from __future__ import annotations

import re
from html import unescape

import nh3

from narration.text.tables import words as table_words

CLASSES = frozenset(
    table_words(
        "box box-title callout challenge solution objectives questions keypoints prereq discussion "
        "testimonial instructor checklist spoiler note tip important warning caution code math "
        r"footnotes footnote filename variable citation left center right"
    )
)
MATHML_TAGS = set(
    table_words(
        "math mrow mi mn mo mtext mspace mfrac msqrt mroot msup msub msubsup munder mover "
        "munderover mtable mtr mtd mstyle mpadded mphantom"
    )
)
MATHML_ATTRIBUTES = set(
    table_words(
        "display mathvariant stretchy fence form width height depth lspace rspace "
        "linethickness accent accentunder columnalign rowspacing columnspacing displaystyle "
        r"scriptlevel minsize maxsize movablelimits separator"
    )
)
_TAGS = MATHML_TAGS | set(
    table_words(
        "a aside blockquote br code div em figcaption figure h1 h2 h3 h4 h5 h6 hr img kbd li "
        "ol p pre s section span strong sub sup table tbody td th thead tr ul"
    )
)
_ANCHOR = re.compile(r"p\d+(?:-\d+)?")
_LANGUAGE = re.compile(r"[A-Za-z]{2,3}(?:-[A-Za-z0-9]{2,8}){0,3}")
_LANGUAGE_CLASS = re.compile(r"language-[\w+#-]{1,30}")
_ATTRIBUTES = {
    "*": {"id", "class", "lang"} | MATHML_ATTRIBUTES,
    "a": {"href", "title"},
    "img": {"src", "alt", "title", "loading"},
    "ol": {"start"},
    "span": {"data-narration", "data-display-length"},
}
_SCHEMES = {"http", "https", "mailto"}


def sanitise(html: str) -> str:
    """Clean finished HTML by an allow-list of elements, attributes, classes and addresses."""
    return nh3.clean(
        html,
        tags=_TAGS,
        attributes=_ATTRIBUTES,
        attribute_filter=_filter_attribute,
        url_schemes=_SCHEMES,
        link_rel="noopener",
    )


def _filter_attribute(_tag: str, name: str, value: str) -> str | None:
    if name in {"id", "data-narration"}:
        return value if _ANCHOR.fullmatch(value) else None
    if name == "data-display-length":
        return value if value.isdecimal() else None
    if name == "lang":
        return value if _LANGUAGE.fullmatch(value) else None
    if name == "class":
        kept = [
            word for word in value.split() if word in CLASSES or _LANGUAGE_CLASS.fullmatch(word)
        ]
        return " ".join(kept) or None
    return value


# What a browser shows instead of its text, or not at all.
_WITHOUT_TEXT = set(
    table_words("script style template title video audio iframe object svg canvas noscript")
)
_BLOCK_TAG = re.compile(
    r"</?(?:p|div|li|tr|td|th|h[1-6]|br|hr|d[lt]|dd|ul|ol|pre|table|summary|details|section"
    r"|option|figcaption|blockquote)\b[^<>]{0,500}(?<!--)>",
    re.IGNORECASE,
)
_BORDER = "\N{PARAGRAPH SEPARATOR}"


def strip_tags(html: str) -> list[str]:
    """Give the texts of a raw block's elements; scripts, films, styles and comments vanish."""
    parted = _BLOCK_TAG.sub(_BORDER, html)
    text = nh3.clean(parted, tags=set(), clean_content_tags=_WITHOUT_TEXT)
    return [stripped for part in unescape(text).split(_BORDER) if (stripped := part.strip())]
