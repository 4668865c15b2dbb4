"""The names of Greek letters, one table for prose and for formulas."""

from __future__ import annotations

from collections.abc import Mapping

from narration.text.tables import words as table_words

#: In the order of the alphabet; the names are also TeX's commands.
LETTERS = "αβγδεζηθικλμνξοπρστυφχψω"
ENGLISH = table_words(
    "alpha beta gamma delta epsilon zeta eta theta iota kappa lambda mu nu xi omicron pi rho sigma"
    " tau upsilon phi chi psi omega"
)
_PORTUGUESE = table_words(
    "alfa beta gama delta épsilon zeta eta teta iota capa lambda mi ni csi ômicron pi rô sigma tau"
    " ípsilon fi qui psi ômega"
)
# Other shapes of letters: the final sigma, and those of the symbols' block.
_VARIANTS = {"ς": "σ", "ϵ": "ε", "ϑ": "θ", "ϕ": "φ", "ϱ": "ρ", "µ": "μ"}


def build_names(code: str) -> Mapping[str, str]:
    """Each letter, small and great, with its name in a language ("en" or "pt")."""
    small = dict(zip(LETTERS, _PORTUGUESE if code == "pt" else ENGLISH, strict=True))
    variants = {shape: small[letter] for shape, letter in _VARIANTS.items()}
    return variants | small | {letter.upper(): name for letter, name in small.items()}


def build_commands(code: str) -> Mapping[str, str]:
    r"""TeX's commands ("\\alpha", "\\varphi", "\\Gamma") with the name of their letter."""
    names = build_names(code)
    told: dict[str, str] = {}
    for command, letter in zip(ENGLISH, LETTERS, strict=True):
        for written in (command, f"var{command}", command.capitalize()):
            told[f"\\{written}"] = names[letter]
    return told
