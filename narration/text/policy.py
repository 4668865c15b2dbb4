"""What a speech policy leaves unsaid: rules for code, tables, footnotes and their like.

Markup emits everything it shows, each run tagged with its aspect; these rules silence some of it
before planning. So the page and its anchors are the same under every policy.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields, replace

from narration.exceptions import ConfigurationError
from narration.values import Aspect, Passage, Role, Run, RunKind

#: Choices of each rule, the default first, with the aspects a choice silences.
CHOICES: Mapping[str, Mapping[str, frozenset[str]]] = {
    "code": {
        "announce": frozenset({Aspect.CODE_LINE}),
        "read": frozenset(),
        "skip": frozenset({Aspect.CODE_LINE, Aspect.CODE_CAPTION}),
    },
    "tables": {
        "headers": frozenset({Aspect.TABLE_CAPTION}),
        "cells": frozenset({Aspect.TABLE_CAPTION, Aspect.TABLE_HEADER}),
        "announce": frozenset({Aspect.TABLE_HEADER, Aspect.TABLE_CELL}),
        "skip": frozenset({Aspect.TABLE_CAPTION, Aspect.TABLE_HEADER, Aspect.TABLE_CELL}),
    },
    "footnotes": {"after": frozenset(), "end": frozenset(), "skip": frozenset()},
    "citations": {"skip": frozenset({Aspect.CITATION}), "read": frozenset()},
    "figures": {
        "describe": frozenset(),
        "skip": frozenset({Aspect.FIGURE_LABEL, Aspect.FIGURE_ALT}),
    },
    "numbers": {"read": frozenset(), "skip": frozenset({Aspect.LIST_NUMBER})},
    "callouts": {"announce": frozenset(), "plain": frozenset({Aspect.CALLOUT_TITLE})},
    "formulas": {"read": frozenset(), "announce": frozenset()},
}
_FORMULA = {"pt": "fórmula"}
#: What a text must hold for a rule to matter to it; the names are the rules'.
_ASPECT_RULES = {
    aspect: rule
    for rule, choices in CHOICES.items()
    for silent in choices.values()
    for aspect in silent
}


@dataclass(frozen=True, slots=True)
class SpeechRules:
    """One choice for each rule of ``CHOICES``."""

    code: str = "announce"
    tables: str = "headers"
    footnotes: str = "after"
    citations: str = "skip"
    figures: str = "describe"
    numbers: str = "read"
    callouts: str = "announce"
    formulas: str = "read"

    def get_silent(self) -> frozenset[str]:
        """The aspects nobody says under these rules."""
        chosen = (CHOICES[field.name][getattr(self, field.name)] for field in fields(self))
        return frozenset[str]().union(*chosen)


DEFAULT_RULES = SpeechRules()


def build_rules(overrides: Mapping[str, str]) -> SpeechRules:
    """The defaults with a policy's choices over them; ``ConfigurationError`` names a wrong one."""
    for name, choice in overrides.items():
        if name not in CHOICES or choice not in CHOICES[name]:
            known = ", ".join(f"{rule}: {' | '.join(choices)}" for rule, choices in CHOICES.items())
            raise ConfigurationError(f"Rule '{name}' = {choice!r}: give one of {known}.")
    return SpeechRules(**overrides)


def apply_rules(passages: Sequence[Passage], rules: SpeechRules, language: str) -> list[Passage]:
    """Silence what the rules leave unsaid; display text and anchors stay as they are."""
    silent = rules.get_silent()
    spoken = [_apply(passage, silent, rules, language) for passage in passages]
    if rules.footnotes == "skip":
        return [passage for passage in spoken if passage.role is not Role.FOOTNOTE]
    return spoken


def find_traits(passages: Iterable[Passage]) -> set[str]:
    """Names of the rules a text has something for: a change of another rule cannot touch it."""
    traits: set[str] = set()
    for passage in passages:
        if passage.role is Role.FOOTNOTE:
            traits.add("footnotes")
        for run in passage.runs:
            if run.aspect:
                traits.add(_ASPECT_RULES[run.aspect])
            if run.kind is RunKind.MATH:
                traits.add("formulas")
    return traits


def _apply(passage: Passage, silent: frozenset[str], rules: SpeechRules, language: str) -> Passage:
    names_formulas = rules.formulas == "announce"
    if not any(_is_touched(run, silent, names_formulas) for run in passage.runs):
        return passage
    formula = _FORMULA.get((passage.language or language).split("-")[0], "formula")
    runs = tuple(
        _silence(run)
        if run.aspect in silent
        else replace(run, spoken=formula)
        if names_formulas and run.kind is RunKind.MATH and run.spoken is None
        else run
        for run in passage.runs
    )
    return replace(passage, runs=runs)


def _is_touched(run: Run, silent: frozenset[str], names_formulas: bool) -> bool:
    return run.aspect in silent or (names_formulas and run.kind is RunKind.MATH)


def _silence(run: Run) -> Run:
    return replace(run, spoken="")
