"""Who speaks what: the voice of each role, from the nearest policy that names one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from narration import conf
from narration.audio.gaps import Gaps, build_gaps
from narration.engines.base import check_utterance
from narration.exceptions import ConfigurationError
from narration.models import SpeechPolicy, Voice
from narration.speaking import describe_engine
from narration.values import EngineFacts, Role, Utterance


@dataclass(frozen=True, slots=True)
class CastVoice:
    """A voice with what its engine can do."""

    voice: Voice
    facts: EngineFacts

    def build_utterance(self, text: str, language: str, take: int) -> Utterance:
        """The exact request for this voice; settings that equal the defaults are left out."""
        settings = self.facts.drop_defaults(self.voice.settings)
        return Utterance(text, language, self.voice.engine_voice, settings, take)


@dataclass(frozen=True, slots=True)
class Casting:
    """Roles mapped to voices, and the rules that lay a narration out in time.

    ``versions`` are the integers that change when any of it does.
    """

    voices: Mapping[str, CastVoice]
    gaps: Gaps
    versions: tuple[int, ...]

    def get(self, role: Role) -> CastVoice:
        """The voice of a role; the body's where none is named."""
        return self.voices.get(role, self.voices[Role.BODY])

    @property
    def lane(self) -> str:
        """The lane that works for the body's voice."""
        return conf.get_engine(self.voices[Role.BODY].voice.engine).lane


def load_casting(scope_chain: Sequence[str], language: str) -> Casting:
    """The casting of a language in a scope (nearest first), in two queries.

    ``UnsupportedUtterance`` when a voice cannot speak it, ``ConfigurationError`` when a policy
    names a voice that is not there.
    """
    policies = _load_policies(scope_chain)
    names = _merge(policy.casting.get(language, {}) for policy in reversed(policies))
    voices = {role: _get_voice(name) for role, name in names.items()}
    voices.setdefault(Role.BODY, Voice.objects.get_default(language))
    cast = {role: _cast(voice, language) for role, voice in voices.items()}
    return Casting(
        voices=cast,
        gaps=build_gaps(_merge(policy.gaps for policy in reversed(policies))),
        versions=(
            *(value for policy in policies for value in (policy.pk, policy.version)),
            *(
                value
                for role in sorted(voices)
                for value in (voices[role].pk, voices[role].version)
            ),
        ),
    )


def _load_policies(scope_chain: Sequence[str]) -> list[SpeechPolicy]:
    found = {
        policy.scope_key: policy
        for policy in SpeechPolicy.objects.filter(scope_key__in=scope_chain)
    }
    return [found[key] for key in scope_chain if key in found]


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
