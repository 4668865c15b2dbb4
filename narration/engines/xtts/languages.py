"""The seventeen languages of XTTS v2: our tags, the library's codes, and how long a text may be."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Language:
    """``code`` is the library's; ``limit`` the characters it declares to speak at once without
    cutting the sound; ``tags`` are the BCP 47 tags that are spoken as it."""

    code: str
    limit: int
    tags: tuple[str, ...]


# Limits: ``VoiceBpeTokenizer.char_limits`` of coqui-tts 0.28; a test compares them.
LANGUAGES = (
    Language("ar", 166, ("ar",)),
    Language("cs", 186, ("cs",)),
    Language("de", 253, ("de", "de-DE")),
    Language("en", 250, ("en", "en-GB", "en-US")),
    Language("es", 239, ("es", "es-419", "es-ES", "es-MX")),
    Language("fr", 273, ("fr", "fr-FR")),
    Language("hi", 150, ("hi",)),
    Language("hu", 224, ("hu",)),
    Language("it", 213, ("it", "it-IT")),
    Language("ja", 71, ("ja",)),
    Language("ko", 95, ("ko",)),
    Language("nl", 251, ("nl",)),
    Language("pl", 224, ("pl",)),
    Language("pt", 203, ("pt", "pt-BR", "pt-PT")),
    Language("ru", 182, ("ru",)),
    Language("tr", 226, ("tr",)),
    Language("zh-cn", 82, ("zh", "zh-CN")),
)
ALL_TAGS = tuple(sorted(tag for language in LANGUAGES for tag in language.tags))
_BY_TAG = {tag.casefold(): language for language in LANGUAGES for tag in language.tags}


def get_language(tag: str) -> Language:
    """What a declared BCP 47 tag is spoken as; ``KeyError`` for any other."""
    return _BY_TAG[tag.casefold()]


def list_tags(codes: Iterable[str]) -> tuple[str, ...]:
    """The tags of these of the library's codes, in order; codes it does not have are left out."""
    wanted = set(codes)
    return tuple(tag for tag in ALL_TAGS if get_language(tag).code in wanted)


def list_limits(tags: Iterable[str]) -> dict[str, int]:
    """How many characters each of these tags may have at once."""
    return {tag: get_language(tag).limit for tag in tags}
