import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from narration.text.mathematics import read_mathematics


@pytest.mark.parametrize(
    ("tex", "english", "portuguese"),
    [
        (r"E=mc^2", "E equals m c squared", "E igual a m c ao quadrado"),
        (r"\frac{a}{b}", "a over b", "a sobre b"),
        (r"\sqrt{x}", "the square root of x", "raiz quadrada de x"),
        (r"\sqrt[3]{8} = 2", "the cube root of eight equals two",
         "raiz cúbica de oito igual a dois"),
        (r"x_i^{n+1}", "x sub i to the power of n plus one", "x índice i elevado a n mais um"),
        (r"\alpha \le \pi", "alpha is at most pi", "alfa menor ou igual a pi"),
        (r"a \times b \div c", "a times b divided by c", "a vezes b dividido por c"),
        (r"2 \cdot 3 - 1 \ne 4", "two times three minus one is not equal to four",
         "dois vezes três menos um diferente de quatro"),
        (r"\sum_{i=1}^{n} i", "the sum from i equals one to n of i",
         "o somatório de i igual a um até n de i"),
        (r"\lim_{x \to 0} x", "the limit as x tends to zero of x",
         "o limite com x tende a zero de x"),
        (r"90^\circ", "ninety degrees", "noventa graus"),
        (r"v = \text{speed}", "v equals speed", "v igual a speed"),
        (r"\begin{matrix}a\end{matrix}", "formula", "fórmula"),
        (r"\frac{a}", "formula", "fórmula"),
        (r"}{", "formula", "fórmula"),
        ("", "formula", "fórmula"),
        ("{" * 50 + "}" * 50, "formula", "fórmula"),
        ("x" * 1000, "formula", "fórmula"),
    ],
)  # fmt: skip
def test_simple_tex_is_read_and_the_rest_is_named(tex, english, portuguese):
    assert read_mathematics(tex, "en") == english
    assert read_mathematics(tex, "pt-BR") == portuguese


@given(st.text(alphabet=r"\fracsqt{}[]^_+-=0123 ab()'αé;,&", max_size=60))
@settings(max_examples=300, deadline=None)
def test_no_formula_raises_or_leaves_tex_to_speak(tex):
    spoken = read_mathematics(tex, "en")
    assert spoken
    assert not set(spoken) & set("\\{}^_=")
