"""A course as a zip of Markdown with everything that decides how it is said."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Iterator
from io import BytesIO
from typing import Any

import yaml
from django.db import models

from courses.models import Course, Lesson, LessonText
from courses.transfer.reading import COURSE_FILE, FORMAT
from narration import api as narration
from narration.exceptions import NarrationError
from narration.sources import get_scope_key

#: The same course gives the same bytes, so that a backup can tell whether anything changed.
_WHEN = (1980, 1, 1, 0, 0, 0)
SOUNDS = {"mp3": "mp3", "vtt": "vtt"}


def export_course(course: Course, *, user: Any = None, with_audio: bool = False) -> bytes:
    """A zip of the newest texts, the wording, and with ``with_audio`` what is published."""
    lessons = list(
        Lesson.objects.filter(course=course, archived_at=None)
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
    facts: dict[str, Any] = {
        "format": FORMAT,
        "title": course.title,
        "language": course.language,
        "wording": narration.dump_wording(get_scope_key(course)),
        "lessons": {},
    }
    for position, lesson in enumerate(lessons, 1):
        key = _get_key(lesson, position)
        texts = [text for text in lesson.texts.all() if text.version]
        for text in texts:
            yield f"{text.language}/{key}", _write_text(lesson, text, position).encode()
            if with_audio:
                yield from _iter_sounds(lesson, text, key, user)
        facts["lessons"][key] = {
            "wording": narration.dump_wording(get_scope_key(lesson)),
            "overrides": {
                text.language: narration.dump_overrides(lesson, language=text.language)
                for text in texts
            },
        }
    content = json.dumps(facts, ensure_ascii=False, indent=2, sort_keys=True)
    yield COURSE_FILE, f"{content}\n".encode()


def _get_key(lesson: Lesson, position: int) -> str:
    """The path it came from, so that it is known again; else one that keeps the order."""
    return lesson.source_path or f"{position:02d}-{lesson.slug}.md"


def _write_text(lesson: Lesson, text: LessonText, position: int) -> str:
    matter: dict[str, Any] = {"title": text.title, "position": position, "slug": lesson.slug}
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
