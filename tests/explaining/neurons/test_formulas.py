"""Names, numbers and polynomials as formulas, against sympy reading them back."""

import random
from fractions import Fraction

import pytest
import sympy
from matplotlib.mathtext import MathTextParser

from heldout.anatomy.neurons.neurons import Quadratic
from heldout.anatomy.neurons.parsing import parse_neuron
from heldout.anatomy.neurons.polynomials import ONE, ZERO, Polynomial, name, number
from heldout.explaining.document import Formula
from heldout.explaining.neurons.formulas import (
    inverse_times,
    name_latex,
    negative,
    number_formula,
    over,
    polynomial_formula,
    quadratic_formula,
    shown,
    weighted,
)

SYMBOLS = {word: sympy.Symbol(word) for word in ("a", "b", "s", "x1", "x2", "y", "L")}


def read(plain: str) -> sympy.Expr:
    """What a formula says, by sympy; a space between two factors is a product."""
    import re

    source = re.sub(r"(?<=[\w)]) (?=[\w(])", "*", plain).replace("^", "**")
    source = re.sub(r"(?<![\w.])(\d+(?:\.\d+)?)(?![\w.])", r"Rational('\1')", source)
    return eval(source, {"Rational": sympy.Rational, **SYMBOLS})


def by_sympy(polynomial: Polynomial) -> sympy.Expr:
    return sympy.Add(
        *(
            sympy.Rational(factor.numerator, factor.denominator)
            * sympy.Mul(*(SYMBOLS[word] ** power for word, power in monomial))
            for monomial, factor in polynomial.terms.items()
        )
    )


def some(generator: random.Random) -> Polynomial:
    found = ZERO
    for _ in range(generator.randint(0, 3)):
        factor = Fraction(generator.choice([-3, -1, 1, 2, 7]), generator.choice([1, 1, 2, 3, 7]))
        found = found + number(factor) * name("a").power(generator.randint(0, 2)) * name("b").power(
            generator.randint(0, 1)
        )
    return found


@pytest.mark.parametrize("seed", range(8))
def test_a_formula_says_what_the_polynomial_is(seed: int) -> None:
    generator = random.Random(seed)
    parser = MathTextParser("path")
    one, other = some(generator), some(generator) or ONE
    divided = ONE.divided_by(number(2) * name("s").power(2))
    assert divided is not None
    for polynomial in (one, one * divided, other):
        formula = polynomial_formula(polynomial)
        assert sympy.cancel(read(formula.plain) - by_sympy(polynomial)) == 0
        assert sympy.cancel(read(negative(formula).plain) + by_sympy(polynomial)) == 0
        parser.parse(f"${formula.latex}$")
    x = Formula("y", "y")
    assert sympy.cancel(read(weighted(one * divided, x).plain) - by_sympy(one * divided) * SYMBOLS["y"]) == 0
    if not other.is_zero:
        assert sympy.cancel(read(over(x, polynomial_formula(other)).plain) - SYMBOLS["y"] / by_sympy(other)) == 0
        assert sympy.cancel(read(inverse_times(other, Formula("-L", "-L")).plain) + SYMBOLS["L"] / by_sympy(other)) == 0


@pytest.mark.parametrize(
    "text", ["x1^2 - 2*x2^2", "(x1-1)^2 + x1*x2/3 - b", "a*x1 - (a+b)*x2", "x1^2/(2*s^2) - x2/s", "0*x1 - 4"]
)
def test_a_quadratic_is_written_as_it_is(text: str) -> None:
    body = parse_neuron(text).body
    assert isinstance(body, Quadratic)
    wanted = sympy.sympify(text.replace("^", "**"), locals=SYMBOLS)
    assert sympy.cancel(read(quadratic_formula(body, ("x1", "x2")).plain) - wanted) == 0


@pytest.mark.parametrize(
    ("value", "plain"),
    [
        (Fraction(1, 8), "0.125"),
        (Fraction(-2, 3), "-2/3"),
        (Fraction(10) ** 40, "1e+40"),
        (Fraction(1, 10**12), "1e-12"),
        (1 - Fraction(1, 10**30), "1 - 1e-30"),
        (Fraction(123456789, 1000000007), "0.123457"),
        (0.1 + 0.2, "0.3"),
    ],
)
def test_numbers_are_exact_where_that_is_short(value: Fraction | float, plain: str) -> None:
    assert number_formula(value).plain == plain


@pytest.mark.parametrize("word", ["w1", "sigma", "rate_2", "b", "α", "__x", "w_", "größe", "lambda12"])
def test_any_name_can_be_set(word: str) -> None:
    MathTextParser("path").parse(f"${name_latex(word)}$")


def test_no_zero_has_a_sign() -> None:
    assert shown(-0.0) == "0"
