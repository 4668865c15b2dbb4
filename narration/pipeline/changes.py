"""Changes of wording that are thought of before they are made: an entry, a policy, a voice."""

from __future__ import annotations

import re
from dataclasses import dataclass

from django.db.models import Model, Q, QuerySet
from django.utils.translation import gettext as _

from narration.exceptions import ConflictError
from narration.models import LexiconEntry, Segment, SpeechPolicy, Voice
from narration.pipeline.casting import Amendment
from narration.pipeline.lexicons import build_pronunciation
from narration.text import Lexicon
from narration.values import Role

_PLAIN = re.compile(r"[A-Za-z0-9]+")


class Change(Amendment):
    """An amendment that can be made, and that knows which sentences it may touch."""

    @property
    def scope_keys(self) -> set[str]:
        """The scopes whose narrations it may touch."""
        raise NotImplementedError

    def find_segments(self, segments: QuerySet[Segment]) -> QuerySet[Segment]:
        """Those it may touch, as far as a query can tell."""
        raise NotImplementedError

    def may_touch(self, segment: Segment) -> bool:
        """Whether saying this sentence anew is worth the time."""
        return True

    def get_replanned_traits(self) -> frozenset[str]:
        """Traits of narrations whose sentences themselves change: they are cut anew."""
        return frozenset()

    def is_layout(self) -> bool:
        """Whether it changes how long a listener waits between sentences."""
        return False

    def is_of_words(self) -> bool:
        """Whether it changes the words that are said, and not only who says them."""
        return False

    def save(self) -> None:
        """Make it."""
        raise NotImplementedError


@dataclass(frozen=True, eq=False)
class EntryChange(Change):
    """A lexicon entry as it would be (``removes``: gone); None ``before`` where it is new."""

    entry: LexiconEntry
    before: LexiconEntry | None = None
    removes: bool = False

    def amend_entries(self, entries: list[LexiconEntry]) -> list[LexiconEntry]:
        """The entries with this one changed, added or gone."""
        others = [row for row in entries if self.entry.pk is None or row.pk != self.entry.pk]
        return others if self.removes else [*others, self.entry]

    @property
    def rows(self) -> list[LexiconEntry]:
        """The entry before and after."""
        return [row for row in (self.before, self.entry) if row is not None]

    @property
    def scope_keys(self) -> set[str]:
        """Where the entry stands, before and after."""
        return {row.scope_key for row in self.rows}

    def find_segments(self, segments: QuerySet[Segment]) -> QuerySet[Segment]:
        """Sentences in its language that seem to hold its grapheme."""
        wanted = Q()
        for row in self.rows:
            spoken = Q(language=row.language) | Q(language__startswith=f"{row.language}-")
            probe = max(_PLAIN.findall(row.grapheme), key=len, default="")
            holds = Q(display_text__icontains=probe) | Q(runs__icontains=probe) if probe else Q()
            wanted |= spoken & holds
        return segments.filter(wanted)

    def may_touch(self, segment: Segment) -> bool:
        """Whether its grapheme really stands there, as a word of its own if it must."""
        texts = [segment.display_text, *(run[3] for run in segment.runs or () if len(run) > 3)]
        return any(
            next(Lexicon((found,)).find(text, found.language), None) is not None
            for found in map(build_pronunciation, self.rows)
            for text in texts
            if text
        )

    def is_of_words(self) -> bool:
        """It does."""
        return True

    def save(self) -> None:
        """Store the entry, or delete it; ``ConflictError`` when somebody changed it meanwhile."""
        if self.before is not None:
            _require_unchanged(LexiconEntry, self.before, "updated_at")
        if self.removes:
            self.entry.delete()
        else:
            self.entry.save()


@dataclass(frozen=True, eq=False)
class PolicyChange(Change):
    """A speech policy as it would be; None ``before`` where it is new."""

    policy: SpeechPolicy
    before: SpeechPolicy | None = None

    def amend_policies(self, policies: list[SpeechPolicy]) -> list[SpeechPolicy]:
        """The policies with this one in its scope."""
        others = [row for row in policies if row.scope_key != self.policy.scope_key]
        return [*others, self.policy]

    @property
    def scope_keys(self) -> set[str]:
        """Its own."""
        return {self.policy.scope_key}

    def find_segments(self, segments: QuerySet[Segment]) -> QuerySet[Segment]:
        """Sentences in the languages and roles that are cast otherwise.

        The body's voice speaks every role that has none of its own.
        """
        old = self.before.casting if self.before else {}
        new = self.policy.casting
        wanted = Q()
        for language in {*old, *new}:
            before, after = old.get(language, {}), new.get(language, {})
            roles = {role for role in {*before, *after} if before.get(role) != after.get(role)}
            if Role.BODY in roles:
                same = {role for role in before if before[role] == after.get(role)}
                wanted |= Q(language=language) & ~Q(role__in=same)
            elif roles:
                wanted |= Q(language=language, role__in=roles)
        return segments.filter(wanted) if wanted else segments.none()

    def get_replanned_traits(self) -> frozenset[str]:
        """The rules that are chosen otherwise, or no longer inherited."""
        old = self.before.rules if self.before else {}
        new = self.policy.rules
        return frozenset(name for name in {*old, *new} if old.get(name) != new.get(name))

    def is_layout(self) -> bool:
        """Whether its gaps differ."""
        return bool(self.policy.gaps != (self.before.gaps if self.before else {}))

    def save(self) -> None:
        """Store the policy; ``ConflictError`` when somebody changed it meanwhile."""
        if self.before is not None:
            _require_unchanged(SpeechPolicy, self.before, "version")
        self.policy.save()


@dataclass(frozen=True, eq=False)
class VoiceChange(Change):
    """A voice as it would be."""

    voice: Voice

    def amend_voice(self, voice: Voice) -> Voice:
        """The voice as it would be, if it is this one."""
        return self.voice if voice.pk == self.voice.pk else voice

    @property
    def scope_keys(self) -> set[str]:
        """A voice may speak anywhere."""
        return {""}

    def find_segments(self, segments: QuerySet[Segment]) -> QuerySet[Segment]:
        """What this voice speaks."""
        return segments.filter(voice=self.voice.pk)

    def save(self) -> None:
        """Store the voice."""
        self.voice.save()


def _require_unchanged(model: type[Model], before: Model, field: str) -> None:
    """Lock the row and compare what tells its state with what the change was thought of on."""
    rows = model._default_manager.select_for_update().filter(pk=before.pk)  # noqa: SLF001
    if list(rows.values_list(field, flat=True)) != [getattr(before, field)]:
        raise ConflictError(
            _("Somebody changed this meanwhile. Look at it again."), code="changed_meanwhile"
        )
