"""The only place that makes keys. Golden tests hold every one of them still.

A digest is SHA-256 over canonical JSON, in hex. Raise a version only when what it identifies
really changes: that re-makes sound.
"""

from __future__ import annotations

import hashlib
import json
import unicodedata
from collections.abc import Mapping, Sequence
from typing import Any

from narration.values import EngineFacts, Utterance

UTTERANCE_VERSION = 1
TEXT_VERSION = 1
VOICE_VERSION = 1
PLAN_VERSION = 1
REQUEST_VERSION = 1


def _digest(value: Any) -> str:
    canonical = json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()


def build_text_key(display_text: str, language: str) -> str:
    """Identity of what is said to the learner: language and normalised display text."""
    text = " ".join(unicodedata.normalize("NFC", display_text).split())
    return _digest({"v": TEXT_VERSION, "language": language, "text": text})


def build_utterance_digest(
    utterance: Utterance, facts: EngineFacts, *, references: Sequence[str] = ()
) -> str:
    """Identity of the sound: everything that changes it and nothing else.

    The engine is named as it names itself, not by the alias a site gave it; ``references`` are
    the digests of the recordings that a cloned voice imitates.
    """
    return _digest(
        {
            "v": UTTERANCE_VERSION,
            "text": utterance.text,
            "language": utterance.language,
            "engine": facts.name,
            "sound_version": facts.sound_version,
            "model": facts.model_fingerprint,
            "profile": facts.profile,
            "voice": sorted(references) or utterance.voice,
            "settings": facts.drop_defaults(utterance.settings),
            "take": utterance.take,
        }
    )


def build_voice_digest(references: Sequence[str], facts: EngineFacts) -> str:
    """Identity of a cloned voice's latents: the recordings it imitates, and by which model."""
    return _digest(
        {
            "v": VOICE_VERSION,
            "references": sorted(references),
            "engine": facts.name,
            "model": facts.model_fingerprint,
        }
    )


def build_plan_digest(segments: Sequence[Sequence[Any]], layout: Mapping[str, Any]) -> str:
    """Identity of a plan: its segments in order, and the rules that lay them out in time."""
    return _digest(
        {"v": PLAN_VERSION, "segments": [list(s) for s in segments], "layout": dict(layout)}
    )


def build_request_key(narration_pk: int, versions: Sequence[int | str], *, publish: bool) -> str:
    """Identity of a request: integers only, so that a request parses nothing."""
    return _digest(
        {
            "v": REQUEST_VERSION,
            "narration": narration_pk,
            "versions": list(versions),
            "publish": publish,
        }
    )


def build_track_identity(narration_uid: str, plan_digest: str, stitch_version: int) -> str:
    """Identity of a track's files: the plan they speak, in this narration, joined this way."""
    return _digest({"narration": narration_uid, "plan": plan_digest, "stitch": stitch_version})


def build_warm_key(alias: str) -> str:
    """Which engine is to be loaded: asked twice it is loaded once."""
    return _digest({"v": REQUEST_VERSION, "warm": alias})


def build_preview_key(utterance_digest: str, user_pk: object) -> str:
    """Who wants to hear what: a person's previews are theirs alone."""
    return _digest({"v": REQUEST_VERSION, "preview": utterance_digest, "user": str(user_pk)})
