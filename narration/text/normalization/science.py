"""Formulas written in plain text: chemistry, powers, functions, sizes and scores."""

from __future__ import annotations

import re
from functools import partial

from narration.text.normalization.fragments import Rule
from narration.text.normalization.grammar import Grammar
from narration.text.normalization.rules import compile_rule, fixed
from narration.text.tables import words as table_words

_ELEMENTS = table_words(
    "He Li Be Ne Na Mg Al Si Cl Ar Ca Sc Ti Cr Mn Fe Co Ni Cu Zn Ga Ge As Se Br Kr Rb Sr Zr Ag Cd"
    " Sn Sb Te Xe Cs Ba Pt Au Hg Tl Pb Bi Rn Ra Th Pu H B C N O F P S K V Y I W U"
)
#: Formulas without a digit that are no words.
_SALTS = frozenset(table_words("NaCl HCl NaOH KOH KCl HF HBr NaBr KBr MgO CaO FeO NaF LiCl AgCl"))
_DIGITS = "₀₁₂₃₄₅₆₇₈₉"
_RAISED = "⁰¹²³⁴⁵⁶⁷⁸⁹"
_PLAIN = str.maketrans(_DIGITS + _RAISED + "⁻⁺ⁿ−", "01234567890123456789-+n-")
_ELEMENT = "|".join(sorted(_ELEMENTS, key=len, reverse=True))
_CHARGE = rf"(?:[{_RAISED}]*[⁺⁻]|\^\{{?\d{{0,2}}[+−-]\}}?)"
_PART = re.compile(rf"({_ELEMENT})|({_CHARGE})|(\d+|[{_DIGITS}]+)|([()])")
_SQUARE, _CUBE = "2", "3"


def chemical_rules(grammar: Grammar) -> list[Rule]:
    """Chemical formulas are named letter by letter: "CO₂", "NaCl", "Fe³⁺"."""
    atom = rf"(?:{_ELEMENT})(?:\d{{1,3}}|[{_DIGITS}]+)?"
    group = rf"\((?:{atom}){{1,6}}\)(?:\d|[{_DIGITS}]+)"
    pattern = rf"(?<![\w.])(?:{atom}|{group}){{1,12}}{_CHARGE}?(?![\w(-])"
    return [compile_rule(pattern, partial(_say_formula, grammar))]


def _say_formula(grammar: Grammar, match: re.Match[str]) -> str | None:
    written = match[0]
    has_marks = any(char in _DIGITS + "⁺⁻^" for char in written)
    atoms = [found[1] for found in _PART.finditer(written) if found[1]]
    # "H2O" yes, "C3" or "U2" no: those are names as often as molecules.
    has_count = any(char.isdigit() for char in written) and len("".join(atoms)) > 1
    if not (has_marks or has_count or written in _SALTS):
        return None
    return " ".join(filter(None, (_say_part(grammar, part) for part in _PART.finditer(written))))


def _say_part(grammar: Grammar, part: re.Match[str]) -> str:
    symbol, charge, count, _bracket = part.groups()
    if symbol:
        return grammar.spell(symbol)
    if count:
        return grammar.cardinal(count.translate(_PLAIN), False)
    if not charge:
        return ""
    plain = charge.strip("^{}").translate(_PLAIN)
    digits = plain[:-1]
    sign = grammar.words["plus" if plain[-1] == "+" else "minus"]
    return f"{grammar.cardinal(digits, False)} {sign}" if digits else sign


def formula_rules(grammar: Grammar) -> list[Rule]:
    """Powers, functions, sizes, scores."""
    words = grammar.words
    return [
        scientific_rule(grammar),
        fixed(rf"(?<=\d)\s?[x×·*⋅]\s?(?=10\s?(?:\^|[⁻⁺{_RAISED}]))", words["times"]),
        compile_rule(
            r"(?<=[\w)])\s?\^\s?[({]?(?P<n>[-−]?\w{1,6})[)}]?(?!\w)", partial(_say_power, grammar)
        ),
        compile_rule(rf"(?<=[\w)])(?P<n>⁻?[{_RAISED}ⁿ]+)", partial(_say_power, grammar)),
        compile_rule(
            r"(?<![\w.])(?P<f>[a-zA-Z])\((?P<x>[a-z](?:,\s?[a-z]){0,3})\)(?!\w)",
            partial(_say_function, grammar),
        ),
        # Neighbouring letters without a vowel are factors: "y = mx + b".
        compile_rule(
            r"(?<=[=+×*/−-]\s)(?P<f>[b-df-hj-np-tv-z]{2,3})(?=\s*(?:[=+×*/−-]|$|[.,;²³^]))",
            lambda match: " ".join(map(grammar.say_letter, match["f"])),
        ),
        fixed(r"(?<=\d{3})\s?[x×]\s?(?=\d{3,5}(?!\d|\s*=))", words["by"]),
        fixed(r"(?<=\d)[×](?=\d{1,4}(?!\d|\s*=))", words["by"]),
        fixed(r"(?<=\d)\s?x\s?(?=\d+\s*=)", words["times"]),
        fixed(r"(?<=\d)\s?x\s?(?=\d)", words["by"]),
        compile_rule(
            r"(?<![\w.,/–-])(?P<a>\d{1,2})[-–](?P<b>\d{1,2})(?![\w/–-]|[.,]\d|\s*[=%°])",
            partial(_say_score, grammar),
        ),
    ]


def scientific_rule(grammar: Grammar) -> Rule:
    """Numbers as programs write them: "6.02e23", "1e-5"."""
    return compile_rule(
        rf"(?<![\w.])(?P<n>{grammar.number})[eE](?P<sign>[-−+]?)(?P<ten>\d{{1,3}})(?!\w|[.,]\d)",
        partial(_say_scientific, grammar),
    )


def _say_scientific(grammar: Grammar, match: re.Match[str]) -> str:
    """ "6.02e23", as programs write it."""
    words = grammar.words
    ten = grammar.cardinal("10", False)
    sign = words["minus"] + " " if match["sign"] in {"-", "−"} else ""
    power = grammar.cardinal(str(int(match["ten"])), False)
    return f"{grammar.say_number(match['n'])} {words['times']} {ten} {words['power']} {sign}{power}"


def _say_power(grammar: Grammar, match: re.Match[str]) -> str:
    exponent = match["n"].translate(_PLAIN).replace("−", "-")
    if exponent == _SQUARE:
        return grammar.words["squared"]
    if exponent == _CUBE:
        return grammar.words["cubed"]
    sign = grammar.words["minus"] + " " if exponent.startswith("-") else ""
    bare = exponent.lstrip("-")
    said = grammar.cardinal(bare, False) if bare.isdecimal() else grammar.say_identifier(bare)
    return f"{grammar.words['power']} {sign}{said}"


def _say_function(grammar: Grammar, match: re.Match[str]) -> str:
    arguments = [grammar.say_letter(name) for name in re.findall(r"\w", match["x"])]
    joined = f" {grammar.words['and']} ".join(arguments)
    return f"{grammar.say_letter(match['f'])} {grammar.words['applied_to']} {joined}"


def _say_score(grammar: Grammar, match: re.Match[str]) -> str | None:
    """Falling numbers are a score; equal ones halves; rising ones a range, which others read."""
    left, right = int(match["a"]), int(match["b"])
    if left < right:
        return None
    said = [grammar.cardinal(str(number), False) for number in (left, right)]
    return f" {grammar.words['to']} ".join(said) if left > right else " ".join(said)
