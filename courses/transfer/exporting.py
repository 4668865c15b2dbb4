"""A course as a zip of Markdown with everything that decides how it is said."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Iterable, Iterator
from io import BytesIO
from pathlib import PurePosixPath
from typing import Any

import yaml
from django.db import models
from django.utils.text import slugify

from courses.models import Course, Lesson, LessonText
from courses.transfer.files import fold_path, is_text_path
from courses.transfer.reading import COURSE_FILE, FORMAT, split_language
from courses.transfer.titles import NO_LESSONS
from narration import api as narration
from narration.exceptions import NarrationError
from narration.sources import get_scope_key

#: The same course gives the same bytes, so that a backup can tell whether anything changed.
_WHEN = (1980, 1, 1, 0, 0, 0)
SOUNDS = {"mp3": "mp3", "vtt": "vtt"}


def export_course(course: Course, *, user: Any = None, with_audio: bool = False) -> bytes:
    """A zip of the newest texts, the wording, and with ``with_audio`` what is published."""
    lessons = list(
        Lesson.objects.filter(course=course)
        .order_by(models.F("archived_at").asc(nulls_first=True), "position", "pk")
        .select_related("course")
        .prefetch_related(models.Prefetch("texts", LessonText.objects.order_by("language")))
    )
    files = dict(_iter_files(course, lessons, user, with_audio=with_audio))
    archive = BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as target:
        for path in sorted(files):
            info = zipfile.ZipInfo(path, _WHEN)
            info.external_attr = 0o644 << 16
            is_sound = path.endswith(".mp3")
            info.compress_type = zipfile.ZIP_STORED if is_sound else zipfile.ZIP_DEFLATED
            target.writestr(info, files[path])
    return archive.getvalue()


def _iter_files(
    course: Course, lessons: list[Lesson], user: Any, *, with_audio: bool
) -> Iterator[tuple[str, bytes]]:
    keys = build_keys(lessons)
    facts: dict[str, Any] = {
        "format": FORMAT,
        "title": course.title,
        "language": course.language,
        "languages": sorted({text.language for row in lessons for text in row.texts.all()}),
        "wording": narration.dump_wording(get_scope_key(course)),
        "around": narration.dump_around(get_scope_key(course)),
        "lessons": {},
    }
    for position, lesson in enumerate(lessons, 1):
        key = keys[lesson.pk]
        texts = list(lesson.texts.all())
        for text in texts:
            yield f"{text.language}/{key}", _write_text(lesson, text, position).encode()
            if with_audio and text.version:
                yield from _iter_sounds(lesson, text, key, user)
        facts["lessons"][key] = {
            "archived": lesson.archived_at is not None,
            "wording": narration.dump_wording(get_scope_key(lesson)),
            "overrides": {
                text.language: narration.dump_overrides(lesson, language=text.language)
                for text in texts
            },
        }
    content = json.dumps(facts, ensure_ascii=False, indent=2, sort_keys=True)
    yield COURSE_FILE, f"{content}\n".encode()


def build_keys(lessons: Iterable[Lesson]) -> dict[int, str]:
    """A path for every lesson, by primary key: no two that any system takes for one.

    The path a lesson came from, where it could be read again from there, so that it is known
    again; else one that keeps the order.
    """
    keys: dict[int, str] = {}
    taken: set[str] = set()
    rows = list(enumerate(lessons, 1))
    for _position, lesson in rows:
        path = lesson.source_path
        if fold_path(path) not in taken and _is_key(path, lesson):
            keys[lesson.pk] = path
            taken.add(fold_path(path))
    for position, lesson in rows:
        if lesson.pk not in keys:
            stem = f"{position:02d}-{slugify(lesson.slug) or 'lesson'}"
            names = (f"{stem}.md", *(f"{stem}-{n}.md" for n in range(2, len(rows) + 2)))
            keys[lesson.pk] = next(name for name in names if fold_path(name) not in taken)
            taken.add(fold_path(keys[lesson.pk]))
    return keys


def _is_key(path: str, lesson: Lesson) -> bool:
    """Whether an import would read the lesson's texts from this path, each in its language."""
    if PurePosixPath(path).stem.lower() in NO_LESSONS:
        return False
    return all(
        is_text_path(f"{text.language}/{path}")
        and split_language(f"{text.language}/{path}") == (path, text.language)
        for text in lesson.texts.all()
    )


def _write_text(lesson: Lesson, text: LessonText, position: int) -> str:
    """The text below what an import knows it by."""
    matter: dict[str, Any] = {
        "title": text.title,
        "position": position,
        "slug": lesson.slug,
        "id": str(lesson.uid),
    }
    if lesson.external_id:
        matter["external_id"] = lesson.external_id
    head = yaml.safe_dump(matter, allow_unicode=True, sort_keys=False, width=10_000)
    return f"---\n{head}---\n\n{text.markdown}"


def _iter_sounds(
    lesson: Lesson, text: LessonText, key: str, user: Any
) -> Iterator[tuple[str, bytes]]:
    stem = key.rpartition(".")[0] or key
    for file_format, extension in SOUNDS.items():
        try:
            content = narration.read_track_file(
                lesson, language=text.language, file_format=file_format, user=user
            )
        except NarrationError:
            return  # nothing is published in this language
        yield f"audio/{text.language}/{stem}.{extension}", content
