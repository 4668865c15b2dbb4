"""Telephone numbers and other numbers that are dialled or typed: said digit by digit."""

from __future__ import annotations

import re
from functools import partial

from narration.text.normalization.fragments import Rule
from narration.text.normalization.grammar import Grammar
from narration.text.normalization.rules import compile_rule

_GROUPS = re.compile(r"\+?\d+")


def contact_rules(grammar: Grammar, leads: str) -> list[Rule]:
    """``leads`` are the words before a short number that is dialled ("call 911")."""
    say = partial(_say_groups, grammar)
    patterns = [
        r"(?<![\w+])\+\d{1,3}(?:[\s.-]?\(?\d{1,5}\)?){2,6}(?![\w])",
        r"(?<![\w(])\(\d{2,4}\)\s?\d{3,5}[-\s.]\d{3,4}(?![\w-])",
        r"(?<![\w.,/-])\d{3}-\d{3}-\d{4}(?![\w-])",
        r"(?<![\w.,/-])\d{5}-\d{3,4}(?![\w-])",
        r"(?<![\w.,/-])\d{3}\.\d{3}\.\d{3}-\d{2}(?![\w-])",
        r"(?<![\w.,/-])0\d{2,4}(?:[\s-]\d{3,4}){2}(?![\w-])",
        rf"(?i:(?<!\w)(?:{leads})\s)(?P<n>\d{{3,5}})(?!\w|[.,]\d|\s?[%°])",
    ]
    *whole, short = patterns
    rules = [compile_rule(pattern, say) for pattern in whole]
    return [*rules, Rule(re.compile(short), say, "n")]


def _say_groups(grammar: Grammar, match: re.Match[str]) -> str:
    """Groups as they are written, a breath between them."""
    written = match["n"] if "n" in match.re.groupindex else match[0]
    groups = (
        f"{grammar.words['plus']} {grammar.digits(group[1:])}"
        if group.startswith("+")
        else grammar.digits(group)
        for group in _GROUPS.findall(written)
    )
    return ", ".join(groups)
