"""Exact polynomials, against sympy's."""

from fractions import Fraction

import pytest
import sympy
from hypothesis import given, settings
from hypothesis import strategies as st

from heldout.anatomy.neurons.polynomials import HALF, ONE, ZERO, Polynomial, name, number
from heldout.errors import UsageError

NAMES = ("b", "w1", "x1")
QUICK = settings(max_examples=20, deadline=None, derandomize=True)
monomials = st.tuples(*[st.integers(0, 2)] * 3)
polynomials = st.dictionaries(monomials, st.integers(-6, 6).map(lambda each: Fraction(each, 4)), max_size=3)


def built(terms: dict[tuple[int, ...], Fraction]) -> Polynomial:
    found = ZERO
    for powers, factor in terms.items():
        product = number(factor)
        for word, power in zip(NAMES, powers, strict=True):
            product = product * name(word).power(power)
        found = found + product
    return found


def by_sympy(polynomial: Polynomial) -> sympy.Expr:
    return sympy.Add(
        *(
            sympy.Rational(factor.numerator, factor.denominator)
            * sympy.Mul(*(sympy.Symbol(word) ** power for word, power in monomial))
            for monomial, factor in polynomial.terms.items()
        )
    )


@QUICK
@given(polynomials, polynomials)
def test_sums_and_products_are_those_of_sympy(first: dict, second: dict) -> None:  # type: ignore[type-arg]
    one, other = built(first), built(second)
    for found, wanted in (
        (one + other, by_sympy(one) + by_sympy(other)),
        (one - other, by_sympy(one) - by_sympy(other)),
        (one * other, by_sympy(one) * by_sympy(other)),
        (one.power(2), by_sympy(one) ** 2),
    ):
        assert sympy.expand(by_sympy(found) - wanted) == 0
        assert all(found.terms.values()), "a term of 0 is kept"


@QUICK
@given(polynomials)
def test_coefficients_put_together_again_are_the_polynomial(terms: dict) -> None:  # type: ignore[type-arg]
    whole, inputs = built(terms), ("x1", "w1")
    again = ZERO
    for first in range(3):
        for second in range(3):
            part = whole.coefficient(inputs, (first, second))
            assert not part.names & set(inputs)
            again = again + part * name("x1").power(first) * name("w1").power(second)
    assert again == whole
    assert whole.degree(inputs) == max((p[1] + p[2] for p, factor in terms.items() if factor), default=0)


@pytest.mark.parametrize(
    ("polynomial", "signs"),
    [
        (ZERO, {0}),
        (number(-3), {-1}),
        (name("s"), {-1, 0, 1}),
        (name("s").power(2), {0, 1}),
        (-name("s").power(2), {-1, 0}),
        (name("s").power(2) + ONE, {1}),
        (name("s").power(2) + name("t").power(4), {0, 1}),
        (name("s").power(2) - ONE, {-1, 0, 1}),
        (name("s").power(2) * name("t"), {-1, 0, 1}),
    ],
)
def test_even_powers_tell_the_sign(polynomial: Polynomial, signs: set[int]) -> None:
    assert polynomial.signs() == signs


def test_what_something_is_divided_by_is_not_0() -> None:
    inverse = ONE.divided_by(name("s").power(2))
    assert inverse is not None
    assert inverse.signs(frozenset({"s"})) == {1}
    assert inverse.denominators == {"s"}
    assert name("s").signs(frozenset({"s"})) == {-1, 1}


def test_division_is_by_a_single_term() -> None:
    assert ONE.divided_by(name("a") + name("b")) is None
    assert ONE.divided_by(ZERO) is None
    assert (name("a") * name("b")).divided_by(number(2) * name("b")) == name("a") * HALF


def test_ratios_are_of_multiples_alone() -> None:
    form = name("a") + number(2) * name("b")
    assert (number(3) * form).ratio_to(form) == 3
    assert (form + ONE).ratio_to(form) is None
    assert (name("a") + name("b")).ratio_to(form) is None
    assert ONE.ratio_to(ZERO) is None


@pytest.mark.parametrize(
    "large",
    [
        lambda: name("a").power(9),
        lambda: name("a").power(8) * name("a"),
        lambda: number(10**100).power(8).power(8),
        lambda: sum((name(f"n{index}") for index in range(7)), ZERO).power(4),
    ],
)
def test_what_would_grow_without_bound_is_refused(large) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(UsageError, match="too large once it is multiplied out"):
        large()
