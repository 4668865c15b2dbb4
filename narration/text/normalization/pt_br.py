"""Brazilian Portuguese: tables, gender, dates, times, ordinals."""

from __future__ import annotations

import re

from narration.text.normalization import numerals
from narration.text.normalization.addresses import address_rules
from narration.text.normalization.code import code_rules
from narration.text.normalization.contacts import contact_rules
from narration.text.normalization.fragments import Rule
from narration.text.normalization.gender import is_feminine
from narration.text.normalization.grammar import Currency, Grammar
from narration.text.normalization.rules import (
    abbreviation_rule,
    capitals_rule,
    chain,
    clock_rule,
    compile_rule,
    date_words,
    fixed,
    named,
    number_rules,
    quantity_rules,
    roman_rule,
    second_roman_rule,
    symbol_rules,
    title_rule,
)
from narration.text.normalization.science import chemical_rules, formula_rules
from narration.text.tables import words as table_words

_MONTHS = "janeiro fevereiro março abril maio junho julho agosto setembro outubro novembro dezembro"
_LETTERS = dict(
    zip(
        "ABCDEFGHIJKLMNOPQRSTUVWXYZ",
        table_words(
            "á bê cê dê é éfe gê agá i jota cá éle eme ene ó pê quê érre ésse tê u vê dáblio xis "
            "ípsilon zê"
        ),
        strict=True,
    )
)
_CAPITALS = (
    "NASA OTAN ONU UNESCO UNICEF JSON YAML RAM ROM LAN WAN REST CRUD AJAX CORS SUS ENEM CEP FIFA"
    " SENAI CAPES MEC PUC AIDS COVID PIN PIB ONG NÃO SIM SÓ OU TODOS TODAS TUDO SEMPRE NUNCA DEVE"
    " UM UMA É"
    " NOVO NOVA DICA NOTA ATENÇÃO OK PARA COM SEM MAIS MENOS README GIT GET PUT POST"
)
_ABBREVIATIONS = {
    "Dr.": "doutor", "Dra.": "doutora", "Sr.": "senhor", "Sra.": "senhora", "Srs.": "senhores",
    "Srta.": "senhorita", "Prof.": "professor", "Profa.": "professora", "Eng.": "engenheiro",
    "Av.": "avenida", "p. ex.": "por exemplo", "p.ex.": "por exemplo", "ex.:": "exemplo:",
    "e.g.": "por exemplo", "i.e.": "isto é", "etc.": "etcétera", "etc": "etcétera",
    "vs.": "versus", "vs": "versus", "cf.": "confira", "aprox.": "aproximadamente",
    "obs.": "observação", "obs": "observação", "a. C.": "antes de Cristo",
    "a.C.": "antes de Cristo",
    "d. C.": "depois de Cristo", "d.C.": "depois de Cristo", "Ltda.": "limitada", "Jr.": "júnior",
    "et al.": "e outros", "S.A.": "ésse á", "Ctrl": "Control", "km/h": "quilômetros por hora",
    "m/s": "metros por segundo", "e/ou": "e ou", "C++": "cê mais mais", "C#": "cê sharp",
    ".NET": "ponto net", "Node.js": "Node jota ésse", "Mac OS": "Mac ó ésse", "macOS": "Mac ó ésse",
    "iOS": "i ó ésse", "pH": "pê agá", "Sto.": "Santo", "Sta.": "Santa",
    "24/7": "vinte e quatro por sete",
    "E/S": "entrada e saída", "tel.": "telefone",
    "Exmo.": "excelentíssimo", "PhD": "pê agá dê", "Ph.D.": "pê agá dê",
}  # fmt: skip
_BEFORE_NUMBERS = {
    "cap": "capítulo", "caps": "capítulos", "p": "página", "pp": "páginas", "pág": "página",
    "págs": "páginas", "pg": "página", "art": "artigo", "arts": "artigos", "fig": "figura",
    "figs": "figuras", "n": "número", "no": "número", "núm": "número", "vol": "volume",
    "ed": "edição", "eq": "equação", "seç": "seção", "sec": "seção", "tab": "tabela",
    "séc": "século", "v": "versão", "inc": "inciso",
}  # fmt: skip
_UNITS = {
    "km": "quilômetro", "cm": "centímetro", "mm": "milímetro", "nm": "nanômetro", "m": "metro",
    "µm": "micrômetro", "kg": "quilo", "mg": "miligrama", "g": "grama", "t": "tonelada",
    "ml": "mililitro", "mL": "mililitro", "l": "litro", "L": "litro", "ms": "milissegundo",
    "µs": "microssegundo", "ns": "nanossegundo", "s": "segundo", "seg": "segundo", "min": "minuto",
    "h": "hora", "hs": "hora", "B": "byte", "kB": "quilobyte", "KB": "quilobyte", "MB": "megabyte",
    "GB": "gigabyte", "TB": "terabyte", "W": "watt", "kW": "quilowatt", "MW": "megawatt",
    "V": "volt",
    "J": "joule", "kJ": "quilojoule", "N": "newton", "Pa": "pascal", "px": "pixel", "°": "grau",
    "º": "grau", "ha": "hectare", "kcal": "quilocaloria", "dB": "decibel", "mA": "miliampère",
    "kWh": "quilowatt-hora",
}  # fmt: skip
_FIXED_UNITS = {
    "%": "por cento", "‰": "por mil", "Hz": "hertz", "kHz": "quilo-hertz", "MHz": "mega-hertz",
    "GHz": "giga-hertz", "°C": "graus Celsius", "ºC": "graus Celsius", "° C": "graus Celsius",
    "°F": "graus Fahrenheit", "m/s": "metros por segundo", "km/h": "quilômetros por hora",
    "m/s²": "metros por segundo ao quadrado", "m²": "metros quadrados", "m2": "metros quadrados",
    "km²": "quilômetros quadrados", "km2": "quilômetros quadrados", "cm²": "centímetros quadrados",
    "m³": "metros cúbicos", "m3": "metros cúbicos", "cm³": "centímetros cúbicos",
    "kg/m³": "quilos por metro cúbico", "g/cm³": "gramas por centímetro cúbico",
    "Mbps": "megabits por segundo", "Mbit/s": "megabits por segundo",
    "MB/s": "megabytes por segundo",
    "kbps": "quilobits por segundo", "fps": "quadros por segundo", "ppm": "partes por milhão",
    "bpm": "batidas por minuto",
}  # fmt: skip
_SYMBOLS = {
    "&": "e", "%": "por cento", "+": "mais", "=": "é igual a", "≤": "é menor ou igual a",
    "≥": "é maior ou igual a", "≠": "é diferente de", "≈": "aproximadamente", "±": "mais ou menos",
    "→": "para", "⇒": "implica", "←": "de", "↔": "de e para", "°": "graus", "§": "parágrafo",
    "©": "copyright", "€": "euros", "£": "libras", "$": "dólares", "¥": "ienes", "∞": "infinito",
    "√": "raiz quadrada de", "π": "pi", "²": "ao quadrado", "³": "ao cubo", "½": "meio",
    "¼": "um quarto", "¾": "três quartos", "@": "arroba", "∑": "somatório",
    "∈": "pertence a", "∀": "para todo", "∃": "existe",
}  # fmt: skip
_OPERATORS = {
    "**": "elevado a", "==": "igual igual", "!=": "diferente de", "<=": "menor ou igual a",
    ">=": "maior ou igual a", "->": "seta", "=>": "seta", "&&": "e", "||": "ou",
    "//": "barra barra", "++": "mais mais", "+=": "mais igual", "-=": "menos igual",
    ">>>": "três sinais de maior", ">>": "dois sinais de maior", "<<": "dois sinais de menor",
    "...": "três pontos", "::": "dois pontos duas vezes", "+": "mais", "-": "menos", "*": "vezes",
    "/": "barra", "%": "sinal de por cento", "=": "igual", "<": "menor que", ">": "maior que",
    "@": "arroba", "#": "cerquilha", "$": "cifrão", "&": "e comercial", "|": "barra vertical",
    "~": "til", "^": "circunflexo", "\\": "barra invertida", "_": "sublinhado", "!": "exclamação",
    "?": "interrogação", ".": "ponto", ",": "vírgula", ":": "dois pontos", ";": "ponto e vírgula",
    '"': "aspas duplas", "'": "aspas simples", "`": "crase", "(": "abre parêntese",
    ")": "fecha parêntese", "[": "abre colchete", "]": "fecha colchete", "{": "abre chave",
    "}": "fecha chave", "[]": "colchetes", "()": "parênteses", "{}": "chaves",
    '"""': "três aspas duplas", "{{": "abre duas chaves", "}}": "fecha duas chaves",
    "{%": "abre chave por cento", "%}": "por cento fecha chave", "</": "menor que barra",
}  # fmt: skip
_IRREGULAR_UNITS = {"decibel": "decibéis", "quilowatt-hora": "quilowatts-hora"}
_CENTS = ("centavo", "centavos")
GRAMMAR = Grammar(
    code="pt",
    thousands=".",
    decimal=",",
    words={
        "minus": "menos", "point": "vírgula", "dot": "ponto", "slash": "barra", "at": "arroba",
        "port": "porta", "to": "a", "and": "e", "of": "de ", "over": "sobre", "times": "vezes",
        "labels": "índice número capítulo seção página passo item nível versão linha figura tabela"
        " exemplo exercício aula módulo unidade questão etapa fase parte lição volume artigo erro"
        " opção quadro grupo turma sala casa lote caso tipo anexo código porta bloco ano canal"
        " dia século rua quarto bairro",
        "tilde": "til", "backslash": "barra invertida", "colon": "dois pontos",
        "factorial": "fatorial", "by": "por", "per": "por", "ratio": "para",
        "plus": "mais", "power": "elevado a",
        "squared": "ao quadrado", "cubed": "ao cubo", "applied_to": "de",
        "divided_by": "dividido por", "less": "é menor que", "or": "ou",
        "greater": "é maior que", "number": "número", "about": "cerca de", "dash": "traço",
        "version": "versão", "scales": "mil|milhão|milhões|bilhão|bilhões|trilhões|mi|bi",
        "mi": "milhões", "bi": "bilhões", "year_leads": "",
    },
    cardinal=numerals.cardinal_pt,
    digits=numerals.digits_pt,
    year=lambda number: numerals.cardinal_pt(str(number)),
    is_feminine=is_feminine,
    months=tuple(_MONTHS.split()),
    letters=_LETTERS,
    letter_joint=" ",
    letter_plural="",
    spoken_capitals=frozenset(_CAPITALS.split()),
    abbreviations=_ABBREVIATIONS,
    units={key: (name, _IRREGULAR_UNITS.get(name, f"{name}s")) for key, name in _UNITS.items()}
    | {key: (name, name) for key, name in _FIXED_UNITS.items()},
    currencies={
        "R$": Currency("real", "reais", *_CENTS),
        "US$": Currency("dólar", "dólares", *_CENTS),
        "$": Currency("dólar", "dólares", *_CENTS),
        "€": Currency("euro", "euros", *_CENTS),
        "£": Currency("libra", "libras", "penny", "pence", is_feminine=True),
        "¥": Currency("iene", "ienes", "sen", "sens"),
    },
    symbols=_SYMBOLS,
    operators=_OPERATORS,
    fractions={"1/2": "meio", "1/2|f": "meia"},
    denominators=numerals.denominator_pt,
)  # fmt: skip


