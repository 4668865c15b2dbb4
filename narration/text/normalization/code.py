"""Code inside a sentence: names and operators are said, most brackets are not."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import partial

from narration.text.normalization.addresses import say_address
from narration.text.normalization.fragments import Rule
from narration.text.normalization.grammar import Grammar
from narration.text.normalization.rules import (
    ADDRESS,
    ADDRESS_END,
    NUMBER_EDGE,
    compile_rule,
    fixed,
)


def code_rules(grammar: Grammar) -> tuple[Rule, ...]:
    """Read a stretch of code: a lone mark by its name, operators, names, numbers; no brackets."""
    table = grammar.operators
    longest_first = sorted(
        (key for key in table if len(key) > 1 and key not in {"()", "[]", "{}"}),
        key=len,
        reverse=True,
    )
    many = "|".join(re.escape(key) for key in longest_first)
    # Between these only white space tells an operator from a flag, a path or a bracket.
    single = "".join(
        re.escape(key) for key in table if len(key) == 1 and key not in "\"'`.,:;()[]{}<>"
    )
    dash, slash, dot = (grammar.words[key] for key in ("dash", "slash", "dot"))
    lookup: Callable[[re.Match[str]], str | None] = lambda match: table.get(match[0].strip())  # noqa: E731
    return (
        compile_rule(
            r"^\s*\S{1,3}\s*$", lambda match: None if match[0].strip().isalnum() else lookup(match)
        ),
        compile_rule(rf"(?<!\w)(?:https?)://{ADDRESS}{ADDRESS_END}", partial(say_address, grammar)),
        fixed(r"(?<=<)/(?=\w)", slash),
        fixed(r"(?:^|(?<=\s))--(?=\w)", f"{dash} {dash}"),
        fixed(r"(?:^|(?<=\s))-(?=[^\W\d])", dash),
        compile_rule(rf"{many}", lookup),
        fixed(r"(?<=\s)<(?=\s)", table["<"]),
        fixed(r"(?<=\s)>(?=\s)", table[">"]),
        fixed(r"(?<=[\w)]\s)/(?=\s[\w(])", grammar.words["divided_by"]),
        compile_rule(
            rf"(?<![\w.])[-]?{NUMBER_EDGE}\d+\.\d+(?![\w.])", partial(_say_code_number, grammar)
        ),
        compile_rule(r"[^\W\d_]+['’](?:s|t|re|ll|ve|d|m)(?!\w)", lambda match: match[0]),
        compile_rule(
            r"(?<!\w)(?=[a-f]*\d)[0-9a-f]{6,}(?!\w)", lambda match: grammar.say_mixed(match[0])
        ),
        compile_rule(r"[^\W\d]\w*", lambda match: grammar.say_identifier(match[0])),
        compile_rule(r"\d+", lambda match: grammar.cardinal(match[0], False)),
        fixed(r"\.(?=\w)", dot),
        fixed(r"(?<=[^\s<])-(?=\S)", ""),
        compile_rule(rf"[{single}]", lookup),
    )


def _say_code_number(grammar: Grammar, match: re.Match[str]) -> str:
    whole, _, part = match[0].lstrip("-").partition(".")
    sign = grammar.words["minus"] + " " if match[0].startswith("-") else ""
    return f"{sign}{grammar.cardinal(whole, False)} {grammar.words['dot']} {grammar.digits(part)}"
