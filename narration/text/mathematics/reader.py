"""Recursive descent over the tokens of a formula."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from narration.text.mathematics.units import say_fraction, say_unit, say_words
from narration.text.mathematics.vocabulary import Vocabulary
from narration.text.normalization import get_grammar
from narration.text.tables import words as table_words

_DEEPEST = 20
_SILENT = frozenset(
    table_words(
        r"\, \; \! \: \quad \qquad \displaystyle \textstyle \limits \nolimits \left \right \big"
        r" \Big \bigl \bigr \Bigl \Bigr \bigg \mathrm \mathbf \mathit \mathsf \operatorname \text"
        r" \textrm \mathcal \boldsymbol \mathfrak"
    )
) | {"\\ ", "{", "}", "."}
_SILENT_MARKS = frozenset("()[]") | {
    "\\{",
    "\\}",
    "&",
    r"\lbrace",
    r"\rbrace",
    r"\langle",
    r"\rangle",
}
_BARS = {"|": "|", r"\vert": r"\vert", r"\lvert": r"\rvert"}
_DOUBLE_BARS = {"\\|": "\\|", r"\Vert": r"\Vert", r"\lVert": r"\rVert"}
_ROUNDED = {r"\lfloor": r"\rfloor", r"\lceil": r"\rceil"}
# Behind these letters brackets hold what the function is of.
_FUNCTIONS = frozenset("fghFGPOE") | {r"\Theta", r"\Omega", r"\Gamma", r"\phi", r"\varphi"}
_OPERATORS = frozenset("+-−=<>*/±:,;") | frozenset(
    table_words(
        r"\pm \mp \times \cdot \div \leq \le \geq \ge \lt \gt \neq \ne \approx \equiv \in \notin"
        r" \cup \cap \to \mid \setminus \Rightarrow \iff \implies \subset \subseteq"
    )
)
_JOINING = frozenset("+-−=<>±") | frozenset(
    table_words(r"\pm \mp \cup \cap \leq \le \geq \ge \mid")
)
_FRACTIONS = (r"\frac", r"\dfrac", r"\tfrac", r"\cfrac")
_BINOMIALS = (r"\binom", r"\dbinom", r"\tbinom")
_TEXT = re.compile(r"\\[a-z]+\s*\{(?P<words>[^{}]*)\}", re.DOTALL)


class UnreadableError(Exception):
    """The formula is outside the grammar."""


class Reader:
    """Every method consumes what it says."""

    def __init__(self, tokens: list[str], vocabulary: Vocabulary, language: str) -> None:
        self.tokens = tokens
        self.place = 0
        self.depth = 0
        self.is_map = False  # "f: A \\to B" has begun
        self.say = vocabulary
        self.language = language
        self.grammar = get_grammar(language)

    def read_all(self) -> str:
        """The whole formula in words."""
        spoken = " ".join(self._iter_until(None))
        if self.place < len(self.tokens):
            raise UnreadableError
        return spoken

    def _peek(self) -> str:
        return self.tokens[self.place] if self.place < len(self.tokens) else ""

    def _before(self) -> str:
        """The last token that is no space."""
        return next(
            (token for token in reversed(self.tokens[: self.place]) if token not in _SILENT), ""
        )

    def _next(self) -> str:
        symbol = self._peek()
        if not symbol:
            raise UnreadableError
        self.place += 1
        return symbol

    def _iter_until(self, closer: str | None) -> Iterator[str]:
        while (symbol := self._peek()) and symbol != closer:
            if symbol == "}":
                raise UnreadableError
            yield from filter(None, [self._read_scripted()])

    def _read_scripted(self) -> str:
        """Read an atom with the indices and powers behind it."""
        symbol = self._peek()
        if symbol in self.say.big:
            return self._read_big()
        if name := self._find_function(symbol):
            self._next()
            return self._read_function(name, symbol)
        spoken = self._read_atom()
        while self._peek() in {"^", "_", "'"}:
            spoken = self._read_script(spoken, symbol)
        is_named = symbol.startswith(r"\operatorname")
        if (symbol in _FUNCTIONS or is_named) and self._is_applied():
            return f"{spoken} {self.say.of} {self._read_brackets(is_plain=True)}"
        return spoken

    def _read_script(self, spoken: str, symbol: str) -> str:
        mark = self._next()
        if mark == "'":
            return f"{spoken} {self.say.prime}"
        source = self._peek_argument()
        inside = self._read_argument()
        if mark == "_":
            return self.say.index.format(spoken, inside).strip()
        if source == "-1" and (symbol in _FUNCTIONS or (len(symbol) == 1 and symbol.isupper())):
            return self.say.inverse.format(spoken)
        template = self.say.named_powers.get(source, self.say.power)
        return template.format(spoken, inside).strip()

    def _find_function(self, symbol: str) -> str:
        if found := _TEXT.fullmatch(symbol):
            return self.say.functions.get(found["words"].strip(), "")
        return self.say.functions.get(symbol[1:], "") if symbol.startswith("\\") else ""

    def _read_function(self, name: str, symbol: str) -> str:
        """ "log base two of", "sine squared of"."""
        while self._peek() in {"^", "_", r"\limits"}:
            mark = self._next()
            if mark == r"\limits":
                continue
            source = self._peek_argument()
            inside = self._read_argument()
            if source == "-1" and (arc := self.say.functions.get(f"arc{symbol[1:]}")):
                name = arc
                continue
            if mark == "^":
                template = self.say.named_powers.get(source, self.say.power)
                template = self.say.inverse if source == "-1" else template
            else:
                template = self.say.base if "log" in symbol else self.say.index
            name = template.format(name, inside)
        return f"{name} {self.say.of}"

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
        """The script's source when it is short, for powers that have a name."""
        symbol = self._peek()
        if symbol != "{":
            return symbol
        end = next(
            (n for n in (2, 3) if self.tokens[self.place + n : self.place + n + 1] == ["}"]), 0
        )
        return "".join(self.tokens[self.place + 1 : self.place + end]) if end else ""

    def _read_argument(self) -> str:
        return self._read_group() if self._peek() == "{" else self._read_atom()

    def _read_group(self) -> str:
        self._next()
        return self._read_inside("}")

    def _read_inside(self, closer: str) -> str:
        self.depth += 1
        if self.depth > _DEEPEST:
            raise UnreadableError
        spoken = " ".join(self._iter_until(closer))
        if self._next() != closer:
            raise UnreadableError
        self.depth -= 1
        return spoken

    def _read_atom(self) -> str:
        symbol = self._peek()
        if symbol == "{":
            return self._read_group()
        if symbol == "(" and self._find_closing() >= 0:
            return self._read_brackets()
        before = self._before()
        self._next()
        if reader := self._find_reader(symbol):
            return reader(symbol)
        if found := _TEXT.fullmatch(symbol):
            return self._read_words(found["words"], before)
        if symbol in _SILENT or symbol in _SILENT_MARKS:
            return ""
        return self._say_token(symbol)

    def _find_reader(self, symbol: str) -> Callable[[str], str] | None:
        if symbol in _FRACTIONS or symbol in _BINOMIALS:
            return self._read_fraction
        if symbol == r"\sqrt":
            return self._read_root
        if symbol in _BARS or symbol in _DOUBLE_BARS or symbol in _ROUNDED:
            return self._read_bars
        if symbol[1:] in self.say.accents and symbol.startswith("\\"):
            return self._read_accent
        if symbol == r"\mathbb":
            return self._read_set
        if symbol == r"\pmod":
            return lambda _: self.say.modulo.format(self._read_argument())
        return None

    def _say_token(self, symbol: str) -> str:
        if symbol in {":", r"\colon"} and r"\to" in self.tokens[self.place :]:
            self.is_map = True
            return self.say.maps[0]
        if symbol == r"\to" and self.is_map:
            return self.say.maps[1]
        if symbol in self.say.words:
            return self.say.words[symbol]
        if symbol[0].isdigit():
            return self.grammar.say_number(symbol)
        if len(symbol) == 1 and symbol.isalpha():
            return symbol
        raise UnreadableError

    def _read_words(self, words: str, before: str) -> str:
        """Words, the unit of a number, or the scale of a temperature."""
        return say_unit(words, before, self.language) or say_words(words, self.language)

    def _read_accent(self, symbol: str) -> str:
        return self.say.accents[symbol[1:]].format(self._read_argument())

    def _read_set(self, _symbol: str) -> str:
        name = self._peek_argument()
        said = self._read_argument()
        return self.say.sets.get(name, said)

    def _read_bars(self, symbol: str) -> str:
        """What stands between bars, or the bar of a condition: "P(A|B)"."""
        closer = {**_BARS, **_DOUBLE_BARS, **_ROUNDED}[symbol]
        if symbol == "|" and closer not in self.tokens[self.place :]:
            is_set = any(token in {"\\{", r"\lbrace"} for token in self.tokens[: self.place])
            return self.say.such_that if is_set else self.say.given
        inside = self._read_inside(closer)
        if symbol in _ROUNDED:
            template = self.say.floor if symbol == r"\lfloor" else self.say.ceiling
        else:
            template = self.say.absolute if symbol in _BARS else self.say.norm
        return template.format(inside)

    def _is_applied(self) -> bool:
        place = self.place + (self._peek() == r"\left")
        return self.tokens[place : place + 1] == ["("]

    def _find_closing(self) -> int:
        """Where the round bracket here closes; -1 where it does not, as in "(0, 1]"."""
        depth = 0
        for place in range(self.place, len(self.tokens)):
            depth += {"(": 1, ")": -1}.get(self.tokens[place], 0)
            if depth == 0 and self.tokens[place] == ")":
                return place
        return -1

    def _read_brackets(self, *, is_plain: bool = False) -> str:
        """Brackets are named where leaving them out would say another formula."""
        if self._peek() == r"\left":
            self._next()
        before, end = self._before(), self._find_closing()
        if end < 0:
            raise UnreadableError
        behind = next((token for token in self.tokens[end + 1 :] if token not in _SILENT), "")
        is_sum = any(token in _JOINING for token in self.tokens[self.place + 1 : end])
        is_bound = behind not in {"", "}", ")", ",", "="} or (
            before not in {"", "{", "(", ",", "="} and before not in _JOINING - set("-−")
        )
        self._next()
        inside = self._read_inside(")")
        if is_sum and is_bound and not is_plain:
            return f"{self.say.brackets[0]} {inside} {self.say.brackets[1]}"
        return inside

    def _read_fraction(self, command: str) -> str:
        start = self.place
        above = self._read_argument()
        middle = self.place
        below = self._read_argument()
        if not above or not below:
            raise UnreadableError
        if command in _BINOMIALS:
            return self.say.choose.format(above, below)
        sources = self.tokens[start:middle], self.tokens[middle : self.place]
        if all(source[1:2] == [r"\partial"] for source in sources) and "^" not in sources[0]:
            words = self.say.words[r"\partial"] + " "
            return self.say.partial.format(above.removeprefix(words), below.removeprefix(words))
        if named := say_fraction("".join(sources[0]), "".join(sources[1]), self.language):
            return named
        is_sum = [any(token in _JOINING for token in source[2:]) for source in sources]
        template = self.say.whole_over if is_sum[0] else self.say.over
        template = self.say.over_whole if is_sum[1] and not is_sum[0] else template
        return template.format(above, below)

    def _read_root(self, _symbol: str) -> str:
        if self._peek() != "[":
            return self.say.root.format(self._read_argument())
        self._next()
        order = self._next()
        if self._next() != "]" or not order.isalnum():
            raise UnreadableError
        template = self.say.named_roots.get(order, self.say.nth_root)
        spoken_order = self._say_token(order)
        return template.format(self._read_argument(), spoken_order)
