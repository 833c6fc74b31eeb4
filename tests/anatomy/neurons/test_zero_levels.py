"""The level, against mpmath with hundreds of digits."""

from fractions import Fraction

import mpmath
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from heldout.anatomy.neurons.zero_levels import level_of_bell, logarithm
from heldout.errors import UsageError

QUICK = settings(max_examples=25, deadline=None, derandomize=True)


def exact(ratio: Fraction, constant: Fraction, digits: int = 60) -> mpmath.mpf:
    with mpmath.workdps(digits):
        of_ratio = mpmath.log(mpmath.mpf(ratio.numerator) / ratio.denominator)
        return -of_ratio - mpmath.mpf(constant.numerator) / constant.denominator


@QUICK
@given(st.integers(1, 10**9), st.integers(1, 10**9), st.integers(-1000, 1000))
def test_sign_and_value_are_those_of_many_digits(first: int, second: int, fiftieths: int) -> None:
    ratio, constant = Fraction(first, second), Fraction(fiftieths, 50)
    level, wanted = level_of_bell(ratio, constant), exact(ratio, constant)
    assert level.sign == int(mpmath.sign(wanted))
    assert level.value == pytest.approx(float(wanted), rel=4e-16, abs=0)


@pytest.mark.parametrize("digits", [1, 5, 12, 16, 20, 60, 100])
@pytest.mark.parametrize("sign", [1, -1])
def test_a_ratio_beside_1_is_not_taken_for_it(digits: int, sign: int) -> None:
    ratio = 1 - sign * Fraction(1, 10**digits)
    level = level_of_bell(ratio, Fraction(0))
    assert level.sign == sign
    assert level.value == pytest.approx(float(exact(ratio, Fraction(0), 400)), rel=4e-16, abs=0)


def test_a_ratio_of_1_is_level_0() -> None:
    assert level_of_bell(Fraction(1), Fraction(0)).sign == 0
    assert level_of_bell(Fraction(1), Fraction(3)) == level_of_bell(Fraction(1), Fraction(3))
    assert level_of_bell(Fraction(1), Fraction(3)).value == -3


@pytest.mark.parametrize("digits", [10, 40, 90])
def test_a_bias_beside_an_exponential_is_told_from_it(digits: int) -> None:
    with mpmath.workdps(digits + 20):
        near = int(mpmath.floor(mpmath.exp(-1) * mpmath.mpf(10) ** digits))
    below, above = Fraction(near, 10**digits), Fraction(near + 1, 10**digits)
    assert level_of_bell(below, Fraction(1)).sign == 1
    assert level_of_bell(above, Fraction(1)).sign == -1


def test_what_cannot_be_told_is_refused() -> None:
    with mpmath.workdps(1700):
        ratio = Fraction(int(mpmath.floor(mpmath.exp(-1) * mpmath.mpf(10) ** 1600)), 10**1600)
    with pytest.raises(UsageError, match="nearer to its limit"):
        level_of_bell(ratio, Fraction(1))


@pytest.mark.parametrize("ratio", [Fraction(10) ** 150, Fraction(1, 10**150), Fraction(3, 2), Fraction(2), Fraction(1)])
def test_the_logarithm_of_any_fraction(ratio: Fraction) -> None:
    assert logarithm(ratio) == pytest.approx(float(-exact(ratio, Fraction(0))), rel=4e-16, abs=0)
