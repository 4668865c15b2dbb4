"""Files as a course: which lesson in which language, in what order, under what title."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Any

from django.utils.translation import gettext as _

from courses.transfer.files import TEXTS, Files, SourceFile, TransferError, find_language, fold_path
from courses.transfer.plain import read_json, read_number, read_yaml
from courses.transfer.titles import (
    FRONT_MATTER,
    HEADING,
    NO_LESSONS,
    find_pictures,
    find_title,
    name_title,
    plain_heading,
)

COURSE_FILE = "course.json"
FORMAT = 1
LONGEST_ID = 200
_UID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
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
    uid: str = ""
    is_exported: bool = False
    is_archived: bool = False
    pictures: tuple[str, ...] = ()

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
    title: str = ""

    def count_entries(self) -> int:
        """How many pronunciations an export wrote."""
        rows = [self.facts, *self.facts.get("lessons", {}).values()]
        words = [
            row.get(name) for row in rows for name in ("wording", "around") if isinstance(row, dict)
        ]
        lists = [word.get("lexicon") for word in words if isinstance(word, dict)]
        return sum(len(entries) for entries in lists if isinstance(entries, list))

    @property
    def missing_pictures(self) -> list[tuple[str, str]]:
        """Pictures that texts show and that stay behind: (picture, path of the text)."""
        return [(picture, text.path) for text in self.texts for picture in text.pictures]

    @property
    def languages(self) -> list[str]:
        """The languages of its texts, the most frequent first."""
        counts: dict[str, int] = {}
        for text in self.texts:
            counts[text.language] = counts.get(text.language, 0) + 1
        return sorted(counts, key=lambda language: (-counts[language], language))


def digest_text(title: str, markdown: str) -> str:
    """Identity of a text: what is written, not where, nor the empty lines around it."""
    lines = markdown.replace("\r\n", "\n").replace("\r", "\n").strip("\n")
    words = f"{lines}\n" if lines.strip() else ""
    return hashlib.sha256(f"{title}\0{words}".encode()).hexdigest()


def read_course(files: Files, *, language: str = "") -> FoundCourse:
    """The course these files make; ``language`` is for files that name none."""
    facts = _read_facts(files.files)
    default = language or find_language(str(facts.get("language", ""))) or "en"
    reader = _Reader(default, _read_summary(files.files), facts.get("lessons", {}))
    texts: dict[tuple[str, str], FoundText] = {}
    skipped: list[tuple[str, str]] = []
    unknown = _list_unknown_languages(facts)
    for file in files.files:
        if reason := _find_reason_to_skip(file, unknown):
            skipped += [(file.path, reason)] if reason != COURSE_FILE else []
            continue
        text = reader.read(file)
        if (text.key, text.language) in texts:
            raise TransferError(_same_lesson(file.path, texts[text.key, text.language].path))
        texts[text.key, text.language] = text
    if not texts:
        raise TransferError(_("There is no lesson here: no Markdown file was found."))
    ordered = sorted(texts.values(), key=lambda text: text.order)
    _require_own_ids(ordered)
    return FoundCourse(
        tuple(ordered),
        facts,
        tuple(skipped),
        files.pictures,
        title=_get_title(facts) or find_title(files.files) or name_title(files.name),
    )


def _get_title(facts: dict[str, Any]) -> str:
    title = facts.get("title", "")
    return title.strip()[:200] if isinstance(title, str) else ""


def _require_own_ids(texts: Iterable[FoundText]) -> None:
    """Two lessons with one id would be one lesson: which of them is for people to say."""
    for name in ("external_id", "uid"):
        first: dict[str, FoundText] = {}
        for text in texts:
            other = first.setdefault(getattr(text, name), text)
            if getattr(text, name) and other.key != text.key:
                words = _("%(path)s and %(other)s have the same id “%(id)s”.")
                found = {"path": text.path, "other": other.path, "id": getattr(text, name)}
                raise TransferError(words % found)


def _same_lesson(path: str, other: str) -> str:
    return _("%(path)s and %(other)s are the same lesson.") % {"path": path, "other": other}


def _list_unknown_languages(facts: dict[str, Any]) -> set[str]:
    """Languages an export has texts in, in a folder each, and this site has not."""
    given = facts.get("languages", [])
    tags = given if isinstance(given, list) else []
    return {tag for tag in tags if isinstance(tag, str) and not find_language(tag)}


def _find_reason_to_skip(file: SourceFile, unknown: set[str]) -> str:
    path = PurePosixPath(file.path)
    if path.parts[0] in unknown:
        return _("this site has no language “%(tag)s”") % {"tag": path.parts[0]}
    if path.name == COURSE_FILE:
        return COURSE_FILE
    if not file.path.lower().endswith(TEXTS):
        return _("no lesson")
    if path.stem.lower() in NO_LESSONS:
        return _("no lesson")
    return "" if file.text.strip() else _("empty")


class _Reader:
    """Reads one text after the other; a key is spelled the same in all languages."""

    def __init__(self, default: str, listed: dict[str, int], lessons: dict[str, Any]):
        self.default = default
        self.listed = listed
        self.lessons = lessons
        self.keys = {fold_path(key): key for key in lessons}

    def read(self, file: SourceFile) -> FoundText:
        """The lesson's text that a file holds."""
        key, language = split_language(file.path)
        key = self.keys.setdefault(fold_path(key), key)
        entry = self.lessons.get(key)
        is_exported = entry is not None
        matter, body = _split_front_matter(file)
        title, body = _take_title(matter, body, key, is_exported=is_exported)
        return FoundText(
            path=file.path,
            key=key,
            language=find_language(matter.get("language", "")) or language or self.default,
            title=title[:200],
            markdown=f"{body.strip(chr(10))}\n" if body.strip() else "",
            order=(
                _get_order(matter),
                self.listed.get(file.path, self.listed.get(key, 10**6)),
                _natural(key),
            ),
            slug=_join(matter.get("slug", ""))[:80],
            external_id=_get_external_id(matter, file.path),
            uid=_get_uid(matter),
            is_exported=is_exported,
            is_archived=isinstance(entry, dict) and entry.get("archived") is True,
            pictures=tuple(find_pictures(body)),
        )


