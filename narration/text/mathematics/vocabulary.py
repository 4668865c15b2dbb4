"""How the two languages say what formulas are made of."""

from __future__ import annotations

from dataclasses import dataclass

from narration.text.greek import build_commands


@dataclass(frozen=True)
class Vocabulary:
    """How a language says commands and structures; ``{0}`` and ``{1}`` are operands."""

    words: dict[str, str]
    power: str
    named_powers: dict[str, str]
    index: str
    over: str
    root: str
    named_roots: dict[str, str]
    nth_root: str
    big: dict[str, str]
    from_to: str
    below: str
    formula: str
    of: str
    prime: str
    functions: dict[str, str]
    base: str
    whole_over: str
    over_whole: str
    absolute: str
    norm: str
    floor: str
    ceiling: str
    accents: dict[str, str]
    sets: dict[str, str]
    choose: str
    inverse: str
    given: str
    such_that: str
    brackets: tuple[str, str]
    modulo: str
    partial: str
    maps: tuple[str, str]


ENGLISH = Vocabulary(
    words={
        "+": "plus", "-": "minus", "−": "minus", "=": "equals", "<": "is less than",
        ">": "is greater than", "*": "times", "/": "over", "!": "factorial", ",": ",", ":": "to",
        ";": ",", r"\times": "times", r"\cdot": "times", r"\div": "divided by",
        r"\pm": "plus or minus", r"\mp": "minus or plus", r"\leq": "is at most",
        r"\le": "is at most",
        r"\geq": "is at least", r"\ge": "is at least", r"\lt": "is less than",
        r"\gt": "is greater than", r"\neq": "is not equal to", r"\ne": "is not equal to",
        r"\approx": "is about", r"\sim": "is similar to", r"\equiv": "is equivalent to",
        r"\propto": "is proportional to", r"\to": "tends to", r"\rightarrow": "to",
        r"\Rightarrow": "implies", r"\implies": "implies", r"\iff": "if and only if",
        r"\leftrightarrow": "if and only if", r"\in": "in", r"\notin": "not in",
        r"\subset": "is a subset of", r"\subseteq": "is a subset of", r"\cup": "union",
        r"\cap": "intersection", r"\forall": "for all", r"\exists": "there is",
        r"\infty": "infinity",
        r"\partial": "partial", r"\nabla": "nabla",  r"\ldots": "and so on", r"\dots": "and so on",
        r"\cdots": "and so on", r"\%": "percent", r"\circ": "degrees", r"\land": "and",
        r"\lor": "or", r"\neg": "not", r"\emptyset": "the empty set", r"\mid": "given",
        r"\degree": "degrees", r"\hbar": "h bar", r"\setminus": "minus",
        r"\supset": "is a superset of", r"\supseteq": "is a superset of",
        r"\ll": "is much less than", r"\gg": "is much greater than",
        r"\perp": "is perpendicular to",
        r"\parallel": "is parallel to", r"\angle": "angle", r"\therefore": "therefore",
        r"\mapsto": "maps to", r"\Leftrightarrow": "if and only if", r"\bmod": "modulo",
        r"\ell": "l", r"\leqslant": "is at most", r"\geqslant": "is at least",
        r"\oplus": "plus in a circle",
        r"\simeq": "is about", r"\cong": "is congruent to", r"\triangle": "triangle",
        r"\colon": "to",
        r"\wedge": "and", r"\vee": "or", r"\lnot": "not", r"\leftarrow": "from", r"\star": "star",
    },
    power="{0} to the power of {1}",
    named_powers={"2": "{0} squared", "3": "{0} cubed", r"\circ": "{0} degrees",
        "T": "{0} transposed"},
    index="{0} sub {1}",
    over="{0} over {1}",
    root="the square root of {0}",
    named_roots={"3": "the cube root of {0}"},
    nth_root="the root of order {1} of {0}",
    big={r"\sum": "the sum", r"\prod": "the product", r"\int": "the integral",
        r"\lim": "the limit"},
    from_to="{0} from {1} to {2} of",
    below="{0} as {1} of",
    formula="formula",
    of="of",
    prime="prime",
    functions={
        "sin": "sine", "cos": "cosine", "tan": "tangent", "cot": "cotangent", "sec": "secant",
        "csc": "cosecant", "arcsin": "arc sine", "arccos": "arc cosine", "arctan": "arc tangent",
        "sinh": "hyperbolic sine", "cosh": "hyperbolic cosine", "tanh": "hyperbolic tangent",
        "log": "log", "ln": "natural log", "lg": "log", "exp": "exponential", "max": "maximum",
        "min": "minimum", "sup": "supremum", "inf": "infimum", "det": "determinant",
        "gcd": "greatest common divisor", "dim": "dimension", "ker": "kernel",
        "Pr": "probability", "arg": "argument",
    },
    base="{0} base {1}",
    whole_over="{0}, all over {1}",
    over_whole="{0} over the quantity {1}",
    absolute="the absolute value of {0}",
    norm="the norm of {0}",
    floor="the floor of {0}",
    ceiling="the ceiling of {0}",
    accents={
        "vec": "vector {0}", "bar": "{0} bar", "overline": "{0} bar", "hat": "{0} hat",
        "widehat": "{0} hat", "tilde": "{0} tilde", "dot": "{0} dot", "ddot": "{0} double dot",
        "underline": "{0}",
    },
    sets={
        "R": "the real numbers", "N": "the natural numbers", "Z": "the integers",
        "Q": "the rational numbers", "C": "the complex numbers",
    },
    choose="{0} choose {1}",
    inverse="{0} inverse",
    given="given",
    such_that="such that",
    brackets=("open parenthesis", "close parenthesis"),
    modulo="modulo {0}",
    partial="the partial derivative of {0} with respect to {1}",
    maps=("from", "to"),
)  # fmt: skip
PORTUGUESE = Vocabulary(
    words={
        "+": "mais", "-": "menos", "−": "menos", "=": "igual a", "<": "menor que",
        ">": "maior que", "*": "vezes", "/": "sobre", "!": "fatorial", ",": ",", ":": "para",
        ";": ",", r"\times": "vezes", r"\cdot": "vezes", r"\div": "dividido por",
        r"\pm": "mais ou menos", r"\mp": "menos ou mais", r"\leq": "menor ou igual a",
        r"\le": "menor ou igual a", r"\geq": "maior ou igual a", r"\ge": "maior ou igual a",
        r"\lt": "menor que", r"\gt": "maior que", r"\neq": "diferente de", r"\ne": "diferente de",
        r"\approx": "aproximadamente igual a", r"\sim": "semelhante a", r"\equiv": "equivalente a",
        r"\propto": "proporcional a", r"\to": "tende a", r"\rightarrow": "para",
        r"\Rightarrow": "implica", r"\implies": "implica", r"\iff": "se e somente se",
        r"\leftrightarrow": "se e somente se", r"\in": "pertence a", r"\notin": "não pertence a",
        r"\subset": "está contido em", r"\subseteq": "está contido em", r"\cup": "união",
        r"\cap": "interseção", r"\forall": "para todo", r"\exists": "existe",
        r"\infty": "infinito", r"\partial": "derivada parcial", r"\nabla": "nabla",
        r"\ldots": "e assim por diante", r"\dots": "e assim por diante",
        r"\cdots": "e assim por diante", r"\%": "por cento", r"\circ": "graus", r"\land": "e",
        r"\lor": "ou", r"\neg": "não", r"\emptyset": "conjunto vazio", r"\mid": "dado",
        r"\degree": "graus", r"\hbar": "agá cortado", r"\setminus": "menos",
        r"\supset": "contém", r"\supseteq": "contém",
        r"\ll": "muito menor que", r"\gg": "muito maior que", r"\perp": "perpendicular a",
        r"\parallel": "paralelo a", r"\angle": "ângulo", r"\therefore": "portanto",
        r"\mapsto": "leva a", r"\Leftrightarrow": "se e somente se", r"\bmod": "módulo",
        r"\ell": "l", r"\leqslant": "menor ou igual a", r"\geqslant": "maior ou igual a",
        r"\oplus": "mais dentro de um círculo", r"\simeq": "aproximadamente igual a",
        r"\cong": "congruente a", r"\triangle": "triângulo", r"\colon": "para",
        r"\wedge": "e", r"\vee": "ou", r"\lnot": "não", r"\leftarrow": "de", r"\star": "estrela",
    },
    power="{0} elevado a {1}",
    named_powers={"2": "{0} ao quadrado", "3": "{0} ao cubo", r"\circ": "{0} graus",
        "T": "{0} transposta"},
    index="{0} índice {1}",
    over="{0} sobre {1}",
    root="raiz quadrada de {0}",
    named_roots={"3": "raiz cúbica de {0}"},
    nth_root="raiz de ordem {1} de {0}",
    big={r"\sum": "o somatório", r"\prod": "o produtório", r"\int": "a integral",
        r"\lim": "o limite"},
    from_to="{0} de {1} até {2} de",
    below="{0} com {1} de",
    formula="fórmula",
    of="de",
    prime="linha",
    functions={
        "sin": "seno", "sen": "seno", "cos": "cosseno", "tan": "tangente", "tg": "tangente",
        "cot": "cotangente", "sec": "secante", "csc": "cossecante", "arcsin": "arco seno",
        "arccos": "arco cosseno", "arctan": "arco tangente", "sinh": "seno hiperbólico",
        "cosh": "cosseno hiperbólico", "tanh": "tangente hiperbólica", "log": "log",
        "ln": "logaritmo natural", "lg": "log", "exp": "exponencial", "max": "máximo",
        "min": "mínimo", "sup": "supremo", "inf": "ínfimo", "det": "determinante",
        "gcd": "máximo divisor comum", "dim": "dimensão", "ker": "núcleo",
        "Pr": "probabilidade", "arg": "argumento",
    },
    base="{0} na base {1}",
    whole_over="{0}, tudo sobre {1}",
    over_whole="{0} sobre a expressão {1}",
    absolute="módulo de {0}",
    norm="norma de {0}",
    floor="piso de {0}",
    ceiling="teto de {0}",
    accents={
        "vec": "vetor {0}", "bar": "{0} barra", "overline": "{0} barra", "hat": "{0} chapéu",
        "widehat": "{0} chapéu", "tilde": "{0} til", "dot": "{0} ponto",
        "ddot": "{0} dois pontos", "underline": "{0}",
    },
    sets={
        "R": "os números reais", "N": "os números naturais", "Z": "os números inteiros",
        "Q": "os números racionais", "C": "os números complexos",
    },
    choose="binomial de {0} sobre {1}",
    inverse="{0} inversa",
    given="dado",
    such_that="tal que",
    brackets=("abre parêntese", "fecha parêntese"),
    modulo="módulo {0}",
    partial="derivada parcial de {0} em relação a {1}",
    maps=("de", "em"),
)  # fmt: skip

for _vocabulary, _code in ((ENGLISH, "en"), (PORTUGUESE, "pt")):
    _vocabulary.words.update(build_commands(_code))