def _say_before_number(match: re.Match[str]) -> str:
    spoken = _BEFORE_NUMBERS[match["abbr"].lower()]
    return spoken.capitalize() if match["abbr"][0].isupper() else spoken


def _date_rules() -> list[Rule]:
    month, numbers = date_words(GRAMMAR)

    def say_day(day: int, of_month: int, year: int) -> str | None:
        if not (1 <= of_month <= 12 and 1 <= day <= 31):
            return None
        spoken = "primeiro" if day == 1 else GRAMMAR.cardinal(str(day), False)
        return f"{spoken} de {GRAMMAR.months[of_month - 1]} de {GRAMMAR.year(year)}"

    def say_iso(match: re.Match[str]) -> str | None:
        year, of_month, day = map(int, match.groups())
        return say_day(day, of_month, year)

    def say_slashed(match: re.Match[str]) -> str | None:
        return say_day(*map(int, match.groups()))

    def say_month_year(match: re.Match[str]) -> str | None:
        of_month, year = map(int, match.groups())
        if not 1 <= of_month <= 12:
            return None
        return f"{GRAMMAR.months[of_month - 1]} de {GRAMMAR.year(year)}"

    def say_short(match: re.Match[str]) -> str:
        spoken = GRAMMAR.months[numbers[match["m"].lower()] - 1]
        day = f"{GRAMMAR.cardinal(str(int(match['d'])), False)} de " if match["d"] else ""
        year = f" de {GRAMMAR.year(int(match['y']))}" if match["y"] else ""
        return day + spoken + year

    def say_day_month(match: re.Match[str]) -> str | None:
        """ "15/11" is a day; so is "5/4" behind a word that asks for one."""
        day, of_month = int(match["d"]), int(match["m"])
        if not (1 <= of_month <= 12 and 1 <= day <= 31) or not (match["lead"] or day > of_month):
            return None
        spoken = "primeiro" if day == 1 else GRAMMAR.cardinal(str(day), False)
        return f"{spoken} de {GRAMMAR.months[of_month - 1]}"

    short = "|".join(name[:3] for name in GRAMMAR.months)
    return [
        compile_rule(r"(?<![\w-])(\d{4})-(\d{2})-(\d{2})(?![\w-])", say_iso),
        compile_rule(r"(?<![\w/])(\d{1,2})/(\d{1,2})/(\d{4})(?![\w/])", say_slashed),
        compile_rule(r"(?<![\w.])(\d{1,2})\.(\d{1,2})\.([12]\d{3})(?![\w]|\.\d)", say_slashed),
        compile_rule(r"(?<![\w/])(\d{2})/([12]\d{3})(?![\w/])", say_month_year),
        Rule(
            re.compile(
                r"(?:(?i:\b(?P<lead>dia|até|desde|data|em)\s)|(?<![\w/.,]))"
                r"(?P<date>(?!24/7)(?P<d>\d{1,2})/(?P<m>\d{1,2}))(?![\w/]|\s?%)"
            ),
            say_day_month,
            "date",
        ),
        compile_rule(rf"(?<![\w.,])1(?=\s+de\s+(?:{month})(?!\w))", lambda _: "primeiro"),
        compile_rule(
            rf"(?<![\w.,])(?:(?P<d>\d{{1,2}})\s(?:de\s)?)?(?P<m>{short})\."
            r"(?:\s(?:de\s)?(?P<y>[12]\d{3})(?!\w)|(?<=\d \w\w\w\.))",
            say_short,
            re.IGNORECASE,
        ),
    ]


