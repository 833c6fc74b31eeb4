"""What a neuron of two inputs is: a line, a curve of second degree, or a bell, and the activation around it.

    y = scale * activation(body) + shift        body = a linear or quadratic polynomial of the inputs
                                                     | amplitude * exp(-exponent) + bias

Everything in it is exact: numbers are fractions, and what has no number yet is a polynomial of names.
"""

import math
from dataclasses import dataclass
from fractions import Fraction

from heldout.anatomy.neurons.polynomials import Polynomial
from heldout.errors import UsageError


@dataclass(frozen=True, slots=True)
class Quadratic:
    """The polynomial first_square u^2 + product u v + second_square v^2 + first u + second v + constant.

    u and v are the two inputs.
    """

    first_square: Polynomial
    product: Polynomial
    second_square: Polynomial
    first: Polynomial
    second: Polynomial
    constant: Polynomial

    @property
    def parts(self) -> tuple[Polynomial, ...]:
        """The six coefficients in their order."""
        return (self.first_square, self.product, self.second_square, self.first, self.second, self.constant)

    @property
    def is_linear(self) -> bool:
        """Whether nothing is squared."""
        return self.first_square.is_zero and self.product.is_zero and self.second_square.is_zero

    @property
    def is_constant(self) -> bool:
        """Whether no input is in it."""
        return self.is_linear and self.first.is_zero and self.second.is_zero

    @property
    def names(self) -> frozenset[str]:
        """Every name that has no number yet."""
        return frozenset[str]().union(*(each.names for each in self.parts))

    def __neg__(self) -> "Quadratic":
        return Quadratic(*(-each for each in self.parts))

    def exactly(self, point: tuple[Fraction, Fraction]) -> Fraction:
        """Its value at a point; all its parts must be numbers."""
        u, v = point
        factors = (u * u, u * v, v * v, u, v, Fraction(1))
        return sum((each.value * factor for each, factor in zip(self.parts, factors, strict=True)), Fraction())


@dataclass(frozen=True, slots=True)
class Bell:
    """The function amplitude * exp(-exponent) + bias: a neuron with a radial basis function.

    The amplitude is not the number 0.
    """

    amplitude: Polynomial
    exponent: Quadratic
    bias: Polynomial

    @property
    def names(self) -> frozenset[str]:
        """Every name that has no number yet."""
        return self.amplitude.names | self.exponent.names | self.bias.names

    def at(self, point: tuple[Fraction, Fraction]) -> float:
        """Its value at a point; infinite where it is too large. All its parts must be numbers."""
        amplitude, exponent = self.amplitude.value, self.exponent.exactly(point)
        if exponent > 745:  # the exponential is below the least float
            return as_float(self.bias.value)
        if exponent < -709:
            return math.copysign(math.inf, amplitude)
        return as_float(amplitude) * math.exp(-float(exponent)) + as_float(self.bias.value)


@dataclass(frozen=True, slots=True)
class Activation:
    """What stands around the body: scale * kind(body) + shift.

    Attributes:
        kind: `step`, `sign`, `sigmoid`, `tanh` or `relu`.
        scale: What its value is multiplied by.
        shift: What is added to that.
    """

    kind: str
    scale: Polynomial
    shift: Polynomial


@dataclass(frozen=True, slots=True)
class Neuron:
    """A neuron of two inputs.

    Attributes:
        text: As it was written.
        inputs: The names of the two inputs.
        body: What its sign is asked of.
        activation: What stands around the body; None for nothing.
        at: The numbers that names were given.
        nonzero: Names that something is divided by.
        is_rounded: Whether a number such as exp(1) or pi was rounded to 16 digits.
    """

    text: str
    inputs: tuple[str, str]
    body: Quadratic | Bell
    activation: Activation | None = None
    at: tuple[tuple[str, Fraction], ...] = ()
    nonzero: frozenset[str] = frozenset()
    is_rounded: bool = False

    @property
    def kind(self) -> str:
        """`line`, `conic` (a polynomial of second degree) or `bell`."""
        if isinstance(self.body, Bell):
            return "bell"
        return "line" if self.body.is_linear else "conic"

    @property
    def names(self) -> tuple[str, ...]:
        """What has no number yet, sorted."""
        around = self.activation.scale.names | self.activation.shift.names if self.activation else frozenset[str]()
        return tuple(sorted(self.body.names | around))


def quadratic_of(polynomial: Polynomial, inputs: tuple[str, str]) -> Quadratic | None:
    """A polynomial of at most second degree by its coefficients; None where an input has a higher power.

    Example:
        >>> from heldout.anatomy.neurons.polynomials import name, number
        >>> found = quadratic_of(name("x1") * name("x1") + number(3), ("x1", "x2"))
        >>> found.exactly((Fraction(2), Fraction(5))), found.is_linear
        (Fraction(7, 1), False)
    """
    if polynomial.degree(inputs) > 2:
        return None
    powers = ((2, 0), (1, 1), (0, 2), (1, 0), (0, 1), (0, 0))
    return Quadratic(*(polynomial.coefficient(inputs, each) for each in powers))


def as_float(value: Fraction) -> float:
    """The nearest float of a fraction.

    Raises:
        UsageError: It is larger than floats are, or nearer to 0.
    """
    try:
        found = float(value)
    except OverflowError:
        found = math.inf
    if math.isinf(found) or (value and not found):
        raise UsageError(
            f"a number of the result would be about 10^{_power_of_ten(value)}",
            expected="numbers that are not so far apart",
            fix="rescale the inputs or the weights",
        )
    return found


def _power_of_ten(value: Fraction) -> int:
    return round((abs(value.numerator).bit_length() - value.denominator.bit_length()) * math.log10(2))
