"""Text to tokens by the library's own cleaning and vocabulary.

What comes here was normalised before: numbers, units and abbreviations of English and Portuguese
are words already, and the library's cleaning finds nothing to expand in them. Elsewhere it is what
reads numbers out.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from narration.exceptions import UnsupportedUtterance


def encode(tokenizer: Any, text: str, code: str, limit: int) -> list[int]:
    """The tokens of ``text`` in the library's language ``code``, at most ``limit`` of them.

    ``UnsupportedUtterance``: text_too_long beyond the limit, unfit_text for what the library
    cannot prepare, nothing_to_say when none of it is in the vocabulary.
    """
    try:
        tokens: list[int] = tokenizer.encode(text.strip().lower(), lang=code)
    except Exception as error:
        raise UnsupportedUtterance(
            f"XTTS v2 cannot prepare this text ({type(error).__name__}: {error}). Numbers may be "
            "the reason: write them in words.",
            code="unfit_text",
        ) from error
    if len(tokens) > limit:
        raise UnsupportedUtterance(
            f"XTTS v2 takes at most {limit} tokens at once, and this text has {len(tokens)}.",
            code="text_too_long",
        )
    _check_known(tokenizer, tokens)
    return tokens


def _check_known(tokenizer: Any, tokens: list[int]) -> None:
    """The first token is the language; spaces alone say nothing either."""
    silent = {tokenizer.tokenizer.token_to_id(token) for token in ("[UNK]", "[SPACE]")}
    if silent.issuperset(tokens[1:]):
        raise UnsupportedUtterance("XTTS v2 knows none of these characters.", code="nothing_to_say")


def list_speakable(tokenizer: Any, codes: Iterable[str]) -> list[str]:
    """Of the library's languages, those whose text it can prepare in this environment.

    Chinese needs pypinyin and Japanese cutlet, which the library does not bring along.
    """
    return [code for code in codes if _can_prepare(tokenizer, code)]


def _can_prepare(tokenizer: Any, code: str) -> bool:
    try:
        tokenizer.encode("a", lang=code)
    except Exception:  # noqa: BLE001 - missing packages show in many ways
        return False
    return True
