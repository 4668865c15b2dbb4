"""Code inside a sentence: names and operators are said, most brackets are not."""

from __future__ import annotations

import re
from functools import partial

from narration.text.normalization.addresses import say_address
from narration.text.normalization.comparisons import is_tag
from narration.text.normalization.fragments import Rule
from narration.text.normalization.grammar import Grammar
from narration.text.normalization.rules import (
    ADDRESS,
    ADDRESS_END,
    NUMBER_EDGE,
    chain,
    compile_rule,
    fixed,
    named,
)
from narration.text.normalization.science import scientific_rule


def code_rules(grammar: Grammar) -> tuple[Rule, ...]:
    """Read a stretch of code: a lone mark by its name, operators, names, numbers; no brackets."""
    address = compile_rule(
        rf"(?<!\w)(?:https?)://{ADDRESS}{ADDRESS_END}", partial(say_address, grammar)
    )
    return chain(
        named("symbol", [_lone_mark_rule(grammar)]),
        named("address", [address]),
        named("operator", _operator_rules(grammar)),
        named("number", _figure_rules(grammar)),
        named("identifier", _name_rules(grammar)),
        named("number", [compile_rule(r"\d+", lambda match: grammar.cardinal(match[0], False))]),
        named("symbol", _mark_rules(grammar)),
    )


def _lone_mark_rule(grammar: Grammar) -> Rule:
    table = grammar.operators
    return compile_rule(
        r"^\s*\S{1,3}\s*$",
        lambda match: None if match[0].strip().isalnum() else table.get(match[0].strip()),
    )


def _operator_rules(grammar: Grammar) -> list[Rule]:
    table, words = grammar.operators, grammar.words
    dash, minus = words["dash"], words["minus"]
    many = sorted(
        (key for key in table if len(key) > 1 and key not in {"()", "[]", "{}"}),
        key=len,
        reverse=True,
    )
    return [
        fixed(r"(?<=<)/(?=\w)", words["slash"]),
        fixed(r"(?:^|(?<=\s))--(?=\w)", f"{dash} {dash}"),
        fixed(r"(?:^|(?<=\s))-(?=[^\W\d])", dash),
        compile_rule("|".join(map(re.escape, many)), lambda match: table.get(match[0])),
        compile_rule(
            r"(?<=\s)[<>](?=\s)|(?<=[\w)\]])[<>](?=[\w(\['\"-])",
            lambda match: None if _is_bracket(match) else table[match[0]],
        ),
        # Between numbers and between letters a dash subtracts; "my-app" and "[a-z]" hold names.
        Rule(
            re.compile(
                r"(?<![\w.\[/-])(?:[a-z]|\d{1,9})(?P<sign>-)(?=(?:[a-z]|\d{1,9})(?![\w\]/-]|\.\d))"
            ),
            lambda _: minus,
            "sign",
        ),
        fixed(r"(?<=[\w)\]])-(?=\()|(?<=[)\]])-(?=\w)", minus),
        fixed(r"(?<=[\w)]\s)/(?=\s[\w(])|(?<=\))/(?=[\w(])", words["divided_by"]),
    ]


def _is_bracket(match: re.Match[str]) -> bool:
    return is_tag(match.string, match.start(), match[0])


def _figure_rules(grammar: Grammar) -> list[Rule]:
    return [
        scientific_rule(grammar),
        compile_rule(
            rf"(?<![\w.])[-]?{NUMBER_EDGE}\d+\.\d+(?![\w.])", partial(_say_code_number, grammar)
        ),
    ]


def _name_rules(grammar: Grammar) -> list[Rule]:
    return [
        compile_rule(r"[^\W\d_]+['’](?:s|t|re|ll|ve|d|m)(?!\w)", lambda match: match[0]),
        compile_rule(
            r"(?<!\w)(?=[a-f]*\d)[0-9a-f]{6,}(?!\w)", lambda match: grammar.say_mixed(match[0])
        ),
        compile_rule(r"[^\W\d]\w*", lambda match: grammar.say_identifier(match[0])),
    ]


def _mark_rules(grammar: Grammar) -> list[Rule]:
    # Between the others only white space tells an operator from a flag, a path or a bracket.
    table = grammar.operators
    single = (key for key in table if len(key) == 1 and key not in "\"'`.,:;()[]{}<>")
    return [
        fixed(r"\.(?=\w)", grammar.words["dot"]),
        fixed(r"(?<=[^\s<])-(?=\S)", ""),
        compile_rule(rf"[{''.join(map(re.escape, single))}]", lambda match: table.get(match[0])),
    ]


def _say_code_number(grammar: Grammar, match: re.Match[str]) -> str:
    whole, _, part = match[0].lstrip("-").partition(".")
    sign = grammar.words["minus"] + " " if match[0].startswith("-") else ""
    return f"{sign}{grammar.cardinal(whole, False)} {grammar.words['dot']} {grammar.digits(part)}"