def _say_time(grammar: Grammar, match: re.Match[str]) -> str:
    hour, minute = int(match["h"]), int(match["m"] or 0)
    spoken = f"{grammar.cardinal(str(hour), True)} {'hora' if hour == 1 else 'horas'}"
    if minute:
        unit = "minuto" if minute == 1 else "minutos"
        spoken += f" e {grammar.cardinal(str(minute), False)} {unit}"
    if match["s"]:
        spoken += f" e {grammar.cardinal(str(int(match['s'])), False)} segundos"
    return spoken


def _say_ordinal(match: re.Match[str]) -> str | None:
    digits = match["n"].replace(".", "")
    mark = match["mark"]
    if len(digits) > 6:
        return None
    return numerals.ordinal_pt(int(digits), "ª" in mark) + "s" * mark.endswith("s")


_FULL = {"séc.": "século", "sécs.": "século", "cap.": "capítulo", "vol.": "volume"}


def _say_roman(value: int, lead: str) -> str:
    lead = _FULL.get(lead, lead)
    is_feminine = lead in {
        "isabel",
        "elizabeth",
        "elisabete",
        "maria",
        "catarina",
        "guerra mundial",
    }
    if value <= 10 and lead not in {
        "século",
        "séculos",
        "capítulo",
        "parte",
        "volume",
        "tipo",
        "fase",
        "inciso",
        "título",
        "anexo",
    }:
        return numerals.ordinal_pt(value, is_feminine)
    if value <= 10 and lead in {"século", "séculos"}:
        return numerals.ordinal_pt(value)
    return GRAMMAR.cardinal(str(value), False)


