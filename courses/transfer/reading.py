"""Files as a course: which lesson in which language, in what order, under what title."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Any

import yaml
from django.utils.translation import gettext as _

from courses.models.base import get_text_languages
from courses.transfer.files import Files, SourceFile, TransferError

COURSE_FILE = "course.json"
FORMAT = 1
_FRONT_MATTER = re.compile(
    r"\A---[ \t]*\n(?P<yaml>.{0,65536}?)\n(?:---|\.\.\.)[ \t]*(?:\n|\Z)", re.DOTALL
)
_HEADING = re.compile(
    r"\A(?P<before>(?:\s|\{%.{0,1000}?%\}|<!--.{0,1000}?-->){0,50})"
    r"^#[ \t]+(?P<title>[^\n]{1,300}?)[ \t]*#*[ \t]*(?:\{[^}\n]*\})?[ \t]*(?:\n|\Z)",
    re.MULTILINE,
)
_NO_LESSONS = frozenset(
    ("readme", "license", "licence", "contributing", "code_of_conduct", "summary", "changelog")
)
_LINK = re.compile(r"\]\((?P<path>[^)\s#]+\.(?:md|markdown))[^)]*\)")
_SUFFIX = re.compile(r"\.(?P<language>[A-Za-z]{2,3}(?:[-_][A-Za-z]{2,4})?)$")


@dataclass(frozen=True, slots=True)
class FoundText:
    """A lesson's text in one language as a file has it; ``key`` is its path without language."""

    path: str
    key: str
    language: str
    title: str
    markdown: str
    order: tuple[Any, ...]
    slug: str = ""
    external_id: str = ""

    @property
    def digest(self) -> str:
        """Identity of what would be stored."""
        return digest_text(self.title, self.markdown)


@dataclass(frozen=True, slots=True)
class FoundCourse:
    """A course as its files have it. ``facts`` is what an export wrote beside the texts."""

    texts: tuple[FoundText, ...]
    facts: dict[str, Any] = field(default_factory=dict)
    skipped: tuple[tuple[str, str], ...] = ()
    pictures: int = 0

    @property
    def languages(self) -> list[str]:
        """The languages of its texts, the most frequent first."""
        counts: dict[str, int] = {}
        for text in self.texts:
            counts[text.language] = counts.get(text.language, 0) + 1
        return sorted(counts, key=lambda language: (-counts[language], language))


def digest_text(title: str, markdown: str) -> str:
    """Identity of a text: what is written, not where."""
    return hashlib.sha256(f"{title}\0{markdown}".encode()).hexdigest()


def find_language(tag: str) -> str:
    """The site's language that a folder or suffix names: "pt" means "pt-BR" here; "" for none."""
    wanted = tag.replace("_", "-").lower()
    languages = [language for language, _name in get_text_languages()]
    exact = next((language for language in languages if language.lower() == wanted), "")
    primary = next((lang for lang in languages if lang.lower().split("-")[0] == wanted), "")
    return exact or primary


def read_course(files: Files, *, language: str = "") -> FoundCourse:
    """The course these files make; ``language`` is for files that name none."""
    facts = _read_facts(files.files)
    default = language or find_language(str(facts.get("language", ""))) or "en"
    listed = _read_summary(files.files)
    texts: dict[tuple[str, str], FoundText] = {}
    skipped: list[tuple[str, str]] = []
    for file in files.files:
        if reason := _find_reason_to_skip(file):
            skipped += [(file.path, reason)] if reason != COURSE_FILE else []
            continue
        text = _read_text(file, default, listed)
        if (text.key, text.language) in texts:
            raise TransferError(_same_lesson(file.path, texts[text.key, text.language].path))
        texts[text.key, text.language] = text
    if not texts:
        raise TransferError(_("There is no lesson here: no Markdown file was found."))
    ordered = sorted(texts.values(), key=lambda text: text.order)
    return FoundCourse(tuple(ordered), facts, tuple(skipped), files.pictures)


def _same_lesson(path: str, other: str) -> str:
    return _("%(path)s and %(other)s are the same lesson.") % {"path": path, "other": other}


