"""Engines and voices: what can speak here, and, if asked, whether it does."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from narration import conf
from narration.diagnosis.consents import holds
from narration.diagnosis.findings import Finding, State
from narration.exceptions import ConfigurationError, EngineError
from narration.models import LicenceAcceptance, Voice, VoiceKind
from narration.models.voices import NO_ENGINES_OWN
from narration.speaking import EngineProcess, describe_engine
from narration.values import CLONED_PREFIX, EngineFacts, Utterance

#: A word of the language, so that an ear can judge it too.
WORDS = {"en": "hello", "pt": "olá", "es": "hola", "fr": "bonjour", "de": "hallo", "it": "ciao"}
#: The word where the language is another: digits are read in every one.
ANY_WORD = "1 2 3"


def check_engines() -> Iterator[Finding]:
    """Each configured engine as it describes itself; nothing is started."""
    for alias, config in conf.get_engines().items():
        title = _("Engine %(alias)s") % {"alias": alias}
        try:
            facts = describe_engine(alias)
        except EngineError:
            continue  # the system checks tell of it (E002, W007)
        words = ngettext(
            "%(engine)s: %(count)d voice, lane %(lane)s, %(timing)s.",
            "%(engine)s: %(count)d voices, lane %(lane)s, %(timing)s.",
            len(facts.voices),
        ) % {
            "engine": " ".join([facts.name, *facts.versions.values()]),
            "count": len(facts.voices),
            "lane": config.lane,
            "timing": _("times words") if facts.supports_word_timing else _("times no words"),
        }
        yield Finding("engine", title, State.OK, words, facts=_describe(alias, config.lane, facts))


def check_voices() -> Iterator[Finding]:
    """A table: those that languages speak with by default, and those that editors made."""
    defaults = conf.get_configuration().default_voices
    rows = [
        _build_row(name, alias, voice, [language], is_default=True)
        for language, name in defaults.items()
        for alias, _separator, voice in [str(name).partition(":")]
    ]
    rows += [
        _build_row(
            voice.name,
            voice.engine,
            voice.engine_voice,
            voice.languages,
            is_cloned=voice.kind == VoiceKind.CLONED,
            may_speak=_may_speak(voice),
        )
        for voice in Voice.objects.filter(retired_at=None).exclude(kind=VoiceKind.HUMAN)
    ]
    silent = [row["name"] for row in rows if row["word_timing"] is None]
    title, facts = _("Voices"), {"voices": rows}
    if silent:
        words = _("These voices have no engine here: %(names)s.") % {"names": ", ".join(silent)}
        advice = _("Configure their engine again, or retire them in the admin.")
        yield Finding("voices", title, State.WARNING, words, advice, facts)
        return
    count = sum(row["may_speak"] for row in rows)
    words = ngettext("%(count)d voice can speak.", "%(count)d voices can speak.", count)
    words %= {"count": count}
    if mute := [row["name"] for row in rows if not row["may_speak"]]:
        told = {"names": ", ".join(mute)}
        words += " " + _("Without a consent that holds, or without recordings: %(names)s.") % told
    yield Finding("voices", title, State.OK, words, facts=facts)


def _may_speak(voice: Voice) -> bool:
    """Whether its person lets it, and a cloned one has something to imitate."""
    is_learnt = voice.kind != VoiceKind.CLONED or voice.recordings.exists()
    return is_learnt and holds(voice)


def check_speech() -> Iterator[Finding]:
    """Starts each engine of the default voices and has every one of them say a word."""
    for language, name in conf.get_configuration().default_voices.items():
        alias, _separator, voice = str(name).partition(":")
        title = _("Speech %(language)s") % {"language": language}
        facts: dict[str, Any] = {"voice": str(name), "language": language}
        try:
            facts |= _speak(alias, voice, language)
        except EngineError as error:
            words = _("%(voice)s did not speak: %(error)s") % {"voice": name, "error": error}
            advice = _("Correct the engine's OPTIONS or install what it needs, then try again.")
            yield Finding("speech", title, State.BROKEN, words, advice, facts)
            continue
        words = _("%(voice)s said “%(word)s”: %(audio_ms)d ms of sound, %(took_ms)d ms to make it.")
        yield Finding("speech", title, State.OK, words % facts, facts=facts)


def _speak(alias: str, voice: str, language: str) -> dict[str, Any]:
    """One word by a process of its own, which is ended; the start of the engine is timed too."""
    if voice.startswith(CLONED_PREFIX):
        raise EngineError(str(NO_ENGINES_OWN), code="unsupported_voice")
    word = WORDS.get(language.partition("-")[0], ANY_WORD)
    LicenceAcceptance.objects.demand(describe_engine(alias))
    config = conf.get_engine(alias)
    began = time.monotonic()
    with EngineProcess(config) as process:
        started = time.monotonic()
        result = process.speak(Utterance(word, language, voice), timeout=config.deadline_base_s * 3)
        ended = time.monotonic()
    return {
        "word": word,
        "audio_ms": result.waveform.duration_ms,
        "took_ms": round((ended - started) * 1000),
        "start_ms": round((started - began) * 1000),
        "words_timed": len(result.words),
    }


def _build_row(
    name: str,
    alias: str,
    voice: str,
    languages: list[str],
    *,
    is_default: bool = False,
    is_cloned: bool = False,
    may_speak: bool = True,
) -> dict[str, Any]:
    """A voice; ``word_timing`` is None where no engine has it, ``may_speak`` the person's word."""
    try:
        facts = describe_engine(alias)
    except (EngineError, ConfigurationError):
        facts = None
    is_there = facts is not None and (
        facts.supports_cloning if is_cloned else voice in {each.name for each in facts.voices}
    )
    timing = facts.supports_word_timing if facts is not None and is_there else None
    return {
        "name": name,
        "engine": alias,
        "engine_voice": voice,
        "languages": list(languages),
        "word_timing": timing,
        "is_default": is_default,
        "may_speak": may_speak,
    }


def _describe(alias: str, lane: str, facts: EngineFacts) -> dict[str, Any]:
    return {
        "alias": alias,
        "lane": lane,
        "name": facts.name,
        "versions": dict(facts.versions),
        "sound_version": facts.sound_version,
        "word_timing": facts.supports_word_timing,
        "slots": facts.slots,
        "languages": list(facts.languages),
        "voices": [
            {"name": voice.name, "label": voice.label, "languages": list(voice.languages)}
            for voice in facts.voices
        ],
    }
