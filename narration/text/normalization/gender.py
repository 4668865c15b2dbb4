"""The gender of Portuguese nouns, guessed well enough to say "duas alunas"."""

from __future__ import annotations

from narration.text.tables import words as table_words

_MASCULINE = frozenset(
    table_words(
        "dia mapa planeta grama quilograma miligrama cinema clima pijama sofá papa poeta colega "
        "atleta cometa fantasma plasma magma prisma trauma drama panorama carisma enigma dogma "
        "estigma guarda coração corações avião aviões gráfico delta alfa beta gama karma carma "
        "trema aroma axioma idioma sintoma genoma diploma cromossoma hematoma coma jota"
    )
)
# Nouns in -grama and -ema are Greek and masculine, but for these.
_GREEK = ("grama", "gramas", "ema", "emas")
_FEMININE = frozenset(
    table_words(
        "vez noite tarde parte classe base chave rede frase mulher mãe mão flor árvore cor ordem "
        "nuvem voz luz lei fonte tese hipótese análise série espécie string tag thread view url "
        "api variável imagem razão região regiões opinião opiniões reunião reuniões união "
        "religião religiões manhã maçã irmã capital ponte mente semente corrente pele sede morte "
        "sorte arte dor foz paz raiz cruz matriz diretriz atriz dose síntese crise posse "
        "interface superfície planície colher internet web query branch issue key fase estante "
        "gema algema alma arma cama fama lama soma goma rama dama trama norma forma turma firma "
        "diretriz célula unidade saúde virtude nave neve greve lente gente mães mãos atividade"
    )
)
_FEMININE_ENDS = ("ção", "são", "stão", "zão", "dade", "gem", "tude", "ície", "ença", "ância")
# Words in -a that follow a number without being counted by it.
_NO_NOUNS = frozenset(
    table_words("a as da das na nas para pela pelas à às ela elas uma cada contra era")
)


def is_feminine(noun: str) -> bool:
    """Guess the gender of a noun in lower case, good enough to say "duas alunas"."""
    one = _singular(noun)
    if {noun, one} & (_NO_NOUNS | _MASCULINE):
        return False
    if {noun, one} & _FEMININE:
        return True
    return not noun.endswith(_GREEK) and one.endswith(("a", *_FEMININE_ENDS))


def _singular(noun: str) -> str:
    for many, one in (("ões", "ão"), ("ens", "em"), ("zes", "z"), ("res", "r"), ("áveis", "ável")):
        if noun.endswith(many):
            return noun.removesuffix(many) + one
    return noun.removesuffix("s")
