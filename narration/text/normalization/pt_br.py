"""Brazilian Portuguese: what it reads in which order, ordinals, Roman numerals."""

from __future__ import annotations

import re

from narration.text.normalization import numerals
from narration.text.normalization.addresses import address_rules
from narration.text.normalization.code import code_rules
from narration.text.normalization.comparisons import comparison_rules
from narration.text.normalization.contacts import contact_rules
from narration.text.normalization.fragments import Rule
from narration.text.normalization.numbers import number_rules
from narration.text.normalization.pt_br_dates import date_rules, time_rules
from narration.text.normalization.pt_br_words import BEFORE_NUMBERS, GRAMMAR
from narration.text.normalization.quantities import quantity_rules
from narration.text.normalization.ranges import money_range_rule, year_range_rules
from narration.text.normalization.romans import roman_rule, second_roman_rule, title_rule
from narration.text.normalization.rules import (
    abbreviation_rule,
    capitals_rule,
    chain,
    compile_rule,
    fixed,
    named,
    symbol_rules,
)
from narration.text.normalization.science import chemical_rules, formula_rules
from narration.text.tables import words as table_words

_LEADS = (
    r"[Ss]écs?\.|[Cc]aps?\.|[Vv]ol\.|[Aa]rt\.|[Ss]éculos?|[Cc]apítulo|[Pp]arte|[Vv]olume|[Tt]ipo|[Ff]ase|Pedro|João|Luís|Henrique|Carlos"
    "|Isabel|Elizabeth|Bento|Pio|Manuel|Maria|Paulo|Francisco|[Aa]rtigo|[Aa]to|[Ii]nciso|[Tt]ítulo|[Aa]nexo"
)
_LEADING = (
    r"(?<!\w)(?P<n>[IVX]+)(?=\s+(?P<noun>Guerra|Semana|Conferência|Jornada|Bienal|Copa|Feira"
    r"|Mostra|Reunião|Oficina|Congresso|Simpósio|Encontro|Fórum|Seminário|Jogos|Festival|Concurso"
    r"|Colóquio|Prêmio))"
)
_PHONE_LEADS = "ligue|disque|telefone|digite|chame|ligar"
_FULL = {"séc.": "século", "sécs.": "século", "cap.": "capítulo", "vol.": "volume"}
_QUEENS = table_words("isabel elizabeth elisabete maria catarina")
_COUNTED = table_words("capítulo parte volume tipo fase inciso título anexo")
_CENTURIES = ("século", "séculos")


def _say_before_number(match: re.Match[str]) -> str:
    spoken = BEFORE_NUMBERS[match["abbr"].lower()]
    return spoken.capitalize() if match["abbr"][0].isupper() else spoken


def _say_ordinal(match: re.Match[str]) -> str | None:
    digits = match["n"].replace(".", "")
    mark = match["mark"]
    if len(digits) > 6:
        return None
    return numerals.ordinal_pt(int(digits), "ª" in mark) + "s" * mark.endswith("s")


def _say_roman(value: int, lead: str) -> str:
    """Up to ten rulers and centuries are ordinals; parts of books are counted."""
    lead = _FULL.get(lead, lead)
    if value > 10 or lead in _COUNTED:
        return GRAMMAR.cardinal(str(value), False)
    return numerals.ordinal_pt(value, lead in _QUEENS)


def _say_leading_roman(match: re.Match[str]) -> str | None:
    value = numerals.read_roman(match["n"])
    is_feminine = match["noun"].endswith(("a", "ão", "Bienal"))
    return None if value is None else numerals.ordinal_pt(value, is_feminine=is_feminine)


def _say_every(match: re.Match[str]) -> str:
    hours = GRAMMAR.cardinal(match["n"], True)
    return f"{hours} em {hours} horas"


_SCORE = Rule(
    re.compile(
        r"(?i:\b(?:ganh|venc|perd|derrot|empat|vitória|placar|jogo|resultado|bateu|goleou)\w*\s(?:\w+\s){0,4}?)"
        r"\d{1,2}(?P<x>\s?x\s?)(?=\d{1,2}(?!\w|\s*=))"
    ),
    lambda _: "a",
    "x",
)


def _abbreviation_rules() -> list[Rule]:
    abbreviated = "|".join(sorted(BEFORE_NUMBERS, key=len, reverse=True))
    return [
        compile_rule(
            rf"(?<![\w.])(?P<abbr>{abbreviated})(?:\.?[º°]|\.)(?=\s?(?:\d|[IVXLC]+\b))",
            _say_before_number,
            re.IGNORECASE,
        ),
        compile_rule(r"(?<!\w)[nN]º", lambda _: "número"),
        compile_rule(r"(?<!\w)D\.(?=\s?[A-ZÀ-Ý][a-zà-ý])", lambda _: "Dom"),
        abbreviation_rule(GRAMMAR),
        fixed(r"(?<=[ºª]\s)ed\.", "edição"),
        fixed(r"§§", "parágrafos"),
        fixed(r"(?<=[Ss]inal\s)=(?=\s)", "de igual"),
    ]


def _measure_rules() -> list[Rule]:
    return [
        compile_rule(
            r"(?<![\w:.,])(?P<a>\d+):(?P<b>\d{1,3}(?:\.\d{3})+)(?!\w)",
            lambda match: " para ".join(map(GRAMMAR.say_number, match.groups())),
        ),
        fixed(r"(?<=\d\s)K(?!\w)", "kelvin"),
    ]


def _ordinal_rule() -> Rule:
    return compile_rule(
        r"(?<![\w,])(?P<n>\d+(?:\.\d{3})*)\.?\s?(?P<mark>[ºª]s?|°(?=\s(?!(?:para|em|de|da|do"
        r"|a|e|no|na|com|por|entre|ou|ao|à|até|é|são)\s)[a-zà-ú]))(?![\wC])",
        _say_ordinal,
    )


def _roman_rules() -> list[Rule]:
    return [
        roman_rule(_LEADS, numerals.read_roman, _say_roman),
        second_roman_rule(_LEADS, numerals.read_roman, _say_roman),
        title_rule(GRAMMAR, numerals.read_roman),
        compile_rule(_LEADING, _say_leading_roman),
    ]


def _rules() -> tuple[Rule, ...]:
    every = compile_rule(r"(?<=\bde )(?P<n>\d{1,2})/(?P=n)\s?h(?:oras)?\b", _say_every)
    return chain(
        named("address", address_rules(GRAMMAR)),
        named("date", date_rules()),
        named("telephone", contact_rules(GRAMMAR, _PHONE_LEADS)),
        named("time", [every]),
        named("abbreviation", _abbreviation_rules()),
        named("quantity", _measure_rules()),
        named("time", time_rules()),
        named("ordinal", [_ordinal_rule()]),
        named("chemistry", chemical_rules(GRAMMAR)),
        named("date", year_range_rules(GRAMMAR)),
        named("quantity", [money_range_rule(GRAMMAR), *quantity_rules(GRAMMAR)]),
        named("Roman numeral", _roman_rules()),
        named("score", [_SCORE]),
        named("comparison", comparison_rules(GRAMMAR)),
        named("formula", formula_rules(GRAMMAR)),
        named("number", number_rules(GRAMMAR)),
        named("acronym", [capitals_rule(GRAMMAR)]),
        named("symbol", symbol_rules(GRAMMAR)),
    )


RULES = _rules()
CODE_RULES = code_rules(GRAMMAR)
