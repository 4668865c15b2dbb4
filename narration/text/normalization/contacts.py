"""Telephone numbers and other numbers that are dialled or typed: said digit by digit."""

from __future__ import annotations

import re
from functools import partial

from narration.text.normalization.fragments import Rule
from narration.text.normalization.grammar import Grammar
from narration.text.normalization.rules import compile_rule

_GROUPS = re.compile(r"\+?\d+|X$")
_EDGE = r"(?<![\w.,/–-])"
_END = r"(?![\w/–-]|[.,]\d)"
# What announces a number that names: the digits behind it are never a range or a sum.
_CODES = "ISBN(?:-1[03])?|ISSN|CPF|CNPJ|CEP|RG|PIS|IBAN|SKU|PIN|ZIP|DOI|ORCID"
_DIALLED = re.compile(
    r"(?i:\b(?:call|dial|phone|telephone|tel|fax|ring|text|number|mobile|hotline|ligue|ligar|disque"
    r"|telefone|fone|contato|whatsapp|celular|ramal|número)\b)[\w\s.:,()]{0,20}$"
)
_COUNTED = re.compile(
    r"(?i:\b(?:pages?|pp|lines?|years?|words?|chapters?|from|between|about|páginas?|págs?|linhas?"
    r"|anos?|palavras?|capítulos?|de|entre|cerca de)\b)\.?\s$"
)
_YEARS = range(1000, 2100)


def contact_rules(grammar: Grammar, leads: str) -> list[Rule]:
    """``leads`` are the words before a short number that is dialled ("call 911")."""
    say = partial(_say_groups, grammar)
    patterns = [
        r"(?<![\w+])\+\d{1,3}(?:[\s.-]?\(?\d{1,5}\)?){2,6}(?![\w])",
        r"(?<![\w(])\(\d{2,4}\)\s?\d{3,5}[-\s.]\d{3,4}(?![\w-])",
        r"(?<![\w.,/-])\d{3}-\d{3}-\d{4}(?![\w-])",
        r"(?<![\w.,/-])\d{5}-\d{3,4}(?![\w-])",
        r"(?<![\w.,/-])\d{3}\.\d{3}\.\d{3}-\d{2}(?![\w-])",
        rf"{_EDGE}\d{{2}}\.\d{{3}}\.\d{{3}}/\d{{4}}-\d{{2}}{_END}",
        r"(?<![\w.,/-])0\d{2,4}(?:[\s-]\d{3,4}){2}(?![\w-])",
        rf"{_EDGE}0[358]00[\s-]?\d{{6,7}}{_END}",
        # Three groups or more never count and never subtract.
        rf"{_EDGE}\d{{1,7}}(?:-\d{{1,7}}){{2,7}}(?:-X)?(?![\w/–]|-\d|[.,]\d|\s?=)",
    ]
    rules = [compile_rule(pattern, say) for pattern in patterns]
    rules += [
        compile_rule(
            rf"{_EDGE}(?P<a>\d{{3,4}})-(?P<b>\d{{4}}){_END}(?!\s?=)", partial(_say_short, grammar)
        ),
        Rule(
            re.compile(rf"(?i:(?<!\w)(?:{leads})\s)(?P<n>\d{{3,5}})(?!\w|[.,]\d|\s?[%°]|[-–]\d)"),
            say,
            "n",
        ),
        Rule(re.compile(rf"\b(?:{_CODES})[\s:]{{1,3}}(?P<n>\d{{4,14}}X?){_END}"), say, "n"),
    ]
    return rules


def _say_short(grammar: Grammar, match: re.Match[str]) -> str | None:
    """Seven or eight digits are a telephone, unless they count ("500-1000 words") or are years."""
    left, right = match["a"], match["b"]
    before = match.string[max(0, match.start() - 40) : match.start()]
    if _DIALLED.search(before):
        return _say_groups(grammar, match)
    is_rising = int(left) < int(right)
    are_years = is_rising and int(left) in _YEARS and int(right) in _YEARS
    is_round = left[-1] in "05" or right[-1] in "05"
    is_code = right[0] == "0" or left == "555" or not is_rising
    if is_code or not (are_years or is_round or _COUNTED.search(before)):
        return _say_groups(grammar, match)
    return None


def _say_groups(grammar: Grammar, match: re.Match[str]) -> str:
    """Groups as they are written, a breath between them."""
    written = match["n"] if "n" in match.re.groupindex else match[0]
    return ", ".join(_say_group(grammar, group) for group in _GROUPS.findall(written))


def _say_group(grammar: Grammar, group: str) -> str:
    if group == "X":
        return grammar.say_letter(group)
    plus = f"{grammar.words['plus']} " if group.startswith("+") else ""
    return plus + grammar.digits(group.lstrip("+"))
