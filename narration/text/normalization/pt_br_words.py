"""The words of Brazilian Portuguese: abbreviations, units, symbols, and how they inflect."""

from __future__ import annotations

import re

from narration.text.normalization import numerals
from narration.text.normalization.gender import is_feminine
from narration.text.normalization.grammar import Currency, Grammar
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
    "et al.": "e outros", "S.A.": "ésse á", "Ctrl": "Control", "e/ou": "e ou",
    "C++": "cê mais mais", "C#": "cê sharp",
    ".NET": "ponto net", "Node.js": "Node jota ésse", "Mac OS": "Mac ó ésse", "macOS": "Mac ó ésse",
    "iOS": "i ó ésse", "pH": "pê agá", "Sto.": "Santo", "Sta.": "Santa",
    "24/7": "vinte e quatro por sete",
    "50/50": "cinquenta a cinquenta", "E/S": "entrada e saída", "tel.": "telefone",
    "Exmo.": "excelentíssimo", "PhD": "pê agá dê", "Ph.D.": "pê agá dê",
}  # fmt: skip
BEFORE_NUMBERS = {
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
    "kWh": "quilowatt-hora", "mol": "mol", "mmol": "milimol", "eV": "elétron-volt",
    "µg": "micrograma", "µL": "microlitro", "atm": "atmosfera",
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
_IRREGULAR_UNITS = {
    "decibel": "decibéis",
    "quilowatt-hora": "quilowatts-hora",
    "mol": "mols",
    "milimol": "milimols",
    "elétron-volt": "elétrons-volt",
}
# Between a number and its noun these keep their form, whatever they count.
_NEUTRAL = (
    "mil grandes grande diferentes principais importantes simples maiores melhores menores piores"
    " possíveis breves leves fortes iguais jovens"
)


def _singular(name: str) -> str:
    """Of a compound only what is counted inflects: "metro quadrado", "quilômetro por hora"."""
    counted, per, rest = name.partition(" por ")
    if not counted or counted.endswith("hertz"):
        return name
    return re.sub(r"(?<=[a-zú])s(?=\s|$)(?<!Celsius)", "", counted) + per + rest


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
        "greater": "é maior que", "under": "menos de", "above": "mais de",
        "at_most": "no máximo", "at_least": "no mínimo", "year_zero": "",
        "things": "mês|ano|dia|semana|hora|noite|pessoa|página|unidade",
        "number": "número", "about": "cerca de", "dash": "traço",
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
    | {key: (_singular(name), name) for key, name in _FIXED_UNITS.items()},
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
    neutral=frozenset(_NEUTRAL.split()),
    denominators=numerals.denominator_pt,
)  # fmt: skip
