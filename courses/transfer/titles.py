"""What a course is called, and which pictures its texts show: guessed from the files."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from pathlib import PurePosixPath

from courses.transfer.files import CONFIGURATIONS, SourceFile, TransferError
from courses.transfer.plain import read_yaml

FRONT_MATTER = re.compile(
    r"\A---[ \t]*\n(?P<yaml>.{0,16384}?)\n(?:---|\.\.\.)[ \t]*(?:\n|\Z)", re.DOTALL
)
HEADING = re.compile(
    r"\A(?P<before>(?:\s|\{%.{0,1000}?%\}|<!--.{0,1000}?-->){0,50})"
    r"^#[ \t]+(?P<title>[^\n]{1,300}?)[ \t]*#*[ \t]*(?:\{[^}\n]*\})?[ \t]*(?:\n|\Z)",
    re.MULTILINE,
)
#: Files that tell about a course and are none of its lessons.
NO_LESSONS = frozenset(
    ("readme", "license", "licence", "contributing", "code_of_conduct", "summary", "changelog")
)
#: Where a course's title stands, the surest place first.
_PLACES = (*CONFIGURATIONS, "readme.md", "index.md", "summary.md")
#: Headings of such files that are no title of a course.
_GENERIC = frozenset(
    (
        "about",
        "contents",
        "index",
        "introduction",
        "readme",
        "summary",
        "sumário",
        "table of contents",
    )
)
_PICTURE = re.compile(
    r"!\[[^\]\n]{0,1000}\]\(\s{0,9}<?(?P<inline>[^)\s>]{1,500})"
    r"|<img\s[^>]{0,1000}?src\s{0,9}=\s{0,9}[\"']?(?P<tag>[^\"'\s>]{1,500})",
    re.IGNORECASE,
)


def find_title(files: Iterable[SourceFile]) -> str:
    """The title that a configuration, a README, an index or a summary gives; "" for none.

    They are looked for at the top, and in a folder at the top (that of a language).
    """
    places = [place.lower() for place in _PLACES]
    found = [
        (places.index(name), file.path.count("/"), file.path, file)
        for file in files
        if (name := PurePosixPath(file.path).name.lower()) in places and file.path.count("/") < 2
    ]
    titles = (_read_title(file) for *_order, file in sorted(found, key=lambda row: row[:3]))
    return next((title for title in titles if title), "")


def _read_title(file: SourceFile) -> str:
    try:
        text = file.text
        if not file.path.lower().endswith((".md", ".markdown")):
            return read_yaml(text, file.path).get("title", "").strip()[:200]
        matter = FRONT_MATTER.match(text)
        given = read_yaml(matter["yaml"], file.path).get("title", "") if matter else ""
    except TransferError:
        return ""  # no lesson: what is wrong with it is not our business
    heading = HEADING.match(text[matter.end() :] if matter else text)
    title = " ".join(given.split()) or (plain_heading(heading["title"]) if heading else "")
    return "" if title.casefold() in _GENERIC else title[:200]


def name_title(name: str) -> str:
    """A folder's or archive's name as people would write it: "git-novice" is "Git novice"."""
    words = " ".join(re.sub(r"[-_]+", " ", name).split())
    return (words[:1].upper() + words[1:])[:200]


def plain_heading(heading: str) -> str:
    """A heading without its marks."""
    return re.sub(r"[*_`]|\{[^}]*\}", "", heading).strip()


def find_pictures(markdown: str) -> Iterator[str]:
    """Addresses of the pictures a text shows, each once; data: is inside of it."""
    seen = set()
    for match in _PICTURE.finditer(markdown):
        address = match["inline"] or match["tag"]
        if address not in seen and not address.lower().startswith("data:"):
            seen.add(address)
            yield address
