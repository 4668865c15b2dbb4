"""Inline code: a comparison, a subtraction or a power that is lost says something else."""

import pytest

from narration.text.normalization import read_code
from narration.text.normalization.fragments import assemble


def say(code: str, language: str) -> str:
    return assemble(read_code(code, language)).text


@pytest.mark.parametrize(
    ("code", "english", "portuguese"),
    [
        ("x>=5", "x is at least five", "xis maior ou igual a cinco"),
        ("i<10", "i less than ten", "i menor que dez"),
        ("i<len(x)", "i less than len x", "i menor que len xis"),
        ("a>b", "a greater than b", "á maior que bê"),
        ("a<b and c>d", "a less than b and c greater than d", "á menor que bê and cê maior que dê"),
        ("a!=b", "a is not equal to b", "á diferente de bê"),
        ("p<0.05", "p less than zero dot zero five", "pê menor que zero ponto zero cinco"),
        ("10-5", "ten minus five", "dez menos cinco"),
        ("n-1", "n minus one", "ene menos um"),
        ("f(x)-1", "f x minus one", "éfe xis menos um"),
        ("1e-5", "one times ten to the power of minus five",
         "um vezes dez elevado a menos cinco"),
        ("List<int>", "List int", "List int"),
        ("<div>", "div", "div"),
        ("[a-z]", "a z", "á zê"),
        ("my-app", "my app", "my app"),
        ("/etc/passwd", "slash E-T-C slash passwd", "barra é tê cê barra passwd"),
    ],
)  # fmt: skip
def test_what_code_means_is_said(code, english, portuguese):
    assert say(code, "en") == english
    assert say(code, "pt-BR") == portuguese


def test_a_day_in_digits_follows_the_region():
    from narration.text import normalize

    assert normalize("On 3/4/2025.", "en").text == "On March fourth, twenty twenty-five."
    assert normalize("On 3/4/2025.", "en-US").text == "On March fourth, twenty twenty-five."
    assert normalize("On 3/4/2025.", "en-GB").text == "On April third, twenty twenty-five."
    assert normalize("On 30/4/2025.", "en").text == "On April thirtieth, twenty twenty-five."
    assert normalize("On 4/30/2025.", "en_GB").text == "On April thirtieth, twenty twenty-five."