def _take_title(
    matter: dict[str, str], body: str, key: str, *, is_exported: bool
) -> tuple[str, str]:
    """The title, and the text without it where its first heading is the title."""
    if is_exported and "title" in matter:
        return matter["title"], body
    title = _join(matter.get("title", ""))
    heading = HEADING.match(body)
    if not title and heading:
        title = plain_heading(heading["title"])
        body = heading["before"] + body[heading.end() :]
    stem = PurePosixPath(key).stem
    return title or stem.replace("_", " ").replace("-", " ").strip() or stem, body


def split_language(path: str) -> tuple[str, str]:
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


def _split_front_matter(file: SourceFile) -> tuple[dict[str, str], str]:
    text = file.text
    match = FRONT_MATTER.match(text)
    return (read_yaml(match["yaml"], file.path), text[match.end() :]) if match else ({}, text)


def _join(value: str) -> str:
    return " ".join(value.split())


def _get_external_id(matter: dict[str, str], path: str) -> str:
    found = _join(matter.get("external_id", ""))
    if len(found) > LONGEST_ID:
        words = _("The external_id in %(path)s is longer than %(limit)d characters.")
        raise TransferError(words % {"path": path, "limit": LONGEST_ID})
    return found


def _get_uid(matter: dict[str, str]) -> str:
    """The id that an export wrote; an ``id`` of another make is none of ours."""
    found = matter.get("id", "").strip().lower()
    return found if _UID.fullmatch(found) else ""


def _get_order(matter: dict[str, str]) -> float:
    numbers = (read_number(matter.get(name, "")) for name in ("position", "order", "weight"))
    return next((number for number in numbers if number is not None), 1e6)


def _natural(path: str) -> list[tuple[int, Any]]:
    """ "2-b" before "10-a"."""
    parts = re.split(r"(\d{1,9})", path.casefold())
    return [(0, int(part)) if part.isdecimal() else (1, part) for part in parts if part]


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
    facts = read_json(file.text, COURSE_FILE)
    if not isinstance(facts, dict) or facts.get("format") != FORMAT:
        raise TransferError(_("course.json was written by another version of this program."))
    if not isinstance(facts.get("lessons", {}), dict):
        raise TransferError(_("course.json: “lessons” must be an object."))
    return facts