def _find_reason_to_skip(file: SourceFile) -> str:
    path = PurePosixPath(file.path)
    if path.name == COURSE_FILE:
        return COURSE_FILE
    if path.suffix.lower() == ".json":
        return _("no lesson")
    if path.stem.lower() in _NO_LESSONS:
        return _("no lesson")
    return "" if file.text.strip() else _("empty")


def _read_text(file: SourceFile, default: str, listed: dict[str, int]) -> FoundText:
    key, language = _split_language(file.path)
    matter, body = _split_front_matter(file)
    heading = _HEADING.match(body)
    title = _get_string(matter, "title")
    if not title and heading:
        title = _plain(heading["title"])
        body = heading["before"] + body[heading.end() :]
    title = title or PurePosixPath(key).stem.replace("_", " ").replace("-", " ").strip()
    return FoundText(
        path=file.path,
        key=key,
        language=find_language(_get_string(matter, "language")) or language or default,
        title=title[:200],
        markdown=body.strip("\n") + "\n",
        order=(_get_order(matter), listed.get(file.path, listed.get(key, 10**6)), _natural(key)),
        slug=_get_string(matter, "slug")[:80],
        external_id=_get_string(matter, "external_id")[:200],
    )


def _split_language(path: str) -> tuple[str, str]:
    """The path without the folder or suffix that names its language, and that language."""
    parts = path.split("/")
    for at, part in enumerate(parts[:-1]):
        if language := find_language(part):
            return "/".join(parts[:at] + parts[at + 1 :]), language
    stem, _dot, extension = parts[-1].rpartition(".")
    suffix = _SUFFIX.search(stem)
    if suffix and (language := find_language(suffix["language"])):
        return "/".join([*parts[:-1], f"{stem[: suffix.start()]}.{extension}"]), language
    return path, ""


def _split_front_matter(file: SourceFile) -> tuple[dict[str, Any], str]:
    match = _FRONT_MATTER.match(file.text)
    if not match:
        return {}, file.text
    try:
        matter = yaml.safe_load(match["yaml"])
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        words = _("The front matter of %(path)s is no YAML: %(error)s")
        first = str(error).splitlines()[0] if str(error) else ""
        raise TransferError(words % {"path": file.path, "error": first}) from error
    return (matter if isinstance(matter, dict) else {}), file.text[match.end() :]


def _get_string(matter: dict[str, Any], key: str) -> str:
    value = matter.get(key, "")
    return " ".join(str(value).split()) if isinstance(value, str | int | float) else ""


def _get_order(matter: dict[str, Any]) -> float:
    for key in ("position", "order", "weight"):
        value = matter.get(key)
        if isinstance(value, int | float) and not isinstance(value, bool):
            return float(value)
    return 1e6


def _natural(path: str) -> list[tuple[int, Any]]:
    """ "2-b" before "10-a"."""
    parts = re.split(r"(\d{1,9})", path.casefold())
    return [(0, int(part)) if part.isdecimal() else (1, part) for part in parts if part]


def _plain(heading: str) -> str:
    return re.sub(r"[*_`]|\{[^}]*\}", "", heading).strip()


def _read_summary(files: Iterable[SourceFile]) -> dict[str, int]:
    """GitBook's table of contents tells the order of the files it links."""
    listed: dict[str, int] = {}
    for file in files:
        path = PurePosixPath(file.path)
        if path.stem.lower() != "summary":
            continue
        for match in _LINK.finditer(file.text):
            target = (path.parent / match["path"]).as_posix()
            listed.setdefault(target, len(listed))
    return listed


def _read_facts(files: Iterable[SourceFile]) -> dict[str, Any]:
    file = next((file for file in files if file.path == COURSE_FILE), None)
    if file is None:
        return {}
    try:
        facts = json.loads(file.text)
    except (ValueError, RecursionError) as error:
        raise TransferError(_("course.json is no JSON: %(error)s") % {"error": error}) from error
    if not isinstance(facts, dict) or facts.get("format") != FORMAT:
        raise TransferError(_("course.json was written by another version of this program."))
    return facts
