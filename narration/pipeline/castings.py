"""The castings of many objects at once: those of one course are mostly the same one."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from narration.models import Consent, LexiconEntry, SpeechPolicy, iter_chunks
from narration.pipeline.casting import NO_AMENDMENT, Amendment, Casting, load_casting

_Key = tuple[tuple[str, ...], str, tuple[str, ...]]


class Castings:
    """Casting by scope chain and language, loaded once for all chains that lead to the same rows.

    Give it every scope key that will be asked for: a chunk of them costs one query. Scopes that
    only an ``amendment`` says something about are ``amended``.
    """

    def __init__(
        self,
        scope_keys: Iterable[str],
        amendment: Amendment = NO_AMENDMENT,
        amended: Iterable[str] = (),
    ):
        self._amendment = amendment
        self._known: set[str] = set(amended)
        for chunk in iter_chunks(scope_keys):
            said, *others = (
                rows.filter(scope_key__in=chunk).order_by().values_list("scope_key", flat=True)
                for rows in (SpeechPolicy.objects, LexiconEntry.objects, Consent.objects)
            )
            self._known.update(said.union(*others))
        self._castings: dict[_Key, Casting] = {}

    def get(
        self, scope_chain: Sequence[str], language: str, foreign: Iterable[str] = ()
    ) -> Casting:
        """As ``load_casting``; scopes without rows of their own make no difference."""
        chain = tuple(key for key in scope_chain if key in self._known)
        others = tuple(sorted(foreign))
        key = (chain, language, others)
        if key not in self._castings:
            self._castings[key] = load_casting(
                chain, language, foreign=others, amendment=self._amendment
            )
        return self._castings[key]
