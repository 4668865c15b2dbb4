"""Who speaks what and how: voices by role, rules, gaps and lexicon of a scope."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from narration import conf
from narration.audio.gaps import Gaps, build_gaps
from narration.engines.base import check_utterance
from narration.exceptions import ConfigurationError, UnsupportedUtterance
from narration.models import LexiconEntry, SpeechPolicy, Voice
from narration.pipeline.lexicons import NO_ENTRIES, ScopedLexicon, build_lexicon, load_entries
from narration.speaking import describe_engine
from narration.text import Lexicon
from narration.text.policy import DEFAULT_RULES, SpeechRules, build_rules
from narration.values import EngineFacts, Role, Utterance


class Amendment:
    """A change that is only being thought of: how rows would read if it were made."""

    def amend_policies(self, policies: list[SpeechPolicy]) -> list[SpeechPolicy]:
        """The policies with the change."""
        return policies

    def amend_entries(self, entries: list[LexiconEntry]) -> list[LexiconEntry]:
        """The lexicon entries with the change."""
        return entries

    def amend_voice(self, voice: Voice) -> Voice:
        """A voice with the change."""
        return voice


NO_AMENDMENT = Amendment()


@dataclass(frozen=True, slots=True)
class CastVoice:
    """A voice with what its engine can do."""

    voice: Voice
    facts: EngineFacts

    def build_utterance(self, text: str, language: str, take: int) -> Utterance:
        """The exact request for this voice; settings that equal the defaults are left out."""
        settings = self.facts.drop_defaults(self.voice.settings)
        return Utterance(text, language, self.voice.engine_voice, settings, take)

    def speaks(self, language: str) -> bool:
        """Whether its engine says this language in this voice."""
        try:
            check_utterance(self.facts, self.build_utterance("a", language, 0))
        except UnsupportedUtterance:
            return False
        return True


@dataclass(frozen=True)
class Casting:
    """Roles mapped to voices, and the rules that say a text and lay it out in time.

    ``foreign`` holds the voices of phrases in other languages. ``versions`` are the integers that
    change when any of it does.
    """

    voices: Mapping[str, CastVoice]
    gaps: Gaps
    versions: tuple[int, ...]
    rules: SpeechRules = DEFAULT_RULES
    lexicon: ScopedLexicon = NO_ENTRIES
    foreign: Mapping[str, Mapping[str, CastVoice]] | None = None

    def get(self, role: Role, language: str = "") -> CastVoice:
        """The voice of a role; the body's where none is named.

        ``KeyError`` for a foreign ``language`` that nobody speaks.
        """
        voices = (self.foreign or {})[language] if language else self.voices
        return voices.get(role) or voices[Role.BODY]

    def speaks(self, language: str) -> bool:
        """Whether somebody says phrases in this other language."""
        return language in (self.foreign or {})

    def get_lexicon(self, cast: CastVoice) -> Lexicon:
        """The pronunciations that hold for a voice."""
        return self.lexicon.get(cast.voice.engine, cast.facts)

    @property
    def lane(self) -> str:
        """The lane that works for the body's voice."""
        return conf.get_engine(self.voices[Role.BODY].voice.engine).lane


def load_casting(
    scope_chain: Sequence[str],
    language: str,
    *,
    foreign: Iterable[str] = (),
    amendment: Amendment = NO_AMENDMENT,
) -> Casting:
    """The casting of a language in a scope (nearest first), in a few queries.

    ``UnsupportedUtterance`` when a voice cannot speak it, ``ConfigurationError`` when a policy
    names a voice that is not there.
    """
    policies = _load_policies(scope_chain, amendment)
    voices = _load_voices(policies, language, amendment)
    voices.setdefault(Role.BODY, amendment.amend_voice(Voice.objects.get_default(language)))
    cast = {role: _cast(voice, language) for role, voice in voices.items()}
    entries = amendment.amend_entries(load_entries(scope_chain))
    lexicon = build_lexicon(entries, scope_chain)
    return Casting(
        voices=cast,
        gaps=build_gaps(_merge(policy.gaps for policy in reversed(policies))),
        versions=(
            *(value for policy in policies for value in (policy.pk or 0, policy.version)),
            *(v for role in sorted(voices) for v in (voices[role].pk, voices[role].version)),
            *lexicon.versions,
        ),
        rules=build_rules(_merge(policy.rules for policy in reversed(policies))),
        lexicon=lexicon,
        foreign=_cast_foreign(foreign, policies, cast, amendment),
    )


def _cast_foreign(
    languages: Iterable[str],
    policies: Sequence[SpeechPolicy],
    main: Mapping[str, CastVoice],
    amendment: Amendment,
) -> dict[str, dict[str, CastVoice]]:
    """Voices of other languages: as cast, else the main ones where they speak it, else a default.

    A language nobody speaks is left out.
    """
    found: dict[str, dict[str, CastVoice]] = {}
    for language in languages:
        named = _load_voices(policies, language, amendment)
        voices = {role: cast for role, cast in main.items() if cast.speaks(language)}
        voices |= {role: _cast(voice, language) for role, voice in named.items()}
        if Role.BODY not in voices:
            default = Voice.objects.find_speaking(language, main[Role.BODY].voice.engine)
            if default is None:
                continue
            voices[Role.BODY] = _cast(amendment.amend_voice(default), language)
        found[language] = voices
    return found


def _load_policies(scope_chain: Sequence[str], amendment: Amendment) -> list[SpeechPolicy]:
    rows = list(SpeechPolicy.objects.filter(scope_key__in=scope_chain))
    found = {policy.scope_key: policy for policy in amendment.amend_policies(rows)}
    return [found[key] for key in scope_chain if key in found]


def _load_voices(
    policies: Sequence[SpeechPolicy], language: str, amendment: Amendment
) -> dict[str, Voice]:
    names = _merge(policy.casting.get(language, {}) for policy in reversed(policies))
    return {role: amendment.amend_voice(_get_voice(name)) for role, name in names.items()}


def _merge(mappings: Any) -> dict[str, Any]:
    merged: dict[str, Any] = {}
    for mapping in mappings:
        merged.update(mapping)
    return merged


def _get_voice(name: str) -> Voice:
    voice = Voice.objects.filter(name=name, retired_at=None).first()
    if voice is None:
        raise ConfigurationError(f"A speech policy casts '{name}', and there is no such voice.")
    return voice


def _cast(voice: Voice, language: str) -> CastVoice:
    facts = describe_engine(voice.engine)
    cast = CastVoice(voice, facts)
    check_utterance(facts, cast.build_utterance("a", language, 0))
    return cast
