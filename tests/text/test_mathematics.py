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
        (r"x = \frac{-b \pm \sqrt{b^2-4ac}}{2a}",
         ("x equals minus b plus or minus the square root of b squared minus four a c, all over"
          " two a"),
         ("x igual a menos b mais ou menos raiz quadrada de b ao quadrado menos quatro a c, tudo"
          " sobre dois a")),
        (r"\log_2 n", "log base two of n", "log na base dois de n"),
        (r"|x|", "the absolute value of x", "módulo de x"),
        (r"\left|x-1\right| < 2", "the absolute value of x minus one is less than two",
         "módulo de x menos um menor que dois"),
        (r"||v||", "the norm of v", "norma de v"),
        (r"P(A|B)", "P of A given B", "P de A dado B"),
        (r"f'(x)", "f prime of x", "f linha de x"),
        (r"f^{-1}(x)", "f inverse of x", "f inversa de x"),
        (r"\sin^{-1} x", "arc sine of x", "arco seno de x"),
        (r"\sin^2 x", "sine squared of x", "seno ao quadrado de x"),
        (r"\frac{\partial f}{\partial x}", "the partial derivative of f with respect to x",
         "derivada parcial de f em relação a x"),
        (r"\frac{1}{2}", "one half", "um meio"),
        (r"\frac{a}{b+c}", "a over the quantity b plus c", "a sobre a expressão b mais c"),
        (r"(a+b)^2", "open parenthesis a plus b close parenthesis squared",
         "abre parêntese a mais b fecha parêntese ao quadrado"),
        (r"2(x+1)", "two open parenthesis x plus one close parenthesis",
         "dois abre parêntese x mais um fecha parêntese"),
        (r"f: \mathbb{R}\to\mathbb{R}", "f from the real numbers to the real numbers",
         "f dos números reais nos números reais"),
        (r"x\in\mathbb{R}", "x in the real numbers", "x pertence aos números reais"),
        (r"\vec{F}=m\vec{a}", "vector F equals m vector a", "vetor F igual a m vetor a"),
        (r"\bar{x} \pm \hat{y}", "x bar plus or minus y hat", "x barra mais ou menos y chapéu"),
        (r"\binom{n}{k}", "n choose k", "binomial de n sobre k"),
        (r"\lfloor x\rfloor", "the floor of x", "piso de x"),
        (r"3\,\text{m/s}", "three metres per second", "três metros por segundo"),
        (r"9\,\mathrm{m/s^2}", "nine metres per second squared",
         "nove metros por segundo ao quadrado"),
        (r"1\,\mathrm{kg}", "one kilogram", "um quilo"),
        (r"25^\circ\mathrm{C}", "twenty-five degrees Celsius", "vinte e cinco graus Celsius"),
        (r"\mathrm{H_2O}", "H two O", "agá dois ó"),
        (r"\text{if } x>0", "if x is greater than zero", "if x maior que zero"),
        (r"a \equiv b \pmod n", "a is equivalent to b modulo n", "a equivalente a b módulo n"),
        (r"A^{-1}", "A inverse", "A inversa"),
        (r"10^{-3}", "ten to the power of minus three", "dez elevado a menos três"),
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
