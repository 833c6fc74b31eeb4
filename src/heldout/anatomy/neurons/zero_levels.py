"""The level L that the exponent of a bell has where the neuron is 0: its sign exactly, its value to 15 digits."""

import math
from dataclasses import dataclass
from decimal import Decimal, localcontext
from fractions import Fraction

from heldout.anatomy.neurons.forms import sign_of
from heldout.anatomy.neurons.neurons import as_float
from heldout.errors import UsageError

# The logarithm of a fraction is no fraction: with digits enough the sum of both shows its sign. Numbers of 100 digits
# are told apart by the second; the last takes 30 ms (measured 2026-11-29).
_DIGITS = (60, 300, 1500)
_SPARE = 25
_LEAST = Fraction(1, 10**300)


@dataclass(frozen=True, slots=True)
class Level:
    """A number whose sign is known exactly.

    Attributes:
        sign: -1, 0 or 1.
        value: The nearest float, or one beside it.
        exact: The number itself, where it is a fraction.
    """

    sign: int
    value: float
    exact: Fraction | None = None


def level_of(value: Fraction) -> Level:
    """A fraction as a level."""
    return Level(sign_of(value), as_float(value), value)


def level_of_bell(ratio: Fraction, constant: Fraction) -> Level:
    """L = -ln(ratio) - constant, where amplitude * exp(-(q + constant)) + bias is 0 for q = L.

    Args:
        ratio: -bias / amplitude, above 0.
        constant: What the exponent is where q is 0.

    Raises:
        UsageError: The two are so near to each other that 1,500 digits do not tell them apart.

    Source:
        With a constant that is a fraction other than 0, L is never 0: the exponential of such a fraction is no
        fraction (Lambert, 1768). Else L is 0 only where the ratio is 1.

    Example:
        >>> level_of_bell(Fraction(1, 2), Fraction(0))
        Level(sign=1, value=0.6931471805599453, exact=None)
        >>> level_of_bell(1 - Fraction(1, 10**30), Fraction(0))
        Level(sign=1, value=1e-30, exact=None)
    """
    if ratio == 1:
        return level_of(-constant)
    if not constant:
        return Level(1 if ratio < 1 else -1, -logarithm(ratio))
    for digits in _DIGITS:
        with localcontext() as context:
            context.prec = digits
            of_ratio = (Decimal(ratio.numerator) / Decimal(ratio.denominator)).ln()
            shift = Decimal(constant.numerator) / Decimal(constant.denominator)
            found = -of_ratio - shift
            if abs(found) > (abs(of_ratio) + abs(shift)).scaleb(_SPARE - digits):
                return Level(1 if found > 0 else -1, as_float(Fraction(found)))
    raise UsageError(
        f"the bias is nearer to its limit than {_DIGITS[-1]:,} digits can tell",
        expected="a bias and a constant in the exponent that are not made to be so near",
        fix="leave the constant in the exponent out, or round the bias",
    )


def logarithm(ratio: Fraction) -> float:
    """Of a fraction above 0, to the last digits however near to 1 it is, or far from it."""
    if ratio == 1:
        return 0.0
    if Fraction(1, 2) < ratio < 2:
        return math.log1p(as_float(ratio - 1))
    if _LEAST < ratio < 1 / _LEAST:
        return math.log(ratio)
    return math.log(ratio.numerator) - math.log(ratio.denominator)