_LEADS = (
    r"[Ss]écs?\.|[Cc]aps?\.|[Vv]ol\.|[Aa]rt\.|[Ss]éculos?|[Cc]apítulo|[Pp]arte|[Vv]olume|[Tt]ipo|[Ff]ase|Pedro|João|Luís|Henrique|Carlos"
    "|Isabel|Elizabeth|Bento|Pio|Manuel|Maria|Paulo|Francisco|[Aa]rtigo|[Aa]to|[Ii]nciso|[Tt]ítulo|[Aa]nexo"
)


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
    name="formula",
)


def _rules() -> tuple[Rule, ...]:
    abbreviated = "|".join(sorted(_BEFORE_NUMBERS, key=len, reverse=True))
    return chain(
        named("address", address_rules(GRAMMAR)),
        named("date", _date_rules()),
        named("telephone", contact_rules(GRAMMAR, "ligue|disque|telefone|digite|chame|ligar")),
        named(
            "abbreviation",
            [
                compile_rule(r"(?<=\bde )(?P<n>\d{1,2})/(?P=n)\s?h(?:oras)?\b", _say_every),
                compile_rule(
                    rf"(?<![\w.])(?P<abbr>{abbreviated})(?:\.?[º°]|\.)(?=\s?(?:\d|[IVXLC]+\b))",
                    _say_before_number,
                    re.IGNORECASE,
                ),
                compile_rule(r"(?<!\w)[nN]º", lambda _: "número"),
                compile_rule(r"(?<!\w)D\.(?=\s?[A-ZÀ-Ý][a-zà-ý])", lambda _: "Dom"),
                abbreviation_rule(GRAMMAR),
                compile_rule(
                    r"(?<![\w:.,])(?P<a>\d+):(?P<b>\d{1,3}(?:\.\d{3})+)(?!\w)",
                    lambda match: " para ".join(map(GRAMMAR.say_number, match.groups())),
                ),
                fixed(r"(?<=\d\s)K(?!\w)", "kelvin"),
                fixed(r"(?<=[ºª]\s)ed\.", "edição"),
                fixed(r"§§", "parágrafos"),
                fixed(r"(?<=[Ss]inal\s)=(?=\s)", "de igual"),
                clock_rule(
                    GRAMMAR,
                    r"(?<![\w:.,])(?P<h>\d{1,2})[:h](?P<m>\d{2})(?::(?P<s>[0-5]\d))?(?:min)?(?![\w:])",
                    _say_time,
                ),
                clock_rule(
                    GRAMMAR, r"(?<![\w:.,])(?P<h>\d{1,2})\s?h(?P<m>)(?P<s>)s?(?!\w)", _say_time
                ),
                compile_rule(
                    r"(?<![\w,])(?P<n>\d+(?:\.\d{3})*)\.?\s?(?P<mark>[ºª]s?|°(?=\s(?!(?:para|em|de|da|do"
                    r"|a|e|no|na|com|por|entre|ou|ao|à|até|é|são)\s)[a-zà-ú]))(?![\wC])",
                    _say_ordinal,
                ),
            ],
        ),
        named("chemistry", chemical_rules(GRAMMAR)),
        named("quantity", quantity_rules(GRAMMAR)),
        named(
            "Roman numeral",
            [
                roman_rule(_LEADS, numerals.read_roman, _say_roman),
                second_roman_rule(_LEADS, numerals.read_roman, _say_roman),
                title_rule(GRAMMAR, numerals.read_roman),
                compile_rule(
                    r"(?<!\w)(?P<n>[IVX]+)(?=\s+(?P<noun>Guerra|Semana|Conferência|Jornada|Bienal|Copa"
                    r"|Feira|Mostra|Reunião|Oficina|Congresso|Simpósio|Encontro|Fórum|Seminário|Jogos"
                    r"|Festival|Concurso|Colóquio|Prêmio))",
                    lambda match: _say_leading_roman(match["n"], match["noun"]),
                ),
            ],
        ),
        [_SCORE],
        named("formula", formula_rules(GRAMMAR)),
        named("number", number_rules(GRAMMAR)),
        named("acronym", [capitals_rule(GRAMMAR)]),
        named("symbol", symbol_rules(GRAMMAR)),
    )


def _say_leading_roman(numeral: str, noun: str) -> str | None:
    value = numerals.read_roman(numeral)
    is_feminine = noun.endswith(("a", "ão", "Bienal"))
    return None if value is None else numerals.ordinal_pt(value, is_feminine=is_feminine)


RULES = _rules()
CODE_RULES = code_rules(GRAMMAR)
