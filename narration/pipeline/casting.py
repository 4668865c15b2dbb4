"""Who speaks what and how: voices by role, rules, gaps and lexicon of a scope."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from narration import conf, digests
from narration.audio.gaps import Gaps, build_gaps
from narration.engines.base import check_utterance
from narration.exceptions import ConfigurationError, ConsentError, UnsupportedUtterance
from narration.models import LexiconEntry, SpeechPolicy, Voice, VoiceKind
from narration.models.consents import FAULTS
from narration.pipeline.lexicons import NO_ENTRIES, ScopedLexicon, build_lexicon, load_entries
from narration.speaking import describe_engine
from narration.text import Lexicon
from narration.text.policy import DEFAULT_RULES, SpeechRules, build_rules
from narration.values import CLONED_PREFIX, EngineFacts, Role, Utterance


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


def cast_voice(voice: Voice, scope_chain: Sequence[str] = ()) -> CastVoice:
    """A voice with all that a plan needs of it; whether it may speak is asked before it does."""
    if voice.kind == VoiceKind.HUMAN:
        raise UnsupportedUtterance(
            f"'{voice}' is a person's own: it is in recordings and says nothing else.",
            code="human_voice",
        )
    references: tuple[str, ...] = ()
    if voice.kind == VoiceKind.CLONED:
        references = tuple(voice.recordings.order_by("sha256").values_list("sha256", flat=True))
    return CastVoice(voice, describe_engine(voice.engine), references, tuple(scope_chain))


@dataclass(frozen=True, slots=True)
class CastVoice:
    """A voice with what its engine can do, in the scopes of what it is to speak.

    ``references`` are the digests of the recordings that a cloned voice imitates.
    """

    voice: Voice
    facts: EngineFacts
    references: tuple[str, ...] = ()
    scope_chain: tuple[str, ...] = ()

    @property
    def is_cloned(self) -> bool:
        """Whether it imitates somebody."""
        return self.voice.kind == VoiceKind.CLONED

    @property
    def needs_consent(self) -> bool:
        """Whether it is a person's, or like a person's."""
        return self.voice.kind != VoiceKind.BUILTIN

    @property
    def engine_voice(self) -> str:
        """What its engine calls it; a cloned one by the digest of what it imitates."""
        if not self.is_cloned:
            self._refuse_imitation()
            return self.voice.engine_voice
        return CLONED_PREFIX + digests.build_voice_digest(self.references, self.facts)

    def build_utterance(self, text: str, language: str, take: int) -> Utterance:
        """The exact request for this voice; settings that equal the defaults are left out."""
        settings = self.facts.drop_defaults(self.voice.settings)
        return Utterance(text, language, self.engine_voice, settings, take)

    def build_digest(self, utterance: Utterance) -> str:
        """Identity of the sound of an utterance in this voice."""
        return digests.build_utterance_digest(utterance, self.facts, references=self.references)

    def demand_consent(self, *, lock: bool = False) -> None:
        """``ConsentError`` unless the person it belongs to lets it speak here, now.

        The pipeline asks wherever sound is asked for or made: before a request, a preview, a job,
        each sentence, and, with ``lock``, in the transaction that stores a sound.
        """
        if not self.needs_consent:
            self._refuse_imitation()
            return
        Voice.objects.filter(pk=self.voice.pk).demand_consent(self.scope_chain, lock=lock)
        if not self.references:
            raise UnsupportedUtterance(
                f"'{self.voice}' has no recordings yet.", code="voice_without_recordings"
            )

    def _refuse_imitation(self) -> None:
        """The last door before an engine: only a cloned voice is called as what it imitates."""
        if self.voice.engine_voice.startswith(CLONED_PREFIX):
            raise ConsentError(str(FAULTS["consent_missing"]), code="consent_missing")

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

    ``foreign`` holds the voices of phrases in other languages, ``named`` are all languages that
    policies name voices for. ``versions`` are the integers that change when any of it does.
    """

    voices: Mapping[str, CastVoice]
    gaps: Gaps
    versions: tuple[int, ...]
    rules: SpeechRules = DEFAULT_RULES
    lexicon: ScopedLexicon = NO_ENTRIES
    foreign: Mapping[str, Mapping[str, CastVoice]] | None = None
    named: frozenset[str] = frozenset()
    scope_chain: tuple[str, ...] = ()

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

    def demand_consents(self) -> None:
        """``ConsentError`` unless every voice of it may speak in its scopes now."""
        for cast in {cast.voice.pk: cast for cast in self.voices.values()}.values():
            cast.demand_consent()

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
    cast = {role: _cast(voice, language, scope_chain) for role, voice in voices.items()}
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
        foreign=_cast_foreign(foreign, policies, cast, scope_chain, amendment),
        named=frozenset(named for policy in policies for named in policy.casting),
        scope_chain=tuple(scope_chain),
    )


def _cast_foreign(
    languages: Iterable[str],
    policies: Sequence[SpeechPolicy],
    main: Mapping[str, CastVoice],
    scope_chain: Sequence[str],
    amendment: Amendment,
) -> dict[str, dict[str, CastVoice]]:
    """Voices of other languages: as cast, else the main ones where they speak it, else a default.

    A language nobody speaks is left out.
    """
    found: dict[str, dict[str, CastVoice]] = {}
    for language in languages:
        named = _load_voices(policies, language, amendment)
        voices = {role: cast for role, cast in main.items() if cast.speaks(language)}
        voices |= {role: _cast(voice, language, scope_chain) for role, voice in named.items()}
        if Role.BODY not in voices:
            default = Voice.objects.find_speaking(language, main[Role.BODY].voice.engine)
            if default is None:
                continue
            voices[Role.BODY] = _cast(amendment.amend_voice(default), language, scope_chain)
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


def _cast(voice: Voice, language: str, scope_chain: Sequence[str]) -> CastVoice:
    cast = cast_voice(voice, scope_chain)
    check_utterance(cast.facts, cast.build_utterance("a", language, 0))
    return cast
