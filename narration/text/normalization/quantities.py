"""Money, percentages, measures and fractions, each of which may be a range or carry a sign."""

from __future__ import annotations

import re
from functools import partial

from narration.text.normalization.fragments import Rule
from narration.text.normalization.grammar import Grammar
from narration.text.normalization.rules import NUMBER_EDGE, compile_rule


def quantity_rules(grammar: Grammar) -> list[Rule]:
    """Money, percentages, units, fractions; each may be a range or carry a sign."""
    number = grammar.number
    signed = rf"(?:(?<![\w)])[-−+])?{number}"
    units = "|".join(re.escape(unit) for unit in sorted(grammar.units, key=len, reverse=True))
    money = "|".join(re.escape(sign) for sign in sorted(grammar.currencies, key=len, reverse=True))
    scale = grammar.words["scales"]
    ranged = rf"{NUMBER_EDGE}(?:(?P<from>{signed})\s?[-–—]\s?)?(?P<n>{signed})"
    say_money = partial(_say_money, grammar)
    per = rf"(?P<per>{units}|{grammar.words['things']})"
    return [
        Rule(
            re.compile(
                rf"(?<!\w)(?:{money})\s?{number}(?:\s?(?:{scale}))?(?P<tail>\s?/\s?{per})(?![\w/])"
            ),
            partial(_say_per, grammar),
            "tail",
        ),
        compile_rule(
            rf"(?<!\w)(?P<sign>{money})\s?(?P<n>{number})(?:\s?(?P<scale>{scale})(?!\w))?",
            say_money,
        ),
        compile_rule(rf"{NUMBER_EDGE}(?P<n>{number})(?P<scale>)\s?(?P<sign>[€£])", say_money),
        compile_rule(rf"{ranged}\s?(?P<unit>%)", partial(_say_quantity, grammar)),
        compile_rule(
            rf"{ranged}\s?(?P<unit>{units})(?:/(?P<per>{units}))?(?![\w/²³])",
            partial(_say_quantity, grammar),
        ),
        Rule(
            re.compile(rf"\d\^[-−]?\d{{1,3}}\s?(?P<unit>{units})(?![\w/²³])"),
            lambda match: grammar.units[match["unit"]][1],
            "unit",
        ),
        # Without a number: "in km/h".
        compile_rule(r"(?<![\w/])(?:km/h|m/s)(?![\w/²])", lambda match: grammar.units[match[0]][1]),
        compile_rule(
            rf"(?<![\w/.,])(?P<whole>\d{{1,3}})\s?(?P<part>[{''.join(_VULGAR)}]|(?<=\s)\d/\d(?![\w/]))",
            partial(_say_mixed_fraction, grammar),
        ),
        compile_rule(
            rf"(?<![\w/.,])(?P<part>[{''.join(_VULGAR)}]|\d{{1,2}}/\d{{1,3}})(?![\w/])",
            partial(_say_fraction, grammar),
        ),
    ]


def _say_money(grammar: Grammar, match: re.Match[str]) -> str:
    return say_money(grammar, match["sign"], match["n"], match["scale"])


def say_money(grammar: Grammar, sign: str, written: str, scale: str | None) -> str:
    """Say a sum: its currency, the number as written, and what multiplies it ("million")."""
    currency = grammar.currencies[sign]
    if scale:
        spoken = grammar.say_number(written)
        joint = "" if scale == "mil" else grammar.words["of"]
        return f"{spoken} {grammar.words.get(scale, scale)} {joint}{currency.many}"
    if re.fullmatch(r"\d+[.,]\d\d", written):
        whole, cents = written[:-3], written[-2:]
    else:
        whole, _, cents = written.partition(grammar.decimal)
    if len(cents) != 2:
        name = currency.one if grammar.value(written) == 1 else currency.many
        joint = grammar.words["of"] if re.fullmatch(r"\d+(\D?000){2,}", written) else ""
        return f"{grammar.say_number(written, currency.is_feminine)} {joint}{name}"
    parts = []
    if grammar.value(whole):
        name = currency.one if grammar.value(whole) == 1 else currency.many
        joint = grammar.words["of"] if re.fullmatch(r"\d+(\D?000){2,}", whole) else ""
        parts.append(f"{grammar.say_number(whole, currency.is_feminine)} {joint}{name}")
    if int(cents) or not parts:
        name = currency.cent if int(cents) == 1 else currency.cents
        parts.append(f"{grammar.cardinal(str(int(cents)), False)} {name}")
    return f" {grammar.words['and']} ".join(parts)


