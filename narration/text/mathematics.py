"""A small reader of TeX: what fits its grammar is said in words, anything else is "formula".

Grammar: sequences of atoms (letters, numbers, commands, groups), each with optional indices and
powers; fractions, roots, relations, sums, integrals, limits, functions, Greek letters. A wrong
reading is worse than none, so one unknown command gives up the whole formula.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from narration.text.normalization import get_grammar
from narration.text.tables import words as table_words

_TOKEN = re.compile(r"\\[A-Za-z]+|\\.|\d+(?:[.,]\d+)*|\s+|.", re.DOTALL)
_LONGEST = 400
_DEEPEST = 20
_GREEK_EN = table_words(
    "alpha beta gamma delta epsilon zeta eta theta iota kappa lambda mu nu xi pi rho "
    "sigma tau upsilon phi chi psi omega"
)
_GREEK_PT = table_words(
    "alfa beta gama delta épsilon zeta eta teta iota capa lambda mi ni csi pi rô sigma "
    "tau ípsilon fi qui psi ômega"
)
_SILENT = frozenset(
    table_words(
        r"\, \; \! \: \quad \qquad \displaystyle \textstyle \limits \left \right \big \Big "
        r"\bigl \bigr \mathrm \mathbf \mathit \mathsf \operatorname \text \textrm \mathbb "
        r"\mathcal \boldsymbol"
    )
) | {"\\ ", "{", "}", "."}
_SILENT_MARKS = frozenset("()[]|") | {"\\{", "\\}", "\\|", "&"}


@dataclass(frozen=True)
class _Vocabulary:
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


_EN = _Vocabulary(
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
        r"\partial": "partial", r"\nabla": "nabla", r"\sin": "sine of", r"\cos": "cosine of",
        r"\tan": "tangent of", r"\log": "log of", r"\ln": "natural log of",
        r"\exp": "exponential of",
        r"\max": "maximum of", r"\min": "minimum of", r"\ldots": "and so on", r"\dots": "and so on",
        r"\cdots": "and so on", r"\%": "percent", r"\circ": "degrees", r"\land": "and",
        r"\lor": "or", r"\neg": "not", r"\emptyset": "the empty set", r"\mid": "given",
        r"\degree": "degrees", r"\hbar": "h bar",
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
)  # fmt: skip
_PT = _Vocabulary(
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
        r"\sin": "seno de", r"\cos": "cosseno de", r"\tan": "tangente de", r"\log": "log de",
        r"\ln": "logaritmo natural de", r"\exp": "exponencial de", r"\max": "máximo de",
        r"\min": "mínimo de", r"\ldots": "e assim por diante", r"\dots": "e assim por diante",
        r"\cdots": "e assim por diante", r"\%": "por cento", r"\circ": "graus", r"\land": "e",
        r"\lor": "ou", r"\neg": "não", r"\emptyset": "conjunto vazio", r"\mid": "dado",
        r"\degree": "graus", r"\hbar": "agá cortado",
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
)  # fmt: skip
_ARGUMENTS = {r"\frac": 2, r"\dfrac": 2, r"\tfrac": 2, r"\sqrt": 1, r"\binom": 2}
for _vocabulary, _names in ((_EN, _GREEK_EN), (_PT, _GREEK_PT)):
    for _command, _name in zip(_GREEK_EN, _names, strict=True):
        _vocabulary.words["\\" + _command] = _vocabulary.words["\\var" + _command] = _name
        _vocabulary.words["\\" + _command.capitalize()] = _name


class _UnreadableError(Exception):
    """The formula is outside the grammar."""


@lru_cache(maxsize=1024)
def read_mathematics(tex: str, language: str) -> str:
    """Say a TeX formula (without its dollar signs) in words, or "formula" when it cannot be read.

    Portuguese and English; other languages get English words. Never raises.
    """
    grammar = get_grammar(language)
    vocabulary = _PT if grammar.code == "pt" else _EN
    if len(tex) > _LONGEST:
        return vocabulary.formula
    tokens = [token for token in _TOKEN.findall(tex.replace("{,}", ",")) if token.strip()]
    try:
        spoken = _Reader(tokens, vocabulary, language).read_all()
    except _UnreadableError:
        return vocabulary.formula
    return re.sub(r"\s+(?=,)", "", spoken).strip(" ,") or vocabulary.formula


class _Reader:
    """Recursive descent over tokens; every method consumes what it says."""

    def __init__(self, tokens: list[str], vocabulary: _Vocabulary, language: str) -> None:
        self.tokens = tokens
        self.place = 0
        self.depth = 0
        self.say = vocabulary
        self.language = language

    def read_all(self) -> str:
        spoken = " ".join(self._iter_until(None))
        if self.place < len(self.tokens):
            raise _UnreadableError
        return spoken

    def _peek(self) -> str:
        return self.tokens[self.place] if self.place < len(self.tokens) else ""

    def _next(self) -> str:
        symbol = self._peek()
        if not symbol:
            raise _UnreadableError
        self.place += 1
        return symbol

    def _iter_until(self, closer: str | None) -> Iterator[str]:
        while (symbol := self._peek()) and symbol != closer:
            if symbol == "}":
                raise _UnreadableError
            yield from filter(None, [self._read_scripted()])

    def _read_scripted(self) -> str:
        """Read an atom with the indices and powers behind it."""
        if self._peek() in self.say.big:
            return self._read_big()
        spoken = self._read_atom()
        while self._peek() in {"^", "_", "'"}:
            mark = self._next()
            if mark == "'":
                spoken = f"{spoken} {self.say.prime}"
                continue
            script = self._peek_argument()
            inside = self._read_argument()
            named = self.say.named_powers.get(script) if mark == "^" else None
            template = named or (self.say.power if mark == "^" else self.say.index)
            spoken = template.format(spoken, inside).strip()
        return spoken

    def _read_big(self) -> str:
        name = self.say.big[self._next()]
        scripts = {"_": "", "^": ""}
        while self._peek() in {"_", "^", r"\limits"}:
            if (mark := self._next()) in scripts:
                scripts[mark] = self._read_argument()
        if scripts["_"] and scripts["^"]:
            return self.say.from_to.format(name, scripts["_"], scripts["^"])
        if scripts["_"]:
            return self.say.below.format(name, scripts["_"])
        return f"{name} {self.say.of}"

    def _peek_argument(self) -> str:
        """Give the script's source when it is one symbol, for powers that have a name."""
        symbol = self._peek()
        if symbol == "{" and self.tokens[self.place + 2 : self.place + 3] == ["}"]:
            return self.tokens[self.place + 1]
        return symbol

    def _read_argument(self) -> str:
        return self._read_group() if self._peek() == "{" else self._read_atom()

    def _read_group(self) -> str:
        self._next()
        self.depth += 1
        if self.depth > _DEEPEST:
            raise _UnreadableError
        spoken = " ".join(self._iter_until("}"))
        if self._next() != "}":
            raise _UnreadableError
        self.depth -= 1
        return spoken

    def _read_atom(self) -> str:
        if self._peek() == "{":
            return self._read_group()
        symbol = self._next()
        if symbol in _ARGUMENTS:
            return self._read_structure(symbol)
        if symbol in {r"\text", r"\textrm", r"\mathrm", r"\operatorname"}:
            return self._read_words()
        if symbol in _SILENT or symbol in _SILENT_MARKS:
            return ""
        return self._say_token(symbol)

    def _say_token(self, symbol: str) -> str:
        if symbol in self.say.words:
            return self.say.words[symbol]
        grammar = get_grammar(self.language)
        if symbol[0].isdigit():
            return grammar.say_number(symbol)
        if len(symbol) == 1 and symbol.isalpha():
            return symbol
        raise _UnreadableError

    def _read_words(self) -> str:
        """Read the letters of a text command as one word."""
        if self._next() != "{":
            raise _UnreadableError
        letters: list[str] = []
        while (symbol := self._next()) != "}":
            if not (symbol.isalnum() or symbol == "-"):
                raise _UnreadableError
            letters.append(symbol)
        return "".join(letters)

    def _read_structure(self, command: str) -> str:
        if command == r"\sqrt":
            return self._read_root()
        above, below = self._read_argument(), self._read_argument()
        if command == r"\binom" or not above or not below:
            raise _UnreadableError
        return self.say.over.format(above, below)

    def _read_root(self) -> str:
        if self._peek() != "[":
            return self.say.root.format(self._read_argument())
        self._next()
        order = self._next()
        if self._next() != "]" or not order.isalnum():
            raise _UnreadableError
        template = self.say.named_roots.get(order, self.say.nth_root)
        spoken_order = self._say_token(order)
        return template.format(self._read_argument(), spoken_order)