def _say_per(grammar: Grammar, match: re.Match[str]) -> str:
    """ "$3/kg", "£10/h", "R$ 850/mês": what the sum is paid for."""
    one = grammar.units.get(match["per"], (match["per"],))[0]
    return f"{grammar.words['per']} {one}"


def _say_quantity(grammar: Grammar, match: re.Match[str]) -> str:
    one, many = grammar.units[match["unit"]]
    is_feminine = grammar.is_feminine(many.split()[0])
    value = grammar.value(match["n"])
    is_one = value == 1 if grammar.code == "en" else 0 < value < 2
    spoken = f"{grammar.say_number(match['n'], is_feminine)} {one if is_one else many}"
    if per := match.groupdict().get("per"):
        spoken += f" {grammar.words['per']} {grammar.units[per][0]}"
    if match["from"]:
        first = grammar.say_number(match["from"], is_feminine)
        spoken = f"{first} {grammar.words['to']} {spoken}"
    return spoken


_VULGAR = {
    "½": "1/2", "⅓": "1/3", "⅔": "2/3", "¼": "1/4", "¾": "3/4", "⅕": "1/5", "⅖": "2/5", "⅗": "3/5",
    "⅘": "4/5", "⅙": "1/6", "⅚": "5/6", "⅛": "1/8", "⅜": "3/8", "⅝": "5/8", "⅞": "7/8",
}  # fmt: skip
# Between a number and its noun stand no more of these.
_MOST_ADJECTIVES = 3
NOUN = re.compile(r"\s+([^\W\d_]+)")


def _say_fraction(grammar: Grammar, match: re.Match[str]) -> str:
    return _fraction_words(grammar, match["part"], is_feminine=counts_feminine(grammar, match))


def _say_mixed_fraction(grammar: Grammar, match: re.Match[str]) -> str:
    is_feminine = counts_feminine(grammar, match)
    whole = grammar.cardinal(match["whole"], is_feminine)
    part = _fraction_words(grammar, match["part"], is_feminine=is_feminine, is_added=True)
    return f"{whole} {grammar.words['and']} {part}"


def _fraction_words(
    grammar: Grammar, written: str, *, is_feminine: bool, is_added: bool = False
) -> str:
    plain = _VULGAR.get(written, written)
    special = (plain, "f" if is_feminine else "", "added" if is_added else "")
    for key in ("|".join(special), "|".join(special[:2]), plain):
        if spoken := grammar.fractions.get(key):
            return spoken
    above, below = map(int, plain.split("/"))
    said = grammar.cardinal(str(above), False)
    named = grammar.denominators(below, above != 1) if 0 < above < below else ""
    if named:
        return f"{said} {named}"
    return f"{said} {grammar.words['over']} {grammar.cardinal(str(below), False)}"


def counts_feminine(grammar: Grammar, match: re.Match[str]) -> bool:
    """Whether the number counts a feminine noun; one that names something counts nothing.

    "2 mil pessoas" counts people; adjectives that keep their form tell nothing themselves.
    """
    before = match.string[max(0, match.start() - 30) : match.start()]
    lead = re.search(r"([^\W\d_]+)\s+$", before)
    is_name = before.endswith(("-", "–")) or match[0][0] in "-−"
    if is_name or (lead and lead[1].lower() in grammar.words["labels"].split()):
        return False
    end = match.end()
    for _ in range(_MOST_ADJECTIVES):
        noun = NOUN.match(match.string, end)
        if not noun or noun[1].lower() not in grammar.neutral:
            break
        end = noun.end()
    return bool(noun and grammar.is_feminine(noun[1].lower()))
